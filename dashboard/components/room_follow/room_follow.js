// The socket of a room: `{seq, followers, server}` as JSON, whenever one of them has changed (dashboard/session/room_follow.py).
// The page is run again when its own number is another one: once, and not again before that run has answered. So it is when
// another server answers than the one that made it: Streamlit alone would wait for a click, and have forgotten all by then.

import { component, fill, h, setText } from "./dom.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const PATIENCE_MS = 5000; // a run of the page that takes longer is asked for again
const OFFLINE_MS = 3000; // shorter breaks are not worth a word
const GONE = 4404;

class View {
  constructor(root) {
    this.root = root;
    this.words = h("span", { class: "words", role: "status" });
    this.button = h("button", { type: "button", hidden: true, onclick: () => this.run(-1) });
    root.replaceChildren(this.words, this.button);
    this.seen = () => this.check();
    document.addEventListener("visibilitychange", this.seen);
  }

  update(data, setTriggerValue) {
    this.data = data;
    this.send = setTriggerValue;
    setText(this.button, data.texts.again);
    const address = `/api/rooms/${encodeURIComponent(data.room)}/live?part=${data.part}`;
    if (address !== this.address) {
      this.address = address;
      this.heard = null;
      this.close();
      this.retryMs = FIRST_RETRY_MS;
      this.open();
    }
    this.check();
    this.show();
  }

  open() {
    this.isGone = false;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.address}`);
    this.socket = socket;
    socket.onmessage = (message) => {
      this.retryMs = FIRST_RETRY_MS;
      this.online(true);
      this.heard = JSON.parse(message.data);
      this.check();
      this.show();
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      if (event.code === GONE) {
        this.isGone = true;
        this.check();
        return;
      }
      this.online(false);
      this.retrying = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
    };
  }

  close() {
    clearTimeout(this.retrying);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  online(isOnline) {
    clearTimeout(this.offline);
    this.offline = null;
    if (isOnline) this.isOffline = false;
    else if (!this.isOffline) this.offline = setTimeout(() => { this.isOffline = true; this.show(); }, OFFLINE_MS);
  }

  // Run the page again where it is behind; a page that nobody sees waits until somebody does
  check() {
    if (document.hidden) return;
    if (this.isGone) this.run(0);
    else if (this.heard && this.heard.server !== this.data.server) this.run(this.heard.seq);
    else if (this.heard && this.data.part === "follow" && this.heard.seq !== this.data.seq) this.run(this.heard.seq);
  }

  get from() {
    return `${this.data.server} ${this.data.seq}`;
  }

  run(seq) {
    const isAsked = this.askedAt && performance.now() - this.askedAt < PATIENCE_MS && this.askedFrom === this.from;
    if (isAsked && seq >= 0) {
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.check(), PATIENCE_MS);
      return;
    }
    this.askedAt = performance.now();
    this.askedFrom = this.from;
    this.send("moved", { seq, n: this.askedAt });
  }

  show() {
    const { texts, part } = this.data;
    const n = this.heard?.followers;
    const count = n === undefined || part !== "present" ? "" : fill(n === 0 ? texts.none : n === 1 ? texts.one : texts.many, { n });
    setText(this.words, this.isOffline ? texts.offline : count);
    this.button.hidden = !this.isOffline;
    this.root.dataset.seq = this.data.seq;
    this.root.dataset.state = this.isGone ? "gone" : this.isOffline ? "offline" : this.heard ? "live" : "connecting";
  }

  stop() {
    document.removeEventListener("visibilitychange", this.seen);
    clearTimeout(this.offline);
    clearTimeout(this.asking);
    this.close();
  }
}

export default component(".lw-room-follow", View);
