// The net as a drawing. What is selected here is selected in the builder, and the other way round, by one window event.

import { component, download, fill, h } from "./dom.js";
import { blocks } from "./network_blocks.js";
import { neurons } from "./network_neurons.js";
import { svg } from "./svg.js";

const EVENT = "layerwise:select";
const sameText = (a, b) => JSON.stringify(a) === JSON.stringify(b);

class View {
  constructor(root, { texts }) {
    this.root = root;
    this.texts = texts;
    this.selected = null;
    this.mode = "neurons";
    this.modes = ["neurons", "blocks"].map((mode) =>
      h("button", { type: "button", role: "radio", "data-mode": mode, onclick: () => this.show(mode) }, texts[mode]));
    this.choice = h("div", { role: "radiogroup", "aria-label": texts.view }, ...this.modes);
    this.stage = h("div", { class: "stage" });
    root.replaceChildren(
      h("div", { class: "bar" }, this.choice, h("button", { type: "button", class: "save", onclick: () => this.save() }, texts.svg)),
      this.stage);
    this.listen = ({ detail }) => detail?.source !== "network" && Array.isArray(detail?.path) && this.mark(detail.path);
    addEventListener(EVENT, this.listen);
  }

  update(data) {
    this.texts = data.texts;
    if (sameText(data, this.data)) return;
    this.data = data;
    this.draw();
  }

  show(mode) {
    this.mode = mode;
    this.draw();
  }

  draw() {
    const { data } = this;
    const hasNeurons = data.columns.length > 0;
    const mode = hasNeurons ? this.mode : "blocks";
    this.choice.hidden = !hasNeurons;
    for (const button of this.modes) {
      const isOn = button.dataset.mode === mode;
      button.setAttribute("aria-checked", isOn ? "true" : "false");
      button.tabIndex = isOn ? 0 : -1;
    }
    this.choice.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      this.show(mode === "neurons" ? "blocks" : "neurons");
      this.modes.find((button) => button.tabIndex === 0).focus();
    };
    const drawing = mode === "neurons" ? neurons(data, this.texts) : blocks(data, this.texts);
    const width = Math.ceil(drawing.width);
    const height = Math.ceil(drawing.height);
    this.svg = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": this.texts.alt }, ...drawing.parts);
    this.nodes = [...this.svg.querySelectorAll("[data-path]")].filter((node) => node.getAttribute("role") === "button");
    this.nodes.forEach((node, i) => {
      node.setAttribute("tabindex", i === 0 ? 0 : -1);
      node.addEventListener("click", () => this.choose(i));
      node.addEventListener("keydown", (event) => this.key(event, i));
    });
    this.stage.replaceChildren(this.svg);
    if (this.selected) this.mark(this.selected);
  }

  key(event, i) {
    const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: this.nodes.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(i);
    else if (to === undefined) return;
    else if (this.nodes[to]) {
      this.choose(to);
      this.nodes[to].focus();
    }
    event.preventDefault();
  }

  choose(i) {
    const path = JSON.parse(this.nodes[i].dataset.path);
    this.mark(path);
    dispatchEvent(new CustomEvent(EVENT, { detail: { path, source: "network" } }));
  }

  mark(path) {
    this.selected = path;
    const wanted = JSON.stringify(path);
    for (const part of this.svg?.querySelectorAll("[data-path]") ?? []) part.classList.toggle("chosen", part.dataset.path === wanted);
    this.nodes?.forEach((node) => node.setAttribute("tabindex", node.dataset.path === wanted ? 0 : -1));
    if (this.nodes?.length && !this.nodes.some((node) => node.getAttribute("tabindex") === "0")) this.nodes[0].setAttribute("tabindex", 0);
    const chosen = this.nodes?.find((node) => node.dataset.path === wanted);
    if (!chosen) return;
    const box = chosen.getBBox();
    const { scrollLeft, clientWidth } = this.stage;
    if (box.x < scrollLeft || box.x + box.width > scrollLeft + clientWidth) this.stage.scrollLeft = box.x - clientWidth / 2;
  }

  // The drawing with the colours that it has on the page
  save() {
    const copy = this.svg.cloneNode(true);
    const originals = this.svg.querySelectorAll("*");
    copy.querySelectorAll("*").forEach((part, i) => {
      const look = getComputedStyle(originals[i]);
      for (const name of ["fill", "stroke", "stroke-width", "opacity", "font-size", "font-family", "font-weight", "text-anchor"]) part.style.setProperty(name, look.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.style.background = getComputedStyle(document.body).backgroundColor;
    download("network.svg", new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  }

  stop() {
    removeEventListener(EVENT, this.listen);
  }
}

export default component(".lw-network", View);
