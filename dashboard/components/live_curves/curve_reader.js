// The curves of the lanes of a feed, kept from one drawing to the next, and what there is to say of them.

import { LaneCurve, valueBefore } from "./curve_data.js";
import { bestEpoch, PANELS, source } from "./curve_sources.js";
import { fill, short, whole } from "./dom.js";

const SPOKEN_LANES = 8;

export class CurveReader {
  constructor() {
    this.curves = new Map(); // by panel, kind and lane
  }

  // What is read from now on: {feed, settings: {smoothing, isDeviation}, score, kinds, texts}
  open(what) {
    Object.assign(this, what);
  }

  smoothes(name) {
    return this.settings.smoothing > 0 && !PANELS[name].isRate;
  }

  curve(name, kind, lane) {
    const { feed, settings, score } = this;
    const key = `${name} ${kind} ${lane}`;
    if (!this.curves.has(key)) this.curves.set(key, new LaneCurve());
    const beta = (kind === "batches" || kind === "always") && this.smoothes(name) ? settings.smoothing : 0;
    return this.curves.get(key).follow(source(feed, name, kind, lane, score.factor), beta, settings.isDeviation, feed.version);
  }

  // The star of a lane: its best epoch until a step, on the curve of validation
  best(name, lane, until) {
    const { feed, kinds, score } = this;
    const at = PANELS[name].kinds.includes("validation") && kinds.has("validation") ? bestEpoch(feed, lane, until) : -1;
    if (at < 0) return null;
    const { epoch, step } = feed.epochs[at];
    const value = this.curve(name, "validation", lane).y(at);
    const words = name === "score" ? score.words(value / score.factor) : short(value);
    return { step, value, text: fill(this.texts.best_tip, { name: feed.lanes[lane].name, epoch: whole(epoch), value: words }) };
  }

  // The last known value of a lane at a step: of validation where that is shown and known, else of the batches
  value(name, lane, step) {
    if (PANELS[name].kinds.includes("always")) return valueBefore(this.curve(name, "always", lane), step);
    const held = this.kinds.has("validation") ? valueBefore(this.curve(name, "validation", lane), step) : NaN;
    return Number.isFinite(held) ? held : valueBefore(this.curve(name, "batches", lane), step);
  }

  // A panel for those who do not see it
  words(name, { until, xTitle, isRace }) {
    const { feed, texts, score } = this;
    const values = { n: feed.losses.length, step: whole(feed.step), title: texts[`panel_${name}`], unit: xTitle };
    if (!feed.step) return fill(texts.alt_empty, values);
    const isScore = name === "score";
    const say = isScore ? (value) => score.words(value) : short;
    if (!isRace && !PANELS[name].kinds.includes("always")) {
      const last = feed.epochs.at(-1);
      const figure = isScore ? "accuracy" : "loss";
      return fill(texts.alt, { ...values, train: say(last?.[`train_${figure}`][0]), validation: say(last?.[`validation_${figure}`][0]) });
    }
    const spoken = feed.lanes.slice(0, SPOKEN_LANES).map((lane, k) => `${lane.name} ${say(this.value(name, k, until) / (isScore ? score.factor : 1))}`);
    return fill(texts.alt_lanes, { ...values, values: spoken.join(", ") + (feed.lanes.length > SPOKEN_LANES ? ", …" : "") });
  }
}
