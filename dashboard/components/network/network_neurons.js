// A small MLP as neurons and lines: one column for the input and for every Linear layer.

import { fill } from "./dom.js";
import { svg, text } from "./svg.js";

const STEP = 150;
const LEFT = 92;
const TOP = 24;
const MOST_HIGH = 260;
const LEAST_HIGH = 90;
const FOOT = 44;

export function neurons({ columns }, texts) {
  const most = Math.max(...columns.map((column) => column.n));
  const apart = Math.min(30, MOST_HIGH / most);
  const high = Math.max(LEAST_HIGH, apart * most);
  const radius = Math.max(3.5, Math.min(11, apart * 0.36));
  const at = (k, i) => [LEFT + k * STEP, TOP + high / 2 + (i - (columns[k].n - 1) / 2) * apart];
  const lines = [];
  const dots = [];
  columns.forEach((column, k) => {
    const path = JSON.stringify(column.path);
    if (k) {
      const group = svg("g", { class: "weights", "data-path": path });
      for (let i = 0; i < columns[k - 1].n; i += 1) {
        for (let j = 0; j < column.n; j += 1) {
          const [x1, y1] = at(k - 1, i);
          const [x2, y2] = at(k, j);
          group.append(svg("line", { x1, y1, x2, y2 }));
        }
      }
      lines.push(group);
    }
    dots.push(columnOf(column, k, { at, radius, path, texts, foot: TOP + high, isLast: k === columns.length - 1 }));
  });
  return { width: LEFT * 2 + (columns.length - 1) * STEP, height: TOP + high + FOOT, parts: [...lines, ...dots] };
}

function columnOf(column, k, { at, radius, path, texts, foot, isLast }) {
  const name = fill(texts.layer, { n: k ? column.path[0] + 1 : "", kind: column.label, shape: column.n });
  const group = svg("g", k ? { role: "button", "aria-label": name, "data-path": path, class: "column" } : { class: "column" });
  for (let i = 0; i < column.n; i += 1) {
    const [cx, cy] = at(k, i);
    group.append(svg("circle", { cx, cy, r: radius, class: "neuron" }, svg("title", {}, column.names[i] ?? fill(texts.neuron, { label: column.label, i: i + 1, n: column.n }))));
    const label = column.names[i];
    if (label) group.append(text(k ? cx + radius + 5 : cx - radius - 5, cy + 4, label.length > 12 ? `${label.slice(0, 11)}…` : label, isLast ? "name left" : "name right"));
  }
  const x = LEFT + k * STEP;
  group.append(text(x, foot + 18, k ? `${column.path[0] + 1} ${column.label} ${column.n}` : `${column.label} ${column.n}`, "kind"));
  if (column.after) group.append(text(x, foot + 34, column.after, "shape"));
  return group;
}
