// A small net as in TensorFlow Playground: small maps in a net of lines, and one neuron large, with its formula.

import { component, cssValue, download, fill, h, isDark, oncePerFrame, setText, short } from "./dom.js";
import { Drawing } from "./neurons_drawing.js";
import { colourMap, paint, surfaceImage } from "./plane.js";

const MOST_TERMS = 8;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class View {
  constructor(root, { texts }) {
    this.root = root;
    this.place = null; // the neuron that is pointed at, or has the focus
    this.ask = oncePerFrame(() => this.paintLarge());
    this.stage = h("div", { class: "stage" });
    this.canvas = h("canvas", { role: "img" });
    this.title = h("div", { class: "title" });
    this.formula = h("div", { class: "formula" });
    this.reading = h("output", { class: "reading", "aria-live": "polite" });
    this.side = h("div", { class: "side" }, this.title, this.canvas, this.formula);
    this.legend = h("div", { class: "legend" });
    this.save = h("button", { type: "button", onclick: () => this.saveDrawing() }, texts.svg);
    root.replaceChildren(this.stage, this.side, this.reading, this.legend);
    this.resizing = new ResizeObserver(this.ask);
    this.resizing.observe(this.canvas);
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("focusin", ({ target }) => this.point(placeOf(target)));
    this.stage.addEventListener("focusout", () => this.point(null));
  }

  update(data, send) {
    this.data = data;
    this.send = send;
    this.map = colourMap(data.surface);
    const form = JSON.stringify(data.columns.map(({ n, names, label, layer, after, maps }) => [n, names, label, layer, after, Boolean(maps)]));
    if (form !== this.form) {
      this.form = form;
      this.place = null;
      this.drawing = new Drawing(data, {
        onPoint: (place) => this.point(place),
        onWeight: (place) => this.readWeight(place),
        onPick: (place) => this.pick(place),
      });
      this.stage.replaceChildren(this.drawing.element);
    }
    const { side } = data;
    this.maps = data.columns.map((column) => column.maps?.map(bytes));
    this.surfaces = this.maps.map((column) => column?.map((values) => surfaceImage({ side, values }, this.map)));
    this.drawing.update(data, this.surfaces.map((column) => column?.map(addressOf)));
    this.drawLegend();
    this.roving();
    this.show();
  }

  // One neuron is a tab stop: the chosen one, or the one that was visited last
  roving() {
    const { nodes } = this.drawing;
    const [c, i] = this.last && nodes[this.last[0]]?.[this.last[1]] ? this.last : this.data.chosen ?? [Math.min(1, nodes.length - 1), 0];
    nodes.flat().forEach((node) => node.setAttribute("tabindex", node === nodes[c][i] ? 0 : -1));
  }

  point(place) {
    const focused = placeOf(document.activeElement?.closest?.(".lw-neurons") === this.root ? document.activeElement : null);
    this.place = place ?? focused;
    if (this.place) this.last = this.place;
    this.show();
  }

  get shown() {
    return this.place ?? this.data.chosen ?? [this.data.columns.length - 1, this.data.columns.at(-1).n - 1];
  }

  show() {
    const { data, shown } = this;
    const [c, i] = shown;
    const name = this.drawing.name(c, i);
    this.drawing.show(this.place ?? data.chosen);
    setText(this.title, name);
    setText(this.formula, this.formulaOf(c, i));
    this.canvas.hidden = !data.columns[c].maps;
    this.canvas.setAttribute("aria-label", fill(data.texts.large, { name }));
    if (this.place) setText(this.reading, "");
    else if (!this.isOnLine) setText(this.reading, data.texts.hint);
    this.drawScale(c, i);
    this.ask();
  }

  // "Tanh(0.31 + 0.8 · x1 − 0.2 · x2)", the largest weights first
  formulaOf(c, i) {
    const { columns, weights, texts } = this.data;
    if (c === 0) return texts.input;
    const row = weights[c - 1][i].map((value, from) => ({ value, from })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const terms = row.slice(0, MOST_TERMS).map(({ value, from }) => `${value < 0 ? "− " : "+ "}${short(Math.abs(value), 3)} · ${this.short(c - 1, from)}`);
    const more = row.length > MOST_TERMS ? ` … (${fill(texts.more, { n: row.length - MOST_TERMS })})` : "";
    const sum = `${short(columns[c].biases[i], 3)} ${terms.join(" ")}${more}`.replaceAll("-", "−");
    const { after } = columns[c];
    return after ? `${after}(${sum})` : sum;
  }

  // A neuron in a formula: its name, or "neuron 3"
  short(c, i) {
    return this.data.columns[c].names[i] ?? `n${this.data.columns[c].layer}.${i + 1}`;
  }

  readWeight(place) {
    this.isOnLine = Boolean(place);
    this.drawing.point(place);
    const { texts, weights } = this.data;
    if (!place) {
      setText(this.reading, this.place ? "" : texts.hint);
      return;
    }
    const [c, i, j] = place;
    setText(this.reading, fill(texts.weight, { from: this.drawing.name(c, i), to: this.drawing.name(c + 1, j), value: short(weights[c][j][i], 4).replace("-", "−") }));
  }

  pick(place) {
    this.last = place;
    this.roving();
    if (place[0] > 0) this.send("pick", place);
  }

  key(event) {
    const place = placeOf(event.target);
    if (!place) return;
    const [c, i] = place;
    const { nodes } = this.drawing;
    const across = (to) => nodes[to] && [to, Math.min(nodes[to].length - 1, Math.round(((i + 0.5) / nodes[c].length) * nodes[to].length - 0.5))];
    const to = {
      ArrowUp: () => [c, i - 1], ArrowDown: () => [c, i + 1], ArrowLeft: () => across(c - 1), ArrowRight: () => across(c + 1),
      Home: () => [c, 0], End: () => [c, nodes[c].length - 1],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.pick(place);
    else if (!to) return;
    event.preventDefault();
    const next = to?.();
    const node = next && nodes[next[0]]?.[next[1]];
    if (!node) return;
    this.last = next;
    this.roving();
    node.focus();
  }

  paintLarge() {
    const { data, canvas } = this;
    const [c, i] = this.shown;
    const image = this.surfaces?.[c]?.[i];
    const size = canvas.clientWidth;
    if (!image || !size) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * ratio);
    const [x = [], y = [], shade = []] = data.points ?? [];
    const dots = colourMap(data.dots).map((rgb) => `rgb(${rgb.join(",")})`);
    const look = getComputedStyle(this.root);
    const style = { background: cssValue(this.root, "--st-background-color"), text: look.color, font: look.fontFamily, grid: cssValue(this.root, "--st-border-color") };
    const points = { x, y, shade: shade.map((one) => Math.round(255 * one)), held: x.map(() => 0), span: data.span, texts: data.texts };
    paint(canvas.getContext("2d"), { size, ratio, data: points, surface: { side: data.side, span: data.span }, image, dots, style, probe: null });
  }

  drawLegend() {
    const { data } = this;
    const { texts } = data;
    const stroke = (k) => {
      const element = h("span", { class: "stroke", "aria-hidden": "true" });
      element.style.setProperty("--line", data.lines[k]);
      return element;
    };
    this.scale = h("span", { class: "scale", "aria-hidden": "true" });
    this.scale.style.background = `linear-gradient(to right, ${data.surface.join(", ")})`;
    this.low = h("span");
    this.high = h("span");
    this.range = h("span", { class: "range" }, this.low, this.scale, this.high);
    const width = fill(texts.width, { value: short(Drawing.largest(data), 3) });
    this.legend.replaceChildren(h("span", {}, stroke(0), texts.negative), h("span", {}, stroke(1), texts.positive), h("span", {}, width), this.range, this.save);
  }

  drawScale(c, i) {
    const peak = this.data.columns[c].peaks?.[i];
    this.range.hidden = peak === undefined;
    setText(this.low, `−${short(peak ?? 0, 3)}`);
    setText(this.high, short(peak ?? 0, 3));
  }

  // The drawing with the colours that it has on the page
  saveDrawing() {
    const copy = this.drawing.element.cloneNode(true);
    const originals = this.drawing.element.querySelectorAll("*");
    copy.querySelectorAll("*").forEach((part, k) => {
      const look = getComputedStyle(originals[k]);
      for (const name of ["fill", "stroke", "stroke-width", "opacity", "font-size", "font-family", "font-weight", "text-anchor"]) part.style.setProperty(name, look.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.style.background = isDark(this.root) ? "#0e1117" : "#ffffff";
    download("neurons.svg", new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  }

  stop() {
    this.resizing.disconnect();
    this.ask.stop();
  }
}

const placeOf = (element) => element?.closest?.(".neuron")?.dataset.place.split(",").map(Number) ?? null;

// A picture as an address that an image takes; the canvas it comes from cannot give one itself
function addressOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL();
}

export default component(".lw-neurons", View);
