// A confusion matrix as a grid of cells to choose from, and a slider over its moments where there are several.

import { component, fill, h, setText, whole } from "./dom.js";

const PLAY_MS = 450;
const WRITTEN_TO = 26; // classes up to which a cell is wide enough for a number
const FAINTEST = 0.1; // of the colours: whatever is not nothing can be told from it

class View {
  constructor(root) {
    this.root = root;
    this.at = 0;
  }

  update(data, setTriggerValue) {
    this.send = (cell) => setTriggerValue("cell", cell);
    const before = this.data;
    this.data = data;
    const shape = JSON.stringify([data.names, data.frames.map(({ step }) => step), data.texts]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.pause();
      this.at = data.frames.length - 1;
      this.build();
    }
    if (data.chosen && JSON.stringify(before?.chosen) !== JSON.stringify(data.chosen)) this.focusAt = [...data.chosen];
    this.draw();
  }

  build() {
    const { names, frames, texts, view } = this.data;
    this.focusAt = [0, 0];
    this.cells = names.map((_, row) => names.map((__, column) =>
      h("td", { onclick: () => this.choose(row, column), onkeydown: (event) => this.key(event, row, column) })));
    this.sums = names.map(() => h("td", { class: "sum" }));
    const head = [
      h("tr", {}, h("td", { rowspan: 2, colspan: 2, class: "corner" }), h("th", { colspan: names.length, scope: "colgroup", class: "axis" }, texts.predicted), h("td", { class: "corner" })),
      h("tr", {}, ...names.map((name) => h("th", { scope: "col", title: name }, h("span", {}, name))), h("th", { class: "sum", scope: "col" }, view === "difference" ? "" : texts.sum)),
    ];
    const rows = names.map((name, row) => h("tr", {},
      row === 0 ? h("th", { rowspan: names.length, scope: "rowgroup", class: "axis side" }, h("span", {}, texts.true)) : null,
      h("th", { scope: "row", title: name }, h("span", {}, name)), ...this.cells[row], this.sums[row]));
    this.table = h("table", { role: "grid", "aria-label": texts.label }, h("thead", {}, ...head), h("tbody", {}, ...rows));
    const n = names.length;
    this.table.className = n <= 5 ? "huge" : n <= 12 ? "large" : n <= WRITTEN_TO ? "middle" : "small";
    this.table.style.setProperty("--n", n);
    if (names.some((name) => name.length > (n <= 5 ? 9 : n <= 12 ? 6 : 3))) this.table.classList.add("slanted");
    this.key_ = h("p", { class: "key", "aria-hidden": "true" }, h("span"), h("i"), h("span"));
    this.root.replaceChildren(...(frames.length > 1 ? [this.tools()] : []), h("div", { class: "scroll" }, this.table), this.key_);
  }

  tools() {
    const { frames, texts } = this.data;
    this.slider = h("input", { type: "range", min: 0, max: frames.length - 1, "aria-label": texts.moment,
      oninput: () => { this.pause(); this.at = Number(this.slider.value); this.draw(); } });
    this.playButton = h("button", { type: "button", onclick: () => (this.timer ? this.pause() : this.play()) }, texts.play);
    this.words = h("output");
    return h("div", { class: "tools" }, this.playButton, this.slider, this.words);
  }

  play() {
    if (this.at === this.data.frames.length - 1) this.at = 0;
    this.timer = setInterval(() => {
      if (this.at >= this.data.frames.length - 1) this.pause();
      else { this.at += 1; this.draw(); }
    }, PLAY_MS);
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.playButton && this.data) setText(this.playButton, this.data.texts.play);
  }

  // What stands in a cell as a number: a count, a share, or a difference
  values(counts) {
    const { view } = this.data;
    if (view === "counts" || view === "difference") return counts;
    const rows = counts.map((row) => row.reduce((sum, one) => sum + one, 0));
    const columns = counts.map((_, j) => counts.reduce((sum, row) => sum + row[j], 0));
    return counts.map((row, i) => row.map((one, j) => one / Math.max(1, view === "true" ? rows[i] : columns[j])));
  }

  // The value with the full colour: the same at all moments
  largest() {
    const { frames, view, errors_only: errorsOnly } = this.data;
    if (view !== "counts" && view !== "difference" && !errorsOnly) return 1;
    let most = 0;
    for (const { counts } of frames) {
      this.values(counts).forEach((row, i) => row.forEach((one, j) => { if (!(errorsOnly && i === j)) most = Math.max(most, Math.abs(one)); }));
    }
    return most || 1;
  }

  draw() {
    const { frames, view, errors_only: errorsOnly, chosen, texts } = this.data;
    const { counts, step } = frames[this.at];
    const values = this.values(counts);
    const most = this.largest();
    const isWritten = counts.length <= WRITTEN_TO;
    this.cells.forEach((row, i) => row.forEach((cell, j) => {
      const value = values[i][j];
      const isPlain = value === 0 || (errorsOnly && i === j);
      const colour = isPlain ? null : this.colour(view === "difference" ? (value / most + 1) / 2 : Math.max(FAINTEST, value / most));
      const label = this.label(i, j, counts[i][j], value);
      setText(cell, isWritten && value !== 0 ? this.written(value) : "");
      cell.style.background = colour ? `rgb(${colour.join()})` : "";
      cell.style.color = colour ? inkOn(colour) : "";
      cell.setAttribute("aria-label", label);
      cell.title = label;
      cell.classList.toggle("hit", i === j);
      cell.setAttribute("aria-selected", chosen && chosen[0] === i && chosen[1] === j ? "true" : "false");
      cell.tabIndex = this.focusAt[0] === i && this.focusAt[1] === j ? 0 : -1;
    }));
    this.sums.forEach((cell, i) => setText(cell, view === "difference" ? "" : whole(counts[i].reduce((sum, one) => sum + one, 0))));
    this.legend(most);
    if (frames.length < 2) return;
    this.slider.value = String(this.at);
    const words = fill(texts.step, { step: whole(step) });
    this.slider.setAttribute("aria-valuetext", words);
    setText(this.words, words);
    setText(this.playButton, this.timer ? texts.pause : texts.play);
    this.root.dataset.step = step;
  }

  label(i, j, n, value) {
    const { names, view, texts } = this.data;
    const known = { true: names[i], predicted: names[j], n: view === "difference" ? signed(n) : whole(n) };
    const words = fill(view === "difference" ? texts.apart : n === 1 ? texts.one : texts.many, known);
    return view === "true" || view === "predicted" ? `${words} (${(100 * value).toFixed(1)} %)` : words;
  }

  written(value) {
    const { view } = this.data;
    if (view === "difference") return signed(value);
    return view === "counts" ? whole(value) : value < 0.005 ? "<1" : String(Math.round(100 * value));
  }

  legend(most) {
    const { view, colours, texts } = this.data;
    const [low, bar, high] = this.key_.children;
    const isShare = view === "true" || view === "predicted";
    setText(low, view === "difference" ? `${texts.fewer} (−${whole(most)})` : "0");
    setText(high, view === "difference" ? `${texts.more} (+${whole(most)})` : isShare ? `${(100 * most).toFixed(0)} %` : whole(most));
    bar.style.background = `linear-gradient(to right, ${colours.join()})`;
  }

  colour(share) {
    const { colours } = this.data;
    const at = Math.max(0, Math.min(1, share)) * (colours.length - 1);
    const i = Math.min(colours.length - 2, Math.floor(at));
    const [from, to] = [rgb(colours[i]), rgb(colours[i + 1])];
    return from.map((one, k) => Math.round(one + (to[k] - one) * (at - i)));
  }

  choose(row, column) {
    this.focusAt = [row, column];
    this.send({ true: row, predicted: column });
  }

  key(event, row, column) {
    const last = this.data.names.length - 1;
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -last], End: [0, last] }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(row, column);
    } else if (by) {
      event.preventDefault();
      const to = [row + by[0], column + by[1]].map((one) => Math.max(0, Math.min(last, one)));
      this.cells[row][column].tabIndex = -1;
      this.focusAt = to;
      const cell = this.cells[to[0]][to[1]];
      cell.tabIndex = 0;
      cell.focus();
    }
  }

  stop() {
    this.pause();
  }
}

const signed = (n) => (n > 0 ? `+${whole(n)}` : n < 0 ? `−${whole(-n)}` : "0");
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// Black or white, whichever has the greater contrast (WCAG: relative luminance above 0.179)
function inkOn(colour) {
  const [r, g, b] = colour.map((one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

export default component(".lw-confusion", View);
