// The plane as a pad. Edits show at once and go up with a number; older echoes are ignored.

import { component, cssValue, fill, h, oncePerFrame, setText } from "./dom.js";

const HIT = 22; // hundredths: how near to a point the pointer must be
const SPRAY = 45;
const KEY_STEP = 25;
const WAIT_MS = 250;

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.seq = data.ack;
    this.points = data.points;
    this.chosen = 0;
    this.cursor = null;
    this.ask = oncePerFrame(() => this.draw());
    this.build(data);
    this.resizing = new ResizeObserver(this.ask);
    this.resizing.observe(this.canvas);
  }

  build({ classes, colours, texts }) {
    this.canvas = h("canvas", { tabindex: 0, role: "application" });
    const on = (name, act) => this.canvas.addEventListener(name, act);
    on("pointerdown", (event) => this.start(event));
    on("pointermove", (event) => this.drag(event));
    on("pointerup", () => this.end());
    on("pointercancel", () => this.end());
    on("dblclick", (event) => this.removeNear(this.place(event)));
    on("keydown", (event) => this.key(event));
    on("blur", () => { this.cursor = null; this.ask(); });
    this.radios = classes.map((name, k) => {
      const button = h("button", { type: "button", role: "radio", onclick: () => this.choose(k) },
        h("span", { class: "dot", "aria-hidden": "true" }), fill(texts.class, { name }));
      button.style.setProperty("--dot", colours[k]);
      return button;
    });
    this.said = h("output", { class: "said", "aria-live": "polite" }, texts.hint);
    this.count = h("span", { class: "count" });
    this.root.replaceChildren(
      h("div", { class: "bar" }, h("div", { role: "radiogroup", "aria-label": texts.classes }, ...this.radios),
        h("button", { type: "button", onclick: () => this.change(this.points.slice(0, -1)) }, texts.undo),
        h("button", { type: "button", onclick: () => this.change([]) }, texts.clear)),
      this.canvas, this.count, this.said);
    this.choose(0);
  }

  update(data, send) {
    this.data = data;
    this.send = send;
    if (data.ack >= this.seq && !this.waiting && !this.held) this.points = data.points;
    this.tell();
    this.ask();
  }

  choose(k) {
    this.chosen = k;
    this.radios.forEach((radio, i) => radio.setAttribute("aria-checked", i === k ? "true" : "false"));
  }

  tell() {
    const b = this.points.filter((point) => point[2] === 1).length;
    setText(this.count, fill(this.texts.count, { a: this.points.length - b, b, max: this.data.max }));
    this.canvas.setAttribute("aria-label", fill(this.texts.pad, { n: this.points.length }));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const edge = this.data.edge;
    const inside = (value) => Math.round(Math.min(edge, Math.max(-edge, value)));
    return [inside(((event.clientX - box.left) / box.width) * 2 * edge - edge), inside(edge - ((event.clientY - box.top) / box.height) * 2 * edge)];
  }

  near([x, y], reach = HIT) {
    const far = ([a, b]) => Math.hypot(a - x, b - y);
    const best = this.points.reduce((found, point, i) => (far(point) < far(this.points[found] ?? [1e9, 1e9]) ? i : found), -1);
    return best >= 0 && far(this.points[best]) <= reach ? best : -1;
  }

  start(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.place(event);
    const index = this.near(at);
    this.held = { index, at, isMoved: false };
    if (index < 0) this.add(at);
  }

  drag(event) {
    if (!this.held) return;
    const at = this.place(event);
    if (this.held.index >= 0) {
      this.points = this.points.map((point, i) => (i === this.held.index ? [...at, point[2]] : point));
      this.held.isMoved = true;
      this.ask();
    } else if (Math.hypot(at[0] - this.held.at[0], at[1] - this.held.at[1]) > SPRAY) {
      this.held.at = at;
      this.add(at);
    }
  }

  end() {
    const { held } = this;
    this.held = null;
    if (held?.isMoved) this.change(this.points);
  }

  add(at) {
    if (this.points.length >= this.data.max) {
      setText(this.said, fill(this.texts.full, { max: this.data.max }));
      return;
    }
    this.change([...this.points, [...at, this.chosen]]);
  }

  removeNear(at, reach = HIT) {
    const index = this.near(at, reach);
    if (index >= 0) this.change(this.points.filter((_, i) => i !== index));
  }

  key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const act = { Enter: () => this.add(this.cursor), " ": () => this.add(this.cursor), Delete: () => this.removeNear(this.cursor, 100), Backspace: () => this.removeNear(this.cursor, 100) }[event.key];
    if (!by && !act && event.key !== "1" && event.key !== "2") return;
    event.preventDefault();
    this.cursor ??= [0, 0];
    if (by) {
      const { edge } = this.data;
      const inside = (value) => Math.min(edge, Math.max(-edge, value));
      this.cursor = [inside(this.cursor[0] + by[0] * KEY_STEP), inside(this.cursor[1] + by[1] * KEY_STEP)];
      setText(this.said, fill(this.texts.at, { x: this.cursor[0] / 100, y: this.cursor[1] / 100 }));
    } else if (act) act();
    else this.choose(Number(event.key) - 1);
    this.ask();
  }

  // Shows the changed points, and sends them up a moment later: a sprayed stroke is one message
  change(points) {
    this.points = points;
    this.tell();
    this.ask();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.seq += 1;
      this.send("edit", { points: this.points, seq: this.seq });
    }, WAIT_MS);
  }

  draw() {
    const { canvas, data } = this;
    const side = canvas.clientWidth;
    const ratio = devicePixelRatio || 1;
    if (!side) return;
    canvas.width = canvas.height = Math.round(side * ratio);
    const paint = canvas.getContext("2d");
    paint.scale(ratio, ratio);
    const at = ([x, y]) => [((x + data.edge) / (2 * data.edge)) * side, ((data.edge - y) / (2 * data.edge)) * side];
    this.axes(paint, side, at);
    for (const point of this.points) {
      const [x, y] = at(point);
      paint.beginPath();
      paint.arc(x, y, 4.5, 0, 7);
      paint.fillStyle = data.colours[point[2]];
      paint.fill();
      paint.lineWidth = 1;
      paint.strokeStyle = cssValue(this.root, "--st-background-color") || "#fff";
      paint.stroke();
    }
    if (!this.cursor) return;
    const [x, y] = at(this.cursor);
    paint.strokeStyle = cssValue(this.root, "--st-primary-color") || "#0b5cad";
    paint.lineWidth = 2;
    paint.strokeRect(x - 8, y - 8, 16, 16);
  }

  axes(paint, side, at) {
    paint.strokeStyle = cssValue(this.root, "--st-border-color") || "#ccc";
    paint.fillStyle = getComputedStyle(this.root).color;
    paint.font = "12px sans-serif";
    paint.beginPath();
    for (let k = -4; k <= 4; k += 2) {
      const [x, y] = at([k * 100, k * 100]);
      paint.moveTo(x, 0);
      paint.lineTo(x, side);
      paint.moveTo(0, y);
      paint.lineTo(side, y);
      paint.fillText(String(k), x + 3, side - 4);
      if (k) paint.fillText(String(k), 3, y - 3);
    }
    paint.stroke();
    paint.fillText(this.texts.x_axis, side - 18, side - 4);
    paint.fillText(this.texts.y_axis, 3, 12);
  }

  stop() {
    clearTimeout(this.waiting);
    this.resizing.disconnect();
    this.ask.stop();
  }
}

export default component(".lw-point-pad", View);
