// Pictures as one radio group: one tab stop, arrow keys choose.

import { h, whenGone } from "./dom.js";

const views = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".lw-image-picker");
  const known = views.get(root);
  const pictures = JSON.stringify([data.pictures, data.names, data.label]);
  const view = known?.pictures === pictures ? known : build(root, data, pictures);
  view.pick = (place) => {
    choose(view, place);
    setTriggerValue("pick", place);
  };
  choose(view, data.chosen);
  views.set(root, view);
  return whenGone(root, () => views.delete(root));
}

function build(root, { pictures, names, label, wrapped }, key) {
  const view = { pictures: key, buttons: [] };
  view.buttons = pictures.map((picture, place) =>
    h("button", { type: "button", role: "radio", "aria-label": names[place], title: names[place],
      onclick: () => view.pick(place), onkeydown: (event) => move(view, place, event) },
    h("img", { src: picture, alt: "" }), h("span", { "aria-hidden": "true" }, names[place])));
  root.replaceChildren(h("div", { role: "radiogroup", "aria-label": label, class: wrapped ? "wrapped" : null }, ...view.buttons));
  return view;
}

function choose(view, chosen) {
  view.buttons.forEach((button, place) => {
    button.setAttribute("aria-checked", place === chosen ? "true" : "false");
    button.tabIndex = place === Math.max(0, chosen) ? 0 : -1;
  });
}

function move(view, place, event) {
  const n = view.buttons.length;
  const to = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: n - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = (to + n) % n;
  view.buttons[next].focus();
  view.pick(next);
}
