// Optimizers on a surface: the plane with its start point, a 3-D view, loss by step, playback, and where each lane stands.

import { component, fill, h, isDark, oncePerFrame, setText } from "./dom.js";
import { brief, Paths, Relief } from "./surface_data.js";
import { Plane, WAIT_MS } from "./surface_plane.js";
import { Space } from "./surface_space.js";
import { LaneTable } from "./surface_table.js";
import { Values } from "./surface_values.js";

const SPEEDS = [2, 10, 30, 100, 300]; // steps per second
const FAR_OUT = 4; // how many windows wide the view may be

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.seq = data.ack;
    this.hidden = new Set();
    this.vectors = "all";
    this.speed = SPEEDS[2];
    this.is3D = false;
    this.step = Infinity; // the end, however long the paths are
    this.ask = oncePerFrame(() => this.draw());
    this.build(data);
    this.resizing = new ResizeObserver(() => { this.space.resize(); this.ask(); });
    [this.plane, this.space, this.values].forEach(({ element }) => this.resizing.observe(element));
  }

  build({ texts, plotly }) {
    this.plane = new Plane(texts, {
      now: () => this.start, start: (point, wait) => this.setStart(point, wait), view: (view) => this.setView(view),
    });
    this.space = new Space(texts, plotly);
    this.space.element.hidden = true;
    this.values = new Values(texts, (step) => this.setStep(step));
    this.table = new LaneTable(texts, (lane) => this.toggle(lane));
    this.said = h("output", { class: "said", "aria-live": "polite" }, texts.hint);
    this.waitingSign = h("span", { class: "waiting", hidden: true }, texts.waiting);
    this.key = h("p", { class: "key" });
    const charts = h("div", { class: "charts" },
      h("div", { class: "left" }, this.viewBar(texts), this.plane.element, this.space.element, this.key),
      h("div", { class: "right" }, this.playBar(texts), this.values.element),
      h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": texts.table }, this.table.element));
    this.root.replaceChildren(h("div", { class: "line" }, this.said, this.waitingSign), charts);
  }

  viewBar(texts) {
    const button = (text, onclick, name = null) => h("button", { type: "button", onclick, "aria-label": name, title: name }, text);
    this.modes = [false, true].map((is3D) => h("button", { type: "button", onclick: () => this.setMode(is3D) }, is3D ? texts.space : texts.plane));
    this.zoomIn = button("+", () => this.zoom(0.5), texts.zoom_in);
    this.zoomOut = button("−", () => this.zoom(2), texts.zoom_out);
    this.resetButton = button(texts.reset, () => this.resetView());
    const check = (name) => {
      const box = h("input", { type: "checkbox", checked: true, onchange: () => this.ask() });
      return [box, h("label", {}, box, texts[name])];
    };
    const [[contours, contoursLabel], [minima, minimaLabel]] = [check("contours"), check("minima")];
    this.checks = { contours, minima };
    this.vectorPick = h("select", {}, h("option", { value: "none" }, texts.no_vectors), h("option", { value: "all" }, texts.all_lanes));
    this.vectorPick.value = "all";
    this.vectorPick.addEventListener("change", () => this.pickVectors());
    this.flatOnly = h("span", { class: "group" }, contoursLabel, minimaLabel, h("label", {}, texts.vectors, this.vectorPick), this.zoomIn, this.zoomOut);
    return h("div", { class: "bar", role: "group", "aria-label": texts.view },
      h("span", { class: "modes", role: "group", "aria-label": texts.mode }, ...this.modes), this.flatOnly, this.resetButton);
  }

  playBar(texts) {
    this.play = h("button", { type: "button", class: "play", onclick: () => this.toggleClock() }, texts.play);
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 1, value: 1, "aria-label": texts.step });
    this.slider.addEventListener("input", () => this.setStep(Number(this.slider.value)));
    this.count = h("output", { class: "count" });
    const option = (value, text) => h("option", { value }, text);
    this.speeds = h("select", { "aria-label": texts.speed }, ...SPEEDS.map((n) => option(n, fill(texts.per_second, { n }))));
    this.speeds.value = this.speed;
    this.speeds.addEventListener("change", () => { this.speed = Number(this.speeds.value); });
    return h("div", { class: "bar", role: "group", "aria-label": texts.playback },
      this.play, this.slider, this.count, this.speeds);
  }

  // Called on every rerun and theme change. What was dragged or zoomed here since Python last heard of it stays.
  update(data, send) {
    this.send = send;
    this.data = data;
    this.texts = data.texts;
    this.palette = data.palettes[isDark(this.root) ? 1 : 0];
    const isOther = data.surface !== this.surface;
    if (isOther || data.relief.ranks !== this.reliefText) this.relief = new Relief(data.relief);
    this.reliefText = data.relief.ranks;
    this.surface = data.surface;
    this.isBehind = data.ack < this.seq || Boolean(this.waiting) || this.plane.isHeld;
    if (isOther || !this.isBehind) {
      this.start = data.start;
      this.view = data.relief.view;
    }
    this.take(data.paths);
    this.ask();
  }

  take(paths) {
    if (paths?.id === this.pathsId) return;
    this.pathsId = paths?.id;
    this.paths = paths ? new Paths(paths) : null;
    if (!paths) return;
    const n = this.paths.n;
    this.hidden = new Set([...this.hidden].filter((lane) => lane < n));
    this.slider.max = this.paths.nSteps;
    const chosen = this.vectorPick.value;
    const names = paths.labels.map((label, lane) => h("option", { value: lane }, label));
    this.vectorPick.replaceChildren(...[...this.vectorPick.options].slice(0, 2), ...names);
    this.vectorPick.value = [...this.vectorPick.options].some(({ value }) => value === chosen) ? chosen : "all";
    this.pickVectors();
  }

  get isStale() {
    return !this.data.is_current || this.isBehind || this.plane.isHeld;
  }

  get now() {
    return this.paths ? Math.min(Math.round(this.step), this.paths.nSteps) : 0;
  }

  // `wait`: milliseconds until Python is asked, or null while it is still being dragged
  setStart(point, wait) {
    this.start = point;
    setText(this.said, fill(this.texts.at, { x: brief(point[0]), y: brief(point[1]) }));
    if (wait !== null) this.tell(wait);
    this.isBehind = true;
    this.ask();
  }

  setView(view) {
    const { centre, half } = this.data.window;
    const least = half / 1000;
    const keep = (value, middle) => Math.min(middle + FAR_OUT * half, Math.max(middle - FAR_OUT * half, value));
    this.view = { centre: view.centre.map((value, i) => keep(value, centre[i])), half: Math.min(FAR_OUT * half, Math.max(least, view.half)) };
    this.tell();
    this.ask();
  }

  // About the middle of where the lanes stand, if they are in sight
  zoom(factor) {
    const { centre, half } = this.view;
    const stands = this.paths ? [...Array(this.paths.n).keys()].filter((lane) => !this.hidden.has(lane)).map((lane) => this.paths.place(lane, this.paths.last(lane, this.now))) : [];
    const seen = stands.filter((place) => place.every((value, i) => Math.abs(value - centre[i]) <= half));
    const middle = seen.length && factor < 1 ? [0, 1].map((i) => seen.reduce((sum, place) => sum + place[i], 0) / seen.length) : centre;
    this.setView({ centre: middle, half: half * factor });
  }

  resetView() {
    if (this.is3D) this.space.reset();
    this.setView(this.data.window);
  }

  // Start and view go up together, once there has been no change for a moment; older echoes are then known by their number
  tell(wait = WAIT_MS) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.seq += 1;
      this.send("look", { seq: this.seq, start: this.start, centre: this.view.centre, half: this.view.half });
    }, wait);
  }

  setMode(is3D) {
    this.is3D = is3D;
    this.plane.element.hidden = this.flatOnly.hidden = is3D;
    this.space.element.hidden = !is3D;
    this.ask();
  }

  setStep(step) {
    this.step = step >= (this.paths?.nSteps ?? 0) ? Infinity : step;
    this.ask();
  }

  pickVectors() {
    const { value } = this.vectorPick;
    this.vectors = value === "all" || value === "none" ? value : Number(value);
    this.ask();
  }

  toggle(lane) {
    if (!this.hidden.delete(lane)) this.hidden.add(lane);
    this.ask();
  }

  toggleClock() {
    if (this.clock) {
      this.stopClock();
      return;
    }
    if (!this.paths) return;
    if (this.now >= this.paths.nSteps) this.step = 0;
    let before = performance.now();
    const tick = (time) => {
      this.step += (Math.min(0.2, Math.max(0, time - before) / 1000)) * this.speed;
      before = time;
      if (this.now >= this.paths.nSteps) this.stopClock();
      else this.clock = requestAnimationFrame(tick);
      this.setStep(this.step);
    };
    this.clock = requestAnimationFrame(tick);
    this.ask();
  }

  stopClock() {
    cancelAnimationFrame(this.clock);
    this.clock = null;
    this.ask();
  }

  draw() {
    if (!this.data) return;
    const { data, texts } = this;
    const scene = {
      relief: this.relief, paths: this.paths, view: this.view, start: this.start, usual: data.usual, limits: data.window, minima: data.minima,
      step: this.now, palette: this.palette, hidden: this.hidden, isStale: this.isStale, vectors: this.vectors, lossAxis: data.loss_axis,
      show: { contours: this.checks.contours.checked, minima: this.checks.minima.checked },
    };
    if (this.is3D) this.space.draw(scene);
    else this.plane.draw(scene);
    this.values.draw(scene);
    if (this.paths) this.table.draw(scene);
    this.modes.forEach((button, i) => button.setAttribute("aria-pressed", String(this.is3D === Boolean(i))));
    const isWhole = this.view.half === data.window.half && this.view.centre.every((value, i) => value === data.window.centre[i]);
    this.resetButton.disabled = isWhole && !this.is3D;
    this.play.disabled = !this.paths;
    setText(this.play, this.clock ? texts.pause : texts.play);
    this.slider.disabled = !this.paths;
    this.slider.value = this.now;
    setText(this.count, fill(texts.count, { step: this.now, n: this.paths?.nSteps ?? 0 }));
    this.waitingSign.hidden = !this.isStale;
    this.explain(scene);
    this.describe();
  }

  // What the arrows mean, and how they are scaled
  explain({ step }) {
    const { texts, plane } = this;
    const isShown = !this.is3D && !this.isStale && this.paths && this.vectors !== "none" && plane.nVectors > 0;
    const { factor } = plane;
    const scale = factor === 1 ? texts.to_scale : fill(texts.enlarged, { factor: brief(factor) });
    setText(this.key, isShown ? fill(texts.arrows, { k: step + 1, scale }) : this.is3D ? texts.space_hint : texts.no_arrows);
  }

  describe() {
    const { data, texts, paths, root } = this;
    const [x, y] = this.start.map(brief);
    const stands = paths ? paths.labels.map((lane, i) => {
      const last = paths.last(i, this.now);
      const [at, up] = paths.place(i, last).map(brief);
      return fill(paths.hasLeft(i, this.now) ? texts.alt_left : texts.alt_lane, { lane, x: at, y: up, loss: brief(paths.loss(i, last)), step: last });
    }) : [];
    const alt = [fill(texts.alt, { surface: data.name, x, y }), ...(this.isStale ? [] : [fill(texts.alt_step, { step: this.now, n: paths?.nSteps ?? 0 }), ...stands])].join(" ");
    [this.plane, this.space].forEach(({ element }) => element.setAttribute("aria-label", alt));
    this.values.element.setAttribute("aria-label", fill(texts.alt_values, { axis: data.loss_axis, n: paths?.n ?? 0 }));
    root.dataset.state = !paths ? "empty" : this.isStale ? "stale" : "current";
    root.dataset.step = String(this.now);
    root.dataset.vectors = String(this.is3D ? 0 : this.plane.nVectors ?? 0);
    root.dataset.paths = this.pathsId ?? "";
  }

  stop() {
    clearTimeout(this.waiting);
    cancelAnimationFrame(this.clock);
    this.ask.stop();
    this.resizing.disconnect();
    this.space.purge();
  }
}

export default component(".lw-surface-race", View);
