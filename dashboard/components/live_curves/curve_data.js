// From the numbers of a run to the few points that a panel can show. No DOM here.

// Exponential moving average over steps, with its start-up bias taken out: after a gap of d steps the past counts
// beta ** d, so rare measurements lag no more than frequent ones. It grows with its source; another `beta` starts it again.
export class Smoothed {
  constructor() {
    this.reset(0);
  }
  reset(beta) {
    this.beta = beta;
    this.values = new Float64Array(1024);
    this.n = 0;
    this.sum = 0;
    this.weight = 0;
    this.step = 0;
  }
  // `source`: {n, step(i), y(i)}
  follow({ n, step, y }, beta) {
    if (beta !== this.beta || n < this.n) this.reset(beta);
    if (n > this.values.length) {
      const larger = new Float64Array(Math.max(n, this.values.length * 2));
      larger.set(this.values.subarray(0, this.n));
      this.values = larger;
    }
    for (let i = this.n; i < n; i++) {
      const value = y(i);
      if (Number.isFinite(value)) {
        const past = beta ** (step(i) - this.step);
        this.sum = past * this.sum + (1 - past) * value;
        this.weight = past * this.weight + (1 - past);
        this.step = step(i);
      }
      this.values[i] = this.weight > 0 ? this.sum / this.weight : NaN;
    }
    this.n = n;
    return (i) => this.values[i];
  }
}

// Lowest and highest value of each bucket, so that no spike is lost. `x(i)` rises with i; points outside [lo, hi] are left
// out, but for one neighbour on each side, so that lines run out of the panel.
export function decimated({ n, x, y, lo, hi, buckets }) {
  const first = Math.max(0, lowerBound(n, x, lo) - 1);
  const last = Math.min(n, lowerBound(n, x, hi) + 2);
  const out = { x: [], y: [] };
  const put = (i) => {
    const value = y(i);
    out.x.push(x(i));
    out.y.push(Number.isFinite(value) ? value : null);
  };
  const count = last - first;
  if (count <= 2 * buckets) {
    for (let i = first; i < last; i++) put(i);
    return out;
  }
  for (let b = 0; b < buckets; b++) {
    const from = first + Math.floor((b * count) / buckets);
    const to = first + Math.floor(((b + 1) * count) / buckets);
    extremes(y, from, to).forEach(put);
  }
  return out;
}

// Indices of the lowest and highest value in [from, to), in order; a gap (NaN) is kept as a gap
function extremes(y, from, to) {
  let low = -1;
  let high = -1;
  for (let i = from; i < to; i++) {
    const value = y(i);
    if (!Number.isFinite(value)) continue;
    if (low < 0 || value < y(low)) low = i;
    if (high < 0 || value > y(high)) high = i;
  }
  if (low < 0) return [from];
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}

function lowerBound(n, x, wanted) {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

const COLUMNS = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"];

// Everything that was measured, one line per series and step; `score` is what stands in the columns of the accuracy
export function csv(feed, score = "accuracy") {
  const perEpoch = feed.hello?.steps_per_epoch || 1;
  const cell = (value) => (value === undefined || Number.isNaN(value) ? "" : String(Number(value.toPrecision(8))));
  const quote = (text) => (/[",\n]/.test(text) || /^[=+\-@]/.test(text) ? `"${text.replace(/^[=+\-@]/, "'$&").replaceAll('"', '""')}"` : text);
  const measured = new Map(feed.measured.step.map((step, i) => [step, i]));
  const epochs = new Map(feed.epochs.map((row) => [row.step, row]));
  const lines = [["series", "step", "epoch", "batch_loss", "gradient_norm", "batch_accuracy", ...COLUMNS].join(",").replaceAll("accuracy", score)];
  feed.losses.forEach((column, k) => {
    const name = quote(feed.hello?.series[k] ?? String(k));
    for (let step = 1; step <= column.n; step++) {
      const at = measured.get(step);
      const row = epochs.get(step);
      lines.push([
        name,
        step,
        cell(step / perEpoch),
        cell(column.data[step - 1]),
        cell(at === undefined ? undefined : feed.measured.gradient_norm[at][k]),
        cell(at === undefined ? undefined : feed.measured.batch_accuracy[at][k]),
        ...COLUMNS.map((column_name) => cell(row?.[column_name][k])),
      ].join(","));
    }
  });
  return lines.join("\n") + "\n";
}
