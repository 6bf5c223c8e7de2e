// Which pixels of the picture a place of a map can depend on: the rectangle follows the mouse, or the arrow keys.

import { component, fill, h, isDark, setText, whole } from "./dom.js";
import { floats, MapBox, tintOf } from "./map_box.js";

class View {
  constructor(root) {
    this.root = root;
    this.map = new MapBox((row, column, isFixed) => this.point(row, column, isFixed));
    this.picture = h("img", { alt: "" });
    this.mark = h("div", { class: "mark", "aria-hidden": "true" });
    this.mapTitle = h("figcaption");
    this.pictureTitle = h("figcaption");
    this.reading = h("output", { class: "reading", "aria-live": "polite" });
    this.root.replaceChildren(
      h("div", { class: "row" }, h("figure", {}, this.mapTitle, this.map.element),
        h("figure", {}, this.pictureTitle, h("div", { class: "map" }, this.picture, this.mark))),
      this.reading);
  }

  update(data) {
    const dark = isDark(this.root);
    const key = `${data.digest} ${dark}`;
    if (key === this.key) return;
    const isOther = data.shape !== this.data?.shape;
    [this.key, this.data, this.isFixed] = [key, data, false];
    const pick = ([light, onDark]) => (dark ? onDark : light);
    const colours = { signed: pick(data.palettes.signed), unsigned: pick(data.palettes.unsigned) };
    const values = floats(data.map);
    this.map.paint(values, data.rows.length, data.columns.length, tintOf(values, colours));
    this.picture.src = data.picture;
    this.picture.parentElement.style.setProperty("--ratio", `${data.width} / ${data.height}`);
    setText(this.mapTitle, data.texts.map);
    setText(this.pictureTitle, data.texts.picture);
    this.move(...(isOther ? data.start : this.map.at));
  }

  point(row, column, isFixed) {
    if (isFixed === false && this.isFixed) return;
    if (isFixed) this.isFixed = !this.isFixed || row !== this.map.at[0] || column !== this.map.at[1];
    this.root.classList.toggle("fixed", this.isFixed);
    this.move(row, column);
  }

  move(row, column) {
    const { rows, columns, height, width, texts } = this.data;
    this.map.at = [row, column];
    this.map.frame(row, column, 1, 1);
    const [[top, bottom], [left, right]] = [rows[row], columns[column]];
    const [high, wide] = [Math.max(0, bottom - top + 1), Math.max(0, right - left + 1)];
    const { style } = this.mark;
    const percent = (part, all) => `${(100 * part) / all}%`;
    [style.top, style.height] = [percent(top, height), percent(high, height)];
    [style.left, style.width] = [percent(left, width), percent(wide, width)];
    this.mark.hidden = !(high && wide);
    const n = high * wide;
    const told = { row, column, top, bottom, left, right, n: whole(n), all: whole(height * width), share: `${((100 * n) / (height * width)).toPrecision(2)} %` };
    setText(this.reading, fill(n ? texts.read : texts.none, told));
    this.map.canvas.setAttribute("aria-label", `${texts.map}. ${this.reading.textContent}`);
    Object.assign(this.root.dataset, { row, column, field: [top, bottom, left, right].join(" ") });
  }

  stop() {}
}

export default component(".lw-receptive-field", View);
