// What colours and shapes stand for: a button per group that hides and shows it, or a scale.

import { h } from "./dom.js";
import { paintMarker } from "./embedding_paint.js";

const SIDE = 16;

export class Legend {
  constructor(toggle) {
    this.toggle = toggle;
    this.element = h("div", { class: "legend", role: "group" });
  }

  draw(colouring, { hidden, paints, style, texts, stops }) {
    const key = JSON.stringify([colouring.name, colouring.groups, colouring.scale, [...hidden], paints.palette, style, stops]);
    if (key === this.key) return;
    const isOther = colouring !== this.colouring;
    [this.key, this.colouring] = [key, colouring];
    this.element.setAttribute("aria-label", texts.legend);
    const swatch = (group) => sign(group, paints, style);
    if (colouring.scale) {
      this.buttons = [];
      this.element.replaceChildren(scale(colouring.scale, stops), ...(colouring.shapes ?? []).map((group) => h("span", {}, swatch({ ...group, colour: -1 }), group.name)));
      return;
    }
    if (isOther || this.buttons.length !== colouring.groups.length) {
      this.buttons = colouring.groups.map((_, k) => h("button", { type: "button", onclick: () => this.toggle(k) }));
      const note = colouring.note && h("span", {}, swatch({ colour: -1, shape: "circle", isHollow: true }), colouring.note);
      this.element.replaceChildren(...this.buttons, ...(note ? [note] : []));
    }
    colouring.groups.forEach((group, k) => {
      this.buttons[k].setAttribute("aria-pressed", String(!hidden.has(k)));
      this.buttons[k].replaceChildren(swatch(group), group.name);
    });
  }
}

function sign({ colour, shape, isHollow = false }, { palette, other }, { background }) {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const canvas = h("canvas", { width: SIDE * ratio, height: SIDE * ratio, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  paintMarker(context, SIDE / 2, SIDE / 2, 5, { colour: colour < 0 ? other : palette[colour], shape, isHollow }, background);
  return canvas;
}

function scale({ title, range, percent }, stops) {
  const say = (value) => (percent ? `${Math.round(100 * value)} %` : String(Number(value.toPrecision(3))));
  const bar = h("span", { class: "scale", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return h("span", {}, say(range[0]), bar, say(range[1]), h("span", {}, title));
}
