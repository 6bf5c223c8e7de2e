// What can be done to the stack. Each edit shows at once, is told, and goes up with a number.

import { fill } from "./dom.js";
import { worded } from "./layer_fields.js";
import { beside, copied, fresh, letter, moved, numberOf, placeOf, reasonAgainst, step, target } from "./layer_tree.js";

export class Edits {
  labelOf(node) {
    return this.entries.get(node.kind)?.label ?? node.kind;
  }

  // A container with its number, as in "Residual 4"
  named(place) {
    return `${this.labelOf(place.node)} ${numberOf(place)}`;
  }

  // Says why something cannot be, where it can be seen; true where it can
  may(node, to, isNew) {
    const reason = reasonAgainst(this, node, to, isNew);
    if (!reason) return true;
    const n = { full: this.data.max_layers, deep: this.data.max_depth, long: to.parent && this.entries.get(to.parent.node.kind).holds.longest }[reason];
    this.refuse(fill(this.texts[reason], { n, kind: to.parent ? this.named(to.parent) : "" }));
    return false;
  }

  // A new layer of this kind before number `index` of a list; null where it cannot be
  add(entry, to) {
    const node = fresh(entry);
    if (!this.may(node, to, true)) return null;
    to.list.splice(to.index, 0, node);
    this.commit(fill(this.texts.added, { kind: entry.label, i: numberOf(placeOf(this.layers, node.id)) }), this.focused());
    return node;
  }

  // One step of the keyboard; the focus goes to the other name where the first can go no further
  step(id, direction, focus, otherwise = focus) {
    const from = placeOf(this.layers, id);
    const to = from && step(this, from, direction);
    if (!to) return;
    this.place(id, to, focus);
    if (!step(this, placeOf(this.layers, id), direction)) this.focus(otherwise);
  }

  // Takes a layer to another place
  place(id, to, focus) {
    const from = placeOf(this.layers, id);
    if (!from || !this.may(from.node, to, false) || !moved(from, to)) return;
    const now = placeOf(this.layers, id);
    const words = { kind: this.labelOf(from.node), i: now.index + 1, n: now.list.length };
    const isSame = from.list === now.list;
    const isOut = !isSame && from.parent && (!now.parent || !this.isWithin(now.parent, from.parent));
    if (now.parent) this.folded.delete(now.parent.node.id);
    const text = isSame ? "moved" : isOut && now.list === from.parent.list ? "moved_out" : now.parent ? "moved_in" : "moved_out";
    const parent = text === "moved_in" ? this.named(now.parent) : text === "moved_out" ? this.labelOf(from.parent.node) : "";
    this.commit(fill(this.texts[text], { ...words, parent }), focus);
  }

  isWithin(place, around) {
    for (let at = place; at; at = at.parent) if (at.node === around.node) return true;
    return false;
  }

  remove(id) {
    const place = placeOf(this.layers, id);
    if (!place) return;
    const { list, index, parent, branch, node } = place;
    list.splice(index, 1);
    const next = list[Math.min(index, list.length - 1)];
    const focus = next ? `handle.${next.id}` : parent ? `add${branch}.${parent.node.id}` : "chooser";
    this.commit(fill(this.texts.removed, { kind: this.labelOf(node) }), focus);
  }

  duplicate(id) {
    const place = placeOf(this.layers, id);
    if (!place) return;
    const copy = copied(place.node);
    const to = beside(place, 1);
    if (!this.may(copy, to, true)) return;
    to.list.splice(to.index, 0, copy);
    this.commit(fill(this.texts.duplicated, { kind: this.labelOf(copy) }), `handle.${copy.id}`);
  }

  addBranch(id) {
    const { node } = placeOf(this.layers, id);
    if (node.branches.length >= this.entries.get(node.kind).holds.most) return;
    node.branches.push([]);
    const b = node.branches.length - 1;
    this.commit(fill(this.texts.branch_added, { letter: letter(b), kind: this.labelOf(node) }), `add${b}.${id}`);
  }

  removeBranch(id, b) {
    const { node } = placeOf(this.layers, id);
    if (node.branches.length <= this.entries.get(node.kind).holds.least) return;
    node.branches.splice(b, 1);
    const said = fill(this.texts.branch_removed, { letter: letter(b), kind: this.labelOf(node) });
    this.commit(said, `add${Math.min(b, node.branches.length - 1)}.${id}`);
  }

  // Redrawn only where other settings come with it: the focus is just on its way from this control to the next
  set(id, field, value, isRedrawn = false) {
    const node = placeOf(this.layers, id)?.node;
    if (!node || JSON.stringify(node.params[field.name]) === JSON.stringify(value)) return;
    node.params[field.name] = value;
    const words = worded(this.texts, field, this.data.menus[field.menu], value);
    if (isRedrawn) this.render();
    this.say(fill(this.texts.set, { kind: this.labelOf(node), name: field.label, value: words }));
    this.post();
  }

  // Where the chooser in the list adds: after a layer, or at the end of a branch
  chosenTarget({ after, into, branch }) {
    const place = placeOf(this.layers, after ?? into);
    if (!place) return null;
    return after ? beside(place, 1) : target(this.layers, place, branch);
  }
}
