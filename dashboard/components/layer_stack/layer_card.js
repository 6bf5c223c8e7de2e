// One layer of the builder: handle, name, parameters, what comes out, buttons, and what is wrong with it.

import { fill, h, whole } from "./dom.js";

export function card(view, layer, i) {
  const { texts, layers } = view;
  const entry = view.entries.get(layer.kind);
  const row = layer.row;
  const words = { kind: layer.kind, i: i + 1, n: layers.length };
  const act = (name, sign, isOff, onclick) =>
    h("button", { type: "button", class: "act", "aria-label": fill(texts[name], words), title: fill(texts[name], words), disabled: isOff, "data-f": `${name}.${layer.id}`, onclick }, sign);
  const isBlocked = row && !row.shape && !row.problem;
  const li = h("li", { class: row?.problem ? row.severity : "", "data-kind": layer.kind },
    handle(view, layer, i, words),
    h("span", { class: "name", title: entry?.help ?? "" }, h("small", {}, `${i + 1}`), entry?.label ?? layer.kind),
    h("span", { class: "params" }, ...(entry?.fields ?? []).map((field) => control(view, layer, field))),
    h("span", { class: "out" },
      h("b", isBlocked ? { title: texts.blocked } : {}, row?.shape || "–"),
      h("small", {}, row && row.n_parameters ? `${whole(row.n_parameters)} ${texts.parameters}` : "")),
    h("span", { class: "acts" },
      act("up", "↑", i === 0, () => view.move(i, i - 1, i - 1 === 0 ? `down.${layer.id}` : `up.${layer.id}`)),
      act("down", "↓", i === layers.length - 1, () => view.move(i, i + 1, i + 2 === layers.length ? `up.${layer.id}` : `down.${layer.id}`)),
      act("duplicate", "⧉", layers.length >= view.data.max_layers, () => view.duplicate(i)),
      act("remove", "✕", false, () => view.remove(i))),
    row?.problem ? view.finding(row, i) : null);
  droppable(view, li, i);
  return li;
}

function handle(view, layer, i, words) {
  const focus = `handle.${layer.id}`;
  const onkeydown = (event) => {
    const doing = { ArrowUp: () => view.move(i, i - 1, focus), ArrowDown: () => view.move(i, i + 1, focus), Delete: () => view.remove(i) }[event.key];
    if (!doing) return;
    event.preventDefault();
    doing();
  };
  const grip = h("button", { type: "button", class: "handle", draggable: "true", "data-f": focus, "aria-label": fill(view.texts.handle, words), onkeydown }, "⠿");
  grip.addEventListener("dragstart", (event) => {
    view.dragged = i;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", layer.kind);
    event.dataTransfer.setDragImage(grip.closest("li"), 12, 12);
    grip.closest("li").classList.add("dragged");
  });
  grip.addEventListener("dragend", () => {
    view.dragged = null;
    view.list.querySelectorAll("li").forEach((li) => li.classList.remove("dragged", "before", "after"));
  });
  return grip;
}

function droppable(view, li, i) {
  const mark = (name) => {
    li.classList.toggle("before", name === "before");
    li.classList.toggle("after", name === "after");
  };
  li.addEventListener("dragover", (event) => {
    if (view.dragged === null) return;
    event.preventDefault();
    mark(view.dragged > i ? "before" : view.dragged < i ? "after" : "");
  });
  li.addEventListener("dragleave", () => mark(""));
  li.addEventListener("drop", (event) => {
    if (view.dragged === null) return;
    event.preventDefault();
    mark("");
    view.move(view.dragged, i, `handle.${view.layers[view.dragged].id}`);
  });
}

function control(view, layer, field) {
  const make = { bool: checkbox, choice: select, int: number, float: number, text: text }[field.kind];
  const tip = field.min !== null && field.max !== null ? fill(view.texts.bounds, { name: field.help || field.label, min: field.min, max: field.max }) : field.help;
  return h("label", { title: tip, class: field.kind }, h("span", {}, field.label), make(view, layer, field, `${field.name}.${layer.id}`));
}

function checkbox(view, layer, field, focus) {
  const input = h("input", { type: "checkbox", "data-f": focus, checked: layer.params[field.name] === true });
  input.addEventListener("change", () => view.set(layer, field, input.checked));
  return input;
}

function select(view, layer, field, focus) {
  const options = field.choices.map((choice) => h("option", { value: String(choice), selected: choice === layer.params[field.name] }, String(choice)));
  const input = h("select", { "data-f": focus }, ...options);
  input.addEventListener("change", () => view.set(layer, field, field.choices[input.selectedIndex]));
  return input;
}

function text(view, layer, field, focus) {
  const input = h("input", { type: "text", "data-f": focus, value: layer.params[field.name] ?? "" });
  input.addEventListener("change", () => view.set(layer, field, input.value));
  return input;
}

// An empty field means None where that is allowed; otherwise what was there comes back
function number(view, layer, field, focus) {
  const { min, max, name } = field;
  const value = layer.params[name];
  const input = h("input", {
    type: "number", "data-f": focus, min, max, step: field.step ?? "any", value: value ?? "",
    placeholder: field.is_optional ? view.texts.none : null, inputmode: field.kind === "int" ? "numeric" : "decimal",
  });
  const steer = (event) => event.target === input && event.key === "Enter" && input.blur();
  input.addEventListener("keydown", steer);
  input.addEventListener("change", () => {
    const given = input.value.trim() === "" && !input.validity.badInput ? null : Number(input.value);
    if (given === null && field.is_optional) return view.set(layer, field, null);
    if (given === null || !Number.isFinite(given) || input.validity.badInput) return (input.value = layer.params[name] ?? "");
    const bounded = Math.min(max ?? Infinity, Math.max(min ?? -Infinity, field.kind === "int" ? Math.round(given) : given));
    input.value = String(bounded);
    return view.set(layer, field, bounded);
  });
  return input;
}
