// The numbers of a chart as CSV: one line per point, with the name of its trace; grids as one line per cell.

import { quoted } from "./dom.js";

const GRIDS = ["heatmap", "contour", "surface", "heatmapgl"];
const COLUMNS = ["x", "y", "z", "error_x", "error_y", "text", "labels", "values", "base"];

// `chart`: the element that plotly.js draws in, whose traces are at `_fullData` with all their numbers unpacked. Empty text
// for a chart without numbers.
export function traceTable(chart) {
  const traces = (chart._fullData ?? chart.data).filter((trace) => trace.visible !== "legendonly");
  const parts = traces.map((trace) => (GRIDS.includes(trace.type) ? gridRows(trace) : trace.dimensions ? dimensionRows(trace) : pointRows(trace)));
  const names = ["trace", ...new Set(parts.flatMap((part) => part.names))];
  const titles = names.map((name) => quoted(title(chart.layout, name)));
  const lines = parts.flatMap((part, k) => part.rows.map((row) => {
    const cells = new Map(part.names.map((name, i) => [name, row[i]]));
    return names.map((name) => (name === "trace" ? quoted(traces[k].name ?? String(k)) : cell(cells.get(name)))).join(",");
  }));
  return lines.length ? [titles.join(","), ...lines, ""].join("\n") : "";
}

function pointRows(trace) {
  const column = (name) => (name.startsWith("error") ? trace[name]?.array : trace[name]);
  const names = COLUMNS.filter((name) => isList(column(name)));
  const n = Math.max(0, ...names.map((name) => column(name).length));
  return { names, rows: Array.from({ length: n }, (_, i) => names.map((name) => column(name)[i])) };
}

function gridRows(trace) {
  const at = (axis, i) => trace[axis]?.[i] ?? i;
  const rows = Array.from(trace.z ?? []).flatMap((row, i) => Array.from(row, (value, j) => [at("x", j), at("y", i), value]));
  return { names: ["x", "y", "z"], rows };
}

function dimensionRows(trace) {
  const columns = trace.dimensions.filter((dimension) => isList(dimension.values));
  const n = Math.max(0, ...columns.map((dimension) => dimension.values.length));
  return { names: columns.map((one) => one.label), rows: Array.from({ length: n }, (_, i) => columns.map((one) => one.values[i])) };
}

const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

// An axis by its title, where it has one
function title(layout, name) {
  const text = ["x", "y"].includes(name) ? layout?.[`${name}axis`]?.title?.text : undefined;
  return text ? text.replaceAll(/<[^>]*>/g, "") : name;
}

function cell(value) {
  if (value === undefined || value === null || (typeof value === "number" && !Number.isFinite(value))) return "";
  return typeof value === "number" ? String(value) : quoted(String(value));
}
