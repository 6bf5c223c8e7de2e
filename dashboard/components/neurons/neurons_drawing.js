// The drawing of a small net: squares that show a map, lines as wide as their weights. Made once per shape of the net; new
// weights and maps are put into what is there, so that focus and pointer stay where they are.

import { fill, setText, short } from "./dom.js";
import { svg, text } from "./svg.js";

const TOP = 16;
const FOOT = 46;
const LEFT = 92;
const RIGHT = 92;
const GAP = 8;
const MOST_HIGH = 480;
const LARGEST = 40;
const SMALLEST = 12;
const STEP = 128;
const NARROW_STEP = 104; // of nets with many columns
const WIDEST = 7;

export class Drawing {
  constructor(data, { onPoint, onWeight, onPick }) {
    this.data = data;
    const { columns } = data;
    const most = Math.max(...columns.map((column) => column.n));
    this.size = Math.max(SMALLEST, Math.min(LARGEST, MOST_HIGH / most - GAP));
    this.high = Math.max(LARGEST + GAP, most * (this.size + GAP));
    this.step = this.size + (columns.length > 4 ? NARROW_STEP : STEP);
    this.images = [];
    this.nodes = columns.map((column, c) => Array.from({ length: column.n }, (_, i) => this.node(c, i, onPoint, onPick)));
    this.lines = data.weights.map((matrix, c) => matrix.map((row, j) => row.map((_, i) => this.line(c, i, j, onWeight))));
    const width = LEFT + RIGHT + (columns.length - 1) * this.step;
    const height = TOP + this.high + FOOT;
    this.element = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": data.texts.alt },
      svg("g", { class: "lines" }, ...this.lines.flat(3)), ...this.nodes.flat(), ...columns.flatMap((column, c) => this.caption(column, c)));
  }

  at(c, i) {
    const { n } = this.data.columns[c];
    return [LEFT + c * this.step, TOP + this.high / 2 + (i - (n - 1) / 2) * (this.size + GAP)];
  }

  node(c, i, onPoint, onPick) {
    const { size } = this;
    const [x, y] = this.at(c, i);
    const corner = { x: x - size / 2, y: y - size / 2, width: size, height: size, rx: 2 };
    const column = this.data.columns[c];
    const image = column.maps ? svg("image", { ...corner, preserveAspectRatio: "none" }) : null;
    const node = svg("g", { class: "neuron", role: "button", tabindex: -1, "data-place": `${c},${i}` },
      svg("title"), svg("rect", corner), image, svg("rect", { ...corner, class: "edge" }));
    const name = column.names[i];
    const isLast = c === this.data.columns.length - 1;
    if (name) node.append(text(c ? x + size / 2 + 6 : x - size / 2 - 6, y + 4, name.length > 13 ? `${name.slice(0, 12)}…` : name, isLast && c ? "left" : "right"));
    node.addEventListener("pointerenter", () => onPoint([c, i]));
    node.addEventListener("pointerleave", () => onPoint(null));
    node.addEventListener("click", () => onPick([c, i]));
    return node;
  }

  line(c, i, j, onWeight) {
    const [x1, y1] = this.at(c, i);
    const [x2, y2] = this.at(c + 1, j);
    const bend = (x2 - x1) / 2;
    const d = `M ${x1 + this.size / 2} ${y1} C ${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - this.size / 2} ${y2}`;
    const line = svg("path", { d, class: "weight", "data-from": `${c},${i}`, "data-to": `${c + 1},${j}` });
    const hit = svg("path", { d, class: "hit" });
    hit.addEventListener("pointerenter", () => onWeight([c, i, j]));
    hit.addEventListener("pointerleave", () => onWeight(null));
    return [line, hit];
  }

  caption(column, c) {
    const [x] = this.at(c, 0);
    const title = c ? fill(this.data.texts.column, { layer: column.layer, label: column.label }) : column.label;
    return [text(x, TOP + this.high + 18, title, "kind"), column.after ? text(x, TOP + this.high + 34, column.after) : null];
  }

  name(c, i) {
    const { columns, texts } = this.data;
    const column = columns[c];
    return column.names[i] ?? fill(texts.neuron, { label: fill(texts.column, { layer: column.layer, label: column.label }), i: i + 1, n: column.n });
  }

  // The largest size of a weight in the whole net: the one that is drawn widest
  static largest({ weights }) {
    return Math.max(1e-12, ...weights.flat(2).map(Math.abs));
  }

  update(data, pictures) {
    this.data = data;
    const largest = Drawing.largest(data);
    this.lines.forEach((matrix, c) => matrix.forEach((row, j) => row.forEach(([line], i) => {
      const value = data.weights[c][j][i];
      line.setAttribute("stroke", data.lines[value < 0 ? 0 : 1]);
      line.setAttribute("stroke-width", Math.max(0.25, (WIDEST * Math.abs(value)) / largest).toFixed(2));
    })));
    this.nodes.forEach((column, c) => column.forEach((node, i) => {
      const name = this.name(c, i);
      setText(node.querySelector("title"), name);
      node.setAttribute("aria-label", c ? `${name}. ${fill(data.texts.bias, { value: short(data.columns[c].biases[i], 3) })}` : name);
      const image = node.querySelector("image");
      if (image) image.setAttribute("href", pictures[c][i]);
    }));
    const [c, i] = data.chosen ?? [-1, -1];
    this.nodes.flat().forEach((node) => node.classList.toggle("chosen", node.dataset.place === `${c},${i}`));
  }

  // Fade the lines that do not lead to the neuron which is shown large
  show(place) {
    const name = place?.join(",");
    this.nodes.flat().forEach((node) => node.classList.toggle("shown", node.dataset.place === name));
    const isInput = place?.[0] === 0;
    for (const line of this.lines.flat(3)) {
      if (!line.classList.contains("weight")) continue;
      line.classList.toggle("faded", Boolean(place) && line.dataset[isInput ? "from" : "to"] !== name);
    }
  }

  point(place) {
    for (const line of this.lines.flat(3)) line.classList.remove("pointed");
    if (place) this.lines[place[0]][place[2]][place[1]][0].classList.add("pointed");
  }
}
