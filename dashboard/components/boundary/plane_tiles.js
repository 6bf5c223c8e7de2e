// Decision surfaces of all lanes of a race, side by side: small planes without axes, read at one place together.

import { fill, h, setText, whole } from "./dom.js";
import { laneStyle, laneSwatch } from "./lane_view.js";
import { paint, surfaceImage, valueAt } from "./plane.js";

const BARE = { left: 0, top: 0, right: 0, bottom: 0 };
const SMALLEST = 170; // CSS pixels across
const SAVED_SIDE = 280;
const SAVED_CAPTION = 30;

export class Tiles {
  // `probe(x, y)` when a place is pointed at, in shares of a tile from its left and top; `probe()` when it is left
  constructor(texts, probe) {
    this.texts = texts;
    this.probe = probe;
    this.tiles = new Map(); // by lane
    this.none = h("p", { class: "none", hidden: true }, texts.all_muted);
    this.grid = h("div", { class: "grid" });
    this.element = h("div", { class: "tiles", role: "group", tabindex: 0, "aria-label": texts.tiles, hidden: true }, this.grid, this.none);
  }

  tile(lane) {
    if (!this.tiles.has(lane)) {
      const canvas = h("canvas", { role: "img" });
      canvas.addEventListener("pointermove", (event) => this.probe(event.offsetX / canvas.clientWidth, event.offsetY / canvas.clientHeight));
      canvas.addEventListener("pointerleave", () => this.probe());
      const swatch = h("span", { class: "line" });
      const name = h("span", { class: "name" });
      const value = h("span", { class: "value" });
      const element = h("figure", { class: "tile" }, canvas, h("figcaption", {}, swatch, name, value));
      element.dataset.lane = String(lane);
      this.tiles.set(lane, { element, canvas, swatch, name, value, key: null });
    }
    return this.tiles.get(lane);
  }

  // `view`: {lanes, shown: [lane], pinned, palette, surfaceOf(lane), data, dots, map, style, at, inUnit(share)}
  draw(view) {
    const elements = view.shown.map((lane) => this.tile(lane).element);
    const present = [...this.grid.children];
    if (elements.length !== present.length || elements.some((element, i) => element !== present[i])) this.grid.replaceChildren(...elements);
    this.none.hidden = elements.length > 0;
    const most = Math.max(2, Math.floor(this.grid.clientWidth / SMALLEST)); // rows of equal length look best
    const rows = Math.ceil(elements.length / most);
    this.grid.style.setProperty("--columns", String(Math.max(1, Math.ceil(elements.length / Math.max(1, rows)))));
    for (const lane of view.shown) this.drawTile(lane, view);
  }

  drawTile(lane, view) {
    const tile = this.tile(lane);
    const surface = view.surfaceOf(lane);
    const { name, removed } = view.lanes[lane];
    const styled = laneStyle(lane, view.palette);
    if (tile.swatched !== JSON.stringify(styled)) {
      tile.swatched = JSON.stringify(styled);
      tile.swatch.replaceChildren(laneSwatch(styled, 26));
      tile.element.style.setProperty("--lane", styled.colour);
    }
    setText(tile.name, name);
    tile.name.title = name;
    tile.element.classList.toggle("faded", view.pinned.size > 0 && !view.pinned.has(lane));
    setText(tile.value, this.reading(surface, removed, view));
    tile.canvas.setAttribute("aria-label", fill(this.texts.tile_alt, { name, n: whole(view.data.x.length), step: whole(surface?.step ?? 0) }));
    const size = tile.canvas.clientWidth;
    if (!size) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (tile.surface !== surface) tile.image = surface && surfaceImage(surface, view.map);
    const key = JSON.stringify([size, ratio, view.at, view.style, view.key]);
    if (tile.surface === surface && tile.key === key) return;
    Object.assign(tile, { surface, key });
    if (tile.canvas.width !== Math.round(size * ratio)) tile.canvas.width = tile.canvas.height = Math.round(size * ratio);
    paint(tile.canvas.getContext("2d"), { ...view, size, ratio, surface, image: tile.image, probe: view.at, margin: BARE });
  }

  reading(surface, removed, { at, inUnit }) {
    if (!surface) return this.texts.waiting_tile;
    if (!at && removed !== null) return this.texts.removed;
    return at ? inUnit(valueAt(surface, at.x, at.y)).toFixed(2) : "";
  }

  // All tiles with their names as one picture
  picture(view) {
    const { shown } = view;
    const columns = Math.ceil(Math.sqrt(shown.length));
    const canvas = document.createElement("canvas");
    canvas.width = columns * SAVED_SIDE;
    canvas.height = Math.ceil(shown.length / columns) * (SAVED_SIDE + SAVED_CAPTION);
    const context = canvas.getContext("2d");
    context.fillStyle = view.style.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.font = `14px ${view.style.font}`;
    context.textBaseline = "middle";
    shown.forEach((lane, i) => {
      const [x, y] = [(i % columns) * SAVED_SIDE, Math.floor(i / columns) * (SAVED_SIDE + SAVED_CAPTION)];
      context.drawImage(this.tile(lane).canvas, x + 4, y + 4, SAVED_SIDE - 8, SAVED_SIDE - 8);
      context.fillStyle = laneStyle(lane, view.palette).colour;
      context.fillRect(x + 4, y + SAVED_SIDE + SAVED_CAPTION / 2 - 3, 20, 4);
      context.fillStyle = view.style.text;
      context.fillText(view.lanes[lane].name, x + 32, y + SAVED_SIDE + SAVED_CAPTION / 2, SAVED_SIDE - 36);
    });
    return canvas;
  }
}
