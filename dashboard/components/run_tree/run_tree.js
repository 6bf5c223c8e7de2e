// Runs in rows, each below the one that it was made from, the lines between them drawn. One tree widget: arrow keys move
// along the rows, Left goes to where a run came from, Right to what came from it, Enter or a click chooses.

import { component, h, setText } from "./dom.js";
import { svg } from "./svg.js";

const ROW = 33.6; // px, as the style says
const STEP = 22; // px for each level

class View {
  constructor(root) {
    this.root = root;
    this.showsSingles = false;
    this.tree = h("div", { role: "tree", onkeydown: (event) => this.key(event) });
    this.toggle = h("button", { type: "button", onclick: () => { this.showsSingles = !this.showsSingles; this.draw(); } });
    this.note = h("p", {});
    root.replaceChildren(this.tree, this.toggle, this.note);
  }

  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    const told = JSON.stringify(data);
    if (told === this.told) return;
    this.told = told;
    this.data = data;
    this.draw();
  }

  // A tree of one run is of interest where there are no others, or where it is looked at
  isSingle(row) {
    return row.depth === 0 && row.below === 0 && row.id !== this.data.chosen;
  }

  draw() {
    const { rows, texts, chosen } = this.data;
    const focused = this.tree.contains(document.activeElement) ? document.activeElement.dataset.run : undefined;
    const hasTrees = rows.some((row) => row.below > 0);
    const singles = rows.filter((row) => this.isSingle(row)).length;
    const canFold = hasTrees && singles > 0;
    this.rows = canFold && !this.showsSingles ? rows.filter((row) => !this.isSingle(row)) : rows;
    this.tree.setAttribute("aria-label", `${texts.label}. ${texts.alt}`);
    this.items = this.rows.map((row) => this.item(row));
    this.tree.replaceChildren(...this.items);
    this.toggle.hidden = !canFold;
    setText(this.toggle, this.showsSingles ? texts.hide : texts.show);
    setText(this.note, texts.left_out);
    const place = this.rows.findIndex(({ id }) => id === (focused ?? chosen));
    this.reach(Math.max(0, place), focused !== undefined);
    const at = this.items[this.rows.findIndex(({ id }) => id === chosen)];
    if (at && chosen !== this.seen) this.tree.scrollTop = Math.max(0, at.offsetTop - this.tree.offsetTop - this.tree.clientHeight / 2);
    this.seen = chosen;
    Object.assign(this.root.dataset, { runs: this.rows.length, chosen });
  }

  item(row) {
    const words = [row.title, row.edge, row.facts, row.score, row.state].filter((part) => part).join(", ");
    return h("div", { role: "treeitem", class: row.tone, tabindex: -1, "data-run": row.id, "aria-level": row.depth + 1, "aria-label": words,
      "aria-selected": row.id === this.data.chosen ? "true" : "false", onclick: () => this.choose(row.id) },
    lines(row),
    h("span", { class: "title", title: row.title }, row.title),
    row.edge ? h("span", { class: "edge" }, row.edge) : null,
    h("span", { class: "facts" }, row.facts),
    h("span", { class: "fill" }),
    h("span", { class: "score" }, row.score),
    h("span", { class: "state" }, row.state));
  }

  choose(id) {
    this.reach(this.rows.findIndex((row) => row.id === id), true);
    this.send("pick", id);
  }

  // One stop for the tab key, at this place
  reach(place, focuses) {
    this.items.forEach((item, index) => { item.tabIndex = index === place ? 0 : -1; });
    if (focuses) this.items[place]?.focus();
  }

  key(event) {
    const at = this.items.indexOf(document.activeElement);
    if (at < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(this.rows[at].id);
      return;
    }
    const { depth } = this.rows[at];
    const parent = this.rows.slice(0, at).findLastIndex((row) => row.depth === depth - 1);
    const child = this.rows[at + 1]?.depth === depth + 1 ? at + 1 : at;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.items.length - 1, ArrowLeft: parent < 0 ? at : parent, ArrowRight: child }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.reach(Math.max(0, Math.min(this.items.length - 1, to)), true);
  }

  stop() {}
}

// The lines that end at a row and those that pass it, and its dot
function lines({ depth, rails, last, below }) {
  const middle = ROW / 2;
  const x = (level) => 9 + level * STEP;
  const parts = rails.flatMap((goesOn, level) => (goesOn ? [`M${x(level)} 0V${ROW}`] : []));
  if (depth) parts.push(`M${x(depth - 1)} 0V${last ? middle : ROW}M${x(depth - 1)} ${middle}H${x(depth)}`);
  if (below) parts.push(`M${x(depth)} ${middle}V${ROW}`);
  return svg("svg", { width: x(depth) + 9, height: ROW, "aria-hidden": "true" },
    svg("path", { d: parts.join("") }), svg("circle", { cx: x(depth), cy: middle, r: 5 }));
}

export default component(".lw-run-tree", View);
