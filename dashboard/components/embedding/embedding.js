// Examples as points, at some moments of a run: they move from one to the next, are named on hover, and chosen by click or Enter.

import { component, cssValue, fill, h, isDark, oncePerFrame, setText, whole } from "./dom.js";
import { Cloud, colourings, lines, marker, ramp } from "./embedding_data.js";
import { Legend } from "./embedding_legend.js";
import { Frame, paint } from "./embedding_paint.js";
import { Clock } from "./embedding_time.js";

const REACH = 14; // pixels from a point at which it is still meant
const ZOOM = 1.4;
const MOST = 40;
const TURN = 0.01; // radians per pixel
const START = { yaw: 0.6, pitch: 0.45 };
const TIP_PICTURE = 72;
let latest = ""; // how the reader coloured last: the element is a new one after each wait

class View {
  constructor(root) {
    this.root = root;
    this.pointed = this.chosen = -1;
    this.hidden = new Map(); // by colouring
    this.ask = oncePerFrame(() => this.draw());
    this.clock = new Clock(this.ask);
    this.reset();
    this.build();
    this.resizing = new ResizeObserver(this.ask);
    this.resizing.observe(this.canvas);
  }

  build() {
    this.canvas = h("canvas", { tabindex: 0, role: "img" });
    const on = (name, act) => this.canvas.addEventListener(name, act);
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => { this.pressed = null; });
    on("pointerleave", () => this.point(-1));
    on("wheel", (event) => this.wheel(event));
    on("keydown", (event) => this.key(event));
    on("blur", () => this.point(-1));
    this.tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.stage = h("div", { class: "stage" }, this.canvas, this.tip);
    this.mode = h("select");
    this.mode.addEventListener("change", () => {
      latest = this.mode.value;
      this.ask();
    });
    this.modeText = h("span");
    this.play = h("button", { type: "button", class: "play", onclick: () => this.clock.toggle() });
    this.scrub = h("input", { type: "range", min: 0, step: 0.02 });
    this.scrub.addEventListener("input", () => this.clock.jump(Number(this.scrub.value)));
    this.step = h("output", { class: "step" });
    this.time = h("div", { class: "time" }, this.play, this.scrub, this.step);
    this.zooms = [["+", "zoom_in", () => this.magnify(ZOOM)], ["−", "zoom_out", () => this.magnify(1 / ZOOM)], ["⟲", "reset", () => this.reset()]]
      .map(([sign, name, act]) => ({ name, button: h("button", { type: "button", onclick: act }, sign) }));
    this.legend = new Legend((group) => this.toggle(group));
    this.live = h("output", { class: "sr", "aria-live": "polite" });
    this.root.replaceChildren(
      h("div", { class: "bar" }, h("label", {}, this.modeText, this.mode), this.time, h("div", {}, ...this.zooms.map(({ button }) => button))),
      this.stage, this.legend.element, this.live);
  }

  update(data, setTriggerValue) {
    const isOther = data.id !== this.data?.id;
    this.data = data;
    this.trigger = setTriggerValue;
    this.chosen = data.chosen;
    if (isOther) this.take(data);
    this.ramp = ramp(data.colours.scale);
    this.label();
    this.clock.follow(data.moment);
    this.ask();
  }

  // Other points
  take(data) {
    this.cloud = new Cloud(data);
    this.colourings = colourings(this.cloud, data);
    this.mode.replaceChildren(...Object.entries(this.colourings).map(([value, { name }]) => h("option", { value }, name)));
    if (latest in this.colourings) this.mode.value = latest;
    this.pointed = -1;
    this.clock.set(data.steps.length, data.moment);
  }

  label() {
    const { texts, steps } = this.data;
    setText(this.modeText, texts.colour);
    this.scrub.max = steps.length - 1;
    this.scrub.setAttribute("aria-label", texts.scrub);
    this.play.hidden = this.scrub.hidden = steps.length < 2;
    for (const { name, button } of this.zooms) {
      button.title = texts[name];
      button.setAttribute("aria-label", texts[name]);
    }
  }

  get colouring() {
    return this.colourings[this.mode.value];
  }

  get style() {
    const { root } = this;
    return { text: cssValue(root, "--st-text-color"), grid: cssValue(root, "--st-border-color"), background: cssValue(root, "--st-background-color"), font: cssValue(root, "--st-font") || "sans-serif" };
  }

  draw() {
    const { canvas, cloud, clock, data } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !cloud) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    cloud.moveTo(clock.time);
    const style = this.style;
    const paints = { palette: data.colours.palettes[isDark(this.root) ? 1 : 0], other: data.colours.other, ramp: this.ramp };
    this.frame = new Frame(cloud, { width, height, zoom: this.zoom, turn: this.turn, isLinear: data.is_linear });
    this.pixels = this.frame.pixels(cloud);
    this.marks = Array.from({ length: cloud.n }, (_, i) => marker(cloud, this.colouring, i, paints));
    const scene = { cloud, frame: this.frame, pixels: this.pixels, marks: this.marks, isShown: (i) => this.isShown(i), chosen: this.chosen, pointed: this.pointed, style, axes: data.axes, isLinear: data.is_linear };
    paint(canvas.getContext("2d"), { width, height, ratio }, scene);
    this.legend.draw(this.colouring, { hidden: this.hiddenNow, paints, style, texts: data.texts, stops: data.colours.scale });
    this.tell();
    this.showTip();
  }

  tell() {
    const { data, clock } = this;
    const { texts } = data;
    const moment = Math.round(clock.time);
    const trust = data.trust[moment];
    const step = whole(data.steps[moment]);
    setText(this.step, `${fill(texts.step, { step })} · ${trust === null ? texts.no_trust : fill(texts.trust, { trust: trust.toFixed(2) })}`);
    setText(this.play, clock.isPlaying ? texts.stop : texts.play);
    if (document.activeElement !== this.scrub || clock.isPlaying) this.scrub.value = clock.time;
    this.scrub.setAttribute("aria-valuetext", this.step.textContent);
    this.canvas.setAttribute("aria-label", [fill(texts.alt, { n: whole(data.n), step }), texts.help, ...(data.dimensions === 3 ? [texts.turn] : [])].join(" "));
    Object.assign(this.root.dataset, { moment, step: data.steps[moment], chosen: this.chosen });
  }

  get hiddenNow() {
    return this.hidden.get(this.mode.value) ?? new Set();
  }

  isShown(i) {
    return !this.hiddenNow.has(this.marks[i].group);
  }

  toggle(group) {
    const found = new Set(this.hiddenNow);
    if (!found.delete(group)) found.add(group);
    this.hidden.set(this.mode.value, found);
    this.ask();
  }

  nearest(x, y) {
    let [best, found] = [REACH ** 2, -1];
    for (let i = 0; i < this.cloud.n; i++) {
      const distance = (this.pixels[3 * i] - x) ** 2 + (this.pixels[3 * i + 1] - y) ** 2;
      if (distance < best && this.isShown(i)) [best, found] = [distance, i];
    }
    return found;
  }

  point(i) {
    if (i === this.pointed) return;
    this.pointed = i;
    this.stage.classList.toggle("over", i >= 0);
    this.ask();
  }

  press(event) {
    if (event.button !== 0) return;
    this.pressed = { x: event.offsetX, y: event.offsetY, isDrag: false, zoom: { ...this.zoom }, turn: { ...this.turn } };
    if (event.pointerType === "mouse") this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    const { pressed } = this;
    if (!pressed) {
      if (this.pixels) this.point(this.nearest(event.offsetX, event.offsetY));
      return;
    }
    const [dx, dy] = [event.offsetX - pressed.x, event.offsetY - pressed.y];
    if (Math.hypot(dx, dy) > 4) pressed.isDrag = true;
    if (!pressed.isDrag) return;
    this.pointed = -1;
    if (this.data.dimensions === 3) this.turn = { yaw: pressed.turn.yaw - TURN * dx, pitch: Math.max(-1.5, Math.min(1.5, pressed.turn.pitch + TURN * dy)) };
    else this.zoom = { ...this.zoom, x: pressed.zoom.x + dx, y: pressed.zoom.y + dy };
    this.ask();
  }

  release(event) {
    const { pressed } = this;
    this.pressed = null;
    if (pressed && !pressed.isDrag && this.pixels) this.pick(this.nearest(event.offsetX, event.offsetY));
  }

  pick(i) {
    if (i < 0) return;
    this.chosen = i; // at once; the page answers with the same
    this.trigger("pick", i);
    this.ask();
  }

  // The page scrolls by the wheel alone
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.magnify(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  }

  // The place under (x, y) stays there; without one, the middle
  magnify(by, x, y) {
    if (!this.frame) return;
    const { box } = this.frame;
    const factor = Math.max(0.5, Math.min(MOST, this.zoom.factor * by));
    const ratio = factor / this.zoom.factor;
    const about = (at, start, size, shift) => { const d = (at ?? start + size / 2) - (start + size / 2); return d - (d - shift) * ratio; };
    this.zoom = { factor, x: about(x, box.left, box.width, this.zoom.x), y: about(y, box.top, box.height, this.zoom.y) };
    this.ask();
  }

  reset() {
    this.zoom = { factor: 1, x: 0, y: 0 };
    this.turn = { ...START };
    this.ask();
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const acts = {
      Enter: () => this.pick(this.pointed), " ": () => this.pick(this.pointed), Escape: () => this.point(-1),
      Home: () => this.visit(this.chosen), "+": () => this.magnify(ZOOM), "-": () => this.magnify(1 / ZOOM), 0: () => this.reset(),
    };
    const act = ways[event.key] ? () => this.visit(this.next(ways[event.key])) : acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !this.pixels) return;
    event.preventDefault();
    act();
  }

  // The nearest shown point in this direction, sideways counting twice; without a point to go from, the chosen one or the first
  next([dx, dy]) {
    const from = this.pointed >= 0 ? this.pointed : this.chosen;
    if (from < 0) return Array.from({ length: this.cloud.n }, (_, i) => i).find((i) => this.isShown(i)) ?? -1;
    let [best, found] = [Infinity, from];
    for (let i = 0; i < this.cloud.n; i++) {
      const [x, y] = [this.pixels[3 * i] - this.pixels[3 * from], this.pixels[3 * i + 1] - this.pixels[3 * from + 1]];
      const [along, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
      if (along > 0.5 && along + 2 * aside < best && this.isShown(i)) [best, found] = [along + 2 * aside, i];
    }
    return found;
  }

  visit(i) {
    this.point(i);
    if (i >= 0) setText(this.live, lines(this.cloud, this.data, i).join(", ") + (i === this.chosen ? `, ${this.data.texts.chosen}` : ""));
  }

  showTip() {
    const { tip, pointed: i, data } = this;
    tip.hidden = i < 0;
    if (i < 0) return;
    const words = lines(this.cloud, data, i);
    tip.replaceChildren(...(data.pictures ? [picture(data.pictures, i)] : []), h("div", {}, ...words.map((line) => h("p", {}, line))));
    const [x, y] = [this.pixels[3 * i], this.pixels[3 * i + 1]];
    const left = x + 16 + tip.offsetWidth > this.canvas.clientWidth ? x - 16 - tip.offsetWidth : x + 16;
    const top = Math.max(4, Math.min(this.canvas.clientHeight - tip.offsetHeight - 4, y - tip.offsetHeight / 2));
    tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${Math.round(top)}px)`;
  }

  stop() {
    this.ask.stop();
    this.clock.stop();
    this.resizing.disconnect();
  }
}

// One picture of the sheet, enlarged
function picture({ url, columns, width, height }, i) {
  const k = TIP_PICTURE / Math.max(width, height);
  const element = h("div", { class: "picture" });
  Object.assign(element.style, {
    width: `${width * k}px`, height: `${height * k}px`, backgroundImage: `url(${url})`, backgroundSize: `${columns * width * k}px auto`,
    backgroundPosition: `${-(i % columns) * width * k}px ${-Math.floor(i / columns) * height * k}px`,
  });
  return element;
}

export default component(".lw-embedding", View);
