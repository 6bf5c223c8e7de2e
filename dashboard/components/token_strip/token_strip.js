// Tokens of a text with their values, or the patches of a picture. Where one can be chosen they are one radio group: one
// tab stop, arrow keys choose.

import { h, whenGone } from "./dom.js";

const views = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".lw-token-strip");
  const known = views.get(root);
  const shape = JSON.stringify([data.items.map((item) => item.text), data.label, data.columns, data.is_choice]);
  const view = known?.shape === shape ? known : build(root, data, shape);
  view.pick = (place) => {
    choose(view, place);
    setTriggerValue("pick", place);
  };
  paint(view, data);
  choose(view, data.chosen);
  views.set(root, view);
  return whenGone(root, () => views.delete(root));
}

function build(root, data, shape) {
  const view = { shape, columns: data.columns, texts: [], values: [], nodes: [] };
  data.items.forEach((item, place) => {
    const text = h("b", {}, data.columns ? "" : item.text);
    const value = h("small", {});
    const inside = data.columns && place >= data.n_before ? [] : [text, value];
    view.texts.push(text);
    view.values.push(value);
    view.nodes.push(data.is_choice
      ? h("button", { type: "button", role: "radio", onclick: () => view.pick(place), onkeydown: (event) => move(view, place, event) }, ...inside)
      : h("li", {}, ...inside));
  });
  const group = data.is_choice ? { role: "radiogroup" } : {};
  view.flow = h(data.is_choice ? "div" : "ul", { class: data.columns ? "text first" : "text", "aria-label": data.label, ...group });
  view.before = data.columns ? data.n_before : 0;
  if (!data.columns) {
    view.flow.append(...view.nodes);
    root.replaceChildren(view.flow);
    return view;
  }
  const rows = Math.ceil((view.nodes.length - view.before) / data.columns);
  view.picture = h("div", { class: "picture", ...(view.before ? {} : { ...group, "aria-label": data.label }) });
  view.picture.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`;
  view.picture.style.gridTemplateRows = `repeat(${rows}, 1fr)`;
  view.picture.style.aspectRatio = `${data.ratio}`;
  view.picture.append(...view.nodes.slice(view.before));
  if (view.before) {
    const first = h("div", { class: "text first" }, ...view.nodes.slice(0, view.before));
    root.replaceChildren(h("div", { ...group, "aria-label": data.label }, first, view.picture));
  } else {
    root.replaceChildren(view.picture);
  }
  return view;
}

function paint(view, data) {
  if (view.picture) view.picture.style.backgroundImage = `url("${data.picture}")`;
  data.items.forEach((item, place) => {
    const node = view.nodes[place];
    if (!view.columns || place < view.before) view.texts[place].textContent = item.text;
    view.values[place].textContent = item.value;
    node.className = item.is_marked ? "token marked" : "token";
    node.title = item.title;
    if (data.is_choice) node.setAttribute("aria-label", item.title);
    node.style.background = item.background;
    node.style.color = item.ink;
  });
}

function choose(view, chosen) {
  view.nodes.forEach((node, place) => {
    if (node.tagName !== "BUTTON") return;
    node.setAttribute("aria-checked", place === chosen ? "true" : "false");
    node.tabIndex = place === Math.max(0, chosen) ? 0 : -1;
  });
}

function move(view, place, event) {
  const n = view.nodes.length;
  const down = view.columns && place >= view.before ? view.columns : 1;
  const to = { ArrowRight: place + 1, ArrowDown: place + down, ArrowLeft: place - 1, ArrowUp: place - down, Home: 0, End: n - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = (to + n) % n;
  view.nodes[next].focus();
  view.pick(next);
}
