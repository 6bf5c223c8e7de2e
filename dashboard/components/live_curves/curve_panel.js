// One Plotly panel, updated in place. Of a single lane: the batches (faint as measured, thin smoothed), and at the end of each
// epoch the training sample (solid) and validation (dashed), which compare with each other. In a race each lane keeps its
// colour and dash, and what was measured at the ends of epochs has markers. Repeats are a mean line in a band.

import { decimated, lowerBound, outline } from "./curve_data.js";
import { Underlay } from "./curve_underlay.js";
import { chartScale, cssValue } from "./dom.js";
import { savePicture } from "./plotly.js";

const MARKERS = 12; // more than these run into each other
const MAX_BUCKETS = 300;
const MIN_BUCKETS = 40;
const MAX_POINTS = 9000; // SVG points of all lines of a panel
const MAX_LABELS = 10; // at hover; the legend reads all
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: "reset" };

export class Panel {
  // `spec`: {axis}, and for scores {unit, reach, isScore}: how hover writes them, and how far the axis goes
  constructor(Plotly, frame, spec, { onRange, onHover }) {
    Object.assign(this, { Plotly, frame, spec, onRange, onHover, underlay: new Underlay(frame), isBuilt: false, isLogX: false, isLogY: false, revision: 0 });
  }

  // Whether anything that is drawn has changed since the last time that it was asked
  isNew(key) {
    const whole = `${key} ${this.revision} ${this.range} ${this.frame.clientWidth}`;
    if (whole === this.key) return false;
    this.key = whole;
    return true;
  }

  // `lanes`: [{name, colour, dash, isFaded, parts: {kind: curve}, raw, best}] with curves {n, step(i), y(i), low(i), high(i)};
  // `view`: {x(step), unit, xTitle, last, cursor, marks, isRace, texts}
  draw(lanes, view) {
    if (view.isFixed && !this.held) this.hold(lanes, view);
    this.view = view;
    this.scale = chartScale(this.frame);
    const nLines = lanes.reduce((n, lane) => n + Object.keys(lane.parts).length , 0);
    this.buckets = Math.max(MIN_BUCKETS, Math.min(MAX_BUCKETS, this.frame.clientWidth >> 1, Math.floor(MAX_POINTS / 2 / Math.max(1, nLines))));
    [this.lo, this.hi] = this.reach();
    const [thin, bold, bands, faint] = [[], [], [], []];
    for (const lane of lanes) {
      for (const [kind, curve] of Object.entries(lane.parts)) {
        if (lane.hasBand && !lane.isFaded) bands.push(this.band(curve, lane));
        (kind === "batches" ? thin : bold).push(this.line(lane, kind, curve, lanes.length));
      }
      if (lane.raw) faint.push(this.raw(lane));
    }
    const shapes = bands.filter(({ isFlat }) => !isFlat);
    this.underlay.set(view.isRace ? [...shapes, ...faint] : shapes);
    const traces = [...(view.isRace ? [] : faint.map(rawTrace)), ...thin, ...bold];
    if (shapes.length) traces.push(extentTrace(shapes, this.isLogY));
    const starred = lanes.filter((lane) => lane.best);
    if (starred.length) traces.push(this.stars(starred));
    if (this.isBuilt) this.Plotly.react(this.frame, traces, this.layout(view), CONFIG);
    else this.start(traces, view);
  }

  async start(traces, view) {
    this.isBuilt = true;
    await this.Plotly.newPlot(this.frame, traces, this.layout(view), CONFIG);
    this.underlay.paint();
    for (const moment of ["plotly_afterplot", "plotly_relayouting"]) this.frame.on(moment, () => this.underlay.paint());
    this.frame.on("plotly_relayout", () => this.onRange());
    this.frame.on("plotly_hover", ({ points }) => this.onHover(points[0]?.x ?? null));
    this.frame.on("plotly_unhover", () => this.onHover(null));
  }

  // What is seen of x, in its unit
  reach() {
    const range = this.range;
    return range ?? [this.isLogX ? this.view.x(1) : 0, this.view.x(this.view.until)];
  }

  get range() {
    const axis = this.frame._fullLayout?.xaxis;
    if (!axis || axis.autorange || this.view?.isFixed) return null;
    return axis.type === "log" ? axis.range.map((power) => 10 ** power) : axis.range;
  }

  get isZoomed() {
    const full = this.frame._fullLayout;
    return Boolean(full && !this.view?.isFixed && (!full.xaxis.autorange || !full.yaxis.autorange));
  }

  points(curve, y = curve.y) {
    return decimated({ n: this.shown(curve), x: (i) => this.view.x(curve.step(i)), y, lo: this.lo, hi: this.hi, buckets: this.buckets });
  }

  // How many of the points lie before the moment that is replayed
  shown({ n, step }) {
    return this.view.isFixed ? lowerBound(n, step, this.view.until + 0.5) : n;
  }

  line(lane, kind, curve, nLanes) {
    const { isRace, texts } = this.view;
    const { spec } = this;
    const isHeld = kind === "validation";
    const held = isHeld && !isRace ? blended(lane.colour, cssValue(this.frame, "--st-text-color")) : lane.colour;
    // a batch's score is measured now and then: dots, since a line would tell of what was not measured
    const isDots = spec.isScore && kind === "batches" && !isRace;
    const hasMarkers = kind === "train" || isHeld;
    const isThin = kind === "batches";
    const what = kind === "always" ? spec.title : texts[kind];
    const label = `${isRace ? `${escape(lane.name)}, ` : ""}${what}: ${spec.unit ?? "%{y:.4g}"}<extra></extra>`;
    const data = this.points(curve);
    return {
      ...data, uid: `${lane.index}.${kind}`, name: lane.name, meta: isRace ? `${escape(lane.name)}, ${what}` : what, mode: isDots ? "markers" : hasMarkers ? "lines+markers" : "lines",
      opacity: lane.isFaded ? 0.15 : isThin && !isRace ? 0.65 : 1,
      ...(nLanes > MAX_LABELS && !lane.isPinned ? { hoverinfo: "none" } : { hovertemplate: label }),
      line: { color: held, width: this.scale * (isThin && !isRace ? 1.2 : lane.isPinned ? 3 : isRace ? 1.9 : 2.4), dash: isRace ? lane.dash : isHeld ? "dash" : "solid", shape: spec.isRate ? "hv" : "linear" },
      marker: isDots ? { color: lane.colour, size: 3 * this.scale } : {
        maxdisplayed: MARKERS, size: this.scale * (isHeld ? 7 : 6), symbol: isHeld ? "diamond" : "circle",
        color: isHeld ? cssValue(this.frame, "--st-background-color") : lane.colour, line: { color: held, width: isHeld ? 1.8 * this.scale : 0 },
      },
    };
  }

  raw({ raw, index, colour, isFaded }) {
    return { ...this.points(raw, raw.raw), index, colour, opacity: isFaded ? 0.05 : 0.22 };
  }

  band(curve, { colour }) {
    const { x } = this.view;
    return {
      ...outline({ n: this.shown(curve), x: (i) => x(curve.step(i)), low: curve.low, high: curve.high, lo: this.lo, hi: this.hi, buckets: MAX_BUCKETS }),
      colour, opacity: 0.17, isBand: true,
    };
  }

  // One trace for all: each trace has its price, whatever is in it
  stars(lanes) {
    const of = (pick) => lanes.map(pick);
    return {
      x: of(({ best }) => this.view.x(best.step)), y: of(({ best }) => best.value), uid: "best", mode: "markers",
      text: of(({ best }) => escape(best.text)), hovertemplate: "%{text}<extra></extra>",
      marker: {
        symbol: "star", size: 13 * this.scale, color: of(({ colour }) => colour), opacity: of(({ isFaded }) => (isFaded ? 0.15 : 1)),
        line: { color: cssValue(this.frame, "--st-background-color"), width: 1.2 },
      },
    };
  }

  layout(view) {
    const colour = cssValue(this.frame, "--st-text-color");
    const grid = cssValue(this.frame, "--st-border-color");
    // the margins have room for all labels: to find those that have none, Plotly measures each with every update
    const axis = { gridcolor: grid, linecolor: grid, zeroline: false, showline: true, ticks: "outside", tickcolor: grid, ticklabeloverflow: "allow" };
    const x = { ...axis, title: { text: view.xTitle, standoff: 8 }, type: this.isLogX ? "log" : "linear", uirevision: `x${this.revision}`, exponentformat: "none", separatethousands: true };
    const y = { ...axis, title: { text: this.spec.axis, standoff: 8 }, type: this.isLogY ? "log" : "linear", uirevision: `y${this.revision}`, exponentformat: "e" };
    if (!this.isLogX) x.rangemode = "tozero";
    if (this.isLogY) y.nticks = 5;
    if (this.spec.reach) y.autorangeoptions = this.spec.reach;
    if (view.isFixed) this.still(x, y, view);
    return {
      autosize: true, margin: { t: 10, r: 26 * this.scale, b: 46 * this.scale, l: 62 * this.scale }, showlegend: false, hovermode: "x", dragmode: "zoom", uirevision: "same",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour, family: cssValue(this.frame, "--st-font") || "sans-serif", size: 12 * this.scale },
      hoverlabel: { bgcolor: cssValue(this.frame, "--st-secondary-background-color"), bordercolor: grid, font: { color: colour } },
      xaxis: x, yaxis: y, ...this.notes(view, colour),
    };
  }

  // While it is replayed the axes stand still: those of the whole run, which is drawn once for them
  hold(lanes, view) {
    this.draw(lanes, { ...view, isFixed: false, cursor: null, until: view.last });
    const range = this.frame._fullLayout?.yaxis?.range;
    this.held = range && [...range];
  }

  still(x, y, view) {
    const ends = [view.x(this.isLogX ? 1 : 0), view.x(view.last)];
    Object.assign(x, { autorange: false, range: this.isLogX ? ends.map(Math.log10) : ends, uirevision: "held" });
    if (this.held) Object.assign(y, { autorange: false, range: this.held, uirevision: "held" });
  }

  release() {
    this.held = null;
    this.revision += 1;
  }

  // Lines and words for changes by hand, for the moment that is replayed and for the one that is looked at
  notes({ marks, cursor, moment, x, texts }, colour) {
    const paper = { yref: "paper", y0: 0, y1: 1, type: "line" };
    const shapes = marks.map((mark) => ({ ...paper, x0: x(mark.at), x1: x(mark.at), line: { color: mark.colour ?? colour, width: 1.2 * this.scale, dash: "dot" } }));
    if (cursor !== null) shapes.push({ ...paper, x0: x(cursor), x1: x(cursor), line: { color: colour, width: 1.5 * this.scale } });
    const place = (mark) => (this.isLogX ? Math.log10(Math.max(1e-12, x(mark.at))) : x(mark.at)); // plotly wants the logarithm here only
    const annotations = marks.map((mark, i) => ({
      x: place(mark), y: 1 - 0.09 * (i % 3), yref: "paper", yanchor: "top", showarrow: false, text: escape(mark.tag ?? mark.text), hovertext: escape(mark.text),
      xanchor: x(mark.at) > 0.6 * this.hi ? "right" : "left", font: { size: 11 * this.scale, color: colour }, bgcolor: cssValue(this.frame, "--st-background-color"), opacity: 0.9,
    }));
    if (moment !== null) {
      shapes.push({ ...paper, x0: x(moment), x1: x(moment), line: { color: cssValue(this.frame, "--st-primary-color"), width: 1.5, dash: "dashdot" } });
      annotations.push({
        x: place({ at: moment }), y: 0, yref: "paper", yanchor: "bottom", showarrow: false, text: escape(texts.looked_at), font: { size: 11 * this.scale, color: colour },
        xanchor: x(moment) > 0.6 * this.hi ? "right" : "left", bgcolor: cssValue(this.frame, "--st-background-color"), opacity: 0.9,
      });
    }
    return { shapes, annotations };
  }

  set(isLogX, isLogY) {
    const isY = isLogY && !this.spec.isScore;
    if (isLogX === this.isLogX && isY === this.isLogY) return;
    Object.assign(this, { isLogX, isLogY: isY });
    this.release();
  }

  // Back to all there is; also after a change of the unit of x
  resetZoom() {
    this.release();
  }

  resize() {
    if (this.frame.clientWidth && this.isBuilt) this.Plotly.Plots.resize(this.frame);
  }

  // Saves the panel as a picture, with a legend and what lies on the canvas under it
  async save(name, format) {
    if (!this.isBuilt) return;
    const { frame, underlay: { canvas } } = this;
    const { l, t, w, h } = frame._fullLayout._size;
    const under = {
      source: canvas.toDataURL(), xref: "paper", yref: "paper", x: -l / w, y: 1 + t / h,
      sizex: frame.clientWidth / w, sizey: frame.clientHeight / h, sizing: "stretch", layer: "below",
    };
    const images = canvas.width && canvas.height ? [under] : [];
    const data = frame.data.map((trace) => ({ ...trace, name: trace.meta ?? "", showlegend: Boolean(trace.meta) }));
    await savePicture(this.Plotly, { chart: frame, data }, name, format, { images, showlegend: true });
  }

  purge() {
    this.isBuilt = false;
    this.Plotly.purge(this.frame);
    this.underlay.remove();
  }
}

const rawTrace = ({ x, y, index, colour, opacity }) => ({
  x, y, opacity, uid: `${index}.raw`, mode: "lines", hoverinfo: "skip", line: { color: colour, width: 1 },
});

// What makes room for the bands, which Plotly does not see
function extentTrace(bands, isLog) {
  const known = bands.flatMap(({ y }) => y).filter((value) => Number.isFinite(value) && (value > 0 || !isLog));
  const x = bands[0].x[0];
  const y = known.length ? [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))] : [];
  return { x: y.map(() => x), y, uid: "extent", mode: "markers", opacity: 0, hoverinfo: "skip" };
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
