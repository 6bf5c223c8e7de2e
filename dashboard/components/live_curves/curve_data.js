// From the numbers of a run to the few points that a panel can show. No DOM here.

const NAMES = ["mean", "low", "high", "raw"]; // float32: what is constant stays so through the smoothing

// One lane over the repeats: the mean, and the band from the lowest to the highest or of one standard deviation around the
// mean. Each repeat is smoothed first: an exponential moving average over steps, with its start-up bias taken out; after a
// gap of d steps the past counts beta ** d, so rare measurements lag no more than frequent ones. It grows with its source.
export class LaneCurve {
  constructor() {
    this.reset("");
  }
  reset(key) {
    this.key = key;
    this.n = 0;
    this.room = 1024;
    for (const name of NAMES) this[name] = new Float32Array(this.room);
    this.sums = [];
  }
  // `source`: {n, repeats, step(i), y(i, repeat)}; a change of `key`, or of the smoothing, starts it again
  follow(source, beta, isDeviation, key) {
    const whole = `${key} ${beta} ${isDeviation} ${source.repeats}`;
    if (whole !== this.key || source.n < this.n) this.reset(whole);
    this.grow(source.n);
    while (this.sums.length < source.repeats) this.sums.push({ sum: 0, weight: 0, step: 0 });
    const row = new Float64Array(source.repeats);
    for (let i = this.n; i < source.n; i++) {
      this.raw[i] = mean(row, (r) => source.y(i, r));
      this.mean[i] = beta > 0 ? mean(row, (r) => smoothed(this.sums[r], source.y(i, r), source.step(i), beta)) : this.raw[i];
      [this.low[i], this.high[i]] = isDeviation ? deviation(row, this.mean[i]) : extent(row);
    }
    this.n = source.n;
    const of = (name) => (i) => this[name][i];
    return { n: source.n, step: source.step, y: of("mean"), low: of("low"), high: of("high"), raw: of("raw") };
  }
  grow(n) {
    if (n <= this.room) return;
    this.room = Math.max(n, this.room * 2);
    for (const name of NAMES) {
      const larger = new Float32Array(this.room);
      larger.set(this[name].subarray(0, this.n));
      this[name] = larger;
    }
  }
}

function smoothed(state, value, step, beta) {
  if (!Number.isFinite(value)) return NaN;
  const past = beta ** (step - state.step);
  state.sum = past * state.sum + (1 - past) * value;
  state.weight = past * state.weight + (1 - past);
  state.step = step;
  return state.sum / state.weight;
}

// Of what is known; `row` is filled with the values on the way
function mean(row, value) {
  let sum = 0;
  let n = 0;
  for (let r = 0; r < row.length; r++) {
    row[r] = value(r);
    if (Number.isFinite(row[r])) {
      sum += row[r];
      n += 1;
    }
  }
  return n ? sum / n : NaN;
}

function extent(row) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of row) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [NaN, NaN];
}

// One sample standard deviation below and above the mean
function deviation(row, middle) {
  let sum = 0;
  let n = 0;
  for (const value of row) {
    if (!Number.isFinite(value)) continue;
    sum += (value - middle) ** 2;
    n += 1;
  }
  const spread = n > 1 ? Math.sqrt(sum / (n - 1)) : 0;
  return [middle - spread, middle + spread];
}

// The points in [lo, hi], and one neighbour on each side, so that lines run out of the panel. `x(i)` rises with i.
function within({ n, x, lo, hi }) {
  return [Math.max(0, lowerBound(n, x, lo) - 1), Math.min(n, lowerBound(n, x, hi) + 2)];
}

// Lowest and highest value of each bucket, so that no spike is lost
export function decimated({ n, x, y, lo, hi, buckets }) {
  const [first, last] = within({ n, x, lo, hi });
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

// The outline of a band, along its upper edge and back along the lower one; each bucket is as wide as its widest place
export function outline({ n, x, low, high, lo, hi, buckets }) {
  const [first, last] = within({ n, x, lo, hi });
  const size = Math.max(1, Math.ceil((last - first) / buckets));
  const xs = [];
  const lows = [];
  const highs = [];
  for (let at = first; at < last; at += size) {
    let bottom = Infinity;
    let top = -Infinity;
    const end = Math.min(last, at + size);
    for (let i = at; i < end; i++) {
      if (low(i) < bottom) bottom = low(i);
      if (high(i) > top) top = high(i);
    }
    if (bottom > top) continue;
    xs.push(x(end === last ? end - 1 : (at + end - 1) >> 1));
    lows.push(bottom);
    highs.push(top);
  }
  return { x: [...xs, ...xs.slice().reverse()], y: [...highs, ...lows.reverse()], isFlat: lows.every((value, i) => value === highs[lows.length - 1 - i]) };
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

export function lowerBound(n, x, wanted) {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The last finite value at or before step `until`, or NaN
export function valueBefore({ n, step, y }, until) {
  for (let i = lowerBound(n, step, until + 0.5) - 1; i >= 0; i--) if (Number.isFinite(y(i))) return y(i);
  return NaN;
}
