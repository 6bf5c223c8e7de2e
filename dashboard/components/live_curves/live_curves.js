// Loss and accuracy of a run while it trains: legend, controls, state line and two panels.

import { csv, Smoothed } from "./curve_data.js";
import { clock, component, cssValue, download, fill, h, isDark, oncePerFrame, setText, short, whole } from "./dom.js";
import { subscribe } from "./live_feed.js";
import { loadPlotly, Panel } from "./panel.js";

let nMounts = 0;

const orDash = (text) => (value) => (Number.isFinite(value) ? text(value) : "–");

// What stands in the second panel: the accuracy in percent, or for regression R², which has no lower end
const SCORES = {
  classification: {
    column: "accuracy", factor: 100, unit: "%{y:.2f} %", words: orDash((value) => `${(100 * value).toFixed(1)} %`),
    reach: { include: [90, 100], clipmin: 0, clipmax: 102 },
  },
  regression: {
    column: "r2", factor: 1, unit: "%{y:.3f}", words: orDash((value) => value.toFixed(3)), reach: { include: [0, 1], clipmin: -0.25, clipmax: 1.02 },
  },
};

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.smoothing = 0.9;
    this.byEpoch = false;
    this.nUpdates = 0;
    root.dataset.mount = `${Date.now().toString(36)}-${++nMounts}`;
    this.ask = oncePerFrame(() => this.draw());
    this.build();
    this.resizing = new ResizeObserver(() => this.panels?.forEach((panel) => panel.resize()));
    [this.lossFrame, this.scoreFrame].forEach((frame) => this.resizing.observe(frame));
  }

  build() {
    const { texts } = this;
    this.state = h("strong", { class: "state" });
    this.facts = h("span", { class: "facts" });
    this.announced = h("span", { class: "sr", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.notice = h("p", { class: "notice", hidden: true });
    this.empty = h("p", { class: "empty" });
    this.legend = h("div", { class: "legend" });
    this.log = h("input", { type: "checkbox", onchange: () => this.loss?.setLog(this.log.checked) });
    this.epochs = h("input", { type: "checkbox", onchange: () => this.setUnit(this.epochs.checked) });
    this.smooth = h("input", { type: "range", min: 0, max: 0.995, step: 0.005, value: this.smoothing, "aria-label": texts.smoothing });
    this.smooth.addEventListener("input", () => this.setSmoothing(Number(this.smooth.value)));
    this.smoothValue = h("output", {}, this.smoothing.toFixed(3));
    this.resetButton = h("button", { type: "button", disabled: true, onclick: () => this.resetZoom() }, texts.reset);
    this.csvButton = h("button", { type: "button", disabled: true, onclick: () => this.save() }, texts.csv);
    const controls = h("div", { class: "controls", role: "group", "aria-label": texts.controls },
      h("label", {}, this.log, texts.log), h("label", {}, this.epochs, texts.by_epoch),
      h("label", { class: "smooth" }, texts.smoothing, this.smooth, this.smoothValue),
      h("span", { class: "push" }), this.resetButton, this.csvButton);
    this.lossFrame = h("div", { class: "plot" });
    this.scoreFrame = h("div", { class: "plot" });
    this.scoreTitle = h("h4", {});
    const figure = (title, frame) => h("section", { class: "panel" }, title, h("div", { role: "figure", class: "frame" }, frame));
    this.charts = h("div", { class: "charts", hidden: true },
      h("div", { class: "bar" }, this.legend, controls),
      h("div", { class: "panels" }, figure(h("h4", {}, texts.loss), this.lossFrame), figure(this.scoreTitle, this.scoreFrame)));
    const line = h("div", { class: "line", role: "group", "aria-label": texts.status }, this.state, this.facts);
    this.root.replaceChildren(line, this.announced, this.problem, this.notice, this.empty, this.charts);
  }

  // Called on every rerun and theme change: chart and socket stay as they are unless the run is another
  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    this.data = data;
    this.texts = data.texts;
    this.score = SCORES[data.task];
    setText(this.scoreTitle, data.texts.score);
    this.palette = data.palettes[isDark(this.root) ? 1 : 0]; // Python does not run when the theme changes
    this.known ??= data.state;
    if (data.run !== this.run || this.subscription?.feed.isStale()) this.follow(data.run);
    const theme = ["--st-text-color", "--st-background-color"].map((name) => cssValue(this.root, name)).join();
    if (this.panels && theme !== this.theme) {
      this.panels.forEach((panel) => panel.restyle(this.palette));
      this.drawLegend(this.subscription.feed.hello.series);
    }
    this.theme = theme;
    this.ask();
  }

  follow(run) {
    this.subscription?.leave();
    this.subscription = null;
    this.unbuild();
    this.run = run;
    this.nUpdates = 0;
    this.known = this.data.state;
    if (run) this.subscription = subscribe(run, (feed) => this.heard(feed));
    this.ask();
  }

  heard(feed) {
    const state = feed.status?.state;
    if (feed.step !== this.heardStep || feed.epochs.length !== this.heardEpochs) this.nUpdates += 1;
    this.heardStep = feed.step;
    this.heardEpochs = feed.epochs.length;
    this.root.dataset.step = String(feed.step);
    this.root.dataset.updates = String(this.nUpdates);
    this.root.dataset.state = state ?? feed.connection;
    if (state && state !== this.known) {
      this.known = state;
      setText(this.announced, this.texts[`state_${state}`] ?? state);
      this.send("state", state);
    }
    this.ask();
  }

  unbuild() {
    this.panels?.forEach((panel) => panel.purge());
    this.panels = this.loss = null;
    this.isBuilding = false;
    this.built = null;
    this.charts.hidden = true;
    this.root.removeAttribute("data-step");
    this.root.dataset.state = "none";
    this.root.dataset.updates = "0";
  }

  async buildPanels(feed) {
    this.isBuilding = true;
    this.built = { feed, version: feed.version };
    const { texts } = this;
    const { series } = feed.hello;
    try {
      const Plotly = await loadPlotly(this.data.plotly);
      if (this.built?.feed !== feed) return;
      this.charts.hidden = false; // boxes must have their size before Plotly measures them
      const loss = new Panel(Plotly, this.lossFrame, { axis: texts.loss_axis }, () => this.ranged());
      const score = new Panel(Plotly, this.scoreFrame, { axis: texts.score_axis, ...this.score }, () => this.ranged());
      for (const panel of [loss, score]) await panel.build(series, this.palette, texts);
      if (this.built?.feed !== feed) return;
      this.smoothed = series.map(() => ({ loss: new Smoothed(), score: new Smoothed() }));
      this.panels = [loss, score];
      this.loss = loss;
      this.drawLegend(series);
      if (this.log.checked) loss.setLog(true);
      if (this.epochs.checked) this.setUnit(true);
      this.ask();
    } catch (error) {
      setText(this.problem, texts.no_plotly);
      this.problem.hidden = false;
      console.warn(error);
    } finally {
      this.isBuilding = false;
    }
  }

  drawLegend(series) {
    const sample = (colour, kind) => {
      const box = h("span", { class: `sample ${kind}`, "aria-hidden": "true" });
      box.style.setProperty("--line", colour);
      return box;
    };
    const palette = (k) => this.palette[k % this.palette.length];
    const plain = series.length > 1 ? "currentColor" : palette(0);
    const names = series.length > 1 ? series.map((name, k) => h("span", {}, sample(palette(k), "train"), name)) : [];
    const kinds = ["batches", "train", "validation"];
    this.legend.replaceChildren(...names, ...kinds.map((kind) => h("span", { title: this.texts[`${kind}_help`] }, sample(plain, kind), this.texts[kind])));
  }

  draw() {
    const feed = this.subscription?.feed;
    this.drawLine(feed);
    if (!feed?.hello) return;
    if (!this.panels) {
      if (!this.isBuilding) this.buildPanels(feed);
      return;
    }
    this.smoothed.forEach((both) => feed.version !== this.built.version && (both.loss.reset(0), both.score.reset(0)));
    this.built.version = feed.version;
    const last = Math.max(feed.step, feed.epochs.at(-1)?.step ?? 0);
    this.panels[0].draw(feed.losses.map((_, k) => this.lossCurves(feed, k)), last);
    this.panels[1].draw(feed.losses.map((_, k) => this.scoreCurves(feed, k)), last);
    this.panels.forEach((panel) => panel.marks(feed.marks));
    this.csvButton.disabled = feed.step === 0;
    this.describe(feed);
  }

  lossCurves(feed, k) {
    const column = feed.losses[k];
    const source = { n: column.n, step: (i) => i + 1, y: (i) => column.data[i] };
    return this.curves(k, "loss", source, (name) => byEpoch(feed, k, `${name}_loss`, 1));
  }

  scoreCurves(feed, k) {
    const { step, batch_accuracy } = feed.measured;
    const { factor } = this.score;
    const source = { n: step.length, step: (i) => step[i], y: (i) => factor * batch_accuracy[i][k] };
    return this.curves(k, "score", source, (name) => byEpoch(feed, k, `${name}_accuracy`, factor));
  }

  curves(k, what, source, epochs) {
    const ends = { train: epochs("train"), validation: epochs("validation") };
    if (this.smoothing === 0) return { raw: null, batches: source, ...ends };
    const y = this.smoothed[k][what].follow(source, this.smoothing);
    return { raw: source, batches: { ...source, y }, ...ends };
  }

  drawLine(feed) {
    const { texts } = this;
    const status = feed?.status;
    const connection = feed?.connection;
    const isBroken = connection === "reconnecting" || connection === "unknown";
    this.empty.hidden = Boolean(feed);
    setText(this.empty, texts.empty);
    this.state.parentElement.hidden = !feed;
    if (!feed) {
      this.problem.hidden = this.notice.hidden = true;
      return;
    }
    setText(this.state, isBroken ? texts[connection] : status ? texts[`state_${status.state}`] ?? status.state : texts.connecting);
    this.state.dataset.kind = isBroken ? "broken" : status?.state ?? "connecting";
    setText(this.facts, status ? facts(status, feed, texts, this.score).join("  ·  ") : "");
    const problem = [status?.message, status?.hint].filter(Boolean).join(" ");
    setText(this.problem, problem);
    this.problem.hidden = !problem;
    setText(this.notice, status?.notice ?? "");
    this.notice.hidden = !status?.notice;
  }

  describe(feed) {
    const last = feed.epochs.at(-1);
    const { words } = this.score;
    const values = { n: feed.losses.length, step: whole(feed.step) };
    const say = (frame, title, train, held) =>
      frame.parentElement.setAttribute("aria-label", fill(feed.step ? this.texts.alt : this.texts.alt_empty, { ...values, title, train, validation: held }));
    say(this.lossFrame, this.texts.loss, short(last?.train_loss[0]), short(last?.validation_loss[0]));
    say(this.scoreFrame, this.texts.score, words(last?.train_accuracy[0]), words(last?.validation_accuracy[0]));
  }

  setSmoothing(beta) {
    this.smoothing = beta;
    setText(this.smoothValue, beta.toFixed(3));
    this.ask();
  }

  setUnit(isEpoch) {
    const perEpoch = this.subscription?.feed.hello?.steps_per_epoch || 1;
    this.panels?.forEach((panel) => panel.setUnit(isEpoch ? perEpoch : 1, isEpoch ? this.texts.epoch_axis : this.texts.step_axis));
    this.ask();
  }

  ranged() {
    this.resetButton.disabled = !this.panels?.some((panel) => panel.isZoomed);
    this.ask();
  }

  resetZoom() {
    this.panels?.forEach((panel) => panel.resetZoom());
    this.ranged();
  }

  save() {
    const { feed } = this.subscription;
    download(`run-${this.run}.csv`, new Blob([csv(feed, this.score.column)], { type: "text/csv" }));
  }

  stop() {
    this.ask.stop();
    this.resizing.disconnect();
    this.subscription?.leave();
    this.panels?.forEach((panel) => panel.purge());
    this.panels = this.built = null;
  }
}

function byEpoch(feed, k, name, scale) {
  return { n: feed.epochs.length, step: (i) => feed.epochs[i].step, y: (i) => scale * feed.epochs[i][name][k] };
}

function facts(status, { hello, measured }, texts, score) {
  const norms = measured.gradient_norm.at(-1);
  const isRunning = status.state === "running";
  const count = (name, i, n) => fill(texts[n === null || n === undefined ? `${name}_open` : name], { [name]: whole(i), n: whole(n ?? 0) });
  const test = status.test_accuracy?.[0];
  return [
    hello && count("epoch", status.epoch, status.n_epochs),
    hello && count("step", status.step, status.total_steps),
    isRunning && status.steps_per_s > 0 && fill(texts.rate, { rate: whole(status.steps_per_s) }),
    status.elapsed_s > 0 && fill(texts.elapsed, { time: clock(status.elapsed_s) }),
    isRunning && status.left_s !== null && fill(texts.left, { time: clock(status.left_s) }),
    status.learning_rates.length > 0 && fill(texts.learning_rate, { value: [...new Set(status.learning_rates)].map((rate) => short(rate, 3)).join(", ") }),
    norms && isRunning && fill(texts.gradient_norm, { value: [...norms].map((norm) => short(norm, 2)).join(", ") }),
    status.queue_position > 0 && fill(texts.position, { n: status.queue_position }),
    Number.isFinite(test) && fill(texts.test, { value: score.words(test) }),
    hello?.device,
  ].filter(Boolean);
}

export default component(".lw-live-curves", View);
