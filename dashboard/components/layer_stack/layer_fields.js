// The settings of a layer as controls. A control gets its field, its value, the name under which the focus finds it, and
// what to do with a new value.

import { fill, h } from "./dom.js";

const MAKERS = { bool: checkbox, choice: select, int: number, float: number, text, flags };
let nGroups = 0;

export function control(texts, field, spot) {
  const { label, help, min, max, kind } = field;
  const tip = min !== undefined && max !== undefined ? fill(texts.bounds, { name: help || label, min, max }) : help;
  const made = MAKERS[kind](texts, field, spot);
  if (kind === "flags") return made;
  return h("label", { title: tip, class: kind }, h("span", {}, label), made);
}

// A Menu inside a layer: which one, and then the settings of that one
export function menu(texts, field, options, { value, focus, set }) {
  const kinds = [...(field.is_optional ? [null] : []), ...options.map((option) => option.kind)];
  if (value && !kinds.includes(value.kind)) kinds.push(value.kind);
  const named = (kind) => (kind === null ? texts.as_model : options.find((option) => option.kind === kind)?.label ?? kind);
  const input = h("select", { "data-f": focus }, ...kinds.map((kind) => h("option", { selected: kind === (value?.kind ?? null) }, named(kind))));
  const picked = options.find((option) => option.kind === value?.kind);
  input.addEventListener("change", () => set(chosen(options, kinds[input.selectedIndex], value), true));
  const inner = (picked?.fields ?? []).map((one) =>
    control(texts, one, { value: value[one.name], focus: `${one.name}-${focus}`, set: (given) => set({ ...value, [one.name]: given }) }));
  return h("span", { class: "menu" }, h("label", { title: picked?.help || field.help }, h("span", {}, field.label), input), ...inner);
}

function chosen(options, kind, value) {
  if (kind === null || kind === value?.kind) return kind === null ? null : value;
  const { fields } = options.find((option) => option.kind === kind);
  return Object.fromEntries([["kind", kind], ...fields.map((field) => [field.name, field.default])]);
}

// A value in words, for what is told and for the summary of what is folded away
export function worded(texts, field, options, value) {
  if (value === null || value === undefined) return field.kind === "menu" ? texts.as_model : texts.none;
  if (field.kind === "bool") return value ? texts.on : texts.off;
  if (field.kind === "menu") return options.find((option) => option.kind === value.kind)?.label ?? value.kind;
  if (field.kind === "flags") return value.map((one) => labelOf(field, one)).join(", ");
  return field.kind === "choice" ? labelOf(field, value) : String(value);
}

const labelOf = (field, choice) => field.choice_labels?.[field.choices.indexOf(choice)] ?? String(choice);

function checkbox(texts, field, { value, focus, set }) {
  const input = h("input", { type: "checkbox", "data-f": focus, checked: value === true });
  input.addEventListener("change", () => set(input.checked));
  return input;
}

function select(texts, field, { value, focus, set }) {
  const choices = [...(field.is_optional ? [null] : []), ...field.choices];
  const named = (choice) => (choice === null ? texts.none : labelOf(field, choice));
  const input = h("select", { "data-f": focus }, ...choices.map((choice) => h("option", { selected: choice === value }, named(choice))));
  input.addEventListener("change", () => set(choices[input.selectedIndex]));
  return input;
}

function text(texts, field, { value, focus, set }) {
  const input = h("input", { type: "text", "data-f": focus, value: value ?? "" });
  input.addEventListener("change", () => set(input.value));
  return input;
}

function flags(texts, field, { value, focus, set }) {
  const id = `lw-flags-${++nGroups}`;
  const boxes = field.choices.map((choice) => h("input", { type: "checkbox", "data-f": `${choice}-${focus}`, checked: value.includes(choice) }));
  const change = (event) => {
    const on = field.choices.filter((_choice, i) => boxes[i].checked);
    if (on.length < (field.min_length ?? 0)) event.target.checked = true;
    else set(on);
  };
  const labelled = boxes.map((box, i) => h("label", {}, box, h("span", {}, labelOf(field, field.choices[i]))));
  return h("span", { role: "group", "aria-labelledby": id, class: "flags", title: field.help, onchange: change }, h("span", { id }, field.label), ...labelled);
}

// An empty field means None where that is allowed; otherwise what was there comes back
function number(texts, field, { value, focus, set }) {
  const { min, max } = field;
  let present = value;
  const input = h("input", {
    type: "number", "data-f": focus, min, max, step: field.step ?? "any", value: value ?? "",
    placeholder: field.is_optional ? texts.none : null, inputmode: field.kind === "int" ? "numeric" : "decimal",
  });
  const take = (given) => {
    present = given;
    set(given);
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && input.blur());
  input.addEventListener("change", () => {
    const given = input.value.trim() === "" && !input.validity.badInput ? null : Number(input.value);
    if (given === null && field.is_optional) return take(null);
    if (given === null || !Number.isFinite(given) || input.validity.badInput) return (input.value = present ?? "");
    const bounded = Math.min(max ?? Infinity, Math.max(min ?? -Infinity, field.kind === "int" ? Math.round(given) : given));
    input.value = String(bounded);
    return take(bounded);
  });
  return input;
}
