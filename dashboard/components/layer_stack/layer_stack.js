// The builder. Edits show at once and go up with a number; what comes down with an older number is an echo of the past and
// is ignored, so that a fast hand is never undone.

import { component, fill, h, setText } from "./dom.js";
import { card } from "./layer_card.js";
import { Chooser } from "./layer_chooser.js";
import { droppableAtEnd } from "./layer_drag.js";
import { Edits } from "./layer_edits.js";
import { adopted, pathOf, placeAt, placeOf, places, plain, target } from "./layer_tree.js";

const RESEND_MS = 4000;
const SELECT = "layerwise:select"; // the layer that is looked at, told to and by the other parts of the page
const SOURCE = "stack";

class View extends Edits {
  constructor(root, data) {
    super();
    Object.assign(this, { root, seq: data.ack, texts: data.texts, layers: [], selected: null, told: null, dragged: null });
    this.holders = new Set(); // who needs the list as it stands: a pressed button, a drag, an open list
    this.folded = new Set(); // ids of containers that show no more than their head
    this.opened = new Set(); // ids of layers that show all settings
    this.entries = new Map();
    this.build();
  }

  build() {
    const { texts, root } = this;
    this.list = h("ol", { "aria-label": texts.list });
    this.input = h("b", {});
    this.output = h("b", {});
    this.folding = h("button", { type: "button", class: "link", "data-f": "fold-all", onclick: () => this.foldAll() });
    this.said = h("div", { class: "sr", "aria-live": "polite" });
    this.refused = h("div", { class: "refused", role: "status" });
    this.notes = h("div", { class: "notes" });
    this.totals = h("dl", { class: "totals" });
    this.chooser = new Chooser(this, "chooser", { label: texts.add, pick: (entry) => this.add(entry, target(this.layers, null, 0)) });
    const foot = h("div", { class: "foot" }, this.chooser.element);
    droppableAtEnd(this, foot, null, 0);
    root.replaceChildren(
      h("div", { class: "end" }, h("span", {}, texts.input), this.input, this.folding),
      this.list, foot,
      h("div", { class: "end" }, h("span", {}, texts.output), this.output),
      this.totals, this.notes, this.refused, this.said);
    this.listen();
  }

  // While a button is held, a layer dragged or a list of kinds open nothing is redrawn: the click or the drop would be lost
  listen() {
    const { root } = this;
    root.addEventListener("pointerdown", () => this.holders.add("pointer"));
    const rowOf = (event) => event.target.closest?.("li[data-id]")?.dataset.id;
    for (const name of ["focusin", "click"]) root.addEventListener(name, (event) => this.select(rowOf(event)));
    this.letGo = () => setTimeout(() => this.release("pointer"), 0); // after the click that this pointer makes
    this.heard = ({ detail }) => detail?.source !== SOURCE && this.follow(detail?.path);
    for (const name of ["pointerup", "pointercancel", "dragend"]) addEventListener(name, this.letGo);
    addEventListener(SELECT, this.heard);
  }

  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    if (data.ack < this.seq) return;
    clearTimeout(this.resending);
    this.seq = data.ack;
    if (this.holders.size) this.waiting = data;
    else this.take(data);
  }

  release(holder) {
    this.holders.delete(holder);
    const data = this.waiting;
    if (this.holders.size || !data) return;
    this.waiting = null;
    if (data.ack >= this.seq) this.take(data); // else it was overtaken by an edit
  }

  take(data) {
    this.data = data;
    this.texts = data.texts;
    this.entries = new Map(data.menu.map((entry) => [entry.kind, entry]));
    this.layers = adopted(this.layers, data.rows);
    this.render();
    this.tell();
  }

  // Redraws the list; the focus stays on the same control of the same layer, or goes where `focus` says
  render(focus = this.focused()) {
    const { data, texts, layers } = this;
    const active = this.root.getRootNode().activeElement;
    const typed = active?.matches?.("input") && this.root.contains(active) && active.value !== active.defaultValue ? active.value : null;
    if (this.choosing && !this.chosenTarget(this.choosing)) this.choosing = null;
    this.list.replaceChildren(...this.cards(layers, null, 0));
    if (!layers.length) this.list.replaceChildren(h("li", { class: "empty" }, texts.empty));
    setText(this.input, data.input);
    setText(this.output, data.output || "–");
    this.totals.replaceChildren(...data.totals.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
    this.notes.replaceChildren(...data.notes.map((note) => this.finding(note, [])));
    this.labelFolding();
    const target = this.focus(focus);
    if (typed !== null && target && target !== active && target.type === active.type && focus === active.dataset.f) target.value = typed;
  }

  // The rows of one list, with the chooser where it is open
  cards(list, parent, branch) {
    const { choosing } = this;
    const chooser = () => h("li", { class: "choosing" }, choosing.chooser.element);
    const rows = [];
    for (const [index, node] of list.entries()) {
      rows.push(card(this, { node, list, index, parent, branch }));
      if (choosing?.after === node.id) rows.push(chooser());
    }
    if (choosing && choosing.into === parent?.node.id && choosing.branch === branch) rows.push(chooser());
    return rows;
  }

  focused() {
    const active = this.root.getRootNode().activeElement;
    return active && this.root.contains(active) ? active.dataset.f : null;
  }

  focus(name) {
    const element = name && this.root.querySelector(`[data-f="${CSS.escape(name)}"]:not(:disabled)`);
    if (element && element !== this.root.getRootNode().activeElement) element.focus({ preventScroll: true });
    return element;
  }

  say(message) {
    setText(this.refused, "");
    setText(this.said, message);
  }

  refuse(message) {
    setText(this.refused, message);
  }

  finding({ problem, hint, severity, fix, code }, path) {
    const send = () => this.send("fix", { path, code, seq: ++this.seq });
    const button = fix ? h("button", { type: "button", class: "fix", "data-f": `fix.${path.join("-")}`, onclick: send }, fill(this.texts.fix, { label: fix })) : null;
    const role = severity === "error" ? "alert" : "note";
    return h("div", { class: `finding ${severity}` }, h("span", { role }, [problem, hint].filter(Boolean).join(" ")), button);
  }

  // Shows the edited stack, tells what happened, and sends it up
  commit(message, focus) {
    this.render(focus);
    this.say(message);
    this.post();
  }

  post() {
    const layers = this.layers.map(plain);
    const seq = ++this.seq;
    this.send("edit", { layers, seq });
    clearTimeout(this.resending); // should the answer get lost, it is asked for once more
    this.resending = setTimeout(() => seq === this.seq && this.data.ack < seq && this.send("edit", { layers, seq }), RESEND_MS);
  }

  // Opens the chooser after a layer, or at the end of a branch
  choose(where) {
    const from = this.focused();
    const close = () => {
      this.choosing = null;
      this.render(from);
    };
    const pick = (entry) => {
      const node = this.add(entry, this.chosenTarget(this.choosing));
      if (!node || !this.choosing?.after) return;
      this.choosing.after = node.id; // the next goes after it
      this.render("chooser-here");
    };
    const chooser = new Chooser(this, "chooser-here", { label: this.texts.add_here, pick, close });
    if (where.into) this.folded.delete(where.into);
    this.choosing = { ...where, chooser };
    this.render("chooser-here");
  }

  // Shows or hides what is inside a container
  fold(id, isFolded = !this.folded.has(id)) {
    this.setFolded(id, isFolded);
    const place = placeOf(this.layers, id);
    this.say(fill(this.texts[isFolded ? "folded" : "unfolded"], { kind: this.labelOf(place.node) }));
    this.labelFolding();
  }

  setFolded(id, isFolded) {
    if (isFolded) this.folded.add(id);
    else this.folded.delete(id);
    const row = this.rowOf(id);
    row?.classList.toggle("folded", isFolded);
    row?.querySelector(".fold").setAttribute("aria-expanded", String(!isFolded));
    const branches = row?.querySelector(".branches");
    if (branches) branches.hidden = isFolded;
  }

  foldAll() {
    const isFolded = !this.areAllFolded();
    if (isFolded) this.opened.clear();
    for (const { node } of places(this.layers)) if (node.branches) this.setFolded(node.id, isFolded);
    this.render();
  }

  areAllFolded() {
    return [...places(this.layers)].every(({ node }) => !node.branches || this.folded.has(node.id));
  }

  labelFolding() {
    this.folding.hidden = ![...places(this.layers)].some(({ node }) => node.branches);
    setText(this.folding, this.areAllFolded() ? this.texts.unfold_all : this.texts.fold_all);
  }

  // Shows or hides the further settings of a layer
  open(id, focus) {
    if (!this.opened.delete(id)) this.opened.add(id);
    this.render(focus);
  }

  rowOf(id) {
    return this.root.querySelector(`li[data-id="${id}"]`);
  }

  // The layer that is looked at here
  select(id) {
    if (!id) return;
    this.mark(id);
    this.tell();
  }

  mark(id) {
    if (this.selected !== id) this.rowOf(this.selected)?.removeAttribute("aria-current");
    this.selected = id;
    this.rowOf(id)?.setAttribute("aria-current", "true");
  }

  // Once per path: also when the layer that is looked at was moved
  tell() {
    const place = this.selected && placeOf(this.layers, this.selected);
    const path = place && pathOf(place);
    if (!path || JSON.stringify(path) === this.told) return;
    this.told = JSON.stringify(path);
    dispatchEvent(new CustomEvent(SELECT, { detail: { path, source: SOURCE } }));
  }

  // The layer that is looked at elsewhere: marked and brought into sight, and the focus stays where it is
  follow(path) {
    const place = Array.isArray(path) && placeAt(this.layers, path);
    if (!place) return;
    for (let at = place.parent; at; at = at.parent) if (this.folded.has(at.node.id)) this.setFolded(at.node.id, false);
    this.labelFolding();
    this.told = JSON.stringify(path);
    this.mark(place.node.id);
    this.rowOf(place.node.id)?.firstElementChild.scrollIntoView({ block: "nearest" });
  }

  stop() {
    clearTimeout(this.resending);
    for (const name of ["pointerup", "pointercancel", "dragend"]) removeEventListener(name, this.letGo);
    removeEventListener(SELECT, this.heard);
  }
}

export default component(".lw-layer-stack", View);
