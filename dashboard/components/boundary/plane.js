// Drawing the plane on a canvas. Grid points lie on the edges too: row 0 is at y = -span, the last row at y = span.

const MARGIN = { left: 44, top: 8, right: 10, bottom: 40 };
const TICKS = 4; // per half axis
const RADIUS = 3.6;
const SMALL_RADIUS = 2.6; // for more points than MANY
const MANY = 250;
const FULL_SIDE = 380; // planes that are smaller than this have smaller points

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

// 256 colours from `low` over `middle` to `high`
export function colourMap([low, middle, high]) {
  const stops = [low, middle, high].map(channels);
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * 2;
    const k = Math.min(1, Math.floor(place));
    return stops[k].map((channel, c) => Math.round(channel + (stops[k + 1][c] - channel) * (place - k)));
  });
}

export function surfaceImage({ side, values }, map) {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = 4 * ((side - 1 - row) * side + column); // the picture's first row is at the top
      const [r, g, b] = map[values[row * side + column]];
      image.data[at] = r;
      image.data[at + 1] = g;
      image.data[at + 2] = b;
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Share of the colour scale at a place, from 0 to 1, interpolated between the four grid points around it
export function valueAt({ side, span, values }, x, y) {
  const place = (v) => Math.min(side - 1, Math.max(0, ((v + span) / (2 * span)) * (side - 1)));
  const [column, row] = [place(x), place(y)];
  const [c, r] = [Math.min(side - 2, Math.floor(column)), Math.min(side - 2, Math.floor(row))];
  const [u, v] = [column - c, row - r];
  const at = (i, j) => values[j * side + i] / 255;
  return (1 - v) * ((1 - u) * at(c, r) + u * at(c + 1, r)) + v * ((1 - u) * at(c, r + 1) + u * at(c + 1, r + 1));
}

// Paints everything; returns where the plane is, in CSS pixels
export function paint(context, { size, ratio, data, surface, image, dots, style, probe, margin = MARGIN }) {
  const side = size - margin.left - margin.right;
  const box = { left: margin.left, top: margin.top, side };
  const px = (x) => box.left + ((x + data.span) / (2 * data.span)) * side;
  const py = (y) => box.top + ((data.span - y) / (2 * data.span)) * side;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = style.background;
  context.fillRect(0, 0, size, size);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, side, side);
  context.clip();
  if (image) paintSurface(context, surface, image, px, py);
  paintPoints(context, data, dots, px, py, Boolean(image), style, Math.max(0.6, Math.min(1, side / FULL_SIDE)));
  if (probe) paintProbe(context, probe, px, py, box, image ? "#111418" : style.text);
  context.restore();
  if (margin === MARGIN) paintAxes(context, data, box, px, py, style);
  return box;
}

// Each grid point is the middle of one pixel of the picture, so the picture sticks out by half a cell
function paintSurface(context, { side, span }, image, px, py) {
  const cell = (2 * span) / (side - 1);
  const edge = span + cell / 2;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, px(-edge), py(edge), px(edge) - px(-edge), py(-edge) - py(edge));
}

function paintPoints(context, data, dots, px, py, isOnSurface, style, scale) {
  const ring = isOnSurface ? "#ffffff" : style.background;
  const radius = scale * (data.x.length > MANY ? SMALL_RADIUS : RADIUS);
  for (let i = 0; i < data.x.length; i++) {
    const colour = dots[data.shade[i]];
    context.beginPath();
    context.arc(px(data.x[i]), py(data.y[i]), radius, 0, 2 * Math.PI);
    context.lineWidth = scale * (data.held[i] ? 3 : 0.8);
    context.strokeStyle = ring;
    context.fillStyle = data.held[i] ? ring : colour;
    context.fill();
    context.stroke();
    if (data.held[i]) {
      context.lineWidth = 1.5 * scale;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

function paintProbe(context, { x, y }, px, py, box, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(px(x), box.top);
  context.lineTo(px(x), box.top + box.side);
  context.moveTo(box.left, py(y));
  context.lineTo(box.left + box.side, py(y));
  context.stroke();
  context.setLineDash([]);
}

function paintAxes(context, data, box, px, py, style) {
  const { left, top, side } = box;
  context.strokeStyle = style.grid;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
  context.fillStyle = style.text;
  context.font = `12px ${style.font}`;
  for (let k = -TICKS; k <= TICKS; k += 2) {
    const value = (k * data.span) / TICKS;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(String(value), px(value), top + side + 6);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(String(value), left - 6, py(value));
    context.beginPath();
    context.moveTo(px(value), top + side);
    context.lineTo(px(value), top + side + 4);
    context.moveTo(left - 4, py(value));
    context.lineTo(left, py(value));
    context.stroke();
  }
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(data.texts.x_axis, left + side / 2, top + side + 36);
  context.save();
  context.translate(10, top + side / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  context.fillText(data.texts.y_axis, 0, 0);
  context.restore();
}
