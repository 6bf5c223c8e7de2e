// How the curves are shown: unit of x, scales, smoothing, which panels; and the replay of the run.

import { PANELS } from "./curve_sources.js";
import { fill, h, setText, whole } from "./dom.js";

const KEPT = "layerwise.curves.panels";
const REPLAY_S = 12;
const TICK_MS = 66;

export const UNITS = ["step", "epoch", "examples", "seconds"];

export class Controls {
  // `on`: {change(), reset(), save(), savePictures(format)}; `settings` is what they set: {unit, isLogX, isLogY, smoothing, isDeviation, panels}
  constructor(texts, settings, on) {
    Object.assign(this, { texts, settings, on });
    settings.panels = new Set(remembered() ?? settings.panels);
    this.unit = h("select", {}, ...UNITS.map((unit) => h("option", { value: unit }, texts[`unit_${unit}`])));
    this.unit.addEventListener("change", () => this.set({ unit: this.unit.value }));
    this.smooth = h("input", { type: "range", min: 0, max: 0.995, step: 0.005, value: settings.smoothing, "aria-label": texts.smoothing });
    this.smooth.addEventListener("input", () => {
      setText(this.smoothValue, Number(this.smooth.value).toFixed(3));
      this.set({ smoothing: Number(this.smooth.value) });
    });
    this.smoothValue = h("output", {}, settings.smoothing.toFixed(3));
    this.resetButton = h("button", { type: "button", disabled: true, onclick: on.reset }, texts.reset);
    this.files = [
      h("button", { type: "button", disabled: true, onclick: on.save }, texts.csv),
      ...["png", "svg"].map((format) => h("button", { type: "button", disabled: true, "aria-label": texts[format], onclick: () => on.savePictures(format) }, format.toUpperCase())),
    ];
    this.hint = h("p", { class: "hint", hidden: true }, texts.shared_seconds);
    this.element = h("div", { class: "controls", role: "group", "aria-label": texts.controls },
      h("label", {}, texts.x_unit, this.unit),
      this.check(texts.log_x, (isOn) => this.set({ isLogX: isOn })), this.check(texts.log, (isOn) => this.set({ isLogY: isOn })),
      h("label", { class: "smooth" }, texts.smoothing, this.smooth, this.smoothValue),
      this.menu(), this.resetButton, ...this.files);
  }

  check(text, change, isOn = false) {
    return h("label", {}, h("input", { type: "checkbox", checked: isOn, onchange: (event) => change(event.target.checked) }), text);
  }

  menu() {
    const { texts, settings } = this;
    const boxes = Object.keys(PANELS).map((name) => this.check(texts[`panel_${name}`], (isOn) => this.choose(name, isOn), settings.panels.has(name)));
    this.band = h("select", {}, h("option", { value: "extent" }, texts.band_extent), h("option", { value: "deviation" }, texts.band_deviation));
    this.band.addEventListener("change", () => this.set({ isDeviation: this.band.value === "deviation" }));
    this.bandLabel = h("label", { hidden: true }, texts.band_label, this.band);
    const details = h("details", { class: "menu" }, h("summary", {}, texts.panels), h("div", { class: "sheet" }, ...boxes, this.bandLabel));
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      details.querySelector("summary").focus();
    });
    details.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
    });
    return details;
  }

  choose(name, isOn) {
    const { panels } = this.settings;
    if (isOn) panels.add(name);
    else panels.delete(name);
    remember([...panels]);
    this.set({});
  }

  set(change) {
    Object.assign(this.settings, change);
    this.on.change(change);
  }

  draw({ isRace, hasRepeats, isZoomed, isEmpty, isBare }) {
    this.element.hidden = Boolean(isBare);
    this.bandLabel.hidden = !hasRepeats;
    this.hint.hidden = !(isRace && this.settings.unit === "seconds");
    this.resetButton.disabled = !isZoomed;
    this.files.forEach((button) => { button.disabled = isEmpty; });
  }
}

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(kept) ? kept.filter((name) => name in PANELS) : null;
  } catch {
    return null; // no storage, or not ours: the choice holds for this page only
  }
}

function remember(panels) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(panels));
  } catch (error) {
    console.info(error.message);
  }
}

// The run again from its start, over what the page has of it. `step` is the moment shown, or null at the end of the run.
export class Replay {
  constructor(texts, change) {
    Object.assign(this, { texts, change, step: null, last: 0, timer: 0 });
    this.play = h("button", { type: "button", class: "play", onclick: () => (this.timer ? this.pause() : this.start()) }, texts.replay);
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 1, value: 1, "aria-label": texts.moment });
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.place = h("output", {});
    this.live = h("button", { type: "button", disabled: true, onclick: () => this.end() }, texts.to_end);
    this.element = h("div", { class: "replay", role: "group", "aria-label": texts.replay_group }, this.play, this.slider, this.place, this.live);
  }

  draw(last) {
    this.last = last;
    this.slider.max = last;
    const at = this.step ?? last;
    if (Number(this.slider.value) !== at) this.slider.value = at;
    setText(this.place, fill(this.texts.step_open, { step: whole(at) }));
    setText(this.play, this.timer ? this.texts.pause : this.texts.replay);
    this.live.disabled = this.step === null;
  }

  start() {
    if (this.step === null || this.step >= this.last) this.step = 0;
    this.since = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.change();
  }

  tick() {
    const now = performance.now();
    this.step = Math.min(this.last, this.step + ((now - this.since) / 1000 / REPLAY_S) * this.last);
    this.since = now;
    if (this.step >= this.last) this.end();
    else this.change();
  }

  seek(step) {
    this.step = step < this.last ? step : null;
    this.change();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.change();
  }

  end() {
    this.step = null;
    this.pause();
  }
}
