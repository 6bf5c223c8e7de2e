// A picture that is changed pixel by pixel: patches are erased to the mean colour, a brush paints. Sent after each change.

import { component, fill, h, setText } from "./dom.js";

const SIDE = 320; // longest side on the screen
const MAX_UNDO = 50;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class View {
  constructor(root, { texts }) {
    this.texts = texts;
    this.past = [];
    this.canvas = h("canvas", { tabindex: 0, role: "application", "aria-label": texts.canvas });
    this.context = this.canvas.getContext("2d");
    this.small = document.createElement("canvas");
    this.pixels = this.small.getContext("2d", { willReadFrequently: true });
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerleave", () => { if (!this.isPainting) this.point(null); });
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.end());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    const name = `retouch-${Math.random().toString(36).slice(2)}`;
    const tool = (value) => h("label", {}, h("input", { type: "radio", name, value, checked: value === "erase", onchange: () => { this.tool = value; this.draw(); } }), texts[value]);
    this.tool = "erase";
    this.colour = h("input", { type: "color", value: "#000000" });
    this.brush = h("input", { type: "number", min: 1, max: 20, value: 2 });
    this.undoButton = h("button", { type: "button", onclick: () => this.undo() }, texts.undo);
    this.resetButton = h("button", { type: "button", onclick: () => this.reset() }, texts.reset);
    this.said = h("output", { class: "said", "aria-live": "polite" }, texts.hint);
    root.replaceChildren(this.canvas, this.said,
      h("div", { class: "bar", role: "radiogroup", "aria-label": texts.tool }, tool("erase"), tool("paint")),
      h("div", { class: "bar" }, h("label", {}, texts.colour, this.colour), h("label", {}, texts.brush, this.brush)),
      h("div", { class: "bar" }, this.undoButton, this.resetButton));
  }

  async update(data, send) {
    this.send = send;
    const isOther = data.original !== this.data?.original;
    this.data = data;
    if (!isOther) return; // what the page sends back of our own changes is older than what stands here
    this.past = [];
    const { width, height } = data;
    const zoom = Math.max(1, Math.floor(SIDE / Math.max(width, height)));
    Object.assign(this.small, { width, height });
    Object.assign(this.canvas, { width: width * zoom, height: height * zoom });
    this.zoom = zoom;
    this.cursor = null;
    await this.load(data.present);
    this.wasChanged = this.isChanged = data.present !== data.original;
    this.draw();
  }

  async load(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    this.pixels.clearRect(0, 0, this.small.width, this.small.height);
    this.pixels.drawImage(image, 0, 0);
  }

  draw() {
    const { context, zoom } = this;
    const { width, height } = this.small;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.small, 0, 0, width * zoom, height * zoom);
    if (this.tool === "erase") this.outline();
    if (this.cursor) {
      const [x, y] = this.cursor;
      context.lineWidth = 2;
      for (const [colour, inset] of [["#000", 0], ["#fff", 2]]) {
        context.strokeStyle = colour;
        context.strokeRect(x * zoom + 1 + inset, y * zoom + 1 + inset, zoom - 2 - 2 * inset, zoom - 2 - 2 * inset);
      }
    }
    this.undoButton.disabled = this.past.length === 0;
    this.resetButton.disabled = !this.isChanged;
  }

  // Borders of all patches faintly, of the one under the cursor strongly
  outline() {
    const { context, zoom } = this;
    const { segments, width, height } = this.data;
    const here = this.cursor ? segments[this.cursor[1] * width + this.cursor[0]] : -1;
    const isBorder = (a, b) => segments[a] !== segments[b];
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const at = y * width + x;
        if (x + 1 < width && isBorder(at, at + 1)) this.edge(at, at + 1, here, (x + 1) * zoom, y * zoom, 0, zoom, context);
        if (y + 1 < height && isBorder(at, at + width)) this.edge(at, at + width, here, x * zoom, (y + 1) * zoom, zoom, 0, context);
      }
    }
  }

  edge(a, b, here, x, y, dx, dy, context) {
    const { segments } = this.data;
    const isHere = segments[a] === here || segments[b] === here;
    context.strokeStyle = isHere ? "#ffb000" : "rgba(128, 160, 255, 0.55)";
    context.lineWidth = isHere ? 3 : 1;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + dx, y + dy);
    context.stroke();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const inside = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value)));
    return [inside(((event.clientX - box.left) / box.width) * this.small.width, this.small.width), inside(((event.clientY - box.top) / box.height) * this.small.height, this.small.height)];
  }

  point(place) {
    this.cursor = place;
    this.draw();
  }

  start(event) {
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = this.place(event);
    this.remember();
    if (this.tool === "erase") this.erase();
    else {
      this.isPainting = true;
      this.paint();
    }
    this.draw();
    if (this.tool === "erase") this.tell();
  }

  move(event) {
    const place = this.place(event);
    if (this.cursor && place[0] === this.cursor[0] && place[1] === this.cursor[1]) return;
    this.cursor = place;
    if (this.isPainting) this.paint();
    this.draw();
  }

  end() {
    if (!this.isPainting) return;
    this.isPainting = false;
    this.tell();
  }

  key(event) {
    const by = KEYS[event.key];
    if (by) {
      event.preventDefault();
      const [x, y] = this.cursor ?? [0, 0];
      const stay = (value, size) => Math.min(size - 1, Math.max(0, value));
      this.point([stay(x + by[0], this.small.width), stay(y + by[1], this.small.height)]);
      setText(this.said, fill(this.texts.at, { row: this.cursor[1], column: this.cursor[0] }));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.cursor ??= [0, 0];
      this.remember();
      if (this.tool === "erase") this.erase();
      else this.paint();
      this.draw();
      this.tell();
    }
  }

  remember() {
    this.past.push(this.pixels.getImageData(0, 0, this.small.width, this.small.height));
    if (this.past.length > MAX_UNDO) this.past.shift();
    this.isChanged = true;
  }

  erase() {
    const { segments, width, height, blank } = this.data;
    const chosen = segments[this.cursor[1] * width + this.cursor[0]];
    const image = this.pixels.getImageData(0, 0, width, height);
    segments.forEach((label, at) => { if (label === chosen) image.data.set(blank, 4 * at); });
    this.pixels.putImageData(image, 0, 0);
  }

  paint() {
    const size = Math.max(1, Math.min(20, Number(this.brush.value) || 1));
    const [x, y] = this.cursor;
    this.pixels.fillStyle = this.data.grey ? grey(this.colour.value) : this.colour.value;
    this.pixels.fillRect(x - Math.floor((size - 1) / 2), y - Math.floor((size - 1) / 2), size, size);
  }

  undo() {
    const before = this.past.pop();
    if (before) this.pixels.putImageData(before, 0, 0);
    this.isChanged = this.past.length > 0 || this.wasChanged;
    this.draw();
    if (this.isChanged) this.tell();
    else this.send("picture", "original");
  }

  async reset() {
    await this.load(this.data.original);
    this.past = [];
    this.wasChanged = this.isChanged = false;
    this.draw();
    this.send("picture", "original");
  }

  tell() {
    this.send("picture", this.small.toDataURL("image/png"));
  }

  stop() {
    this.past = [];
  }
}

// Pictures without colours are painted in the brightness of the colour (ITU-R BT.601)
function grey(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const level = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  return `rgb(${level},${level},${level})`;
}

export default component(".lw-retouch", View);
