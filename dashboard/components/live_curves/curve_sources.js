// What the panels show, and where it comes from: a run's feed, one lane of it.

import { quoted } from "./dom.js";

const orDash = (text) => (value) => (Number.isFinite(value) ? text(value) : "–");

// What the accuracy stands for: percent, or for regression R², which has no lower end
export const SCORES = {
  classification: {
    column: "accuracy", factor: 100, unit: "%{y:.2f} %", words: orDash((value) => `${(100 * value).toFixed(1)} %`),
    reach: { include: [90, 100], clipmin: 0, clipmax: 102 },
  },
  regression: {
    column: "r2", factor: 1, unit: "%{y:.3f}", words: orDash((value) => value.toFixed(3)), reach: { include: [0, 1], clipmin: -0.25, clipmax: 1.02 },
  },
};

export const KINDS = ["batches", "train", "validation"];

// By name, in order: a kind is what a curve is measured on; `always` is shown whatever kinds are chosen
export const PANELS = {
  loss: { kinds: KINDS },
  score: { kinds: KINDS, isScore: true },
  update: { kinds: ["always"], column: "update_norm" },
  gradient: { kinds: ["always"], column: "gradient_norm" },
  effective: { kinds: ["always"], column: "effective_rate" },
  weights: { kinds: ["always"], column: "weight_norm" },
  rate: { kinds: ["always"], isRate: true },
};

// {n, repeats, step(i), y(i, repeat)} of one lane
export function source(feed, name, kind, lane, factor) {
  const { repeats } = feed;
  const first = lane * repeats;
  if (name === "loss" && kind === "batches") {
    const columns = feed.losses.slice(first, first + repeats).map((column) => column.data);
    return { n: feed.step, repeats, step: (i) => i + 1, y: (i, r) => columns[r][i] };
  }
  if (kind === "train" || kind === "validation") {
    const { epochs } = feed;
    const figure = `${kind}_${name === "loss" ? "loss" : "accuracy"}`;
    const scale = name === "score" ? factor : 1;
    return { n: epochs.length, repeats, step: (i) => epochs[i].step, y: (i, r) => scale * epochs[i][figure][first + r] };
  }
  const rows = PANELS[name].isRate ? feed.reports : feed.measured;
  const values = rows[name === "score" ? "batch_accuracy" : PANELS[name].column ?? "learning_rate"];
  const scale = name === "score" ? factor : 1;
  return { n: rows.step.length, repeats, step: (i) => rows.step[i], y: (i, r) => scale * values[i][first + r] };
}

// The row of the epoch, up to a step, with a lane's lowest mean validation loss over its repeats, the first of equals; -1 before
// there is one
export function bestEpoch(feed, lane, until) {
  const { repeats } = feed;
  let best = -1;
  let lowest = Infinity;
  feed.epochs.forEach((epoch, i) => {
    if (epoch.step > until) return;
    const values = epoch.validation_loss.subarray(lane * repeats, (lane + 1) * repeats);
    const mean = values.reduce((sum, value) => sum + value, 0) / repeats;
    if (mean < lowest) {
      lowest = mean;
      best = i;
    }
  });
  return best;
}

const MEASURED = ["gradient_norm", "update_norm", "effective_rate", "weight_norm", "batch_accuracy"];
const FIGURES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"];
const MANY_LINES = 50_000;

// Everything that was measured, one line per series and step, in pieces; `score` is what stands in the columns of the accuracy
export function csv(feed, score = "accuracy") {
  const head = ["series", "lane", "seed", "step", "epoch", "seconds", "learning_rate", "batch_loss", ...MEASURED, ...FIGURES];
  const perEpoch = feed.hello?.steps_per_epoch || 1;
  const at = (rows) => new Map(rows.step.map((step, i) => [step, i]));
  const [measured, reports, epochs] = [at(feed.measured), at(feed.reports), new Map(feed.epochs.map((row) => [row.step, row]))];
  const pieces = [head.join(",").replaceAll("accuracy", score)];
  let lines = [];
  feed.losses.forEach((column, k) => {
    const lane = Math.floor(k / feed.repeats);
    const names = [quoted(feed.hello?.series[k] ?? String(k)), quoted(feed.lanes[lane]?.name ?? String(lane)), (k % feed.repeats) + 1];
    for (let step = 1; step <= column.n; step++) {
      const [i, j, row] = [measured.get(step), reports.get(step), epochs.get(step)];
      lines.push([
        ...names, step, cell(step / perEpoch), cell(feed.seconds(step)), cell(feed.reports.learning_rate[j]?.[k]), cell(column.data[step - 1]),
        ...MEASURED.map((name) => cell(feed.measured[name][i]?.[k])), ...FIGURES.map((name) => cell(row?.[name][k])),
      ].join(","));
      if (lines.length === MANY_LINES) pieces.push("\n" + lines.splice(0).join("\n"));
    }
  });
  return [...pieces, lines.length ? "\n" + lines.join("\n") : "", "\n"];
}

const cell = (value) => (value === undefined || Number.isNaN(value) ? "" : String(Number(value.toPrecision(8))));
