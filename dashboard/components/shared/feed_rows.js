// Numbers of a run as a page keeps them: columns of losses, and rows of what is measured now and then.

// A growing Float32Array
export class Column {
  constructor() {
    this.data = new Float32Array(1024);
    this.n = 0;
  }
  write(at, values) {
    const end = at + values.length;
    if (end > this.data.length) {
      const larger = new Float32Array(Math.max(end, this.data.length * 2));
      larger.set(this.data.subarray(0, this.n));
      this.data = larger;
    }
    this.data.set(values, at);
    this.n = end;
  }
  // What was not known of the past; what lies behind the end comes by `write`
  patch(at, values) {
    const n = Math.min(values.length, this.n - at);
    if (n > 0) this.data.set(values.subarray(0, n), at);
  }
}

// Rows by step: `step[i]`, and per name one number per series at `[name][i]`
export class Rows {
  constructor(...names) {
    this.names = names;
    this.step = [];
    for (const name of names) this[name] = [];
  }
  // After a reconnection the last rows come again: they are taken once
  take(arrays, nSeries) {
    const { step } = arrays;
    const known = this.step.at(-1) ?? 0;
    for (let i = 0; i < step.length; i++) {
      if (step[i] <= known) continue;
      this.step.push(step[i]);
      for (const name of this.names) this[name].push(name === "elapsed_s" ? arrays[name][i] : row(arrays[name], i, step.length, nSeries));
    }
  }
  widen(nSeries, source) {
    for (const name of this.names) if (name !== "elapsed_s") this[name] = this[name].map((values) => widened(values, nSeries, source));
  }
}

export const FIGURES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"];

// Column i of a (series, n) array
export const row = (array, i, n, nSeries) => Float32Array.from({ length: nSeries }, (_, k) => array[k * n + i]);

// `values` with more series behind: those from `source` on, or NaN where it is negative
export function widened(values, nSeries, source) {
  const found = new Float32Array(nSeries).fill(NaN);
  found.set(values);
  if (source >= 0) found.set(values.subarray(source, source + nSeries - values.length), values.length);
  return found;
}

// The interval of the rising `values` that holds `wanted`, and which part of it lies before; the last one goes on for ever
export function between(values, wanted) {
  let low = 0;
  let high = Math.max(0, values.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  const size = values[low + 1] - values[low];
  return { at: low, part: size > 0 ? (wanted - values[low]) / size : 0 };
}

// The value there
export function mixed(values, at, part) {
  return values.length < 2 ? 0 : values[at] + part * (values[at + 1] - values[at]);
}
