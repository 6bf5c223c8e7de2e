// The plane of 2-D data: decision surface, points, axes, legend, and a reading point by mouse or keyboard.

import { component, cssValue, download, fill, h, oncePerFrame, setText, whole } from "./dom.js";
import { subscribe } from "./live_feed.js";
import { colourMap, paint, surfaceImage, valueAt } from "./plane.js";

const KEY_STEP = 0.25;

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.series = 0;
    this.probe = null;
    this.ask = oncePerFrame(() => this.draw());
    this.build();
    this.resizing = new ResizeObserver(this.ask);
    this.resizing.observe(this.canvas);
  }

  build() {
    const { texts } = this;
    this.canvas = h("canvas", { tabindex: 0, role: "img" });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.read(null));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.reading = h("output", { class: "reading", "aria-live": "polite" });
    this.legend = h("div", { class: "legend" });
    this.pick = h("select", { "aria-label": texts.series });
    this.pick.addEventListener("change", () => {
      this.series = Number(this.pick.value);
      this.ask();
    });
    this.pickLabel = h("label", { hidden: true }, texts.series, this.pick);
    const bar = h("div", { class: "bar" }, this.pickLabel,
      h("button", { type: "button", onclick: () => this.savePicture() }, texts.png),
      h("button", { type: "button", onclick: () => this.saveTable() }, texts.csv));
    this.root.replaceChildren(this.canvas, this.reading, this.legend, bar);
  }

  update(data) {
    this.data = data;
    this.texts = data.texts;
    this.map = colourMap(data.surface);
    this.isNumber = data.classes.length === 0;
    this.dots = colourMap(data.colours).map((rgb) => `rgb(${rgb.join(",")})`);
    if (data.run !== this.run || this.subscription?.feed.isStale()) {
      this.subscription?.leave();
      this.run = data.run;
      this.subscription = data.run ? subscribe(data.run, () => this.heard()) : null;
    }
    this.drawLegend();
    this.ask();
  }

  get surface() {
    const surfaces = this.subscription?.feed.surfaces;
    return surfaces?.get(this.series) ?? surfaces?.values().next().value ?? null;
  }

  heard() {
    const { feed } = this.subscription;
    const names = feed.hello?.series ?? [];
    if (names.length > 1 && this.pick.options.length !== names.length) {
      this.pick.replaceChildren(...names.map((name, k) => h("option", { value: k }, name)));
    }
    this.pickLabel.hidden = names.length < 2;
    this.ask();
  }

  drawLegend() {
    const { dots, isNumber } = this;
    const { colours, surface, classes } = this.data;
    const key = JSON.stringify([colours, surface, classes]);
    if (key === this.legendKey) return;
    this.legendKey = key;
    const dot = (colour, isHeld) => {
      const element = h("span", { class: isHeld ? "dot held" : "dot", "aria-hidden": "true" });
      element.style.setProperty("--dot", colour);
      return element;
    };
    const scale = h("span", { class: "scale", "aria-hidden": "true" });
    scale.style.background = `linear-gradient(to right, ${surface.join(", ")})`;
    this.legend.replaceChildren(
      ...classes.map((name, k) => h("span", {}, dot(dots[255 * k], false), name)),
      h("span", {}, dot("currentColor", false), this.texts.train), h("span", {}, dot("currentColor", true), this.texts.validation),
      h("span", { class: "range" }, isNumber ? "≤ −1" : "0", scale, isNumber ? "≥ 1" : "1",
        h("span", {}, isNumber ? this.texts.prediction : fill(this.texts.probability, { name: classes[1] }))));
  }

  draw() {
    const { canvas, data } = this;
    const { surface } = this;
    const size = canvas.clientWidth;
    if (!size) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (canvas.width !== Math.round(size * ratio)) canvas.width = canvas.height = Math.round(size * ratio);
    if (surface !== this.drawn) {
      this.drawn = surface;
      this.image = surface && surfaceImage(surface, this.map);
    }
    const style = {
      text: cssValue(canvas, "--st-text-color"), grid: cssValue(canvas, "--st-border-color"),
      background: cssValue(canvas, "--st-background-color"), font: cssValue(canvas, "--st-font") || "sans-serif",
    };
    this.box = paint(canvas.getContext("2d"), { size, ratio, data, surface, image: this.image, dots: this.dots, style, probe: this.probe });
    this.describe();
  }

  describe() {
    const { surface, texts, data } = this;
    const values = { n: whole(data.x.length), step: whole(surface?.step ?? 0) };
    const text = fill(surface ? texts.alt : texts.alt_points, values);
    this.canvas.setAttribute("aria-label", `${text} ${texts.plane}.`);
    this.root.dataset.step = String(surface?.step ?? 0);
    if (!this.probe) setText(this.reading, texts.probe);
    else this.say();
  }

  say() {
    const { x, y } = this.probe;
    const p = this.surface ? valueAt(this.surface, x, y) : null;
    const values = { x: x.toFixed(2), y: y.toFixed(2), p: p === null ? "" : this.inUnit(p).toFixed(2) };
    const { read, read_number, read_point } = this.texts;
    setText(this.reading, fill(p === null ? read_point : this.isNumber ? read_number : read, values));
  }

  // A share of the colour scale as what it stands for: a probability, or a number from -1 to 1
  inUnit(share) {
    return this.isNumber ? 2 * share - 1 : share;
  }

  point(event) {
    if (!this.box) return;
    const { left, top, side } = this.box;
    const { span } = this.data;
    const x = (((event.offsetX - left) / side) * 2 - 1) * span;
    const y = (1 - ((event.offsetY - top) / side) * 2) * span;
    this.read(Math.abs(x) <= span && Math.abs(y) <= span ? { x, y } : null);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const { span } = this.data;
    const limit = (value) => Math.min(span, Math.max(-span, value));
    const { x, y } = this.probe ?? { x: 0, y: 0 };
    this.read({ x: limit(x + KEY_STEP * move[0]), y: limit(y + KEY_STEP * move[1]) });
  }

  read(probe) {
    this.probe = probe;
    this.ask();
  }

  savePicture() {
    this.canvas.toBlob((blob) => blob && download(`plane-${this.run ?? "data"}.png`, blob));
  }

  saveTable() {
    const { data, surface } = this;
    const lines = [this.isNumber ? "kind,x1,x2,target,prediction" : "kind,x1,x2,class,probability"];
    data.x.forEach((x, i) => lines.push([data.held[i] ? "validation" : "training", x, data.y[i], data.target[i], ""].join(",")));
    for (let row = 0; surface && row < surface.side; row++) {
      for (let column = 0; column < surface.side; column++) {
        const at = (k) => (-surface.span + (2 * surface.span * k) / (surface.side - 1)).toFixed(4);
        const p = this.inUnit(surface.values[row * surface.side + column] / 255);
        lines.push(["surface", at(column), at(row), "", p.toFixed(4)].join(","));
      }
    }
    download(`plane-${this.run ?? "data"}.csv`, new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  }

  stop() {
    this.ask.stop();
    this.resizing.disconnect();
    this.subscription?.leave();
  }
}

export default component(".lw-boundary", View);
