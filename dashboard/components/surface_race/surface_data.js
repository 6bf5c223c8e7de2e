// What Python sends, as arrays: the relief of a surface on a square grid, and the paths of the lanes over it.

function decoded(text, Type) {
  return new Type(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
}

// `ranks` are heights in contours, rows from the lowest y upwards: level k of `levels` lies at height k + 1
export class Relief {
  constructor({ ranks, top, side, view, levels }) {
    const raw = decoded(ranks, Uint16Array);
    Object.assign(this, { side, view, levels, top });
    this.ranks = Float32Array.from(raw, (value) => (value / 65535) * top);
  }

  // The height of a place in view, between the grid points around it; null for a place out of view
  heightAt([x, y]) {
    const { side, view, ranks } = this;
    const [u, v] = [x, y].map((value, i) => ((value - view.centre[i]) / (2 * view.half) + 0.5) * (side - 1));
    if (!(u >= 0 && v >= 0 && u <= side - 1 && v <= side - 1)) return null;
    const [column, row] = [Math.min(side - 2, Math.floor(u)), Math.min(side - 2, Math.floor(v))];
    const [right, up] = [u - column, v - row];
    const at = row * side + column;
    const low = ranks[at] * (1 - right) + ranks[at + 1] * right;
    const high = ranks[at + side] * (1 - right) + ranks[at + side + 1] * right;
    return low * (1 - up) + high * up;
  }
}

export class Paths {
  constructor(data) {
    const floats = (name) => decoded(data[name], Float32Array);
    Object.assign(this, { labels: data.labels, notes: data.notes, done: data.done, nSteps: data.n_steps });
    for (const name of ["positions", "losses", "gradients", "momenta", "rates"]) this[name] = floats(name);
  }

  get n() {
    return this.labels.length;
  }

  // The step at which a lane stands at moment `k`: its last one where it has left the surface
  last(lane, k) {
    return Math.min(k, this.done[lane]);
  }

  hasLeft(lane, k) {
    return this.done[lane] < this.nSteps && k > this.done[lane];
  }

  place(lane, k) {
    const at = 2 * (lane * (this.nSteps + 1) + k);
    return [this.positions[at], this.positions[at + 1]];
  }

  loss(lane, k) {
    return this.losses[lane * (this.nSteps + 1) + k];
  }

  rate(lane, k) {
    return this.rates[lane * this.nSteps + k];
  }

  // The vectors that make step k; null at the end of the path, and a vector is null where the optimizer keeps none
  vectors(lane, k) {
    if (k >= this.done[lane]) return null;
    const at = 2 * (lane * this.nSteps + k);
    const pair = (source) => (Number.isFinite(source[at]) ? [source[at], source[at + 1]] : null);
    const [x, y] = this.place(lane, k);
    const [nextX, nextY] = this.place(lane, k + 1);
    return { gradient: pair(this.gradients), momentum: pair(this.momenta), step: [nextX - x, nextY - y] };
  }
}

export const size = (vector) => (vector ? Math.hypot(...vector) : NaN);

// 0.00012 and 4 500 and 1.2e-9, in at most seven characters
export function brief(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  return power < -4 || power > 4 ? value.toExponential(1).replace("e+", "e").replace(".0e", "e") : String(Number(value.toPrecision(3)));
}

// Round numbers between two ends, about `n` of them
export function ticks(low, high, n = 5) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((each) => each >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// Colours of the page between background and another of its colours, as #rrggbb; `share` in [0, 1]
export function mixed(background, other, share) {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  const channels = (colour) => {
    context.fillStyle = colour; // the canvas turns every CSS colour into #rrggbb
    return [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
  };
  const [from, to] = [channels(background), channels(other)];
  return from.map((channel, i) => Math.round(channel + share * (to[i] - channel)));
}
