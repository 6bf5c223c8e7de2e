// Layers as blocks from left to right: each is drawn as what it gives (maps as slabs, vectors as bars, sequences as tiles).

import { fill } from "./dom.js";
import { number, svg, text } from "./svg.js";

const GAP = 30;
const NODE = 76;
const HIGH = 96;
const PAD = 14;
const HEAD = 22;
const FOOT = 38;

export function blocks(data, texts) {
  const at = new Map();
  collect(data.layers, at);
  const branches = (path) => at.get(JSON.stringify(path))?.branches.length ?? 1;
  const context = { texts, name: (path) => number(path, branches) };
  const input = { width: NODE, height: HIGH + FOOT, draw: (x, y) => node(x, y, { glyph: data.input, title: texts.input, label: texts.input }) };
  const row = line([input, ...data.layers.map((layer) => measured(layer, context))]);
  const height = row.height + 2 * PAD;
  return { width: row.width + 2 * PAD, height, parts: row.draw(PAD, PAD, row.height) };
}

function collect(layers, at) {
  for (const layer of layers) {
    at.set(JSON.stringify(layer.path), layer);
    for (const branch of layer.branches) collect(branch, at);
  }
}

// Items in a row with arrows between them; each item: width, height, draw(x, y) where y is its upper edge
function line(items) {
  const width = items.reduce((sum, item) => sum + item.width, 0) + GAP * Math.max(0, items.length - 1);
  const height = Math.max(HIGH + FOOT, ...items.map((item) => item.height));
  const draw = (x, y, whole = height) => {
    const parts = [];
    const middle = y + (whole - FOOT) / 2;
    items.forEach((item, i) => {
      if (i) {
        parts.push(arrow(x, middle, x + GAP, middle));
        x += GAP;
      }
      parts.push(...item.draw(x, middle - (item.height - FOOT) / 2));
      x += item.width;
    });
    return parts;
  };
  return { width, height, draw };
}

function measured(layer, context) {
  if (layer.branches.length) return container(layer, context);
  const label = fill(layer.is_wrong ? context.texts.wrong : context.texts.layer, { n: context.name(layer.path), kind: layer.kind, shape: layer.glyph.text });
  return {
    width: NODE,
    height: HIGH + FOOT,
    draw: (x, y) => node(x, y, { ...layer, title: `${context.name(layer.path)} ${layer.kind}`, label }),
  };
}

function container(layer, context) {
  const lines = layer.branches.map((branch) => line(branch.map((inner) => measured(inner, context))));
  const width = Math.max(NODE, ...lines.map((one) => one.width)) + 2 * GAP;
  const skip = layer.skip ? 26 : 0;
  const height = HEAD + skip + lines.reduce((sum, one) => sum + one.height + PAD, 0) + FOOT;
  const label = fill(context.texts.layer, { n: context.name(layer.path), kind: layer.kind, shape: layer.glyph.text });
  const draw = (x, y) => {
    const path = JSON.stringify(layer.path);
    const box = { x, y, width, height: height - FOOT };
    const parts = [
      svg("g", { role: "button", "aria-label": label, "data-path": path, class: `box ${layer.is_wrong ? "wrong" : ""}` },
        svg("rect", { ...box, rx: 8, class: "frame" }),
        text(x + 10, y + 16, `${context.name(layer.path)} ${layer.kind}`, "kind left"),
        text(x + width / 2, y + height - FOOT + 16, layer.glyph.text, "shape")),
    ];
    const middle = y + (height - FOOT) / 2;
    if (skip) {
      parts.push(svg("path", { class: "flow skip", d: `M ${x} ${middle} V ${y + HEAD + 12} H ${x + width - 6} V ${middle - 7}` }));
      parts.push(svg("circle", { class: "plus", cx: x + width - 6, cy: middle, r: 7 }), text(x + width - 6, middle + 4, "+", "kind"));
    }
    let top = y + HEAD + skip;
    for (const one of lines) {
      const left = x + (width - one.width) / 2;
      const row = top + (one.height - FOOT) / 2;
      parts.push(svg("path", { class: "flow", d: `M ${x} ${middle} L ${x + 8} ${row} H ${left}` }));
      parts.push(svg("path", { class: "flow", d: `M ${left + one.width} ${row} H ${x + width - 14} L ${x + width - (skip ? 12 : 0)} ${middle}` }));
      parts.push(...one.draw(left, top));
      top += one.height + PAD;
    }
    return parts;
  };
  return { width, height, draw };
}

function node(x, y, { glyph, title, label, path, family, is_wrong, is_view, has_weights }) {
  const middle = y + HIGH / 2;
  const group = { class: ["node", is_wrong && "wrong", is_view && "view", has_weights && "learns", family].filter(Boolean).join(" ") };
  if (path) Object.assign(group, { role: "button", "aria-label": label, "data-path": JSON.stringify(path) });
  return [
    svg("g", group,
      svg("title", {}, label),
      svg("rect", { x, y, width: NODE, height: HIGH + FOOT, rx: 6, class: "hit" }),
      ...shapes(x + NODE / 2, middle, glyph),
      text(x + NODE / 2, y + HIGH + 14, short(title), "kind"),
      text(x + NODE / 2, y + HIGH + 30, glyph.text.replaceAll(" ", "\u2009"), "shape")),
  ];
}

const short = (title) => (title.length > 14 ? `${title.slice(0, 13)}…` : title);

function shapes(cx, cy, { form, deep, high }) {
  const tall = Math.min(HIGH - 14, 14 + 8 * high);
  if (form === "maps") {
    const slabs = Math.max(1, Math.min(6, Math.round(deep / 1.4)));
    const side = Math.min(54, 10 + 8 * high);
    return Array.from({ length: slabs }, (_, k) => {
      const shift = (k - (slabs - 1) / 2) * 5;
      return svg("rect", { class: "glyph", x: cx - side / 2 + shift, y: cy - side / 2 + shift, width: side, height: side, rx: 2 });
    });
  }
  if (form === "sequence") {
    const rows = Math.max(2, Math.min(8, Math.round(high * 1.6)));
    const wide = Math.min(60, 12 + 7 * deep);
    const step = Math.min(11, (HIGH - 14) / rows);
    return Array.from({ length: rows }, (_, k) =>
      svg("rect", { class: "glyph", x: cx - wide / 2, y: cy - (rows * step) / 2 + k * step, width: wide, height: step - 3, rx: 2 }));
  }
  if (form === "unknown") return [text(cx, cy + 8, "?", "unknown")];
  return [svg("rect", { class: "glyph", x: cx - 7, y: cy - tall / 2, width: 14, height: tall, rx: 3 })];
}

function arrow(x1, y1, x2, y2) {
  return svg("path", { class: "flow", d: `M ${x1 + 2} ${y1} L ${x2 - 3} ${y2} m -5 -4 l 5 4 l -5 4` });
}
