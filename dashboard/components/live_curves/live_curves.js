// The curves of a run while it trains: state line, legend, controls and panels, of one lane or of a race of many.

import { Controls, Replay } from "./curve_controls.js";
import { Legend } from "./curve_legend.js";
import { StateLine } from "./curve_line.js";
import { Panel } from "./curve_panel.js";
import { csv, PANELS, SCORES } from "./curve_sources.js";
import { loadPlotly } from "./plotly.js";
import { markText } from "./curve_marks.js";
import { CurveReader } from "./curve_reader.js";
import { component, cssValue, download, fill, h, isDark, oncePerFrame, setText, whole } from "./dom.js";
import { laneStyle, laneView, onLanes, setPalettes } from "./lane_view.js";
import { subscribe } from "./live_feed.js";

const MANY_EPOCHS = 20; // from here on the ends of epochs tell a race better than its batches

// What the page shows besides curves: changes by hand and what the doctor found
const told = (feed) => feed.marks.length + feed.findings.length;

let nMounts = 0;

class View {
  constructor(root, data) {
    this.root = root;
    this.texts = data.texts;
    this.settings = { unit: "step", isLogX: false, isLogY: false, smoothing: 0.9, isDeviation: false, panels: data.panels };
    this.nUpdates = this.cost = this.drawnAt = 0;
    root.dataset.mount = `${Date.now().toString(36)}-${++nMounts}`;
    this.onFrame = oncePerFrame(() => this.timed());
    this.forget();
    this.build();
    this.leaveLanes = onLanes(() => this.ask());
  }

  // Drawing may take a third of the time at most: what takes long is drawn less often, and leaves the processor to training
  ask() {
    const wait = this.drawnAt + 2 * this.cost - performance.now();
    if (wait <= 0) this.onFrame();
    else this.later ??= setTimeout(() => { this.later = null; this.onFrame(); }, wait);
  }

  timed() {
    const start = performance.now();
    this.draw();
    this.drawnAt = performance.now();
    this.cost = this.drawnAt - start;
  }

  build() {
    const { texts } = this;
    this.line = new StateLine(texts);
    this.empty = h("p", { class: "empty" });
    this.legend = new Legend(texts, (kinds) => { this.kinds = kinds; this.ask(); });
    this.controls = new Controls(texts, this.settings, {
      change: (change) => this.changed(change), reset: () => this.resetZoom(), save: () => this.save(), savePictures: (format) => this.savePictures(format),
    });
    this.replay = new Replay(texts, () => this.replayed());
    this.boxes = Object.fromEntries(Object.keys(PANELS).map((name) => [name, this.box(name)]));
    this.grid = h("div", { class: "panels" }, ...Object.values(this.boxes).map(({ section }) => section));
    this.changes = h("ol", {});
    this.changesBox = h("details", { class: "changes", hidden: true }, h("summary", {}, texts.changes), this.changes);
    this.charts = h("div", { class: "charts", hidden: true },
      h("div", { class: "bar" }, this.legend.element, this.controls.element), this.controls.hint,
      this.grid, this.replay.element, this.changesBox);
    this.root.replaceChildren(...this.line.elements, this.empty, this.charts);
    this.resizing = new ResizeObserver(() => Object.values(this.panels).forEach((panel) => panel.resize()));
    this.seeing = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.boxes[target.dataset.panel].isSeen = isIntersecting;
      this.ask();
    }, { rootMargin: "200px" });
    Object.values(this.boxes).forEach(({ section, plot }) => { this.resizing.observe(plot); this.seeing.observe(section); });
  }

  box(name) {
    const plot = h("div", { class: "plot" });
    const title = h("h4", {}, this.texts[`panel_${name}`]);
    const figure = h("div", { role: "figure", class: "frame" }, plot);
    const section = h("section", { class: "panel", hidden: !this.settings.panels.has(name) }, title, figure);
    section.dataset.panel = name;
    return { section, title, figure, plot, isSeen: true };
  }

  // Called on every rerun and theme change: chart and socket stay as they are unless the run is another
  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    this.data = data;
    this.texts = data.texts;
    this.score = SCORES[data.task];
    setText(this.boxes.score.title, data.texts.panel_score);
    this.palette = data.palettes[isDark(this.root) ? 1 : 0]; // Python does not run when the theme changes
    setPalettes(data.palettes);
    this.known ??= data.state;
    if (data.run !== this.run || this.feed?.isStale()) this.follow(data.run);
    if (this.feed?.hello) this.told = told(this.feed);
    this.ask();
  }

  get feed() {
    return this.subscription?.feed;
  }

  follow(run) {
    this.subscription?.leave();
    this.subscription = null;
    this.unbuild();
    this.run = run;
    this.nUpdates = 0;
    this.known = this.data.state;
    this.told = null;
    if (run) this.subscription = subscribe(run, (feed) => this.heard(feed));
    if (this.feed?.status) this.heard(this.feed); // another component opened it, and it may have nothing more to say
    this.ask();
  }

  heard(feed) {
    const state = feed.status?.state;
    if (feed.step !== this.heardStep || feed.epochs.length !== this.heardEpochs) this.nUpdates += 1;
    this.heardStep = feed.step;
    this.heardEpochs = feed.epochs.length;
    Object.assign(this.root.dataset, { step: feed.step, updates: this.nUpdates, state: state ?? feed.connection, lanes: feed.lanes.length });
    if (state && state !== this.known) {
      this.known = state;
      this.line.announce(this.texts[`state_${state}`] ?? state);
      this.send("state", state);
    }
    // The page shows what the doctor finds and what was changed by hand: it runs again when there is more, and need not poll
    if (told(feed) > (this.told ?? Infinity)) this.send("told", told(feed));
    if (feed.hello) this.told = told(feed);
    this.ask();
  }

  forget() {
    this.panels = {};
    this.reader = new CurveReader();
    this.kinds = null;
    this.hovered = null;
  }

  unbuild() {
    Object.values(this.panels).forEach((panel) => panel.purge());
    this.forget();
    this.replay.end();
    this.charts.hidden = true;
    this.root.removeAttribute("data-step");
    this.root.dataset.state = "none";
    this.root.dataset.updates = "0";
  }

  async load() {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      this.Plotly = await loadPlotly(this.data.plotly);
    } catch (error) {
      this.failure = this.texts.no_plotly;
      console.warn(error);
    }
    this.ask();
  }

  draw() {
    const { feed } = this;
    this.empty.hidden = Boolean(feed);
    setText(this.empty, this.texts.empty);
    this.line.draw(feed, this.texts, this.score, this.failure);
    if (!feed?.hello) return;
    if (!this.Plotly) {
      this.load();
      return;
    }
    this.charts.hidden = false; // boxes must have their size before Plotly measures them
    this.kinds ??= new Set(defaultKinds(feed));
    const last = Math.max(feed.step, feed.epochs.at(-1)?.step ?? 0);
    const view = this.view(feed, last);
    this.reader.open({ feed, settings: this.settings, score: this.score, kinds: this.kinds, texts: this.texts });
    this.grid.classList.toggle("many", this.settings.panels.size > 2);
    for (const [name, { section, isSeen }] of Object.entries(this.boxes)) {
      section.hidden = !this.settings.panels.has(name);
      if (!section.hidden && isSeen) this.drawPanel(feed, name, view);
    }
    const { length: nLanes } = feed.lanes;
    this.legend.draw({ run: this.run, lanes: feed.lanes, repeats: feed.repeats, palette: this.palette, kinds: this.kinds });
    this.legend.read(feed.lanes.map(({ removed }, lane) => (removed !== null && (this.hovered ?? view.until) > removed ? NaN : this.reader.value("loss", lane, this.hovered ?? view.until))));
    this.replay.draw(last);
    this.drawChanges(feed, view.allMarks);
    this.controls.draw({ isRace: nLanes > 1, hasRepeats: feed.repeats > 1, isZoomed: this.isZoomed, isEmpty: feed.step === 0, isBare: this.data.bare });
  }

  // What all panels share
  view(feed, last) {
    const { unit } = this.settings;
    const perEpoch = feed.hello.steps_per_epoch || 1;
    const each = { step: 1, epoch: 1 / perEpoch, examples: feed.hello.n_train / perEpoch }[unit];
    const isRace = feed.lanes.length > 1;
    const { muted } = laneView(this.run);
    const allMarks = feed.marks.map((mark, i) => ({ // in a race their words stand below, by number
      ...mark, at: mark.step + 0.5, text: markText(mark, feed.lanes, this.texts),
      ...(isRace ? { tag: String(i + 1), colour: laneStyle(mark.lane, this.palette).colour } : {}),
    }));
    const cursor = this.replay.step;
    return {
      x: unit === "seconds" ? (step) => feed.seconds(step) : (step) => step * each,
      step: unit === "seconds" ? (x) => feed.stepAt(x) : (x) => x / each,
      xTitle: this.texts[`axis_${unit}`], last, until: cursor ?? last, cursor, isFixed: cursor !== null, isRace, texts: this.texts,
      moment: this.data.moment, allMarks, marks: allMarks.filter(({ lane }) => !muted.has(lane)),
    };
  }

  drawPanel(feed, name, view) {
    const { texts, settings } = this;
    const spec = { ...PANELS[name], title: texts[`panel_${name}`], axis: texts[`${name}_axis`], ...(name === "score" ? this.score : {}) };
    this.panels[name] ??= new Panel(this.Plotly, this.boxes[name].plot, spec, {
      onRange: () => this.ask(),
      onHover: (x) => { this.hovered = x === null ? null : this.view(feed, feed.step).step(x); this.ask(); },
    });
    const panel = this.panels[name];
    panel.set(settings.isLogX, settings.isLogY);
    if (!panel.isNew(this.panelKey(feed, name, view))) return;
    const { muted, pinned } = laneView(this.run);
    const lanes = feed.lanes.flatMap((lane, index) => (muted.has(index) ? [] : [this.lane(feed, name, index, pinned)]));
    panel.draw(lanes, view);
    this.boxes[name].figure.setAttribute("aria-label", this.reader.words(name, view));
  }

  // All that a panel depends on, but for its own range
  panelKey(feed, name, view) {
    const { muted, pinned } = laneView(this.run);
    const { kinds, isRate } = PANELS[name];
    const shown = kinds.filter((kind) => kind === "always" || this.kinds.has(kind));
    const steps = name === "loss" ? feed.step : (isRate ? feed.reports : feed.measured).step.length;
    const { smoothing, isDeviation, unit, isLogX } = this.settings;
    return JSON.stringify([
      feed.version, shown, kinds.includes("validation") ? feed.epochs.length : 0, shown.some((kind) => kind === "batches" || kind === "always") ? steps : 0,
      unit, unit === "seconds" ? feed.reports.step.length : 0, isLogX, smoothing, isDeviation, [...muted], [...pinned], view.cursor, view.moment,
      view.marks.map(({ at, text }) => [at, text]), feed.lanes, this.palette, cssValue(this.root, "--st-text-color"), cssValue(this.root, "--st-background-color"),
    ]);
  }

  lane(feed, name, index, pinned) {
    const kinds = PANELS[name].kinds.filter((kind) => kind === "always" || this.kinds.has(kind));
    const parts = Object.fromEntries(kinds.map((kind) => [kind, this.reader.curve(name, kind, index)]));
    const steps = parts.batches ?? parts.always;
    const isRaw = this.reader.smoothes(name) && steps && !(name === "score" && feed.lanes.length === 1);
    return {
      index, name: feed.lanes[index].name, ...laneStyle(index, this.palette), parts, raw: isRaw ? steps : null, hasBand: feed.repeats > 1,
      isPinned: pinned.has(index), isFaded: pinned.size > 0 && !pinned.has(index), best: this.reader.best(name, index, this.replay.step ?? Infinity),
    };
  }

  drawChanges(feed, marks) {
    const key = JSON.stringify(marks.map(({ text, step }) => [text, step]));
    if (key === this.changesKey) return;
    this.changesKey = key;
    this.changesBox.hidden = marks.length === 0;
    if (feed.lanes.length > 1 && !this.wasOpened) this.changesBox.open = this.wasOpened = true;
    this.changes.replaceChildren(...marks.map((mark) => h("li", {}, `${fill(this.texts.step_open, { step: whole(mark.step) })}: ${mark.text}`)));
  }

  changed(change) {
    if ("unit" in change) this.resetZoom();
    this.ask();
  }

  replayed() {
    if (this.replay.step === null) Object.values(this.panels).forEach((panel) => panel.held && panel.release());
    this.ask();
  }

  get isZoomed() {
    return Object.values(this.panels).some((panel) => panel.isZoomed);
  }

  resetZoom() {
    Object.values(this.panels).forEach((panel) => panel.resetZoom());
    this.ask();
  }

  save() {
    download(`run-${this.run}.csv`, new Blob(csv(this.feed, this.score.column), { type: "text/csv" }));
  }

  async savePictures(format) {
    for (const [name, panel] of Object.entries(this.panels)) {
      if (!this.boxes[name].section.hidden) await panel.save(`run-${this.run}-${name}`, format);
    }
  }

  stop() {
    this.replay.pause();
    clearTimeout(this.later);
    this.onFrame.stop();
    this.leaveLanes();
    this.resizing.disconnect();
    this.seeing.disconnect();
    this.subscription?.leave();
    Object.values(this.panels).forEach((panel) => panel.purge());
    this.forget();
  }
}

// A single lane shows all; a race what tells its lanes apart
function defaultKinds(feed) {
  if (feed.lanes.length <= 1) return ["batches", "train", "validation"];
  const { total_steps: total, steps_per_epoch: perEpoch } = feed.hello;
  return total !== null && total < MANY_EPOCHS * perEpoch ? ["batches", "validation"] : ["validation"];
}

export default component(".lw-live-curves", View);
