// One socket per run and page, whatever the number of components that show it, and the run's numbers at full resolution.
// The frames are described in dashboard/session/frames.py and live_frames.py. Everything per series has one entry for each
// series that there is now: lanes that joined late have NaN in the past until it is known, forks have their source's past.

import { between, Column, FIGURES, mixed, row, Rows, widened } from "./feed_rows.js";

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const KEEP_MS = 30000; // a page that comes back soon finds its curves ready
const UNKNOWN_RUN = 4404;
const BAD_REQUEST = 4400;
const DONE = 1000;

const feeds = new Map();

// The feed of a run, opened if it is not yet; call the returned function to leave it
export function subscribe(run, listener) {
  let feed = feeds.get(run);
  if (!feed || feed.isStale()) {
    feed?.close();
    feed = new Feed(run);
    feeds.set(run, feed);
  }
  feed.join(listener);
  return { feed, leave: () => feed.leave(listener) };
}

export function* frames(buffer) {
  const view = new DataView(buffer);
  const padded = (n) => (n + 7) & ~7;
  let at = 0;
  while (at + 4 <= buffer.byteLength) {
    const length = view.getUint32(at, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at + 4, length)));
    at += padded(4 + length);
    const arrays = {};
    for (const { name, dtype, shape } of header.arrays) {
      const Type = ARRAYS[dtype];
      const n = shape.reduce((product, size) => product * size, 1);
      arrays[name] = new Type(buffer, at, n);
      at += padded(n * Type.BYTES_PER_ELEMENT);
    }
    yield { header, arrays };
  }
}

class Feed {
  constructor(run) {
    this.run = run;
    this.listeners = new Set();
    this.retryMs = FIRST_RETRY_MS;
    this.connection = "connecting"; // connecting, live, reconnecting, done, unknown
    this.generation = -1;
    this.clear();
    this.open();
  }

  clear() {
    this.hello = null;
    this.status = null;
    this.losses = []; // one Column per series; the loss of step i + 1 at i
    this.measured = new Rows("gradient_norm", "weight_norm", "batch_accuracy", "update_norm", "effective_rate");
    this.reports = new Rows("elapsed_s", "learning_rate");
    this.epochs = []; // {epoch, step, train_loss: [...], ...}
    this.surfaces = new Map();
    this.marks = [];
    this.phases = []; // of the last step by hand: {step, phase, text, tensors: [{name, shape, low, high, mean, norm, values}]}
    this.findings = [];
    this.version = (this.version ?? 0) + 1;
  }

  get step() {
    return this.losses.length ? this.losses[0].n : 0;
  }

  get lanes() {
    return this.hello?.lanes ?? [];
  }

  get repeats() {
    return this.hello?.repeats ?? 1;
  }

  // Seconds of training up to `step`: between two reports as if each step took as long
  seconds(step) {
    const { at, part } = between(this.clock.steps, step);
    return mixed(this.clock.seconds, at, part);
  }

  stepAt(seconds) {
    const { at, part } = between(this.clock.seconds, seconds);
    return mixed(this.clock.steps, at, part);
  }

  get clock() {
    const { step, elapsed_s: elapsed } = this.reports;
    if (this.clocked?.n === step.length && this.clocked.step === this.step) return this.clocked;
    const found = { n: step.length, step: this.step, steps: [0, ...step], seconds: [0, ...elapsed] };
    const { step: lastStep, elapsed_s: lastS } = this.status ?? {};
    if (lastStep > found.steps.at(-1) && lastS > found.seconds.at(-1)) {
      found.steps.push(lastStep);
      found.seconds.push(lastS);
    }
    this.clocked = found;
    return found;
  }

  // A run that was over may have been taken up again: somebody who comes to see it asks anew
  isStale() {
    return ["done", "unknown"].includes(this.connection) && this.listeners.size === 0;
  }

  join(listener) {
    clearTimeout(this.leaving);
    this.listeners.add(listener);
  }

  leave(listener) {
    this.listeners.delete(listener);
    if (this.listeners.size === 0) this.leaving = setTimeout(() => this.close(), KEEP_MS);
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.retrying);
    clearTimeout(this.leaving);
    this.socket.close();
    if (feeds.get(this.run) === this) feeds.delete(this.run);
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const path = `/api/runs/${encodeURIComponent(this.run)}/live?patient=1&since=${this.step}&generation=${this.generation}`;
    this.socket = new WebSocket(`${scheme}://${location.host}${path}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.say("live");
    };
    this.socket.onmessage = (message) => {
      for (const { header, arrays } of frames(message.data)) this.take(header, arrays);
      this.tell();
    };
    this.socket.onclose = (event) => this.closed(event.code);
  }

  closed(code) {
    if (this.isClosed) return;
    if (code === DONE) this.say("done");
    else if (code === UNKNOWN_RUN || code === BAD_REQUEST) this.say("unknown");
    else {
      this.say("reconnecting");
      this.retrying = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
    }
  }

  say(connection) {
    this.connection = connection;
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener(this);
  }

  take(header, arrays) {
    switch (header.type) {
      case "reset":
        this.clear();
        this.generation = header.generation;
        break;
      case "hello":
        this.hello = header;
        this.generation = header.generation;
        this.widen();
        break;
      case "steps":
        this.losses.forEach((column, k) => column.write(header.first_step - 1, arrays.losses.subarray(k * header.n, (k + 1) * header.n)));
        break;
      case "measured":
        this.measured.take(arrays, this.losses.length);
        break;
      case "reports":
        this.reports.take(arrays, this.losses.length);
        break;
      case "past":
        this.takePast(header, arrays);
        break;
      case "epochs":
        this.takeEpochs(arrays);
        break;
      case "surface":
        this.surfaces.set(header.series, { ...header, values: arrays.values });
        break;
      case "marks":
        this.marks = header.items;
        break;
      case "phases":
        this.phases = header.items.map((item, i) => ({
          ...item, tensors: item.tensors.map((tensor, j) => ({ ...tensor, values: arrays[`${i}.${j}`] })),
        }));
        break;
      case "findings":
        this.findings = header.items;
        break;
      case "status":
        this.status = header;
        this.generation = header.generation;
        break;
    }
  }

  // Make room for the series of lanes that have joined
  widen() {
    const { series, lanes, repeats } = this.hello;
    while (this.losses.length < series.length) {
      const first = this.losses.length;
      const { source } = lanes[Math.floor(first / repeats)] ?? {};
      const from = first > 0 && source >= 0 ? source * repeats : -1;
      const next = first > 0 ? first + repeats : series.length;
      const past = this.step;
      for (let k = first; k < next; k++) {
        const column = new Column();
        column.write(0, from < 0 ? new Float32Array(past).fill(NaN) : this.losses[from + k - first].data.subarray(0, past));
        this.losses.push(column);
      }
      this.measured.widen(next, from);
      this.reports.widen(next, from);
      for (const epoch of this.epochs) for (const name of FIGURES) epoch[name] = widened(epoch[name], next, from);
      this.version += 1;
    }
  }

  takePast({ lane, first_step, n }, arrays) {
    const first = lane * this.repeats;
    for (let r = 0; r < this.repeats; r++) this.losses[first + r].patch(first_step - 1, arrays.losses.subarray(r * n, (r + 1) * n));
    const numbers = arrays.epoch ?? [];
    const rows = new Map(this.epochs.map((epoch) => [epoch.epoch, epoch]));
    numbers.forEach((number, i) => {
      const known = rows.get(number);
      if (known) for (const name of FIGURES) for (let r = 0; r < this.repeats; r++) known[name][first + r] = arrays[name][r * numbers.length + i];
    });
    this.version += 1;
  }

  takeEpochs(arrays) {
    const { epoch, step } = arrays;
    const known = this.epochs.at(-1)?.epoch ?? 0;
    for (let i = 0; i < epoch.length; i++) {
      if (epoch[i] <= known) continue;
      const taken = { epoch: epoch[i], step: step[i] };
      for (const name of FIGURES) taken[name] = row(arrays[name], i, epoch.length, this.losses.length);
      this.epochs.push(taken);
    }
  }
}
