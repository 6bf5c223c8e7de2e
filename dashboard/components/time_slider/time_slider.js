// The kept moments of a run on its loss curve. One slider: drag, arrow keys, or play. x is the logarithm of step + 1, as the
// moments are kept: most of what is learned is learned early.

import { component, fill, h, oncePerFrame, setText, short, whole } from "./dom.js";
import { svg } from "./svg.js";

const HEIGHT = 64;
const TOP = 6;
const BOTTOM = 46; // of the curve; below it stand the moments
const SIDE = 12;
const PLAY_MS = 650;
const PATIENCE_MS = 1500; // after which the next moment is sent although the page is still busy
const place = (step) => Math.log1p(step);

class View {
  constructor(root, data) {
    this.root = root;
    this.seq = data.ack;
    const { texts } = data;
    this.plot = svg("svg", { role: "slider", tabindex: 0, "aria-label": texts.label, height: HEIGHT });
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    this.plot.addEventListener("pointermove", (event) => this.plot.hasPointerCapture(event.pointerId) && this.drag(event));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.words = h("output", {});
    this.playButton = h("button", { type: "button", onclick: () => (this.timer ? this.pause() : this.play()) });
    const step = (text, by, sign) => h("button", { type: "button", "aria-label": text, title: text, onclick: () => this.go(by) }, sign);
    this.newestButton = h("button", { type: "button", onclick: () => this.choose(this.newest) }, texts.newest);
    root.replaceChildren(
      h("div", { class: "row" }, step(texts.earlier, -1, "◀"), this.playButton, step(texts.later, 1, "▶"), this.newestButton, this.words),
      this.plot,
      h("p", { class: "key", "aria-hidden": "true" }, h("span", { class: "batches" }, texts.batches), h("span", { class: "validation" }, texts.validation), h("span", {}, texts.axis)));
    this.ask = oncePerFrame(() => this.draw());
    this.resizing = new ResizeObserver(() => this.ask());
    this.resizing.observe(this.plot);
  }

  update(data, setTriggerValue) {
    const { moments } = data;
    this.send = setTriggerValue;
    if (data.run !== this.data?.run) this.pause();
    this.data = data;
    this.newest = Math.max(0, moments.findIndex(({ newest }) => newest));
    // what the page answers may be older than where the handle is by now
    if (data.ack >= this.seq || this.at === undefined || this.at >= moments.length) {
      this.at = Math.max(0, moments.findIndex(({ step }) => step === data.chosen));
    }
    this.ask();
  }

  get moment() {
    return this.data.moments[this.at];
  }

  grab(event) {
    this.plot.setPointerCapture(event.pointerId);
    this.drag(event);
  }

  drag(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const gaps = this.data.moments.map(({ step }) => Math.abs(this.x(step) - x));
    this.choose(gaps.indexOf(Math.min(...gaps)));
  }

  key(event) {
    const { length: n } = this.data.moments;
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5, Home: -n, End: n }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.go(by);
  }

  go(by) {
    this.choose(Math.max(0, Math.min(this.data.moments.length - 1, this.at + by)));
  }

  choose(at) {
    if (at === this.at) return;
    this.at = at;
    this.seq += 1;
    this.ask();
    this.waitingSince ??= performance.now();
    this.deliver();
  }

  // One moment at a time: a page that is still drawing the last one would be interrupted, and never show any
  deliver() {
    clearTimeout(this.delivery);
    const app = document.querySelector('[data-testid="stApp"]');
    const isBusy = app && app.dataset.testScriptState === "running";
    if (isBusy && performance.now() - this.waitingSince < PATIENCE_MS) {
      this.delivery = setTimeout(() => this.deliver(), 30);
      return;
    }
    this.waitingSince = undefined;
    this.send("moment", { seq: this.seq, step: this.moment.step, run: this.data.run });
  }

  play() {
    if (this.at === this.data.moments.length - 1) this.choose(0);
    this.timer = setInterval(() => {
      if (this.waitingSince !== undefined) return; // the page has not shown the last one yet
      if (this.at >= this.data.moments.length - 1) this.pause();
      else this.go(1);
    }, PLAY_MS);
    this.ask();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.data) this.ask();
  }

  x(step) {
    const { moments, last } = this.data;
    const end = place(Math.max(1, last, moments.at(-1).step));
    return SIDE + (place(step) / end) * ((this.plot.clientWidth || 600) - 2 * SIDE);
  }

  draw() {
    const { moments, batches, validation, texts } = this.data;
    const known = [...batches, ...validation].map(([, loss]) => loss).filter(Number.isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const y = (loss) => BOTTOM - ((loss - low) / (high - low || 1)) * (BOTTOM - TOP);
    const line = (points) => points.filter(([, loss]) => Number.isFinite(loss)).map(([step, loss]) => `${this.x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
    const { step } = this.moment;
    this.plot.replaceChildren(
      svg("polyline", { class: "batches", points: line(batches) }),
      svg("polyline", { class: "validation", points: line(validation) }),
      svg("line", { class: "axis", x1: this.x(0), x2: this.x(this.data.last), y1: BOTTOM + 8, y2: BOTTOM + 8 }),
      ...moments.map((moment) => this.tick(moment)),
      svg("line", { class: "cursor", x1: this.x(step), x2: this.x(step), y1: 0, y2: BOTTOM + 8 }),
      svg("circle", { class: "handle", cx: this.x(step), cy: BOTTOM + 8, r: 7 }));
    const words = this.inWords();
    const attributes = { "aria-valuemin": 0, "aria-valuemax": moments.length - 1, "aria-valuenow": this.at, "aria-valuetext": words };
    for (const [name, value] of Object.entries(attributes)) this.plot.setAttribute(name, value);
    setText(this.words, words);
    setText(this.playButton, this.timer ? texts.pause : texts.play);
    this.newestButton.disabled = this.at === this.newest;
    Object.assign(this.root.dataset, { step, moments: moments.length });
  }

  tick(moment) {
    const x = this.x(moment.step);
    const star = svg("text", { class: "best", x, y: BOTTOM + 13, "text-anchor": "middle" });
    star.textContent = "★";
    return moment.best ? star : svg("line", { class: moment.newest ? "tick newest" : "tick", x1: x, x2: x, y1: BOTTOM + 3, y2: BOTTOM + 13 });
  }

  inWords() {
    const { texts } = this.data;
    const { step, epoch, loss, best, newest } = this.moment;
    const parts = [fill(texts.step, { step: whole(step) })];
    if (epoch !== null) parts.push(fill(texts.epoch, { epoch: short(epoch, 3) }));
    if (loss !== null) parts.push(fill(texts.loss, { loss: short(loss, 3) }));
    if (step === 0) parts.push(texts.untrained);
    if (best) parts.push(texts.best);
    if (newest) parts.push(texts.is_newest);
    return parts.join(" · ");
  }

  stop() {
    this.pause();
    clearTimeout(this.delivery);
    this.ask.stop();
    this.resizing.disconnect();
  }
}

export default component(".lw-time-slider", View);
