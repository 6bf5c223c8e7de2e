// The surface in three dimensions by plotly.js: the same heights as the contours, the paths on it, markers at the step.

import { cssValue, h } from "./dom.js";
import { laneStyle } from "./lane_view.js";
import { loadPlotly } from "./plotly.js";
import { brief, mixed } from "./surface_data.js";
import { shapeOf } from "./surface_paint.js";

const LIFT = 0.012; // of the height: paths would sink into the surface
const SYMBOLS = { circle: "circle", square: "square", diamond: "diamond", up: "circle-open", down: "square-open", cross: "cross" };
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false };
const EYE = { radius: 1.75, height: 1.95, turn: -60 };
const PIECES = 60; // a straight step over the whole view is laid onto the surface in so many pieces
const MOVE_MS = 80; // between two moves of the markers

export const hasWebGL = () => Boolean(document.createElement("canvas").getContext("webgl"));

export class Space {
  constructor(texts, plotlyAddress) {
    this.texts = texts;
    this.address = plotlyAddress;
    this.turn = EYE.turn;
    this.frame = h("div", { class: "frame" });
    this.turning = h("input", { type: "range", min: -180, max: 180, step: 5, value: this.turn });
    this.turning.addEventListener("input", () => this.look(Number(this.turning.value)));
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.element = h("div", { class: "space", role: "figure" }, this.frame, this.problem,
      h("label", { class: "turn" }, texts.turn, this.turning));
  }

  async draw(scene) {
    this.scene = scene;
    if (this.isBusy) return;
    const key = [scene.relief, scene.paths, scene.palette];
    const isSame = this.drawn?.every((part, i) => part === key[i]) && this.hidden === [...scene.hidden].join();
    if (isSame && this.isStale === scene.isStale) {
      if (this.step !== scene.step) this.move();
      return;
    }
    if (!hasWebGL()) {
      this.fail(this.texts.no_webgl);
      return;
    }
    this.isBusy = true;
    try {
      this.Plotly ??= await loadPlotly(this.address);
      Object.assign(this, { drawn: key, hidden: [...scene.hidden].join(), isStale: scene.isStale });
      await this.Plotly.react(this.frame, this.traces(), this.layout(), CONFIG);
      this.step = scene.step;
    } catch {
      this.fail(this.texts.no_plotly);
    } finally {
      this.isBusy = false;
    }
    if (this.scene !== scene) this.draw(this.scene);
  }

  fail(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  traces() {
    const { relief, paths, palette, hidden, isStale } = this.scene;
    const colour = (share) => `rgb(${mixed(cssValue(this.frame, "--st-background-color"), cssValue(this.frame, "--st-primary-color"), share).join(",")})`;
    const { x, y, z } = grid(relief);
    const surface = {
      type: "surface", x, y, z, showscale: false, hoverinfo: "skip", cmin: 0, cmax: relief.top,
      colorscale: [[0, colour(0.62)], [0.5, colour(0.32)], [1, colour(0.12)]],
      lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.05, roughness: 0.9 },
      contours: { z: { show: true, start: 1, end: relief.levels.length, size: 1, color: cssValue(this.frame, "--st-text-color"), width: 1 } },
    };
    const shown = paths ? [...Array(paths.n).keys()].filter((lane) => !hidden.has(lane)) : [];
    this.shown = shown;
    const lines = shown.map((lane) => {
      const look = laneStyle(lane, palette);
      return {
        type: "scatter3d", mode: "lines", ...this.path(lane), opacity: isStale ? 0.3 : 1, hoverinfo: "name",
        name: escape(paths.labels[lane]), line: { color: look.colour, width: 6, dash: look.dash },
      };
    });
    const markers = shown.map((lane) => ({
      type: "scatter3d", mode: "markers", ...this.marker(lane), hoverinfo: "name", name: escape(paths.labels[lane]), visible: !isStale,
      marker: { color: laneStyle(lane, palette).colour, size: 6, symbol: SYMBOLS[shapeOf(lane)], line: { color: cssValue(this.frame, "--st-background-color"), width: 1 } },
    }));
    return [surface, ...lines, ...markers];
  }

  // Places outside of what is shown leave a gap
  point(place) {
    const { relief } = this.scene;
    const height = relief.heightAt(place);
    return height === null ? [null, null, null] : [...place, height + LIFT * relief.top];
  }

  // A path laid onto the surface: a straight line between two places would run through its hills
  path(lane) {
    const { paths, relief } = this.scene;
    const points = [this.point(paths.place(lane, 0))];
    for (let k = 1; k <= paths.done[lane]; k++) {
      const [from, to] = [paths.place(lane, k - 1), paths.place(lane, k)];
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      const n = Math.max(1, Math.min(PIECES, Math.ceil((PIECES * length) / (2 * relief.view.half))));
      for (let i = 1; i <= n; i++) points.push(this.point(from.map((value, axis) => value + (i / n) * (to[axis] - value))));
    }
    return { x: points.map((p) => p[0]), y: points.map((p) => p[1]), z: points.map((p) => p[2]) };
  }

  marker(lane) {
    const { paths, step } = this.scene;
    const [x, y, z] = this.point(paths.place(lane, paths.last(lane, step)));
    return { x: [x], y: [y], z: [z] };
  }

  // Only the markers have moved
  move() {
    const wait = (this.moved ?? 0) + MOVE_MS - performance.now();
    clearTimeout(this.later);
    if (wait > 0) {
      this.later = setTimeout(() => this.draw(this.scene), wait);
      return;
    }
    this.moved = performance.now();
    this.step = this.scene.step;
    if (!this.shown.length) return;
    const at = this.shown.map((lane) => this.marker(lane));
    const first = 1 + this.shown.length;
    const change = Object.fromEntries(["x", "y", "z"].map((axis) => [axis, at.map((one) => one[axis])]));
    this.Plotly.restyle(this.frame, change, this.shown.map((_, i) => first + i));
  }

  layout() {
    const { relief, lossAxis } = this.scene;
    const text = cssValue(this.frame, "--st-text-color");
    const line = cssValue(this.frame, "--st-border-color");
    const axis = { color: text, gridcolor: line, zerolinecolor: line, showbackground: false, title: { font: { size: 12 } }, tickfont: { size: 11 } };
    const shownLevels = relief.levels.map((value, k) => [k + 1, value]).filter((_, k) => k % Math.ceil(relief.levels.length / 6) === 0);
    return {
      autosize: true, margin: { t: 0, r: 0, b: 0, l: 0 }, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", uirevision: "kept",
      font: { family: cssValue(this.frame, "--st-font") || "sans-serif", color: text },
      hoverlabel: { bgcolor: cssValue(this.frame, "--st-secondary-background-color"), font: { color: text } },
      scene: {
        aspectmode: "manual", aspectratio: { x: 1.15, y: 1.15, z: 0.75 }, camera: this.camera(), uirevision: "kept",
        xaxis: { ...axis, title: { ...axis.title, text: this.texts.x_axis } },
        yaxis: { ...axis, title: { ...axis.title, text: this.texts.y_axis } },
        zaxis: { ...axis, title: { ...axis.title, text: lossAxis }, tickvals: shownLevels.map(([k]) => k), ticktext: shownLevels.map(([, value]) => brief(value)), range: [0, relief.top] },
      },
    };
  }

  camera() {
    const angle = (this.turn * Math.PI) / 180;
    return { eye: { x: EYE.radius * Math.cos(angle), y: EYE.radius * Math.sin(angle), z: EYE.height }, center: { x: 0, y: 0, z: -0.12 } };
  }

  look(degrees) {
    this.turn = degrees;
    if (this.drawn) this.Plotly.relayout(this.frame, { "scene.camera": this.camera() });
  }

  reset() {
    this.turning.value = EYE.turn;
    this.look(EYE.turn);
  }

  resize() {
    if (this.drawn && !this.isBusy && this.frame.clientWidth) this.Plotly.Plots.resize(this.frame);
  }

  purge() {
    clearTimeout(this.later);
    if (this.drawn) this.Plotly.purge(this.frame);
    this.drawn = null;
  }
}

function grid({ side, ranks, view }) {
  const at = [...Array(side).keys()];
  const axis = (middle) => at.map((i) => middle + view.half * ((2 * i) / (side - 1) - 1));
  return { x: axis(view.centre[0]), y: axis(view.centre[1]), z: at.map((row) => at.map((column) => ranks[row * side + column])) };
}

// Plotly reads a little markup in texts
function escape(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
