// From the messages of a room's board to what its chart and its table show. No DOM here.

import { quoted } from "./dom.js";

const FIGURES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"];
export const YS = ["batch_loss", "train_loss", "validation_loss", "validation_accuracy"];
export const XS = ["step", "epoch", "seconds"];
export const isScore = (y) => y === "validation_accuracy";
const TALL = 10; // times the largest first loss: what is above has diverged
const UNTRAINED = 1; // about the loss before any training; a fork of a trained run begins far below, and is no measure of the others

// What is known: members as the server told them, with their curves
export class BoardData {
  constructor() {
    this.members = [];
    this.nMembers = 0;
    this.curves = new Map(); // by run
    this.isKnown = false;
  }

  take(header, arrays) {
    if (header.type === "board") {
      this.members = header.members;
      this.nMembers = header.n_members;
      this.isKnown = true;
      const runs = new Set(this.members.map(({ run }) => run));
      for (const run of this.curves.keys()) if (!runs.has(run)) this.curves.delete(run);
    } else if (header.type === "run") {
      this.curves.set(header.run, { ...arrays, perEpoch: header.steps_per_epoch });
    }
  }

  get running() {
    return this.members.filter(({ run }) => run);
  }

  // The points of a member's curve: {x: [...], y: [...]}; a number that is none is a gap
  points({ run }, y, x) {
    const curve = this.curves.get(run);
    if (!curve) return { x: [], y: [] };
    const isByEpoch = y !== "batch_loss";
    const xs = isByEpoch ? { step: curve.epoch_step, epoch: curve.epoch, seconds: curve.epoch_seconds }[x]
      : { step: curve.step, epoch: Float64Array.from(curve.step, (step) => step / Math.max(1, curve.perEpoch)), seconds: curve.seconds }[x];
    const n = curve.epoch.length;
    const ys = isByEpoch ? curve.figures.subarray(FIGURES.indexOf(y) * n, (FIGURES.indexOf(y) + 1) * n) : curve.batch_loss;
    return { x: Array.from(xs), y: Array.from(ys, (value) => (Number.isFinite(value) ? value : null)) };
  }

  // The last value of a curve: null where there is none, or where it is no number
  last(member, y) {
    return this.points(member, y, "step").y.at(-1) ?? null;
  }

  // Whether a run went where no number is, or far above where all began
  hasDiverged(member, y) {
    if (isScore(y) || !this.curves.has(member.run)) return false;
    const { y: values } = this.points(member, y, "step");
    return values.length > 0 && (values.at(-1) === null || values.at(-1) > this.ceiling(y));
  }

  // The largest loss that is worth a place: Infinity where it does not matter
  ceiling(y) {
    if (isScore(y)) return Infinity;
    const firsts = this.running.map((member) => this.points(member, y, "step").y.find((value) => value !== null)).filter((value) => value > 0);
    const lowest = firsts.length ? Math.min(...firsts) : Infinity;
    const usual = firsts.filter((value) => value <= 100 * Math.max(UNTRAINED, lowest));
    return firsts.length ? TALL * Math.max(UNTRAINED, ...usual) : Infinity;
  }
}

// Who is compared: for each member a colour value, or a group
export function setting(member, by) {
  if (by === "lr") return member.lr ?? null;
  const value = member[by];
  return value === undefined || value === null || value === "" ? "" : String(value);
}

// A place on a scale of [share, "#rrggbb"]
export function mixedColour(scale, share) {
  const at = Math.min(1, Math.max(0, share));
  const next = Math.max(1, scale.findIndex(([end]) => end >= at));
  const [[low, from], [high, to]] = [scale[next - 1], scale[next]];
  const part = high > low ? (at - low) / (high - low) : 0;
  const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const [a, b] = [channels(from), channels(to)];
  return `#${a.map((value, i) => Math.round(value + part * (b[i] - value)).toString(16).padStart(2, "0")).join("")}`;
}

const FIELDS = {
  name: ({ name }) => name.toLowerCase(),
  lr: ({ lr }) => lr,
  optimizer: ({ optimizer }) => optimizer,
  train_loss: ({ figures }) => figures?.train_loss,
  validation_loss: ({ figures }) => figures?.validation_loss,
  best_validation_accuracy: ({ figures }) => figures?.best_validation_accuracy,
  steps: ({ figures }) => figures?.steps,
  state: ({ state }) => state,
};
export const COLUMNS = Object.keys(FIELDS);

// The members in the order of a column; those that have nothing there come last, whatever the direction
export function sorted(members, { column, isDown }) {
  const sign = isDown ? -1 : 1;
  const isEmpty = (value) => value === undefined || value === null || value === "";
  return members.map((member) => [FIELDS[column](member), member]).sort(([a], [b]) => {
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  }).map(([, member]) => member);
}

const cell = (value) => (typeof value === "string" ? quoted(value) : value ?? "");

// What the chart shows, as lines of a file: every point of every curve
export function curvesCsv(board, y) {
  const lines = [`participant,run,learning_rate,optimizer,step,epoch,seconds,${y}`];
  for (const member of board.running) {
    const [steps, epochs, seconds] = XS.map((x) => board.points(member, y, x));
    steps.x.forEach((step, i) => {
      lines.push([member.name, member.run, member.lr, member.optimizer, step, epochs.x[i], seconds.x[i], steps.y[i]].map(cell).join(","));
    });
  }
  return `${lines.join("\n")}\n`;
}

// The table, as lines of a file
export function tableCsv(members) {
  const figures = ["train_loss", "validation_loss", "validation_accuracy", "best_validation_loss", "best_validation_accuracy", "test_loss", "test_accuracy", "steps", "epochs", "seconds"];
  const lines = [["participant", "run", "state", "data", "optimizer", "learning_rate", "batch_size", ...figures].join(",")];
  for (const member of members) {
    const values = [member.name, member.run, member.state, member.data, member.optimizer, member.lr, member.batch_size];
    lines.push([...values, ...figures.map((name) => member.figures?.[name])].map(cell).join(","));
  }
  return `${lines.join("\n")}\n`;
}
