// The plane of a surface: drawn on a canvas, with the start point as a handle on top that mouse, finger and keys can move.

import { cssValue, fill, h } from "./dom.js";
import { laneStyle } from "./lane_view.js";
import { brief, size } from "./surface_data.js";
import {
  contours, fillOf, MARGIN, paintArrow, paintAxes, paintContours, paintMarker, paintMinimum, paintPath, shapeOf,
} from "./surface_paint.js";

export const WAIT_MS = 250; // between the last key and the question to Python
const CLICK_PX = 5;
const NUDGE = 0.01; // of the side
const LONGEST_PX = 90; // gradient and momentum
const STEP_PX = [28, 140]; // how long the longest step drawn may be before it is enlarged, or made smaller

export class Plane {
  // `on`: {now() is the present start, start(point, wait) sets it, view(view) chooses what is in view}
  constructor(texts, on) {
    this.texts = texts;
    this.on = on;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.handle = h("button", { type: "button", class: "handle", "aria-roledescription": texts.handle_role });
    this.element = h("div", { class: "plane", role: "figure" }, this.canvas, this.handle);
    const listen = (target, name, act) => target.addEventListener(name, (event) => this.scene && act(event));
    listen(this.handle, "pointerdown", (event) => this.grab(event));
    listen(this.handle, "pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) listen(this.handle, end, () => this.drop());
    listen(this.handle, "keydown", (event) => this.key(event));
    listen(this.canvas, "pointerdown", (event) => this.press(event));
    listen(this.canvas, "pointermove", (event) => this.stretch(event));
    listen(this.canvas, "pointerup", (event) => this.release(event));
    listen(this.canvas, "pointercancel", () => { this.pressed = null; });
  }

  get isHeld() {
    return Boolean(this.held);
  }

  // Pixel on the canvas to place on the surface, and back
  fromPixel(x, y) {
    const { left, top, side } = this.box;
    const { centre, half } = this.scene.view;
    return [centre[0] + half * ((2 * (x - left)) / side - 1), centre[1] - half * ((2 * (y - top)) / side - 1)];
  }

  toPixel([x, y]) {
    const { left, top, side } = this.box;
    const { centre, half } = this.scene.view;
    return [left + (side / 2) * (1 + (x - centre[0]) / half), top + (side / 2) * (1 - (y - centre[1]) / half)];
  }

  inside([x, y]) {
    const { centre, half } = this.scene.limits;
    const clamp = (value, middle) => Math.min(middle + half, Math.max(middle - half, value));
    return [clamp(x, centre[0]), clamp(y, centre[1])];
  }

  grab(event) {
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    const [x, y] = this.toPixel(this.scene.start);
    const at = this.pixel(event);
    this.held = { offset: [x - at[0], y - at[1]], isMoved: false };
  }

  drag(event) {
    if (!this.held) return;
    const [x, y] = this.pixel(event);
    const { offset } = this.held;
    this.held.isMoved = true;
    this.on.start(this.inside(this.fromPixel(x + offset[0], y + offset[1])), null);
  }

  drop() {
    const isMoved = this.held?.isMoved;
    this.held = null;
    if (isMoved) this.on.start(this.on.now(), 0);
  }

  key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move && event.key !== "Home") return;
    event.preventDefault();
    const by = 2 * this.scene.view.half * NUDGE * (event.shiftKey ? 10 : 1);
    const [x, y] = this.on.now(); // what is drawn may be a key behind
    this.on.start(move ? this.inside([x + by * move[0], y + by * move[1]]) : this.scene.usual, WAIT_MS);
  }

  pixel(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // On the plane itself a click sets the start, and a drag by mouse marks what to enlarge
  press(event) {
    const at = this.pixel(event);
    const { left, top, side } = this.box;
    if (at[0] < left || at[0] > left + side || at[1] < top || at[1] > top + side) return;
    this.pressed = { from: at, to: at };
    if (event.pointerType === "mouse") this.canvas.setPointerCapture(event.pointerId);
  }

  stretch(event) {
    if (!this.pressed || event.pointerType !== "mouse") return;
    this.pressed.to = this.pixel(event);
    this.draw(this.scene);
  }

  release() {
    const { pressed } = this;
    this.pressed = null;
    if (!pressed) return;
    const [dx, dy] = [pressed.to[0] - pressed.from[0], pressed.to[1] - pressed.from[1]];
    const side = Math.max(Math.abs(dx), Math.abs(dy));
    if (side <= CLICK_PX) {
      this.on.start(this.inside(this.fromPixel(...pressed.from)), 0);
      return;
    }
    const centre = this.fromPixel(pressed.from[0] + dx / 2, pressed.from[1] + dy / 2);
    this.on.view({ centre, half: (this.scene.view.half * side) / this.box.side });
  }

  draw(scene) {
    this.scene = scene;
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const side = Math.min(width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom);
    this.box = { left: MARGIN.left, top: MARGIN.top, side };
    const style = {
      text: cssValue(canvas, "--st-text-color"), background: cssValue(canvas, "--st-background-color"),
      accent: cssValue(canvas, "--st-primary-color"), grid: cssValue(canvas, "--st-border-color"),
      quiet: getComputedStyle(canvas).color, font: cssValue(canvas, "--st-font") || "sans-serif",
    };
    style.contour = `color-mix(in srgb, ${style.text} 26%, transparent)`;
    const paint = canvas.getContext("2d");
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, width, height);
    const toPixel = (place) => this.toPixel(place);
    paintAxes(paint, { box: this.box, view: scene.view, toPixel, style, texts: this.texts });
    paint.save();
    paint.beginPath();
    paint.rect(this.box.left, this.box.top, side, side);
    paint.clip();
    this.paintRelief(paint, toPixel, style);
    if (scene.paths) this.paintLanes(paint, toPixel, style);
    if (this.pressed) this.paintFrame(paint, style);
    paint.restore();
    this.placeHandle(style);
  }

  paintRelief(paint, toPixel, style) {
    const { relief, show, minima } = this.scene;
    const theme = [style.background, style.accent].join();
    if (this.relief !== relief) this.lines = contours(relief);
    if (this.relief !== relief || this.theme !== theme) this.image = fillOf(relief, style);
    this.relief = relief;
    this.theme = theme;
    const { centre, half } = relief.view;
    const [left, top] = toPixel([centre[0] - half, centre[1] + half]);
    const [right, bottom] = toPixel([centre[0] + half, centre[1] - half]);
    const pad = (right - left) / (relief.side - 1) / 2; // grid points are the middles of the picture's pixels
    paint.imageSmoothingQuality = "high";
    paint.drawImage(this.image, left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad);
    if (show.contours) paintContours(paint, { lines: this.lines, relief, toPixel, style, box: this.box });
    if (show.minima) minima.forEach((minimum) => paintMinimum(paint, ...toPixel(minimum), style));
  }

  paintLanes(paint, toPixel, style) {
    const { paths, step, palette, hidden, isStale } = this.scene;
    const shown = [...Array(paths.n).keys()].filter((lane) => !hidden.has(lane));
    for (const lane of shown) {
      const look = laneStyle(lane, palette);
      const last = paths.last(lane, step);
      const now = isStale ? 0 : last;
      if (now < paths.done[lane]) paintPath(paint, { paths, lane, first: now, last: paths.done[lane], toPixel, look, style });
      if (now > 0) paintPath(paint, { paths, lane, first: 0, last: now, toPixel, look: { ...look, isSolid: true }, style });
    }
    if (isStale) return;
    this.paintVectors(paint, shown, toPixel, style);
    for (const lane of shown) {
      const [x, y] = toPixel(paths.place(lane, paths.last(lane, step)));
      paintMarker(paint, shapeOf(lane), x, y, laneStyle(lane, palette).colour, style.background);
    }
  }

  paintVectors(paint, shown, toPixel, style) {
    const { paths, step, palette, vectors } = this.scene;
    const chosen = vectors === "all" ? shown : shown.filter((lane) => lane === vectors);
    const found = chosen.map((lane) => ({ lane, made: paths.vectors(lane, step) })).filter(({ made }) => made);
    const perUnit = this.box.side / (2 * this.scene.view.half);
    this.factor = enlarged(Math.max(0, ...found.map(({ made }) => size(made.step))) * perUnit);
    for (const { lane, made } of found) {
      const [x, y] = toPixel(paths.place(lane, step));
      const longest = Math.max(size(made.gradient), size(made.momentum) || 0);
      const downhill = (vector) => [(-vector[0] / longest) * LONGEST_PX, (vector[1] / longest) * LONGEST_PX];
      const open = { colour: style.text, width: 1.6, dash: [], isFilled: false, background: style.background };
      if (longest > 0) {
        paintArrow(paint, x, y, downhill(made.gradient), open);
        if (made.momentum) paintArrow(paint, x, y, downhill(made.momentum), { ...open, dash: [4, 3] });
      }
      const by = [made.step[0] * perUnit * this.factor, -made.step[1] * perUnit * this.factor];
      paintArrow(paint, x, y, by, { ...open, colour: laneStyle(lane, palette).colour, width: 3.2, isFilled: true });
    }
    this.nVectors = found.length;
  }

  paintFrame(paint, style) {
    const { from, to } = this.pressed;
    const side = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
    if (side <= CLICK_PX) return;
    const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    paint.strokeStyle = style.text;
    paint.setLineDash([4, 3]);
    paint.lineWidth = 1.5;
    paint.strokeRect(x - side / 2, y - side / 2, side, side);
    paint.setLineDash([]);
  }

  placeHandle() {
    const [x, y] = this.toPixel(this.scene.start);
    const { left, top, side } = this.box;
    const isOut = x < left - 1 || x > left + side + 1 || y < top - 1 || y > top + side + 1;
    this.handle.classList.toggle("out", isOut);
    const keep = (value, low) => Math.min(low + side, Math.max(low, value));
    this.handle.style.transform = `translate(${keep(x, left)}px, ${keep(y, top)}px)`;
    const [sx, sy] = this.scene.start.map(brief);
    this.handle.setAttribute("aria-label", fill(this.texts.handle, { x: sx, y: sy }));
  }
}

// A power of ten by which steps are drawn longer or shorter, so that they can be seen and do not fill the plane
function enlarged(longest) {
  if (!(longest > 0)) return 1;
  let factor = 1;
  while (longest * factor < STEP_PX[0]) factor *= 10;
  while (longest * factor > STEP_PX[1] * 4) factor /= 10;
  return factor;
}
