// A map of numbers as a picture with one cell marked, which the mouse or the arrow keys move; shared by what looks at maps.

import { h } from "./dom.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// float32 numbers as they were sent, in base64
export function floats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

// Values from `low` to `high` as [red, green, blue], over evenly spaced colours
export function tint(colours, low, high) {
  const stops = colours.map(channels);
  const table = Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(place));
    return stops[k].map((channel, c) => Math.round(channel + (stops[k + 1][c] - channel) * (place - k)));
  });
  const width = high > low ? high - low : 1;
  return (value) => table[Math.min(255, Math.max(0, Math.round(((value - low) / width) * 255)))];
}

// The tint that fits some values: from blue over the page's colour to red where some are negative, else from dark to bright
export function tintOf(values, { signed, unsigned }) {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const size = Math.max(-low, high) || 1;
  return low < 0 ? tint(signed, -size, size) : tint(unsigned, 0, size);
}

export const css = (rgb) => `rgb(${rgb.join(",")})`;
const linear = (channel) => (channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
// Black or white, whichever has more contrast (WCAG 2.2: they are equal at a luminance of 0.179)
export const inkOn = ([red, green, blue]) => (0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.179 ? "#000000" : "#ffffff");

export class MapBox {
  // `onMove(row, column, isFixed)` makes the map one that can be pointed at
  constructor(onMove = null) {
    this.canvas = h("canvas", onMove ? { tabindex: 0, role: "img" } : { role: "img" });
    this.mark = h("div", { class: "mark", "aria-hidden": "true", hidden: true });
    this.element = h("div", { class: onMove ? "map live" : "map" }, this.canvas, this.mark);
    [this.rows, this.columns, this.at] = [1, 1, [0, 0]];
    if (!onMove) return;
    this.onMove = onMove;
    this.canvas.addEventListener("pointermove", (event) => this.point(event, false));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event, true));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // values of `rows` × `columns`, row by row; `colour(value, index)` gives [red, green, blue]
  paint(values, rows, columns, colour) {
    [this.rows, this.columns] = [rows, columns];
    const { canvas } = this;
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const [red, green, blue] = colour(values[i], i);
      image.data.set([red, green, blue, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    this.element.style.setProperty("--ratio", `${columns} / ${rows}`);
  }

  // Cells from (top, left) on; half a window may lie outside
  frame(top, left, height, width) {
    const { style } = this.mark;
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    [style.top, style.left] = [percent(top, this.rows), percent(left, this.columns)];
    [style.height, style.width] = [percent(height, this.rows), percent(width, this.columns)];
    this.mark.hidden = height <= 0 || width <= 0;
  }

  point(event, isFixed) {
    const { offsetX, offsetY } = event;
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.move(Math.floor((offsetY / clientHeight) * this.rows), Math.floor((offsetX / clientWidth) * this.columns), isFixed);
  }

  key(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    this.move(this.at[0] + step[0], this.at[1] + step[1], null);
  }

  move(row, column, isFixed) {
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    this.onMove(within(row, this.rows), within(column, this.columns), isFixed);
  }
}
