// The plane as a table: its points, and the grid of each surface; of a race with the lane's name.

import { quoted } from "./dom.js";

export function planeTable(data, surfaces, { isNumber, inUnit }) {
  const isRace = surfaces.some(({ name }) => name !== null);
  const line = (name, ...cells) => [...(isRace ? [cells[0], quoted(name), ...cells.slice(1)] : cells)].join(",");
  const lines = [line("lane", "kind", "x1", "x2", ...(isNumber ? ["target", "prediction"] : ["class", "probability"]))];
  data.x.forEach((x, i) => lines.push(line("", data.held[i] ? "validation" : "training", x, data.y[i], data.target[i], "")));
  for (const { name, surface } of surfaces) {
    const at = (k) => (-surface.span + (2 * surface.span * k) / (surface.side - 1)).toFixed(4);
    surface.values.forEach((value, i) => {
      const p = inUnit(value / 255);
      lines.push(line(name ?? "", "surface", at(i % surface.side), at(Math.floor(i / surface.side)), "", p.toFixed(4)));
    });
  }
  return lines.join("\n") + "\n";
}
