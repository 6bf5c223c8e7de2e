// Loss against step for all lanes, on a log axis; a click or a drag in it chooses the step.

import { cssValue, h } from "./dom.js";
import { laneStyle } from "./lane_view.js";
import { brief, ticks } from "./surface_data.js";
import { dashOf, paintMarker, shapeOf } from "./surface_paint.js";

const EDGE = { left: 58, top: 10, right: 14, bottom: 40 };
const MOST_DECADES = 12;

export class Values {
  constructor(texts, onStep) {
    this.texts = texts;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.element = h("div", { class: "values", role: "figure" }, this.canvas);
    const choose = (event) => {
      if (!this.box || !(event.buttons & 1 || event.type === "pointerdown")) return;
      const x = event.clientX - this.canvas.getBoundingClientRect().left;
      const share = (x - this.box.left) / this.box.width;
      onStep(Math.round(Math.min(1, Math.max(0, share)) * this.scene.paths.nSteps));
    };
    this.canvas.addEventListener("pointerdown", choose);
    this.canvas.addEventListener("pointermove", choose);
  }

  draw(scene) {
    this.scene = scene;
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const paint = canvas.getContext("2d");
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, width, height);
    if (!scene.paths) return;
    const style = {
      text: cssValue(canvas, "--st-text-color"), background: cssValue(canvas, "--st-background-color"),
      grid: cssValue(canvas, "--st-border-color"), quiet: getComputedStyle(canvas).color, font: cssValue(canvas, "--st-font") || "sans-serif",
    };
    this.box = { left: EDGE.left, top: EDGE.top, width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    this.range = decades(scene.paths, scene.hidden);
    this.axes(paint, style);
    this.lines(paint, style);
  }

  at(step, loss) {
    const { left, top, width, height } = this.box;
    const [low, high] = this.range;
    const power = loss > 0 ? Math.max(low, Math.log10(loss)) : low;
    return [left + (width * step) / this.scene.paths.nSteps, top + height * (1 - (power - low) / (high - low))];
  }

  axes(paint, style) {
    const { left, top, width, height } = this.box;
    const [low, high] = this.range;
    paint.font = `12px ${style.font}`;
    paint.fillStyle = style.quiet;
    paint.strokeStyle = style.grid;
    paint.lineWidth = 1;
    paint.textAlign = "right";
    paint.textBaseline = "middle";
    const every = Math.ceil((high - low) / 7);
    for (let power = Math.ceil(low); power <= high; power += every) {
      const [, y] = this.at(0, 10 ** power);
      paint.globalAlpha = 0.6;
      line(paint, left, y, left + width, y);
      paint.globalAlpha = 1;
      const number = power < -3 || power > 4 ? `1e${power}` : String(Number((10 ** power).toPrecision(3)));
      paint.fillText(power === low && this.range.isCut ? `≤ ${number}` : number, left - 6, y);
    }
    line(paint, left, top + height, left + width, top + height);
    line(paint, left, top, left, top + height);
    paint.textAlign = "center";
    paint.textBaseline = "top";
    const { nSteps } = this.scene.paths;
    for (const tick of ticks(0, nSteps, 5).filter(Number.isInteger)) {
      const [x] = this.at(tick, 1);
      line(paint, x, top + height, x, top + height + 4);
      paint.fillText(brief(tick), x, top + height + 6);
    }
    paint.fillText(this.texts.step_axis, left + width / 2, top + height + 23);
    paint.save();
    paint.translate(9, top + height / 2);
    paint.rotate(-Math.PI / 2);
    paint.textBaseline = "middle";
    paint.fillText(this.scene.lossAxis, 0, 0);
    paint.restore();
  }

  lines(paint, style) {
    const { paths, step, palette, hidden, isStale } = this.scene;
    const { left, top, width, height } = this.box;
    const [x] = this.at(step, 1);
    paint.strokeStyle = style.quiet;
    line(paint, x, top, x, top + height);
    paint.save();
    paint.beginPath();
    paint.rect(left, top - 8, width + 10, height + 16);
    paint.clip();
    for (let lane = 0; lane < paths.n; lane++) {
      if (hidden.has(lane)) continue;
      const look = laneStyle(lane, palette);
      paint.globalAlpha = isStale ? 0.3 : 1;
      paint.strokeStyle = look.colour;
      paint.lineWidth = 2;
      paint.lineJoin = "round";
      paint.setLineDash(dashOf(look));
      paint.beginPath();
      for (let k = 0; k <= paths.done[lane]; k++) paint[k ? "lineTo" : "moveTo"](...this.at(k, paths.loss(lane, k)));
      paint.stroke();
      paint.setLineDash([]);
    }
    paint.globalAlpha = 1;
    for (let lane = 0; lane < paths.n && !isStale; lane++) {
      if (hidden.has(lane)) continue;
      const k = paths.last(lane, step);
      paintMarker(paint, shapeOf(lane), ...this.at(k, paths.loss(lane, k)), laneStyle(lane, palette).colour, style.background, 5);
    }
    paint.restore();
  }
}

function line(paint, ...ends) {
  paint.beginPath();
  paint.moveTo(ends[0], ends[1]);
  paint.lineTo(ends[2], ends[3]);
  paint.stroke();
}

// The powers of ten between which all losses of the lanes in sight lie, at most so many
function decades(paths, hidden) {
  let [low, high, hasZero] = [Infinity, -Infinity, false];
  for (let lane = 0; lane < paths.n; lane++) {
    if (hidden.has(lane)) continue;
    for (let k = 0; k <= paths.done[lane]; k++) {
      const loss = paths.loss(lane, k);
      if (loss === 0) hasZero = true;
      else [low, high] = [Math.min(low, loss), Math.max(high, loss)];
    }
  }
  if (low === Infinity) return [-1, 1]; // nobody in sight, or all at the minimum
  const top = Math.ceil(Math.log10(high) + 1e-9);
  const bottom = Math.min(top - 1, Math.floor(Math.log10(low)));
  return Object.assign([Math.max(top - MOST_DECADES, bottom), top], { isCut: hasZero || bottom < top - MOST_DECADES });
}
