// One Plotly panel, updated in place. Per series: the batches (faint as measured, thin smoothed), and at the end of each
// epoch the training sample (solid) and validation (dashed), which compare with each other.

import { cssValue, fill, short } from "./dom.js";
import { decimated } from "./curve_data.js";

const TRACES = 4; // per series: as measured, batches, training, validation
const MAX_MARKERS = 30; // more than these run into each other
const MAX_BUCKETS = 300;
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: "reset" };

let loading;
export function loadPlotly(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => {
      loading = undefined;
      reject(new Error("plotly.js"));
    };
    document.head.append(script);
  });
  return loading;
}

export class Panel {
  // `spec`: {axis}, and for scores {unit, reach}: how hover writes them, and how far the axis goes; `frame` is the element to draw into
  constructor(Plotly, frame, spec, onRange) {
    Object.assign(this, { Plotly, frame, spec, nSeries: 0, isLog: false, factor: 1, marksKey: "" });
    this.onRange = onRange;
  }

  async build(series, palette, texts) {
    this.series = series;
    this.palette = palette;
    this.texts = texts;
    this.nSeries = series.length;
    const traces = series.flatMap((name, k) => this.traces(name, palette[k % palette.length]));
    await this.Plotly.newPlot(this.frame, traces, this.layout(), CONFIG);
    this.frame.on("plotly_relayout", () => this.onRange());
  }

  traces(name, colour) {
    const { texts, spec } = this;
    const unit = spec.unit ?? "%{y:.4g}";
    const held = blended(colour, cssValue(this.frame, "--st-text-color"));
    const tip = (what) => `${this.series.length > 1 ? `${escape(name)}, ` : ""}${what}: ${unit}<extra></extra>`;
    return [
      { x: [], y: [], mode: "lines", line: { color: colour, width: 1 }, opacity: 0.22, visible: false, hoverinfo: "skip" },
      { x: [], y: [], mode: "lines", line: { color: colour, width: 1.2 }, marker: { color: colour, size: 3 }, opacity: 0.65, hovertemplate: tip(texts.batches) },
      { x: [], y: [], mode: "lines+markers", line: { color: colour, width: 2.4 }, marker: { color: colour, size: 6 }, hovertemplate: tip(texts.train) },
      {
        x: [], y: [], mode: "lines+markers", hovertemplate: tip(texts.validation),
        line: { color: held, width: 2.4, dash: "dash" },
        marker: { color: cssValue(this.frame, "--st-background-color"), size: 7, symbol: "diamond", line: { color: held, width: 1.8 } },
      },
    ];
  }

  layout() {
    const colour = cssValue(this.frame, "--st-text-color");
    const grid = cssValue(this.frame, "--st-border-color");
    const axis = { gridcolor: grid, linecolor: grid, zeroline: false, showline: true, ticks: "outside", tickcolor: grid };
    return {
      autosize: true, margin: { t: 10, r: 14, b: 46, l: 62 }, showlegend: false, hovermode: "x", dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour, family: cssValue(this.frame, "--st-font") || "sans-serif", size: 12 },
      hoverlabel: { bgcolor: cssValue(this.frame, "--st-secondary-background-color"), bordercolor: grid, font: { color: colour } },
      xaxis: { ...axis, title: { text: this.xTitle ?? this.texts.step_axis, standoff: 8 }, rangemode: "tozero" },
      yaxis: { ...axis, title: { text: this.spec.axis, standoff: 8 }, ...(this.spec.reach ? { autorangeoptions: this.spec.reach } : {}) },
    };
  }

  get range() {
    const axis = this.frame._fullLayout?.xaxis;
    return !axis || axis.autorange ? null : axis.range;
  }

  get isZoomed() {
    const full = this.frame._fullLayout;
    return Boolean(full && (!full.xaxis.autorange || !full.yaxis.autorange));
  }

  // `curves[k]`: {raw, batches, train, validation}, each {n, step(i), y(i)}; raw is null where nothing is smoothed
  draw(curves, lastStep) {
    const range = this.range;
    const [lo, hi] = range ?? [0, lastStep / this.factor];
    const buckets = Math.max(60, Math.min(MAX_BUCKETS, this.frame.clientWidth >> 1));
    const xs = [];
    const ys = [];
    const shown = [];
    const modes = [];
    for (const curve of curves) {
      // a batch's score is measured now and then: dots, since a line would tell of what was not measured
      const isDots = Boolean(this.spec.reach);
      const parts = isDots ? [null, curve.raw ?? curve.batches, curve.train, curve.validation] : [curve.raw, curve.batches, curve.train, curve.validation];
      for (const part of parts) {
        const data = part ? decimated({ n: part.n, x: (i) => part.step(i) / this.factor, y: part.y, lo, hi, buckets }) : { x: [], y: [] };
        xs.push(data.x);
        ys.push(data.y);
        shown.push(Boolean(part));
        const isByEpoch = part === curve.train || part === curve.validation;
        const isLine = isByEpoch || !isDots;
        modes.push(isLine ? (isByEpoch && data.x.length <= MAX_MARKERS ? "lines+markers" : "lines") : "markers");
      }
    }
    this.Plotly.restyle(this.frame, { x: xs, y: ys, visible: shown, mode: modes }, [...Array(this.nSeries * TRACES).keys()]);
  }

  marks(items) {
    const key = JSON.stringify([items, this.factor]);
    if (key === this.marksKey) return;
    this.marksKey = key;
    const colour = cssValue(this.frame, "--st-text-color");
    const text = (mark) => fill(this.texts.mark, { name: mark.name.replaceAll("_", " "), old: short(mark.old, 3), new: short(mark.new, 3) });
    const x = (mark) => (mark.step + 0.5) / this.factor;
    this.Plotly.relayout(this.frame, {
      shapes: items.map((mark) => ({ type: "line", x0: x(mark), x1: x(mark), y0: 0, y1: 1, yref: "paper", line: { color: colour, width: 1, dash: "dot" } })),
      annotations: items.map((mark, i) => ({
        x: x(mark), y: 1 - 0.09 * (i % 3), yref: "paper", yanchor: "top", xanchor: "left", showarrow: false,
        text: escape(text(mark)), font: { size: 11, color: colour }, bgcolor: cssValue(this.frame, "--st-background-color"), opacity: 0.85,
      })),
    });
  }

  setLog(isLog) {
    this.isLog = isLog;
    this.Plotly.relayout(this.frame, { "yaxis.type": isLog ? "log" : "linear", "yaxis.autorange": true });
  }

  // x in steps divided by `factor`; a zoomed range stays on the same steps
  setUnit(factor, title) {
    const range = this.range;
    const change = { "xaxis.title.text": title };
    if (range) change["xaxis.range"] = range.map((x) => (x * this.factor) / factor);
    this.xTitle = title;
    this.factor = factor;
    this.Plotly.relayout(this.frame, change);
  }

  resetZoom() {
    this.Plotly.relayout(this.frame, { "xaxis.autorange": true, "yaxis.autorange": true });
  }

  // Colours follow the theme; what the user zoomed into stays
  restyle(palette) {
    this.palette = palette;
    const { font, hoverlabel, xaxis, yaxis } = this.layout();
    const change = { font, hoverlabel };
    for (const name of ["gridcolor", "linecolor", "tickcolor"]) {
      change[`xaxis.${name}`] = xaxis[name];
      change[`yaxis.${name}`] = yaxis[name];
    }
    this.Plotly.relayout(this.frame, change);
    this.series.forEach((name, k) => {
      const colour = palette[k % palette.length];
      const { line, marker } = this.traces(name, colour)[TRACES - 1];
      this.Plotly.restyle(this.frame, { "line.color": colour, "marker.color": colour }, [0, 1, 2].map((at) => k * TRACES + at));
      const held = { "line.color": line.color, "marker.color": marker.color, "marker.line.color": marker.line.color };
      this.Plotly.restyle(this.frame, held, [k * TRACES + TRACES - 1]);
    });
    const items = JSON.parse(this.marksKey || "[[]]")[0];
    this.marksKey = "";
    this.marks(items);
  }

  resize() {
    if (this.frame.clientWidth && this.nSeries) this.Plotly.Plots.resize(this.frame);
  }

  purge() {
    this.Plotly.purge(this.frame);
  }
}

// A series' colour on its way to the text colour: darker on light, lighter on dark
export function blended(colour, text) {
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.fillStyle = text || "#808080"; // the canvas turns every CSS colour into #rrggbb
  const other = channels(context.fillStyle);
  return `rgb(${channels(colour).map((channel, i) => Math.round(0.6 * channel + 0.4 * other[i])).join(",")})`;
}

// Plotly reads a little markup in texts
function escape(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
