// Keys for whoever presents, wherever the focus is, but never where a key already means something; "?" lists them.

import { component, h } from "./dom.js";

// What uses the arrows, the space bar or letters itself
const USES_KEYS = "input, textarea, select, button, a, summary, canvas, dialog, [contenteditable], [tabindex], [role=slider], [role=tab], [role=radio]";
const WRITES = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable=true]";
const PAGE = "stMain"; // what scrolls may have the focus: it uses the keys up and down

class Keys {
  constructor(root, data) {
    Object.assign(this, { root, data });
    this.list = h("dl", {});
    this.close = h("button", { type: "button", onclick: () => this.dialog.close() }, data.texts.close);
    this.dialog = h("dialog", { "aria-label": data.texts.title }, h("h2", {}, data.texts.title), this.list, this.close);
    this.button = h("button", { type: "button", class: "ask", title: data.texts.help, "aria-label": data.texts.button, "aria-haspopup": "dialog", onclick: () => this.dialog.showModal() }, h("kbd", { "aria-hidden": "true" }, "?"));
    root.replaceChildren(this.button, this.dialog);
    this.listen = (event) => this.pressed(event);
    document.addEventListener("keydown", this.listen);
  }

  update(data, send) {
    Object.assign(this, { data, send });
    const lines = [...data.keys.map(({ key, text }) => [data.names[key] ?? key.toUpperCase(), text]), ["Alt + P", data.texts.leave], ["?", data.texts.help]];
    this.list.replaceChildren(...lines.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]));
  }

  pressed(event) {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !(target instanceof Element)) return;
    if (event.key === "?" && !target.closest(WRITES)) {
      event.preventDefault();
      if (this.dialog.open) this.dialog.close();
      else this.dialog.showModal();
      return;
    }
    const held = target.closest(USES_KEYS);
    if (this.dialog.open || event.shiftKey || event.repeat || (held && held.dataset.testid !== PAGE)) return;
    const known = this.data.keys.find(({ key }) => key === event.key.toLowerCase());
    if (!known) return;
    event.preventDefault();
    this.send("press", known.key);
  }

  stop() {
    document.removeEventListener("keydown", this.listen);
  }
}

export default component(".lw-presenter-keys", Keys);
