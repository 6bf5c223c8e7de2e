// A pad to draw on. White strokes on black, sent as a small PNG a moment after the last stroke.

import { component, download, h, setText } from "./dom.js";

const SIDE = 280;
const BRUSH = 24;
const SENT_SIDE = 140;
const WAIT_MS = 350;
const STEP = 10;

class View {
  constructor(root, { texts }) {
    this.texts = texts;
    this.isEmpty = true;
    this.pen = { x: SIDE / 2, y: SIDE / 2, isDown: false };
    this.canvas = h("canvas", { width: SIDE, height: SIDE, tabindex: 0, role: "application", "aria-label": texts.pad });
    this.context = this.canvas.getContext("2d", { willReadFrequently: false });
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.draw(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.end());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.said = h("output", { class: "said", "aria-live": "polite" }, texts.hint);
    root.replaceChildren(this.canvas, this.said,
      h("div", { class: "bar" },
        h("button", { type: "button", onclick: () => this.clear() }, texts.clear),
        h("button", { type: "button", onclick: () => this.canvas.toBlob((blob) => download("drawing.png", blob)) }, texts.png)));
    this.wipe();
  }

  update(data, send) {
    this.send = send;
  }

  wipe() {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, SIDE, SIDE);
    this.isEmpty = true;
    clearTimeout(this.waiting);
  }

  clear() {
    this.wipe();
    setText(this.said, this.texts.cleared);
    this.canvas.focus();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * SIDE) / box.width, y: ((event.clientY - box.top) * SIDE) / box.height };
  }

  start(event) {
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.place(event);
    this.stroke(this.last, this.last);
  }

  draw(event) {
    if (!this.last) return;
    const here = this.place(event);
    this.stroke(this.last, here);
    this.last = here;
  }

  end() {
    if (!this.last) return;
    this.last = null;
    this.soon();
  }

  stroke(from, to) {
    Object.assign(this.context, { strokeStyle: "#fff", lineWidth: BRUSH, lineCap: "round", lineJoin: "round" });
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(to.x + 0.01, to.y);
    this.context.stroke();
    this.isEmpty = false;
  }

  key(event) {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key === " ") this.pen.isDown = !this.pen.isDown;
    else if (!by) return;
    event.preventDefault();
    const before = { ...this.pen };
    if (by) {
      const inside = (value) => Math.min(SIDE - BRUSH / 2, Math.max(BRUSH / 2, value));
      Object.assign(this.pen, { x: inside(this.pen.x + by[0]), y: inside(this.pen.y + by[1]) });
    }
    setText(this.said, `${this.pen.isDown ? this.texts.down : this.texts.up} (${this.pen.x}, ${this.pen.y})`);
    if (!this.pen.isDown) return;
    this.stroke(before, this.pen);
    this.soon();
  }

  // A number such as 4 has more than one stroke: wait a moment for the next
  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      if (this.isEmpty || this.last) return;
      const small = document.createElement("canvas");
      small.width = small.height = SENT_SIDE;
      small.getContext("2d").drawImage(this.canvas, 0, 0, SENT_SIDE, SENT_SIDE);
      this.send("draw", small.toDataURL("image/png"));
    }, WAIT_MS);
  }

  stop() {
    clearTimeout(this.waiting);
  }
}

export default component(".lw-digit-pad", View);
