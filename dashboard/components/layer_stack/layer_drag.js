// Drag and drop between all lists of the builder. What may not go there shows no mark and cannot be dropped.

import { beside, placeOf, reasonAgainst, target } from "./layer_tree.js";

const SPRING_MS = 600; // so long over a collapsed container, and it opens
const MARKS = ["before", "after", "into"];

export function draggable(view, grip, id) {
  grip.draggable = true;
  grip.addEventListener("dragstart", (event) => {
    const card = grip.closest("li");
    view.dragged = id;
    view.holders.add("drag");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.kind);
    event.dataTransfer.setDragImage(card, 12, 12);
    card.classList.add("dragged");
  });
  grip.addEventListener("dragend", () => ended(view));
}

function ended(view) {
  view.dragged = null;
  clearTimeout(view.springing);
  view.root.querySelectorAll(".dragged").forEach((card) => card.classList.remove("dragged"));
  unmarked(view);
  view.release("drag");
}

function unmarked(view) {
  view.root.querySelectorAll(MARKS.map((mark) => `.${mark}`).join()).forEach((element) => element.classList.remove(...MARKS));
}

// `aim(event, from)` says where a drop goes and which mark shows it: {to, mark}
function droppable(view, element, aim) {
  const aimed = (event) => {
    const from = view.dragged && placeOf(view.layers, view.dragged);
    if (!from) return null;
    event.stopPropagation(); // the innermost decides
    const found = aim(event, from);
    return found && !reasonAgainst(view, from.node, found.to, false) ? found : null;
  };
  element.addEventListener("dragover", (event) => {
    const found = aimed(event);
    if (!view.dragged) return;
    unmarked(view);
    if (!found) return;
    event.preventDefault();
    element.classList.add(found.mark);
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) element.classList.remove(...MARKS);
  });
  element.addEventListener("drop", (event) => {
    const id = view.dragged;
    const found = aimed(event);
    if (!id) return;
    event.preventDefault();
    ended(view);
    if (found) view.place(id, found.to, `handle.${id}`);
  });
}

// Onto a layer: in its own list it takes its place, in another it goes before or after; below the head of an open
// container it goes in
export function droppableOnCard(view, card, place) {
  const head = card.firstElementChild;
  droppable(view, card, (event, from) => {
    if (from.node === place.node) return null;
    const box = head.getBoundingClientRect();
    const isUpper = event.clientY < box.top + box.height / 2;
    const isFolded = view.folded.has(place.node.id);
    if (place.node.branches?.length && isFolded) spring(view, place.node.id);
    if (place.node.branches?.length && !isFolded) {
      return isUpper ? { to: beside(place, 0), mark: "before" } : { to: target(view.layers, place, 0, 0), mark: "into" };
    }
    const isBefore = from.list === place.list ? from.index > place.index : isUpper;
    return { to: beside(place, isBefore ? 0 : 1), mark: isBefore ? "before" : "after" };
  });
  card.addEventListener("dragleave", () => clearTimeout(view.springing));
}

// Onto the foot of a list: to its end
export function droppableAtEnd(view, element, parent, branch) {
  droppable(view, element, () => ({ to: target(view.layers, parent && placeOf(view.layers, parent.node.id), branch), mark: "into" }));
}

function spring(view, id) {
  if (view.springId === id && view.springing) return;
  clearTimeout(view.springing);
  view.springId = id;
  view.springing = setTimeout(() => {
    view.springing = 0;
    if (view.dragged) view.fold(id, false);
  }, SPRING_MS);
}
