// Find a layer by typing: a combobox over the Menu, grouped by family until something is typed. Enter or a click adds.

import { fill, h, setText } from "./dom.js";

let nChoosers = 0;

export class Chooser {
  // `pick(entry)` adds the layer; `close()` is called by Escape where there is nothing more to close; null for one that stays
  constructor(view, focus, { label, pick, close = null }) {
    const { texts } = view;
    Object.assign(this, { view, pick, close });
    this.id = `lw-chooser-${++nChoosers}`;
    this.active = -1;
    this.input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: texts.search, "data-f": focus,
      "aria-label": label, "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.id,
      onkeydown: (event) => this.key(event), oninput: () => this.open(), onclick: () => this.open(), onblur: () => this.shut(),
    });
    this.list = h("div", { role: "listbox", id: this.id, "aria-label": texts.kinds, hidden: true });
    this.nothing = h("div", { class: "nothing", hidden: true }, texts.not_found);
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the input
    this.nothing.addEventListener("pointerdown", (event) => event.preventDefault());
    const cancel = close && h("button", { type: "button", class: "act", "aria-label": texts.close, title: texts.close, onclick: close }, "✕");
    this.element = h("div", { class: "chooser" }, h("span", { class: "sign", "aria-hidden": "true" }, `+ ${label}`),
      h("div", { class: "combo" }, this.input, this.list, this.nothing), cancel);
  }

  get isOpen() {
    return this.input.getAttribute("aria-expanded") === "true";
  }

  open() {
    const { view } = this;
    const words = this.input.value.trim().toLowerCase();
    const found = matching(view.data.menu.filter((entry) => entry.is_ready_made), words);
    this.options = [];
    const parts = [];
    for (const [family, entries] of words ? [["", found]] : byFamily(found)) {
      const options = entries.map((entry) => this.option(entry, words ? entry.family : ""));
      this.options.push(...options);
      const title = family && h("div", { class: "family", "aria-hidden": "true" }, family);
      parts.push(family ? h("div", { role: "group", "aria-label": family }, title, ...options) : options);
    }
    this.list.replaceChildren(...parts.flat());
    this.list.hidden = !found.length;
    this.nothing.hidden = found.length > 0;
    this.input.setAttribute("aria-expanded", "true");
    view.holders.add(this.id); // the stack is not redrawn below an open list
    if (words) view.say(found.length ? fill(view.texts.found, { n: found.length }) : view.texts.not_found);
    this.go(words && found.length ? 0 : -1);
    (found.length ? this.list : this.nothing).scrollIntoView({ block: "nearest" });
  }

  option(entry, family) {
    const marks = [h("b", {}, entry.label), h("small", {}, entry.help), family ? h("small", { class: "of" }, family) : null];
    return h("div", { role: "option", id: `${this.id}-${entry.kind}`, "aria-selected": "false", "data-kind": entry.kind, onclick: () => this.take(entry.kind) }, ...marks);
  }

  go(wanted) {
    const active = this.options[wanted] ? wanted : -1;
    this.options[this.active]?.setAttribute("aria-selected", "false");
    this.active = active;
    const option = this.options[active];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const n = this.options?.length ?? 0;
    const doing = {
      ArrowDown: () => (this.isOpen ? this.go((this.active + 1) % n) : this.open()),
      ArrowUp: () => (this.isOpen ? this.go((Math.max(this.active, 0) + n - 1) % n) : this.open()),
      Enter: () => (this.isOpen && this.options[this.active] ? this.take(this.options[this.active].dataset.kind) : this.open()),
      Escape: () => this.escape(),
    }[event.key];
    if (!doing) return;
    event.preventDefault();
    event.stopPropagation();
    doing();
  }

  escape() {
    if (this.isOpen) this.shut();
    else if (this.input.value) this.input.value = "";
    else this.close?.();
  }

  take(kind) {
    this.input.value = "";
    this.shut();
    this.pick(this.view.entries.get(kind));
  }

  shut() {
    if (!this.isOpen) return;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.list.hidden = true;
    this.nothing.hidden = true;
    this.active = -1;
    this.view.release(this.id);
  }
}

// The best first: names that begin with the words, names that hold them (the shorter first), families, what is said of it
function matching(entries, words) {
  if (!words) return entries;
  const rank = ({ label, kind, family, help }) => {
    const names = [label.toLowerCase(), kind.toLowerCase()];
    if (names.some((name) => name.startsWith(words))) return 0;
    if (names.some((name) => name.includes(words))) return 1;
    if (family.toLowerCase().includes(words)) return 2;
    return help.toLowerCase().includes(words) ? 3 : -1;
  };
  const ranked = entries.map((entry) => [rank(entry), entry]).filter(([place]) => place >= 0);
  const shorter = (a, b) => (a[0] < 2 ? a[1].label.length - b[1].label.length : 0);
  return ranked.sort((a, b) => a[0] - b[0] || shorter(a, b)).map(([, entry]) => entry);
}

function byFamily(entries) {
  const families = new Map();
  for (const entry of entries) families.set(entry.family, [...(families.get(entry.family) ?? []), entry]);
  return families;
}
