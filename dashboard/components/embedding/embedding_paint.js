// Drawing the points on a canvas, and where each of them is on it.

const MARGIN = { left: 46, top: 10, right: 12, bottom: 40 };
const BARE = { left: 26, top: 10, right: 12, bottom: 26 }; // axes without a scale
const MANY = 700;

// From places to pixels; `zoom` is {factor, x, y}: a magnification and a shift in pixels; `turn` is {yaw, pitch} in 3-D
export class Frame {
  constructor(cloud, { width, height, zoom, turn, isLinear }) {
    const { low, high } = cloud.extent(isLinear);
    this.is3d = cloud.dimensions === 3;
    this.margin = isLinear && !this.is3d ? MARGIN : BARE;
    this.box = { left: this.margin.left, top: this.margin.top, width: Math.max(40, width - this.margin.left - this.margin.right), height: Math.max(40, height - this.margin.top - this.margin.bottom) };
    this.centre = low.map((value, axis) => (value + high[axis]) / 2);
    const half = low.map((value, axis) => (high[axis] - value) / 2 || 1e-9);
    this.radius = Math.hypot(...half);
    const fit = this.is3d ? Math.min(this.box.width, this.box.height) / (2 * this.radius) : Math.min(this.box.width / (2 * half[0]), this.box.height / (2 * half[1]));
    this.scale = 0.93 * fit * zoom.factor;
    this.middle = [this.box.left + this.box.width / 2 + zoom.x, this.box.top + this.box.height / 2 + zoom.y];
    const [cy, sy, cp, sp] = [Math.cos(turn.yaw), Math.sin(turn.yaw), Math.cos(turn.pitch), Math.sin(turn.pitch)];
    // Rows: to the right, up, towards the reader
    this.rows = [[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]];
  }

  // Pixels of a place, and its depth from -1 (far) to 1
  at(place) {
    const from = this.centre.map((value, axis) => place[axis] - value);
    if (!this.is3d) return [this.middle[0] + from[0] * this.scale, this.middle[1] - from[1] * this.scale, 0];
    const [x, y, z] = this.rows.map((row) => row[0] * from[0] + row[1] * from[1] + row[2] * from[2]);
    return [this.middle[0] + x * this.scale, this.middle[1] - y * this.scale, z / this.radius];
  }

  // All points, (x, y, depth) each
  pixels(cloud) {
    const { now, dimensions, n } = cloud;
    const found = new Float32Array(3 * n);
    for (let i = 0; i < n; i++) found.set(this.at(now.subarray(i * dimensions, (i + 1) * dimensions)), 3 * i);
    return found;
  }
}

const PATHS = {
  circle: (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  square: (c, x, y, r) => c.rect(x - 0.86 * r, y - 0.86 * r, 1.72 * r, 1.72 * r),
  up: (c, x, y, r) => polygon(c, x, y, [[0, -1.2 * r], [1.1 * r, 0.8 * r], [-1.1 * r, 0.8 * r]]),
  down: (c, x, y, r) => polygon(c, x, y, [[0, 1.2 * r], [1.1 * r, -0.8 * r], [-1.1 * r, -0.8 * r]]),
  diamond: (c, x, y, r) => polygon(c, x, y, [[0, -1.25 * r], [1.25 * r, 0], [0, 1.25 * r], [-1.25 * r, 0]]),
  cross: (c, x, y, r) => polygon(c, x, y, cross(0.42 * r, 1.1 * r)),
};

// A diagonal cross: a plus, turned by an eighth
function cross(thin, long) {
  const plus = [[-thin, -long], [thin, -long], [thin, -thin], [long, -thin], [long, thin], [thin, thin], [thin, long], [-thin, long], [-thin, thin], [-long, thin], [-long, -thin], [-thin, -thin]];
  return plus.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]);
}

function polygon(context, x, y, corners) {
  corners.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
  context.closePath();
}

export function paintMarker(context, x, y, radius, { colour, shape, isHollow }, background) {
  context.beginPath();
  PATHS[shape](context, x, y, radius);
  context.fillStyle = isHollow ? background : colour;
  context.strokeStyle = isHollow ? colour : background;
  context.lineWidth = isHollow ? 1.6 : 0.8;
  context.fill();
  context.stroke();
}

// `scene`: {cloud, frame, pixels, marks, isShown(i), chosen, pointed, style, axes, isLinear}
export function paint(context, { width, height, ratio }, scene) {
  const { frame, style } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = style.background;
  context.fillRect(0, 0, width, height);
  if (frame.is3d) paintSpace(context, scene);
  else paintPlane(context, scene);
  const { left, top, width: w, height: h } = frame.box;
  context.save();
  context.beginPath();
  context.rect(left, top, w, h);
  context.clip();
  paintPoints(context, scene);
  for (const [i, isChosen] of [[scene.pointed, false], [scene.chosen, true]]) if (i >= 0) paintRing(context, scene, i, isChosen);
  context.restore();
}

export const radiusOf = (cloud) => (cloud.n > MANY ? 3.2 : 4.4);

function paintPoints(context, { cloud, frame, pixels, marks, isShown, style }) {
  const radius = radiusOf(cloud);
  const order = [...Array(cloud.n).keys()].filter(isShown);
  if (frame.is3d) order.sort((a, b) => pixels[3 * a + 2] - pixels[3 * b + 2]);
  for (const i of order) {
    context.globalAlpha = frame.is3d ? 0.7 + 0.3 * pixels[3 * i + 2] : 0.92;
    paintMarker(context, pixels[3 * i], pixels[3 * i + 1], radius * (1 + 0.35 * pixels[3 * i + 2]), marks[i], style.background);
  }
  context.globalAlpha = 1;
}

function paintRing(context, { cloud, pixels, marks, style }, i, isChosen) {
  const [x, y] = [pixels[3 * i], pixels[3 * i + 1]];
  const radius = radiusOf(cloud) + (isChosen ? 5 : 3);
  paintMarker(context, x, y, radius - (isChosen ? 4 : 3), marks[i], style.background);
  for (const [colour, line] of [[style.background, isChosen ? 5.5 : 4], [style.text, isChosen ? 2.5 : 1.2]]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.stroke();
  }
}

function paintPlane(context, { frame, style, axes, isLinear }) {
  const { left, top, width, height } = frame.box;
  context.strokeStyle = style.grid;
  context.fillStyle = style.text;
  context.font = `12px ${style.font}`;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
  if (isLinear) paintTicks(context, frame);
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(axes[0], left + width / 2, top + height + frame.margin.bottom - 4);
  context.save();
  context.translate(5, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "top";
  context.fillText(axes[1], 0, 0);
  context.restore();
}

function paintTicks(context, { box, centre, middle, scale }) {
  const { left, top, width, height } = box;
  const across = [centre[0] + (left - middle[0]) / scale, centre[0] + (left + width - middle[0]) / scale];
  const up = [centre[1] + (middle[1] - top - height) / scale, centre[1] + (middle[1] - top) / scale];
  for (const value of ticks(...across, width / 90)) {
    const x = middle[0] + (value - centre[0]) * scale;
    context.textAlign = "center";
    context.textBaseline = "top";
    line(context, x, top, x, top + height);
    context.fillText(String(value), x, top + height + 5);
  }
  for (const value of ticks(...up, height / 70)) {
    const y = middle[1] - (value - centre[1]) * scale;
    context.textAlign = "right";
    context.textBaseline = "middle";
    line(context, left, y, left + width, y);
    context.fillText(String(value), left - 5, y);
  }
}

function line(context, ...[x0, y0, x1, y1]) {
  context.globalAlpha = 0.5;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
  context.globalAlpha = 1;
}

// About `n` round numbers from low to high
function ticks(low, high, n) {
  const rough = (high - low) / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, k) => Number(((first + k) * step).toPrecision(10)));
}

// Three axes from the middle of all points
function paintSpace(context, { frame, style, axes }) {
  context.font = `12px ${style.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const { centre, radius } = frame;
  const [x0, y0] = frame.at(centre);
  axes.forEach((name, axis) => {
    const end = centre.map((value, k) => value + (k === axis ? 0.8 * radius : 0));
    const [x, y] = frame.at(end);
    context.strokeStyle = style.grid;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x, y);
    context.stroke();
    context.fillStyle = style.text;
    context.fillText(name, x0 + (x - x0) * 1.08, y0 + (y - y0) * 1.08 - 8);
  });
}
