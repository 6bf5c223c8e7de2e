// Examples as cards: a picture or a text, the model's answers as bars, and a button that asks for an explanation.

import { component, fill, h } from "./dom.js";

class View {
  constructor(root) {
    this.root = root;
  }

  update(data, setTriggerValue) {
    this.send = setTriggerValue;
    const content = JSON.stringify([data.cards, data.label, data.is_choice, data.has_explain]);
    if (content !== this.content) {
      this.content = content;
      this.faces = data.cards.map((card, place) => face(card, place, data, () => this.send("pick", place)));
      const cards = data.cards.map((card, place) => h("li", { class: card.picture ? "card" : "card wide" }, this.faces[place],
        bars(card, data.texts), data.has_explain ? this.explain(card, place, data.texts) : null));
      this.root.replaceChildren(h("ul", { "aria-label": data.label }, ...cards));
    }
    this.faces.forEach((one, place) => {
      if (data.is_choice) one.setAttribute("aria-pressed", place === data.chosen ? "true" : "false");
      one.parentElement.classList.toggle("chosen", place === data.chosen);
    });
  }

  explain(card, place, texts) {
    return h("button", { type: "button", class: "explain", "aria-label": fill(texts.explain_this, { title: card.title }),
      onclick: () => this.send("explain", place) }, texts.explain);
  }

  stop() {}
}

function face(card, place, { is_choice: isChoice }, pick) {
  const inside = [card.picture ? h("img", { src: card.picture, alt: "" }) : null, card.text ? h("span", { class: "text" }, card.text) : null,
    h("span", { class: "title" }, card.title)];
  return isChoice
    ? h("button", { type: "button", class: "face", title: card.title, onclick: pick }, ...inside)
    : h("div", { class: "face", title: card.title }, ...inside);
}

function bars({ bars: rows }, texts) {
  return h("div", { class: "bars" }, ...rows.map(({ name, share, value, is_right: isRight }) =>
    h("div", { class: isRight ? "bar right" : "bar", title: `${name}${isRight ? ` (${texts.right})` : ""}: ${value}` },
      h("i", { style: `width: ${Math.max(0, Math.min(1, share)) * 100}%`, "aria-hidden": "true" }),
      h("span", { class: "name" }, isRight ? `✓ ${name}` : name), h("span", { class: "value" }, value))));
}

export default component(".lw-example-cards", View);
