// The table of a room's board: one row per participant, by any column; a row that is looked at lights its line up.

import { COLUMNS, sorted } from "./board_data.js";
import { fill, h, setText, short, whole } from "./dom.js";
import { laneSwatch } from "./lane_view.js";

const DOWN_FIRST = new Set(["best_validation_accuracy", "steps"]);

export class BoardTable {
  constructor(texts, { onFocus, onOpen }) {
    Object.assign(this, { texts, onFocus, onOpen, order: { column: "lr", isDown: false }, rows: new Map() });
    this.heads = new Map(COLUMNS.map((column) => [column, this.head(column)]));
    this.body = h("tbody", {});
    this.element = h("table", { "aria-label": texts.table }, h("thead", {}, h("tr", {}, ...[...this.heads.values()].map(({ th }) => th))), this.body);
  }

  head(column) {
    const sign = h("span", { class: "sign", "aria-hidden": "true" });
    const label = h("span", {}, this.texts[`column_${column}`]);
    const button = h("button", { type: "button", onclick: () => this.sort(column) }, label, sign);
    return { th: h("th", { scope: "col", class: column }, button), sign, label };
  }

  sort(column) {
    const isSame = this.order.column === column;
    this.order = { column, isDown: isSame ? !this.order.isDown : DOWN_FIRST.has(column) };
    this.draw(this.shown);
  }

  // `shown`: {members, paint, focus, me, scoreName}
  draw(shown) {
    this.shown = shown;
    setText(this.heads.get("best_validation_accuracy").label, fill(this.texts.column_best_validation_accuracy, { score: shown.scoreName }));
    for (const [column, { th, sign }] of this.heads) {
      const isSorted = column === this.order.column;
      th.setAttribute("aria-sort", isSorted ? (this.order.isDown ? "descending" : "ascending") : "none");
      setText(sign, isSorted ? (this.order.isDown ? "▼" : "▲") : "");
    }
    const wanted = sorted(shown.members, this.order).map((member) => this.row(member));
    for (const [key, row] of this.rows) if (!shown.members.some((member) => member.key === key)) { row.tr.remove(); this.rows.delete(key); }
    if (wanted.some(({ tr }, i) => this.body.children[i] !== tr)) this.place(wanted.map(({ tr }) => tr));
  }

  // In the new order; what had the focus keeps it
  place(rows) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    this.isPlacing = true;
    this.body.replaceChildren(...rows);
    focused?.focus();
    this.isPlacing = false;
  }

  row(member) {
    const { key } = member;
    if (!this.rows.has(key)) this.rows.set(key, this.newRow(key));
    const row = this.rows.get(key);
    const { texts, shown } = this;
    row.member = member;
    const name = key === shown.me ? `${member.name} (${texts.you})` : member.name;
    setText(row.name, name);
    row.open.disabled = !member.run;
    row.open.title = member.run ? fill(texts.open, { name: member.name }) : texts.no_run;
    const style = shown.paint(member);
    const look = `${style.colour} ${style.dash}`;
    if (row.look !== look) {
      row.look = look;
      row.swatch.replaceChildren(member.run ? laneSwatch(style, 26) : "");
    }
    const { figures = {} } = member;
    const texts_ = {
      lr: member.lr ?? null, optimizer: member.optimizer ?? "", train_loss: figures.train_loss, validation_loss: figures.validation_loss,
      best_validation_accuracy: figures.best_validation_accuracy, steps: figures.steps, state: member.state ? texts[`state_${member.state}`] ?? member.state : texts.no_run,
    };
    for (const [column, td] of Object.entries(row.cells)) setText(td, this.cell(column, texts_[column]));
    row.tr.classList.toggle("focused", key === shown.focus);
    row.tr.classList.toggle("me", key === shown.me);
    row.tr.dataset.key = key;
    return row;
  }

  cell(column, value) {
    if (typeof value === "string") return value;
    if (!Number.isFinite(value)) return "–";
    if (column === "best_validation_accuracy" && !this.shown.isR2) return `${(100 * value).toFixed(1)}%`;
    return column === "steps" ? whole(value) : short(value);
  }

  newRow(key) {
    const name = h("span", { class: "name" });
    const swatch = h("span", { class: "box", "aria-hidden": "true" });
    const open = h("button", { type: "button", class: "open", onclick: () => this.onOpen(key) }, swatch, name);
    const cells = Object.fromEntries(COLUMNS.slice(1).map((column) => [column, h("td", { class: column })]));
    const tr = h("tr", {}, h("th", { scope: "row" }, open), ...Object.values(cells));
    tr.addEventListener("mouseenter", () => this.onFocus(key));
    tr.addEventListener("mouseleave", () => this.onFocus(null));
    tr.addEventListener("focusin", () => this.onFocus(key));
    tr.addEventListener("focusout", () => this.isPlacing || this.onFocus(null));
    return { tr, name, swatch, open, cells };
  }
}
