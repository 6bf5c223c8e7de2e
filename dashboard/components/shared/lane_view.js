// Which lanes of a run are muted or pinned on this page, for all components alike, and how a lane is drawn everywhere.
// The window event `layerwise:lanes` carries {run, muted: [lane, ...], pinned: [lane, ...]}; whoever sends it sets both.

import { svg } from "./svg.js";

const EVENT = "layerwise:lanes";
const PAINT = "layerwise:palettes";
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
// The same, as lengths of line and gap for SVG
export const DASH_LENGTHS = { solid: "none", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3", longdash: "11 4", longdashdot: "11 3 2 3" };

const NONE = { muted: new Set(), pinned: new Set() };
const known = new Map(); // by run

window.addEventListener(EVENT, ({ detail }) => {
  known.set(detail.run, { muted: new Set(detail.muted), pinned: new Set(detail.pinned) });
});

let palettes = [];

// The colours of lanes on light and on dark pages: the curves know them, and tell the page's other components
export function setPalettes(found) {
  if (JSON.stringify(found) === JSON.stringify(palettes)) return;
  palettes = found;
  window.dispatchEvent(new CustomEvent(PAINT));
}

// One colour for all until anybody has told more
export const paletteOf = (isDark, plain) => palettes[isDark ? 1 : 0] ?? [plain];

export const laneView = (run) => known.get(run) ?? NONE;

export function tellLanes(run, { muted, pinned }) {
  window.dispatchEvent(new CustomEvent(EVENT, { detail: { run, muted: [...muted], pinned: [...pinned] } }));
}

// Call `listener` whenever that or the palette changes, for any run; the returned function ends it
export function onLanes(listener) {
  for (const name of [EVENT, PAINT]) window.addEventListener(name, listener);
  return () => [EVENT, PAINT].forEach((name) => window.removeEventListener(name, listener));
}

// `set` with `lane` in it if it was not, and without it if it was
export function toggled(set, lane) {
  const found = new Set(set);
  if (!found.delete(lane)) found.add(lane);
  return found;
}

// Neighbours differ in colour and in dash; with six of each no two of 36 lanes are alike
// The line of a lane, for legends and captions
export function laneSwatch({ colour, dash }, width = 34) {
  const props = { x1: 1, x2: width - 1, y1: 5, y2: 5, stroke: colour, "stroke-width": 2.6, "stroke-dasharray": DASH_LENGTHS[dash] };
  return svg("svg", { class: "swatch", width, height: 10, viewBox: `0 0 ${width} 10`, "aria-hidden": "true" }, svg("line", props));
}

export function laneStyle(lane, palette) {
  const round = Math.floor(lane / palette.length);
  return { colour: palette[lane % palette.length], dash: DASHES[(lane + round) % DASHES.length] };
}
