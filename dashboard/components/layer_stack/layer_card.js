// One layer of the builder: handle, name, settings, what comes out and what it costs, buttons, what is wrong with it, and
// the layers inside it.

import { fill, h, whole } from "./dom.js";
import { draggable, droppableAtEnd, droppableOnCard } from "./layer_drag.js";
import { control, menu, worded } from "./layer_fields.js";
import { letter, numberOf, pathOf, places, size, step } from "./layer_tree.js";

const FIRST = 4; // settings that are always in sight: the specs list the most important first

export function card(view, place) {
  const { node } = place;
  const { row } = node;
  const entry = view.entries.get(node.kind);
  const isOpen = view.opened.has(node.id);
  const isFolded = node.branches !== null && view.folded.has(node.id);
  const words = { kind: entry?.label ?? node.kind, i: numberOf(place), n: place.list.length, k: place.index + 1 };
  const { first, rest } = settings(entry);
  const classes = [row?.problem && row.severity, isFolded && "folded", node.branches && "holds"].filter(Boolean).join(" ");
  const li = h("li", { class: classes, "data-kind": node.kind, "data-id": node.id, "aria-current": view.selected === node.id && "true" },
    h("div", { class: "head" },
      handle(view, place, words, rest.length > 0),
      name(view, node, words, entry),
      h("div", { class: "params" }, ...first.map((field) => setting(view, node, field))),
      h("div", { class: "facts" }, facts(view, row), rest.length ? more(view, node, rest, words) : null),
      out(view, row),
      acts(view, place, words)),
    rest.length && isOpen ? h("div", { class: "more", id: `lw-more-${node.id}` }, ...rest.map((field) => setting(view, node, field))) : null,
    row?.problem ? view.finding(row, pathOf(place)) : null,
    node.branches ? inside(view, place, words, isFolded) : null);
  droppableOnCard(view, li, place);
  return li;
}

// Those in sight, and those behind "More"
function settings(entry) {
  const fields = entry?.fields ?? [];
  const first = fields.filter((field) => field.kind !== "menu").slice(0, FIRST);
  return { first, rest: fields.filter((field) => !first.includes(field)) };
}

function setting(view, node, field) {
  const spot = { value: node.params[field.name] ?? null, focus: `${field.name}.${node.id}`, set: (value, isRedrawn) => view.set(node.id, field, value, isRedrawn) };
  return field.kind === "menu" ? menu(view.texts, field, view.data.menus[field.menu], spot) : control(view.texts, field, spot);
}

function handle(view, place, words, hasMore) {
  const { node, parent } = place;
  const { texts } = view;
  const focus = `handle.${node.id}`;
  const said = parent ? fill(texts.handle_in, { ...words, parent: view.named(parent) }) : fill(texts.handle, words);
  const canOpen = hasMore || node.branches !== null;
  const doing = {
    ArrowUp: () => view.step(node.id, -1, focus),
    ArrowDown: () => view.step(node.id, 1, focus),
    Delete: () => view.remove(node.id),
    Insert: () => view.choose({ after: node.id }),
    "+": () => view.choose({ after: node.id }),
    Enter: () => (node.branches ? view.fold(node.id) : hasMore && view.open(node.id, focus)),
  };
  const onkeydown = (event) => {
    if (!doing[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    doing[event.key]();
  };
  const grip = h("button", { type: "button", class: "handle", "data-f": focus, "aria-label": canOpen ? `${said}. ${texts.opens}` : said, onkeydown }, "⠿");
  draggable(view, grip, node.id);
  return grip;
}

function name(view, node, words, entry) {
  const shown = h("span", { class: "name", title: entry?.help ?? "" }, h("small", {}, words.i), h("b", {}, words.kind));
  if (!node.branches) return shown;
  const isFolded = view.folded.has(node.id);
  const label = fill(view.texts.fold, words);
  const button = h("button", { type: "button", class: "fold", "data-f": `fold.${node.id}`, "aria-expanded": String(!isFolded), "aria-controls": `lw-in-${node.id}`, "aria-label": label, title: label, onclick: () => view.fold(node.id) });
  return h("span", { class: "named" }, button, shown);
}

// The button, and in words what of it is not as it comes
function more(view, node, rest, words) {
  const { texts, data } = view;
  const isOpen = view.opened.has(node.id);
  const isSame = (field) => JSON.stringify(node.params[field.name] ?? null) === JSON.stringify(field.default ?? null);
  const changed = rest.filter((field) => !isSame(field)).map((field) => `${field.label} ${worded(texts, field, data.menus[field.menu], node.params[field.name])}`);
  const focus = `more.${node.id}`;
  return h("span", { class: "others" },
    h("button", { type: "button", class: "link", "data-f": focus, "aria-expanded": String(isOpen), "aria-controls": isOpen ? `lw-more-${node.id}` : null, "aria-label": fill(texts.more_of, words), onclick: () => view.open(node.id, focus) }, texts.more),
    changed.length && !isOpen ? h("small", {}, changed.join(", ")) : null);
}

function facts(view, row) {
  return row?.facts?.length ? h("span", { class: "costs", title: view.texts.keeps }, ...row.facts.map((fact) => h("span", {}, fact))) : null;
}

function out(view, row) {
  const isBlocked = row && !row.shape && !row.problem;
  return h("div", { class: "out" },
    h("b", isBlocked ? { title: view.texts.blocked } : {}, row?.shape || "–"),
    h("small", {}, row?.n_parameters ? `${whole(row.n_parameters)} ${view.texts.parameters}` : ""));
}

function acts(view, place, words) {
  const { node } = place;
  const act = (what, sign, isOff, onclick) => {
    const label = fill(view.texts[what], words);
    return h("button", { type: "button", class: `act ${what}`, "aria-label": label, title: label, disabled: isOff, "data-f": `${what}.${node.id}`, onclick }, sign);
  };
  const stepping = (what, other, direction) => act(what, direction < 0 ? "↑" : "↓", !step(view, place, direction), () => view.step(node.id, direction, `${what}.${node.id}`, `${other}.${node.id}`));
  return h("div", { class: "acts" },
    stepping("up", "down", -1),
    stepping("down", "up", 1),
    act("after", "+", false, () => view.choose({ after: node.id })),
    act("duplicate", "", false, () => view.duplicate(node.id)),
    act("remove", "✕", false, () => view.remove(node.id)));
}

function inside(view, place, words, isFolded) {
  const { node } = place;
  const { texts } = view;
  const n = size(node.branches.flat());
  const problems = [...places(node.branches.flat())].filter((inner) => inner.node.row?.problem).length;
  const summary = h("div", { class: "summary" }, n === 1 ? texts.one_inside : fill(texts.n_inside, { n }),
    problems ? h("b", {}, ` · ${fill(texts.problems_inside, { n: problems })}`) : null);
  const holds = view.entries.get(node.kind).holds;
  const adding = holds.most > node.branches.length
    ? h("button", { type: "button", class: "link add-branch", "data-f": `branch.${node.id}`, "aria-label": fill(texts.add_branch_to, words), onclick: () => view.addBranch(node.id) }, `+ ${texts.add_branch}`)
    : null;
  const branches = node.branches.map((list, b) => branchOf(view, place, words, b));
  return h("div", { class: "inside" }, summary, h("div", { class: "branches", id: `lw-in-${node.id}`, hidden: isFolded }, ...branches, adding));
}

function branchOf(view, place, words, b) {
  const { texts } = view;
  const { node } = place;
  const list = node.branches[b];
  const holds = view.entries.get(node.kind).holds;
  const named = { ...words, letter: letter(b) };
  const isOne = holds.most === 1;
  const label = isOne ? fill(texts.inside, words) : `${fill(texts.inside, words)}, ${fill(texts.branch, named)}`;
  const removing = h("button", { type: "button", class: "act", "data-f": `unbranch${b}.${node.id}`, disabled: node.branches.length <= holds.least, "aria-label": fill(texts.remove_branch, named), title: fill(texts.remove_branch, named), onclick: () => view.removeBranch(node.id, b) }, "✕");
  const rows = view.cards(list, place, b);
  const empty = list.length || rows.length ? null : h("li", { class: "empty" }, texts.empty_branch);
  const isChoosing = view.choosing?.into === node.id && view.choosing.branch === b;
  const section = h("div", { class: "branch" },
    isOne ? null : h("div", { class: "title" }, h("b", {}, fill(texts.branch, named)), removing),
    h("ol", { "aria-label": label }, ...rows, empty),
    h("button", { type: "button", class: "link", hidden: isChoosing, "data-f": `add${b}.${node.id}`, "aria-label": fill(isOne ? texts.add_to : texts.add_to_branch, named), onclick: () => view.choose({ into: node.id, branch: b }) }, `+ ${texts.add_here}`));
  droppableAtEnd(view, section, place, b);
  return section;
}
