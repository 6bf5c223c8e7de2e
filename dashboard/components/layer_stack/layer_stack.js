// The builder. Edits show at once and go up with a number; what comes down with an older number is an echo of the past and
// is ignored, so that a fast hand is never undone.

import { card } from "./layer_card.js";
import { component, fill, h, setText, whole } from "./dom.js";

const RESEND_MS = 4000;
let nIds = 0;
const newId = () => `l${++nIds}`;

class View {
  constructor(root, data) {
    this.root = root;
    this.seq = data.ack;
    this.layers = []; // {id, kind, params, row}: row is what Python last said of it
    this.dragged = null;
    this.build(data);
  }

  build({ texts }) {
    this.list = h("ol", { "aria-label": texts.list });
    this.said = h("div", { class: "sr", "aria-live": "polite" });
    this.notes = h("div", { class: "notes" });
    this.input = h("div", { class: "end" });
    this.output = h("div", { class: "end" });
    this.kind = h("select", { "aria-label": texts.kinds });
    this.kind.addEventListener("change", () => this.explain());
    this.adding = h("button", { type: "button", class: "primary", onclick: () => this.add() }, texts.add);
    this.help = h("span", { class: "help" });
    const bar = h("div", { class: "bar" }, this.kind, this.adding, this.help);
    this.root.addEventListener("pointerdown", () => this.hold());
    this.release = () => setTimeout(() => this.letGo(), 0); // after the click that this pointer makes
    for (const name of ["pointerup", "pointercancel", "dragend"]) addEventListener(name, this.release);
    this.root.replaceChildren(this.input, this.list, this.output, this.notes, bar, this.said);
  }

  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    if (data.ack < this.seq) return;
    clearTimeout(this.resending);
    this.seq = data.ack;
    const isMenuNew = JSON.stringify(data.menu) !== JSON.stringify(this.data?.menu);
    this.data = data;
    this.texts = data.texts;
    if (isMenuNew) this.buildMenu();
    this.layers = adopted(this.layers, data.rows);
    if (this.isHeld) this.isWaiting = true;
    else this.render();
  }

  // While a button is held or a layer dragged the list is not redrawn: the click or the drop would be lost
  hold() {
    this.isHeld = true;
  }

  letGo() {
    this.isHeld = false;
    if (this.isWaiting) this.render();
  }

  buildMenu() {
    this.entries = new Map(this.data.menu.map((entry) => [entry.kind, entry]));
    const families = Map.groupBy ? Map.groupBy(this.data.menu, (entry) => entry.family) : grouped(this.data.menu);
    this.kind.replaceChildren(...[...families].map(([family, entries]) =>
      h("optgroup", { label: family }, ...entries.map((entry) => h("option", { value: entry.kind }, entry.label)))));
    this.explain();
  }

  explain() {
    setText(this.help, this.entries.get(this.kind.value)?.help ?? "");
  }

  // Redraws the list; the focus stays on the same control of the same layer, or goes where `focus` says
  render(focus = this.focused()) {
    const { data, texts, layers } = this;
    this.isWaiting = false;
    const active = this.root.getRootNode().activeElement;
    const typed = active?.matches?.("input") && this.root.contains(active) && active.value !== active.defaultValue ? active.value : null;
    this.list.replaceChildren(...layers.map((layer, i) => card(this, layer, i)));
    if (!layers.length) this.list.replaceChildren(h("li", { class: "empty" }, texts.empty));
    this.input.replaceChildren(h("span", {}, texts.input), h("b", {}, data.input));
    this.output.replaceChildren(h("span", {}, texts.output), h("b", {}, data.output || "–"),
      h("span", { class: "total" }, `${whole(data.n_parameters)} ${texts.parameters}`));
    this.notes.replaceChildren(...data.notes.map((note) => this.finding(note, -1)));
    const isFull = layers.length >= data.max_layers;
    this.adding.disabled = isFull;
    if (isFull) setText(this.help, fill(texts.full, { n: data.max_layers }));
    const target = focus && this.root.querySelector(`[data-f="${CSS.escape(focus)}"]`);
    if (!target || target === active) return;
    target.focus({ preventScroll: true });
    if (typed !== null && target.type === active.type && focus === active.dataset.f) target.value = typed;
  }

  focused() {
    const active = this.root.getRootNode().activeElement;
    return active && this.root.contains(active) ? active.dataset.f : null;
  }

  finding({ problem, hint, severity, fix, code }, index) {
    const button = fix && h("button", { type: "button", class: "fix", "data-f": `fix.${index}`, onclick: () => this.fix(index, code) }, fill(this.texts.fix, { label: fix }));
    const role = severity === "error" ? "alert" : "note";
    return h("div", { class: `finding ${severity}` }, h("span", { role }, [problem, hint].filter(Boolean).join(" ")), button || null);
  }

  fix(index, code) {
    this.seq += 1;
    this.send("fix", { index, code, seq: this.seq });
  }

  // Shows the edited stack, tells what happened, and sends it up
  commit(message, focus) {
    this.render(focus);
    setText(this.said, message);
    this.seq += 1;
    this.post();
  }

  post() {
    const layers = this.layers.map(({ kind, params }) => ({ kind, params }));
    this.send("edit", { layers, seq: this.seq });
    clearTimeout(this.resending); // should the answer get lost, it is asked for once more
    const sent = this.seq;
    this.resending = setTimeout(() => sent === this.seq && this.data.ack < sent && this.send("edit", { layers, seq: sent }), RESEND_MS);
  }

  add() {
    const entry = this.entries.get(this.kind.value);
    if (!entry || this.layers.length >= this.data.max_layers) return;
    const params = Object.fromEntries(entry.fields.map((field) => [field.name, field.default]));
    this.layers.push({ id: newId(), kind: entry.kind, params, row: null });
    this.commit(fill(this.texts.added, { kind: entry.label, i: this.layers.length }), this.focused());
  }

  move(from, to, focus) {
    if (to < 0 || to >= this.layers.length || from === to) return;
    const [layer] = this.layers.splice(from, 1);
    this.layers.splice(to, 0, layer);
    this.commit(fill(this.texts.moved, { kind: layer.kind, i: to + 1, n: this.layers.length }), focus);
  }

  remove(i) {
    const [layer] = this.layers.splice(i, 1);
    const next = this.layers[Math.min(i, this.layers.length - 1)];
    this.commit(fill(this.texts.removed, { kind: layer.kind }), next && `handle.${next.id}`);
    if (!next) this.kind.focus();
  }

  duplicate(i) {
    if (this.layers.length >= this.data.max_layers) return;
    const { kind, params } = this.layers[i];
    const copy = { id: newId(), kind, params: { ...params }, row: null };
    this.layers.splice(i + 1, 0, copy);
    this.commit(fill(this.texts.duplicated, { kind }), `handle.${copy.id}`);
  }

  // Not redrawn here: the focus is just on its way from this control to the next
  set({ id }, field, value) {
    const layer = this.layers.find((other) => other.id === id);
    if (!layer || layer.params[field.name] === value) return;
    layer.params[field.name] = value;
    setText(this.said, fill(this.texts.set, { kind: layer.kind, name: field.label, value: value ?? this.texts.none }));
    this.seq += 1;
    this.post();
  }

  stop() {
    clearTimeout(this.resending);
    for (const name of ["pointerup", "pointercancel", "dragend"]) removeEventListener(name, this.release);
  }
}

// Python's rows as layers; a layer that was there before keeps its id, so that the focus stays with it
function adopted(old, rows) {
  const isSame = (layer, row) => layer.kind === row.kind;
  const most = Math.min(old.length, rows.length);
  let head = 0;
  while (head < most && isSame(old[head], rows[head])) head += 1;
  let tail = 0;
  while (tail < most - head && isSame(old[old.length - 1 - tail], rows[rows.length - 1 - tail])) tail += 1;
  return rows.map((row, i) => {
    const before = i < head ? old[i] : i >= rows.length - tail ? old[old.length - rows.length + i] : null;
    return { id: before?.id ?? newId(), kind: row.kind, params: { ...row.params }, row };
  });
}

function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry.family, [...(groups.get(entry.family) ?? []), entry]);
  return groups;
}

export default component(".lw-layer-stack", View);
