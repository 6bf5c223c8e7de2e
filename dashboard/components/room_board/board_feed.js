// The socket of a room's board, opened again when it breaks; a room that is gone stays gone.

import { frames } from "./live_feed.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const UNKNOWN_ROOM = 4404;

export class BoardFeed {
  // `take(header, arrays)` for each frame, `tell(connection)` after each message and change: connecting, live, reconnecting, unknown
  constructor(room, take, tell) {
    Object.assign(this, { room, take, tell, retryMs: FIRST_RETRY_MS });
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/api/rooms/${encodeURIComponent(this.room)}/board`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.tell("live");
    this.socket.onmessage = (message) => {
      this.retryMs = FIRST_RETRY_MS;
      for (const { header, arrays } of frames(message.data)) this.take(header, arrays);
      this.tell("live");
    };
    this.socket.onclose = ({ code }) => {
      if (this.isClosed) return;
      if (code === UNKNOWN_ROOM) {
        this.tell("unknown");
        return;
      }
      this.tell("reconnecting");
      this.retrying = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
    };
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.retrying);
    this.socket.close();
  }
}
