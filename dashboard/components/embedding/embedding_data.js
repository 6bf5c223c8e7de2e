// The points of an embedding: where they are between two moments, and which colour and shape each has.

import { fill } from "./dom.js";

const FINE = 65535;
export const SHAPES = ["circle", "square", "up", "diamond", "down", "cross"];

export function decoded(text, Type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer, 0, bytes.byteLength / Type.BYTES_PER_ELEMENT);
}

export class Cloud {
  constructor(data) {
    this.n = data.n;
    this.dimensions = data.dimensions;
    this.nMoments = data.steps.length;
    const fine = decoded(data.positions, Uint16Array);
    const { low, extent, dimensions } = data;
    this.places = Float32Array.from(fine, (value, i) => low[i % dimensions] + (value / FINE) * extent);
    this.now = new Float32Array(this.n * dimensions);
    this.lows = [];
    this.highs = [];
    for (let moment = 0; moment < this.nMoments; moment++) this.bound(moment);
    this.isNumber = data.classes.length === 0;
    this.predicted = decoded(data.predicted, this.isNumber ? Float32Array : Int16Array);
    this.right = decoded(this.isNumber ? data.targets : data.labels, this.isNumber ? Float32Array : Int16Array);
    this.shares = this.isNumber ? null : decoded(data.shares, Uint8Array);
  }

  // The extent of the points at one moment
  bound(moment) {
    const [low, high] = [Array(this.dimensions).fill(Infinity), Array(this.dimensions).fill(-Infinity)];
    const size = this.n * this.dimensions;
    for (let i = 0; i < size; i++) {
      const [axis, value] = [i % this.dimensions, this.places[moment * size + i]];
      low[axis] = Math.min(low[axis], value);
      high[axis] = Math.max(high[axis], value);
    }
    this.lows.push(low);
    this.highs.push(high);
  }

  // What is in view: where sizes mean something, all moments alike; else the extent of this moment
  extent(isLinear) {
    const [all, mix] = [this.lows[0].map((_, axis) => axis), (bounds, axis) => bounds[this.before][axis] + this.part * (bounds[this.after][axis] - bounds[this.before][axis])];
    if (!isLinear) return { low: all.map((axis) => mix(this.lows, axis)), high: all.map((axis) => mix(this.highs, axis)) };
    return { low: all.map((axis) => Math.min(...this.lows.map((low) => low[axis]))), high: all.map((axis) => Math.max(...this.highs.map((high) => high[axis]))) };
  }

  // Fills `now` with the places at a moment between two kept ones
  moveTo(time) {
    const size = this.n * this.dimensions;
    this.before = Math.min(this.nMoments - 1, Math.floor(time));
    this.after = Math.min(this.nMoments - 1, this.before + 1);
    this.part = time - this.before;
    for (let i = 0; i < size; i++) {
      const from = this.places[this.before * size + i];
      this.now[i] = from + this.part * (this.places[this.after * size + i] - from);
    }
    this.moment = Math.round(time);
  }

  said(i) {
    return this.predicted[this.moment * this.n + i];
  }

  isRight(i) {
    return this.isNumber || this.said(i) === this.right[i];
  }

  share(i) {
    return this.shares[this.moment * this.n + i] / 255;
  }

  error(i) {
    return Math.abs(this.said(i) - this.right[i]);
  }
}

// Each way to colour: groups with a marker each, or numbers on a scale; `mark(i)` says {colour, shape, hollow, group}
export function colourings(cloud, data) {
  const { texts, colours, classes } = data;
  if (cloud.isNumber) {
    const range = [Math.min(...cloud.right), Math.max(...cloud.right)];
    const title = data.target_name;
    let worst = 0;
    for (let k = 0; k < cloud.predicted.length; k++) worst = Math.max(worst, Math.abs(cloud.predicted[k] - cloud.right[k % cloud.n]));
    return {
      target: { name: texts.by_target, scale: { title, range }, value: (i) => cloud.right[i] },
      predicted: { name: texts.by_predicted, scale: { title, range }, value: (i) => cloud.said(i) },
      error: { name: texts.by_error, scale: { title: `${texts.by_error}${title ? ` (${title})` : ""}`, range: [0, worst || 1] }, value: (i) => cloud.error(i) },
    };
  }
  const nColours = colours.palettes[0].length;
  const groups = classes.slice(0, data.max_classes).map((name, k) => ({ name, colour: k % nColours, shape: SHAPES[Math.floor(k / nColours) % SHAPES.length] }));
  if (classes.length > groups.length) groups.push({ name: texts.others, colour: -1, shape: "circle" });
  const both = [{ name: texts.is_right, colour: 0, shape: "circle" }, { name: texts.is_wrong, colour: 1, shape: "cross" }];
  return {
    class: { name: texts.by_class, groups, group: (i) => Math.min(cloud.right[i], groups.length - 1), note: texts.hollow },
    right: { name: texts.by_right, groups: both, group: (i) => (cloud.isRight(i) ? 0 : 1) },
    confidence: { name: texts.by_confidence, scale: { title: texts.confidence_scale, range: [0, 1], percent: true }, value: (i) => cloud.share(i), shapes: both },
  };
}

// The marker of point i: groups by colour and shape, scales by colour alone and right or wrong by shape
export function marker(cloud, colouring, i, { palette, other, ramp }) {
  if (colouring.groups) {
    const k = Math.max(0, colouring.group(i));
    const { colour, shape } = colouring.groups[k];
    return { group: k, colour: colour < 0 ? other : palette[colour], shape, isHollow: Boolean(colouring.note) && !cloud.isRight(i) };
  }
  const [low, high] = colouring.scale.range;
  const part = Math.max(0, Math.min(1, (colouring.value(i) - low) / (high - low || 1)));
  return { group: -1, colour: ramp[Math.round(255 * part)], shape: cloud.isRight(i) ? "circle" : "cross", isHollow: false };
}

// 256 colours along some stops
export function ramp(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (parts.length - 1);
    const k = Math.min(parts.length - 2, Math.floor(place));
    return `rgb(${parts[k].map((channel, c) => Math.round(channel + (place - k) * (parts[k + 1][c] - channel))).join(",")})`;
  });
}

const number = (value) => String(Number(value.toPrecision(4)));

// What point i is, as lines of text
export function lines(cloud, data, i) {
  const { texts, classes } = data;
  const found = [fill(texts.example, { i: data.indices[i] })];
  if (cloud.isNumber) {
    found.push(fill(texts.right, { name: number(cloud.right[i]) }), fill(texts.says_number, { name: number(cloud.said(i)) }));
  } else {
    const says = fill(texts.says, { name: classes[cloud.said(i)], p: Math.round(100 * cloud.share(i)) });
    found.push(fill(texts.right, { name: classes[cloud.right[i]] ?? "–" }), cloud.isRight(i) ? says : `${says} (${texts.wrong_mark})`);
  }
  if (data.told[i]) found.push(data.told[i]);
  return found;
}
