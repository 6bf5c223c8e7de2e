// One socket per run and page, whatever the number of components that show it, and the run's numbers at full resolution.
// The frames are described in dashboard/session/frames.py.

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

function* frames(buffer) {
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
    this.measured = { step: [], gradient_norm: [], batch_accuracy: [] }; // per name: rows of one number per series
    this.epochs = []; // {epoch, step, train_loss: [...], ...}
    this.surfaces = new Map();
    this.marks = [];
    this.version = (this.version ?? 0) + 1;
  }

  get step() {
    return this.losses.length ? this.losses[0].n : 0;
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
    const path = `/api/runs/${encodeURIComponent(this.run)}/live?since=${this.step}&generation=${this.generation}`;
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
        while (this.losses.length < header.series.length) this.losses.push(new Column());
        break;
      case "steps":
        this.losses.forEach((column, k) => column.write(header.first_step - 1, arrays.losses.subarray(k * header.n, (k + 1) * header.n)));
        break;
      case "measured":
        this.takeMeasured(arrays);
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
      case "status":
        this.status = header;
        this.generation = header.generation;
        break;
    }
  }

  // After a reconnection the last rows come again: they are taken once
  takeMeasured({ step, gradient_norm, batch_accuracy }) {
    const known = this.measured.step.at(-1) ?? 0;
    const n = step.length;
    const row = (array, i) => this.losses.map((_, k) => array[k * n + i]);
    for (let i = 0; i < n; i++) {
      if (step[i] <= known) continue;
      this.measured.step.push(step[i]);
      this.measured.gradient_norm.push(row(gradient_norm, i));
      this.measured.batch_accuracy.push(row(batch_accuracy, i));
    }
  }

  takeEpochs(arrays) {
    const { epoch, step, ...values } = arrays;
    const known = this.epochs.at(-1)?.epoch ?? 0;
    for (let i = 0; i < epoch.length; i++) {
      if (epoch[i] <= known) continue;
      const row = { epoch: epoch[i], step: step[i] };
      for (const [name, array] of Object.entries(values)) row[name] = this.losses.map((_, k) => array[k * epoch.length + i]);
      this.epochs.push(row);
    }
  }
}
