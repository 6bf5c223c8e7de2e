// One convolution, number by number: the kernel over its input, their products, what each channel adds, and the output.

import { component, fill, h, isDark, setText, short } from "./dom.js";
import { css, floats, inkOn, MapBox, tint, tintOf } from "./map_box.js";

const WRITTEN = 7; // kernels up to this side have their numbers written in
const brief = (value) => {
  const size = Math.abs(value);
  if (size >= 0.1 || !size) return short(value, 2);
  return size < 0.0005 ? value.toExponential(0) : value.toFixed(3);
};
const signed = (value) => `${value < 0 ? "−" : "+"}${short(Math.abs(value), 3)}`;

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.isFixed = false;
    this.build();
  }

  build() {
    const { texts } = this;
    this.output = new MapBox((row, column, isFixed) => this.point(row, column, isFixed));
    this.input = new MapBox();
    this.grids = ["patch", "kernel", "product"].map((name) => ({ name, element: h("div", { class: "grid", role: "img" }), map: new MapBox() }));
    [this.outputTitle, this.inputTitle] = [h("figcaption"), h("figcaption")];
    this.reading = h("output", { class: "reading", "aria-live": "polite" });
    this.sums = h("div", { class: "sums", role: "radiogroup", "aria-label": texts.sums });
    this.total = h("dl", { class: "total" });
    const card = (title, ...inside) => h("figure", {}, typeof title === "string" ? h("figcaption", {}, title) : title, ...inside);
    const sign = (text) => h("span", { class: "sign", "aria-hidden": "true" }, text);
    const [patch, kernel, product] = this.grids.map(({ name, element, map }) => card(texts[name], element, map.element));
    this.root.replaceChildren(
      h("div", { class: "block" },
        h("div", { class: "row" }, card(this.outputTitle, this.output.element), card(this.inputTitle, this.input.element)), this.reading),
      h("div", { class: "block" },
        h("div", { class: "row products" }, patch, sign("×"), kernel, sign("="), product),
        h("div", { class: "row sums-row" }, card(texts.sums, this.sums), card(texts.total, this.total))));
  }

  update(data) {
    this.texts = data.texts;
    const dark = isDark(this.root);
    const key = `${data.digest} ${dark}`;
    if (key === this.key) return;
    this.key = key;
    this.data = data;
    const pick = ([light, onDark]) => (dark ? onDark : light);
    this.colours = { signed: pick(data.palettes.signed), unsigned: pick(data.palettes.unsigned) };
    this.padding = channelsOf(dark ? "#3a404c" : "#c9ced8");
    this.inputs = floats(data.inputs);
    this.kernels = floats(data.kernels);
    this.rest = floats(data.rest);
    this.outputs = floats(data.output);
    this.inputTint = tintOf(this.inputs, this.colours);
    const largest = this.kernels.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    this.kernelTint = tint(this.colours.signed, -largest, largest);
    const shape = JSON.stringify([data.name, data.height, data.width]);
    const shown = data.channels.indexOf(this.channel);
    this.chosen = shown < 0 ? 0 : shown;
    setText(this.outputTitle, this.texts.output);
    this.output.paint(this.outputs, data.height, data.width, tintOf(this.outputs, this.colours));
    this.drawSums();
    this.choose(this.chosen);
    this.move(...(shape === this.shape ? [this.row, this.column] : strongest(this.outputs, data.width)));
    this.shape = shape;
  }

  // A click holds the place, so that the mouse can leave the map; the next one lets go
  point(row, column, isFixed) {
    if (isFixed === false && this.isFixed) return;
    if (isFixed) this.isFixed = !this.isFixed || row !== this.row || column !== this.column;
    this.root.classList.toggle("fixed", this.isFixed);
    this.move(row, column);
  }

  // Rows of the padded input: those above 0 and below the last are zeros
  at(channel, row, column) {
    const { rows, columns } = this.data;
    return row < 0 || column < 0 || row >= rows || column >= columns ? 0 : this.inputs[(channel * rows + row) * columns + column];
  }

  // The numbers of the input under the kernel, row by row
  patch(channel) {
    const { side, stride, padding, dilation } = this.data;
    const [top, left] = [this.row * stride - padding, this.column * stride - padding];
    return Array.from({ length: side * side }, (_, k) => this.at(channel, top + Math.floor(k / side) * dilation, left + (k % side) * dilation));
  }

  kernel(channel) {
    const size = this.data.side ** 2;
    return this.kernels.subarray(channel * size, (channel + 1) * size);
  }

  added(channel) {
    const kernel = this.kernel(channel);
    return this.patch(channel).reduce((sum, value, k) => sum + value * kernel[k], 0);
  }

  choose(channel) {
    const { data, texts, padding } = this;
    const { rows, columns } = data;
    this.chosen = channel;
    this.channel = data.channels[channel];
    const [high, wide, edge] = [rows + 2 * data.padding, columns + 2 * data.padding, data.padding];
    const isOutside = (row, column) => row < edge || column < edge || row >= rows + edge || column >= columns + edge;
    const padded = Array.from({ length: high * wide }, (_, i) => this.at(channel, Math.floor(i / wide) - edge, (i % wide) - edge));
    this.input.paint(padded, high, wide, (value, i) => (isOutside(Math.floor(i / wide), i % wide) ? padding : this.inputTint(value)));
    setText(this.inputTitle, fill(texts.input, { channel: this.channel, n: data.n_inputs }));
    this.buttons.forEach((button, k) => {
      button.setAttribute("aria-checked", k === channel ? "true" : "false");
      button.tabIndex = k === channel ? 0 : -1;
    });
  }

  move(row, column) {
    const { data } = this;
    [this.row, this.column] = this.output.at = [row, column];
    this.output.frame(row, column, 1, 1);
    const reach = data.dilation * (data.side - 1) + 1;
    this.input.frame(row * data.stride, column * data.stride, reach, reach);
    const sums = data.channels.map((_, channel) => this.added(channel));
    this.drawProducts();
    this.tellSums(sums);
  }

  drawProducts() {
    const [patch, kernel] = [this.patch(this.chosen), this.kernel(this.chosen)];
    const product = patch.map((value, k) => value * kernel[k]);
    const largest = product.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const tints = [this.inputTint, this.kernelTint, tint(this.colours.signed, -largest, largest)];
    [patch, kernel, product].forEach((values, i) => this.drawGrid(this.grids[i], values, tints[i]));
    const sum = product.reduce((all, value) => all + value, 0);
    this.grids[2].element.setAttribute("aria-label", fill(this.texts.adds, { channel: this.channel, sum: signed(sum) }));
  }

  drawGrid({ name, element, map }, values, colour) {
    const { side } = this.data;
    const isWritten = side <= WRITTEN;
    [element.hidden, map.element.hidden] = [!isWritten, isWritten];
    const label = this.texts[name];
    if (!isWritten) {
      map.paint(values, side, side, colour);
      map.canvas.setAttribute("aria-label", label);
      return;
    }
    if (element.children.length !== side * side) element.replaceChildren(...Array.from({ length: side * side }, () => h("span")));
    element.style.setProperty("--side", side);
    element.setAttribute("aria-label", `${label}: ${Array.from(values, (value) => short(value, 3)).join(", ")}`);
    Array.from(values).forEach((value, k) => {
      const [cell, rgb] = [element.children[k], colour(value)];
      [cell.style.background, cell.style.color] = [css(rgb), inkOn(rgb)];
      setText(cell, brief(value));
    });
  }

  drawSums() {
    const { data, texts } = this;
    this.buttons = data.channels.map((channel, k) =>
      h("button", { type: "button", role: "radio", onclick: () => this.pick(k), onkeydown: (event) => this.arrow(k, event) },
        h("span", { class: "name" }, fill(texts.channel, { channel })), h("span", { class: "bar" }, h("i")), h("span", { class: "value" })));
    this.others = data.n_rest ? h("div", { class: "others" }, h("span", { class: "name" }, fill(texts.others, { n: data.n_rest })),
      h("span", { class: "bar" }, h("i")), h("span", { class: "value" })) : null;
    this.sums.replaceChildren(...this.buttons, ...(this.others ? [this.others] : []));
  }

  tellSums(sums) {
    const { data, texts, row, column } = this;
    const place = row * data.width + column;
    const rest = this.rest[place];
    const largest = Math.max(...sums.map(Math.abs), data.n_rest ? Math.abs(rest) : 0) || 1;
    [...this.buttons, ...(this.others ? [this.others] : [])].forEach((line, k) => {
      const value = k < sums.length ? sums[k] : rest;
      const bar = line.querySelector("i");
      bar.style.width = `${(50 * Math.abs(value)) / largest}%`;
      bar.className = value < 0 ? "minus" : "plus";
      setText(line.querySelector(".value"), signed(value));
    });
    const sum = sums.reduce((all, value) => all + value, 0) + (data.n_rest ? rest : 0);
    const [total, output] = [sum + data.bias, this.outputs[place]];
    const lines = [
      [texts.sum, signed(sum)], [data.has_bias ? texts.bias : texts.no_bias, data.has_bias ? signed(data.bias) : ""],
      [texts.computed, short(total, 6)], [texts.hooked, short(output, 6)], [texts.difference, total === output ? "0" : Math.abs(total - output).toExponential(1)],
    ];
    this.total.replaceChildren(...lines.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    const told = { row, column, sum: signed(sum), bias: data.has_bias ? signed(data.bias) : "", value: short(total, 4) };
    setText(this.reading, fill(data.has_bias ? texts.read : texts.read_without, told));
    this.output.canvas.setAttribute("aria-label", `${texts.output}. ${this.reading.textContent}`);
    this.input.canvas.setAttribute("aria-label", this.inputTitle.textContent);
    Object.assign(this.root.dataset, { row, column, value: String(total), output: String(output) });
  }

  pick(channel) {
    this.choose(channel);
    this.move(this.row, this.column);
  }

  arrow(place, event) {
    const n = this.buttons.length;
    const to = { ArrowDown: place + 1, ArrowRight: place + 1, ArrowUp: place - 1, ArrowLeft: place - 1, Home: 0, End: n - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + n) % n;
    this.pick(next);
    this.buttons[next].focus();
  }

  stop() {}
}

function strongest(values, width) {
  let best = 0;
  values.forEach((value, i) => { if (Math.abs(value) > Math.abs(values[best])) best = i; });
  return [Math.floor(best / width), best % width];
}

const channelsOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

export default component(".lw-conv-arithmetic", View);
