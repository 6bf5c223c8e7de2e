// The plane of 2-D data: decision surface, points, axes, legend, and a reading point by mouse or keyboard. A race has one small
// plane per lane.

import { chartScale, component, cssValue, download, fill, h, isDark, oncePerFrame, setText, whole } from "./dom.js";
import { laneView, onLanes, paletteOf } from "./lane_view.js";
import { subscribe } from "./live_feed.js";
import { colourMap, paint, surfaceImage, valueAt } from "./plane.js";
import { planeTable } from "./plane_table.js";
import { Tiles } from "./plane_tiles.js";

const KEY_STEP = 0.25;

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.chosen = 0; // the series of a single lane, the repeat of a race
    this.probe = null;
    this.ask = oncePerFrame(() => this.draw());
    this.build();
    this.resizing = new ResizeObserver(this.ask);
    [this.canvas, this.tiles.element].forEach((element) => this.resizing.observe(element));
    this.leaveLanes = onLanes(this.ask);
  }

  build() {
    const { texts } = this;
    this.canvas = h("canvas", { tabindex: 0, role: "img" });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.read(null));
    this.tiles = new Tiles(texts, (x, y) => this.pointTile(x, y));
    for (const element of [this.canvas, this.tiles.element]) element.addEventListener("keydown", (event) => this.key(event));
    this.reading = h("output", { class: "reading", "aria-live": "polite" });
    this.legend = h("div", { class: "legend" });
    this.pick = h("select");
    this.pick.addEventListener("change", () => {
      this.chosen = Number(this.pick.value);
      this.ask();
    });
    this.pickText = h("span");
    this.pickLabel = h("label", { hidden: true }, this.pickText, this.pick);
    const bar = h("div", { class: "bar" }, this.pickLabel,
      h("button", { type: "button", onclick: () => this.savePicture() }, texts.png),
      h("button", { type: "button", onclick: () => this.saveTable() }, texts.csv));
    this.root.replaceChildren(this.canvas, this.tiles.element, this.reading, this.legend, bar);
  }

  update(data) {
    this.data = data;
    this.texts = data.texts;
    this.map = colourMap(data.surface);
    this.isNumber = data.classes.length === 0;
    this.dots = colourMap(data.colours).map((rgb) => `rgb(${rgb.join(",")})`);
    this.dataKey = JSON.stringify([data.x.length, data.x[0], data.y[0], data.shade.slice(0, 20), data.colours, data.surface]);
    if (data.run !== this.run || this.feed?.isStale()) {
      this.subscription?.leave();
      this.run = data.run;
      this.chosen = 0;
      this.pickKey = "";
      this.subscription = data.run ? subscribe(data.run, () => this.ask()) : null;
    }
    this.drawLegend();
    this.ask();
  }

  get feed() {
    return this.subscription?.feed;
  }

  get isRace() {
    return (this.feed?.lanes.length ?? 0) > 1;
  }

  get surface() {
    const surfaces = this.feed?.surfaces;
    return surfaces?.get(this.chosen) ?? surfaces?.values().next().value ?? null;
  }

  // Of the repeat that is looked at, or the first one that has a surface
  surfaceOf(lane) {
    const { surfaces, repeats } = this.feed;
    const first = lane * repeats;
    return surfaces.get(first + this.chosen) ?? surfaces.get(first) ?? null;
  }

  // Which series of one lane, or which seed of all lanes
  drawPick() {
    const { feed, isRace } = this;
    const names = feed?.hello?.series ?? [];
    const seeds = isRace ? [...Array(feed.repeats).keys()].filter((repeat) => repeat === 0 || feed.surfaces.has(repeat)) : [];
    const options = isRace ? seeds.map((repeat) => [repeat, whole(repeat + 1)]) : names.map((name, k) => [k, name]);
    const key = JSON.stringify(options);
    if (key !== this.pickKey) {
      this.pickKey = key;
      this.pick.replaceChildren(...options.map(([value, name]) => h("option", { value }, name)));
      this.pick.value = String(this.chosen);
    }
    setText(this.pickText, isRace ? this.texts.seed : this.texts.series);
    this.pickLabel.hidden = options.length < 2;
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

  get style() {
    const { root } = this;
    return {
      text: cssValue(root, "--st-text-color"), grid: cssValue(root, "--st-border-color"),
      background: cssValue(root, "--st-background-color"), font: cssValue(root, "--st-font") || "sans-serif",
    };
  }

  draw() {
    const { isRace } = this;
    this.drawPick();
    this.root.classList.toggle("race", isRace);
    this.canvas.hidden = isRace;
    this.tiles.element.hidden = !isRace;
    if (isRace) this.drawTiles();
    else this.drawPlane();
    if (!this.probe) setText(this.reading, isRace ? this.texts.probe_tiles : this.texts.probe);
    else this.say();
  }

  drawPlane() {
    const { canvas, data, surface } = this;
    const size = canvas.clientWidth;
    if (!size) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (canvas.width !== Math.round(size * ratio)) canvas.width = canvas.height = Math.round(size * ratio);
    if (surface !== this.drawn) {
      this.drawn = surface;
      this.image = surface && surfaceImage(surface, this.map);
    }
    this.scale = chartScale(this.root); // all is painted as large as if the plane were that much smaller
    this.box = paint(canvas.getContext("2d"), { size: size / this.scale, ratio: ratio * this.scale, data, surface, image: this.image, dots: this.dots, style: this.style, probe: this.probe });
    const text = fill(surface ? this.texts.alt : this.texts.alt_points, { n: whole(data.x.length), step: whole(surface?.step ?? 0) });
    canvas.setAttribute("aria-label", `${text} ${this.texts.plane}.`);
    this.root.dataset.step = String(surface?.step ?? 0);
  }

  tilesView() {
    const { feed, data, dots, map } = this;
    const { muted, pinned } = laneView(this.run);
    const { style } = this;
    return {
      lanes: feed.lanes, shown: feed.lanes.map((_, lane) => lane).filter((lane) => !muted.has(lane)), pinned, style, data, dots, map,
      palette: paletteOf(isDark(this.root), style.text), surfaceOf: (lane) => this.surfaceOf(lane), at: this.probe,
      inUnit: (share) => this.inUnit(share), key: this.dataKey,
    };
  }

  drawTiles() {
    const view = this.tilesView();
    this.tiles.draw(view);
    this.root.dataset.step = String(Math.max(0, ...view.shown.map((lane) => view.surfaceOf(lane)?.step ?? 0)));
  }

  say() {
    const { x, y } = this.probe;
    const p = this.surface && !this.isRace ? valueAt(this.surface, x, y) : null; // a race is read in the captions
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
    this.pointTile((event.offsetX / this.scale - left) / side, (event.offsetY / this.scale - top) / side);
  }

  // From the share of the plane's width and height, or from nowhere
  pointTile(across, down) {
    const { span } = this.data;
    const [x, y] = [(across * 2 - 1) * span, (1 - down * 2) * span];
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
    const canvas = this.isRace ? this.tiles.picture(this.tilesView()) : this.canvas;
    canvas.toBlob((blob) => blob && download(`plane-${this.run ?? "data"}.png`, blob));
  }

  saveTable() {
    const { data, feed, isNumber } = this;
    const surfaces = this.isRace ? feed.lanes.map((lane, k) => ({ name: lane.name, surface: this.surfaceOf(k) })) : [{ name: null, surface: this.surface }];
    const text = planeTable(data, surfaces.filter(({ surface }) => surface), { isNumber, inUnit: (share) => this.inUnit(share) });
    download(`plane-${this.run ?? "data"}.csv`, new Blob([text], { type: "text/csv" }));
  }

  stop() {
    this.ask.stop();
    this.leaveLanes();
    this.resizing.disconnect();
    this.subscription?.leave();
  }
}

export default component(".lw-boundary", View);
