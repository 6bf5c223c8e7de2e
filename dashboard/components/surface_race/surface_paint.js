// How the plane of a surface is painted: fill and contours of the relief, paths, markers, vectors and axes.

import { DASH_LENGTHS } from "./lane_view.js";
import { brief, mixed, ticks } from "./surface_data.js";

export const MARGIN = { left: 46, top: 8, right: 10, bottom: 40 };
const SHAPES = ["circle", "square", "diamond", "up", "down", "cross"];
const LABEL_GAP = 44;

export const shapeOf = (lane) => SHAPES[lane % SHAPES.length];

// The dash of a lane as canvas wants it; long gaps would swallow short paths, so it is drawn a little denser
export const dashOf = (style) => (style.dash === "solid" ? [] : DASH_LENGTHS[style.dash].split(" ").map(Number));

// The fill as a small picture, darker towards the valley
export function fillOf(relief, style) {
  const { side, ranks, top } = relief;
  const shades = [...Array(64).keys()].map((i) => mixed(style.background, style.accent, 0.04 + 0.34 * (1 - i / 63) ** 1.3));
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const shade = shades[Math.min(63, Math.floor((ranks[row * side + column] / top) * 64))];
      const at = 4 * ((side - 1 - row) * side + column); // row 0 is the lowest y
      image.data.set([...shade, 255], at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Contours by marching squares: for each level a list of segments [x0, y0, x1, y1] in shares of the side, y upwards
export function contours(relief) {
  const { side, ranks, levels } = relief;
  const found = levels.map(() => []);
  const unit = 1 / (side - 1);
  for (let row = 0; row < side - 1; row++) {
    for (let column = 0; column < side - 1; column++) {
      const at = row * side + column;
      const corners = [ranks[at], ranks[at + 1], ranks[at + side + 1], ranks[at + side]];
      const low = Math.min(...corners);
      const high = Math.max(...corners);
      for (let level = Math.max(1, Math.ceil(low)); level <= Math.min(levels.length, high); level++) {
        cell(corners, level, column, row, unit, found[level - 1]);
      }
    }
  }
  return found;
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

function cell(corners, level, column, row, unit, segments) {
  const points = [];
  for (let edge = 0; edge < 4; edge++) {
    const [from, to] = [corners[edge], corners[(edge + 1) % 4]];
    if (from < level === to < level) continue;
    const share = (level - from) / (to - from);
    const [[x, y], [toX, toY]] = [CORNERS[edge], CORNERS[(edge + 1) % 4]];
    points.push([(column + x + share * (toX - x)) * unit, (row + y + share * (toY - y)) * unit]);
  }
  for (let i = 0; i + 1 < points.length; i += 2) segments.push([...points[i], ...points[i + 1]]);
}

// Lines and a few numbers on them, far enough from each other to be read
export function paintContours(paint, { lines, relief, toPixel, style, box }) {
  const { view } = relief;
  const place = (x, y) => toPixel([view.centre[0] + (2 * x - 1) * view.half, view.centre[1] + (2 * y - 1) * view.half]);
  paint.strokeStyle = style.contour;
  paint.lineWidth = 1;
  const labels = [];
  lines.forEach((segments, k) => {
    paint.beginPath();
    let best = null;
    for (const [x0, y0, x1, y1] of segments) {
      const [a, b] = place(x0, y0);
      paint.moveTo(a, b);
      paint.lineTo(...place(x1, y1));
      const isInside = a > box.left + 20 && a < box.left + box.side - 20 && b > box.top + 12 && b < box.top + box.side - 12;
      const gap = isInside ? Math.min(LABEL_GAP * 3, ...labels.map(([u, v]) => Math.hypot(u - a, (v - b) * 1.6))) : 0;
      if (gap > LABEL_GAP && (!best || gap > best.gap)) best = { gap, a, b };
    }
    paint.stroke();
    if (best) labels.push([best.a, best.b, brief(relief.levels[k])]);
  });
  paint.font = `11px ${style.font}`;
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  for (const [x, y, text] of labels) haloed(paint, text, x, y, style.quiet, style.background);
}

function haloed(paint, text, x, y, colour, background) {
  paint.lineWidth = 4;
  paint.lineJoin = "round";
  paint.strokeStyle = background;
  paint.strokeText(text, x, y);
  paint.fillStyle = colour;
  paint.fillText(text, x, y);
}

// A path from step `first` to step `last`
export function paintPath(paint, { paths, lane, first, last, toPixel, look, style }) {
  paint.beginPath();
  for (let k = first; k <= last; k++) {
    const [x, y] = toPixel(paths.place(lane, k));
    if (k === first) paint.moveTo(x, y);
    else paint.lineTo(x, y);
  }
  paint.lineJoin = "round";
  if (look.isSolid) {
    paint.setLineDash([]);
    paint.lineWidth = 5;
    paint.strokeStyle = style.background;
    paint.globalAlpha = 0.7;
    paint.stroke();
  }
  paint.globalAlpha = look.isSolid ? 1 : 0.35;
  paint.setLineDash(dashOf(look));
  paint.lineWidth = look.isSolid ? 2.4 : 1.4;
  paint.strokeStyle = look.colour;
  paint.stroke();
  paint.setLineDash([]);
  paint.globalAlpha = 1;
}

export function paintMarker(paint, shape, x, y, colour, background, radius = 6) {
  paint.beginPath();
  if (shape === "circle") paint.arc(x, y, radius, 0, 7);
  else if (shape === "square") paint.rect(x - radius * 0.85, y - radius * 0.85, radius * 1.7, radius * 1.7);
  else corners(shape, radius).forEach(([u, v], i) => (i ? paint.lineTo(x + u, y + v) : paint.moveTo(x + u, y + v)));
  paint.closePath();
  paint.fillStyle = colour;
  paint.strokeStyle = background;
  paint.lineWidth = 2;
  paint.lineJoin = "round";
  paint.stroke();
  paint.fill();
}

// The corners of a marker around its middle, y downwards; the legend draws them as SVG
export function corners(shape, r) {
  const t = r * 0.4;
  return {
    circle: [...Array(16).keys()].map((i) => [r * Math.cos((i * Math.PI) / 8), r * Math.sin((i * Math.PI) / 8)]),
    square: [[-0.85 * r, -0.85 * r], [0.85 * r, -0.85 * r], [0.85 * r, 0.85 * r], [-0.85 * r, 0.85 * r]],
    diamond: [[0, -1.2 * r], [1.2 * r, 0], [0, 1.2 * r], [-1.2 * r, 0]],
    up: [[0, -1.15 * r], [1.1 * r, 0.85 * r], [-1.1 * r, 0.85 * r]],
    down: [[0, 1.15 * r], [1.1 * r, -0.85 * r], [-1.1 * r, -0.85 * r]],
    cross: [[-t, -r], [t, -r], [t, -t], [r, -t], [r, t], [t, t], [t, r], [-t, r], [-t, t], [-r, t], [-r, -t], [-t, -t]],
  }[shape];
}

// A place of the least value: a ring with a point in it
export function paintMinimum(paint, x, y, style) {
  for (const [colour, width] of [[style.background, 4], [style.text, 1.6]]) {
    paint.strokeStyle = colour;
    paint.lineWidth = width;
    paint.beginPath();
    paint.moveTo(x - 6, y - 6);
    paint.lineTo(x + 6, y + 6);
    paint.moveTo(x + 6, y - 6);
    paint.lineTo(x - 6, y + 6);
    paint.stroke();
  }
}

// An arrow by `dx`, `dy` pixels: the step has a filled head, gradient and momentum an open one
export function paintArrow(paint, x, y, [dx, dy], { colour, width, dash, isFilled, background }) {
  const length = Math.hypot(dx, dy);
  if (length < 1) return;
  const head = Math.min(isFilled ? 10 : 8, 0.7 * length);
  const turn = Math.atan2(dy, dx);
  const end = [x + dx, y + dy];
  const wing = (side) => [end[0] - head * Math.cos(turn + side * 0.5), end[1] - head * Math.sin(turn + side * 0.5)];
  const shaft = isFilled ? [x + dx * (1 - (0.8 * head) / length), y + dy * (1 - (0.8 * head) / length)] : end;
  for (const [ink, wide] of [[background, width + 2.5], [colour, width]]) {
    paint.strokeStyle = paint.fillStyle = ink;
    paint.lineWidth = wide;
    paint.setLineDash(ink === background ? [] : dash);
    paint.beginPath();
    paint.moveTo(x, y);
    paint.lineTo(...shaft);
    paint.stroke();
    paint.setLineDash([]);
    paint.beginPath();
    paint.moveTo(...wing(1));
    paint.lineTo(...end);
    paint.lineTo(...wing(-1));
    if (isFilled && ink === colour) {
      paint.closePath();
      paint.fill();
    } else paint.stroke();
  }
}

export function paintAxes(paint, { box, view, toPixel, style, texts }) {
  const { left, top, side } = box;
  paint.strokeStyle = style.grid;
  paint.fillStyle = style.quiet;
  paint.font = `12px ${style.font}`;
  paint.lineWidth = 1;
  paint.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
  const [cx, cy] = view.centre;
  paint.textAlign = "center";
  paint.textBaseline = "top";
  for (const tick of ticks(cx - view.half, cx + view.half)) {
    const [x] = toPixel([tick, cy]);
    mark(paint, x, top + side, x, top + side + 4);
    paint.fillText(brief(tick), x, top + side + 6);
  }
  paint.fillText(texts.x_axis, left + side / 2, top + side + 23);
  paint.textAlign = "right";
  paint.textBaseline = "middle";
  for (const tick of ticks(cy - view.half, cy + view.half)) {
    const [, y] = toPixel([cx, tick]);
    mark(paint, left - 4, y, left, y);
    paint.fillText(brief(tick), left - 6, y);
  }
  paint.save();
  paint.translate(9, top + side / 2);
  paint.rotate(-Math.PI / 2);
  paint.textAlign = "center";
  paint.fillText(texts.y_axis, 0, 0);
  paint.restore();
}

function mark(paint, ...ends) {
  paint.beginPath();
  paint.moveTo(ends[0], ends[1]);
  paint.lineTo(ends[2], ends[3]);
  paint.stroke();
}
