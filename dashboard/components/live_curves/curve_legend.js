// The legend: what a kind of line means, and in a race one button per lane that hides it everywhere, and one that pins it.

import { laneStyle, laneSwatch, laneView, tellLanes, toggled } from "./lane_view.js";
import { fill, h, setText, short } from "./dom.js";
import { svg } from "./svg.js";

const PIN = "M5 1h6v1.5l-1 1V7l2.5 2.5V11H9v4l-1 1-1-1v-4H3.5V9.500L6 7V3.500l-1-1z";

export class Legend {
  // `change(kinds)` when other kinds are chosen
  constructor(texts, change) {
    this.texts = texts;
    this.change = change;
    this.kinds = h("div", { class: "kinds", role: "group", "aria-label": texts.kinds });
    this.lanes = h("div", { class: "lanes", role: "group", "aria-label": texts.lanes });
    this.all = h("button", { type: "button", class: "all", onclick: () => tellLanes(this.run, { muted: [], pinned: [] }) }, texts.show_all);
    this.element = h("div", { class: "legend" }, this.lanes, this.kinds);
    this.key = "";
  }

  // `view`: {run, lanes, repeats, palette, kinds, text}; rebuilt only when one of them has changed, so that focus stays
  draw(view) {
    const key = JSON.stringify([view.run, view.lanes, view.repeats, view.palette, view.text]);
    this.run = view.run;
    this.chosen = view.kinds;
    if (key !== this.key) {
      this.key = key;
      this.build(view);
    }
    this.mark(view);
  }

  build(view) {
    const { texts } = this;
    const isRace = view.lanes.length > 1;
    const colour = isRace || view.lanes.length === 0 ? "currentColor" : view.palette[0];
    this.kindButtons = ["batches", "train", "validation"].map((kind) => {
      const button = h("button", { type: "button", class: "kind", title: texts[`${kind}_help`], onclick: () => this.change(toggled(this.chosen, kind)) },
        sample(kind, colour, isRace), texts[kind]);
      button.dataset.kind = kind;
      return button;
    });
    const star = h("span", { class: "key", title: texts.best_help }, h("span", { class: "star", "aria-hidden": "true" }, "★"), texts.best);
    const band = view.repeats > 1 ? h("span", { class: "key" }, h("span", { class: "swatch band", "aria-hidden": "true" }), fill(texts.band, { n: view.repeats })) : null;
    this.kinds.replaceChildren(...[...this.kindButtons, star, band].filter(Boolean));
    this.rows = isRace ? view.lanes.map((lane, k) => this.row(lane, k, view)) : [];
    this.lanes.hidden = !isRace;
    this.lanes.replaceChildren(...this.rows.map(({ element }) => element));
    if (isRace) this.kinds.append(this.all);
  }

  row(lane, k, { palette }) {
    const { texts } = this;
    const { name, removed } = lane;
    const value = h("span", { class: "value" });
    const show = h("button", { type: "button", class: "show", "aria-label": fill(texts.show, { name }), title: name, onclick: () => this.toggle("muted", k) },
      laneSwatch(laneStyle(k, palette)), h("span", { class: "name" }, name), value);
    const pin = h("button", { type: "button", class: "pin", "aria-label": fill(texts.pin, { name }), title: texts.pin_help, onclick: () => this.toggle("pinned", k) },
      svg("svg", { width: 14, height: 14, viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: PIN, fill: "currentColor" })));
    const element = h("span", { class: "lane" }, show, pin);
    element.dataset.lane = String(k);
    return { element, show, pin, value, removed };
  }

  toggle(which, lane) {
    const view = laneView(this.run);
    tellLanes(this.run, { ...view, [which]: toggled(view[which], lane) });
  }

  mark({ run, kinds }) {
    const { muted, pinned } = laneView(run);
    for (const button of this.kindButtons) button.setAttribute("aria-pressed", String(kinds.has(button.dataset.kind)));
    this.rows.forEach(({ element, show, pin }, k) => {
      show.setAttribute("aria-pressed", String(!muted.has(k)));
      pin.setAttribute("aria-pressed", String(pinned.has(k)));
      element.classList.toggle("faded", pinned.size > 0 && !pinned.has(k));
    });
    this.all.disabled = muted.size + pinned.size === 0;
  }

  // `values[lane]`: a loss, written beside its name; of a lane that is gone, that it is
  read(values) {
    this.rows.forEach(({ value, removed }, k) => setText(value, removed !== null && !Number.isFinite(values[k]) ? this.texts.removed : short(values[k], 3)));
  }
}

function sample(kind, colour, isRace) {
  const box = h("span", { class: `sample ${kind}${isRace ? " race" : ""}`, "aria-hidden": "true" });
  box.style.setProperty("--line", colour);
  return box;
}
