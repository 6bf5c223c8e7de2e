// The legend as a table: how each lane is drawn, and where it stands at the step chosen. A lane's button hides and shows it.

import { fill, h, setText } from "./dom.js";
import { DASH_LENGTHS, laneStyle } from "./lane_view.js";
import { brief, size } from "./surface_data.js";
import { corners, shapeOf } from "./surface_paint.js";

const COLUMNS = ["loss", "gradient", "momentum", "step", "rate"];
const SVG = "http://www.w3.org/2000/svg";

export class LaneTable {
  constructor(texts, onToggle) {
    this.texts = texts;
    this.onToggle = onToggle;
    this.body = h("tbody");
    this.lossHead = h("th", { scope: "col" });
    const heads = COLUMNS.map((name) => (name === "loss" ? this.lossHead : h("th", { scope: "col" }, texts[`head_${name}`])));
    this.element = h("table", { class: "lanes" }, h("caption", { class: "sr" }, texts.table),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, texts.head_lane), ...heads)), this.body);
  }

  // Rows are made anew only for other lanes, so that the focus stays where it is
  draw({ paths, step, palette, hidden, lossAxis }) {
    setText(this.lossHead, lossAxis);
    const key = JSON.stringify([paths.labels, paths.notes, palette]);
    if (key !== this.key) {
      const focused = this.rows?.findIndex(({ button }) => button === document.activeElement) ?? -1;
      this.rows = paths.labels.map((label, lane) => this.row(label, paths.notes[lane], lane, palette));
      this.body.replaceChildren(...this.rows.map(({ element }) => element));
      this.rows[focused]?.button.focus({ preventScroll: true });
    }
    this.key = key;
    this.rows.forEach(({ element, button, cells }, lane) => {
      const last = paths.last(lane, step);
      const made = paths.vectors(lane, last);
      const values = [
        paths.loss(lane, last), size(made?.gradient), size(made?.momentum), size(made?.step), made ? paths.rate(lane, last) : NaN,
      ];
      cells.forEach((cell, i) => setText(cell, brief(values[i])));
      element.classList.toggle("hidden", hidden.has(lane));
      button.setAttribute("aria-pressed", String(!hidden.has(lane)));
    });
  }

  row(label, note, lane, palette) {
    const button = h("button", { type: "button", title: fill(this.texts.toggle, { lane: label }), onclick: () => this.onToggle(lane) },
      sample(lane, palette), h("span", {}, label));
    const cells = COLUMNS.map(() => h("td"));
    const name = h("th", { scope: "row" }, button, note ? h("span", { class: "note" }, note) : null);
    return { element: h("tr", {}, name, ...cells), button, cells };
  }
}

// A short line in the lane's colour and dash, with its marker
function sample(lane, palette) {
  const { colour, dash } = laneStyle(lane, palette);
  const make = (tag, values) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    return element;
  };
  const picture = make("svg", { width: 44, height: 16, "aria-hidden": "true" });
  picture.append(
    make("line", { x1: 1, x2: 43, y1: 8, y2: 8, stroke: colour, "stroke-width": 2.4, "stroke-dasharray": DASH_LENGTHS[dash] }),
    make("polygon", { points: corners(shapeOf(lane), 5.5).map(([x, y]) => `${22 + x},${8 + y}`).join(" "), fill: colour }));
  return picture;
}
