// The chart of a room's board: everybody's curve, or everybody's last value against the learning rate.

import { chartScale, cssValue, fill, isDark, short } from "./dom.js";
import { isScore, mixedColour, setting } from "./board_data.js";
import { laneStyle } from "./lane_view.js";
import { savePicture } from "./plotly.js";

const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false, doubleClick: "reset" };
const FADED = 0.13;
const NEUTRAL = "#8A8F98";
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "pentagon", "star"];
const SPOKEN = 8;

export class BoardChart {
  constructor(Plotly, frame, texts, { onFocus, onOpen }) {
    Object.assign(this, { Plotly, frame, texts, onFocus, onOpen, isBuilt: false });
  }

  // `view`: {what: "curves" | "rates", y, x, by, isLogX, isLogY, focus, me, yTitle}
  draw(board, view, look) {
    this.look = look;
    const members = board.running.filter(({ run }) => board.curves.has(run));
    this.paint = painter(members, view.by, look, isDark(this.frame));
    const ceiling = board.ceiling(view.y);
    const traces = view.what === "curves" ? this.curves(board, members, view) : this.rates(board, members, view, ceiling);
    const bar = this.paint.bar && this.colourBar();
    const layout = this.layout(board, members, view, ceiling);
    this.keys = members.map(({ key }) => key);
    const all = bar ? [...traces, bar] : traces;
    if (this.isBuilt) this.Plotly.react(this.frame, all, layout, CONFIG);
    else this.start(all, layout);
  }

  async start(traces, layout) {
    this.isBuilt = true;
    await this.Plotly.newPlot(this.frame, traces, layout, CONFIG);
    this.frame.on("plotly_hover", ({ points }) => this.onFocus(this.keyOf(points[0])));
    this.frame.on("plotly_unhover", () => this.onFocus(null));
    this.frame.on("plotly_click", ({ points }) => {
      const key = this.keyOf(points[0]);
      if (key) this.onOpen(key);
    });
  }

  keyOf(point) {
    const { customdata } = point ?? {};
    return typeof customdata === "string" ? customdata : this.keys[point?.curveNumber] ?? null;
  }

  curves(board, members, view) {
    const scale = chartScale(this.frame);
    return members.map((member) => {
      const { x, y } = board.points(member, view.y, view.x);
      const { colour, dash } = this.paint(member);
      const isBold = member.key === view.focus || (!view.focus && member.key === view.me);
      return {
        x, y, uid: member.key, name: escape(member.name), mode: x.length > 1 ? "lines" : "markers",
        opacity: view.focus && !isBold ? FADED : 1,
        line: { color: colour, dash, width: scale * (isBold ? 3.4 : 1.7) }, marker: { color: colour, size: 6 * scale },
        hovertemplate: `${this.words(member)}<br>${isScore(view.y) ? "%{y:.1%}" : "%{y:.4g}"}<extra></extra>`,
      };
    });
  }

  // One trace: a dot per participant; a cross at the upper edge for those who went beyond it
  rates(board, members, view, ceiling) {
    const scale = chartScale(this.frame);
    const known = members.filter(({ lr }) => lr > 0);
    const lost = known.map((member) => board.hasDiverged(member, view.y));
    const values = known.map((member, i) => (lost[i] ? null : board.last(member, view.y)));
    const top = Math.max(...values.filter((value) => value !== null), 0) || (Number.isFinite(ceiling) ? ceiling : 1);
    const paints = known.map((member) => this.paint(member));
    return [{
      x: known.map(({ lr }) => lr), y: values.map((value, i) => (lost[i] ? top : value)), uid: "rates", mode: "markers",
      customdata: known.map(({ key }) => key),
      text: known.map((member, i) => `${this.words(member)}<br>${lost[i] ? escape(this.texts.diverged) : isScore(view.y) ? `${(100 * values[i]).toFixed(1)}%` : short(values[i])}`),
      hovertemplate: "%{text}<extra></extra>",
      marker: {
        color: paints.map(({ colour }) => colour), symbol: known.map((member, i) => (lost[i] ? "x" : SYMBOLS[this.paint.group(member) % SYMBOLS.length])),
        size: known.map(({ key }) => scale * (key === view.focus || (!view.focus && key === view.me) ? 16 : 10)),
        opacity: known.map(({ key }) => (view.focus && key !== view.focus ? 2 * FADED : 1)), line: { width: 1, color: cssValue(this.frame, "--st-background-color") },
      },
    }];
  }

  words(member) {
    const { name, lr, optimizer } = member;
    const rate = lr === null || lr === undefined ? "" : `, ${this.texts.lr} ${short(lr)}`;
    return `<b>${escape(name)}</b><br>${escape(optimizer)}${escape(rate)}`;
  }

  colourBar() {
    const { low, high, scale } = this.paint.bar;
    const at = ticks(low, high);
    const size = 12 * chartScale(this.frame);
    return {
      x: [null], y: [null], uid: "bar", mode: "markers", hoverinfo: "skip", showlegend: false,
      marker: {
        color: [Math.log10(low)], cmin: Math.log10(low), cmax: Math.log10(high), colorscale: scale, showscale: true,
        colorbar: {
          title: { text: this.texts.lr, side: "right", font: { size } }, thickness: size, outlinewidth: 0, tickvals: at.map(Math.log10), ticktext: at.map((value) => short(value, 2)),
          tickfont: { size },
        },
      },
    };
  }

  layout(board, members, view, ceiling) {
    const colour = cssValue(this.frame, "--st-text-color");
    const grid = cssValue(this.frame, "--st-border-color");
    const size = 12 * chartScale(this.frame);
    const axis = { gridcolor: grid, linecolor: grid, zeroline: false, showline: true, ticks: "outside", tickcolor: grid, automargin: true };
    const isRates = view.what === "rates";
    const isLogX = isRates || view.isLogX;
    const isLogY = view.isLogY && !isScore(view.y);
    const x = { ...axis, title: { text: isRates ? this.texts.rate_axis : this.texts[`axis_${view.x}`], standoff: 8 }, type: isLogX ? "log" : "linear", exponentformat: isRates ? "e" : "none", separatethousands: true };
    const y = { ...axis, title: { text: view.yTitle, standoff: 8 }, type: isLogY ? "log" : "linear", exponentformat: "e", ...(isScore(view.y) ? { tickformat: ".0%" } : {}) };
    if (isLogY) y.nticks = 6;
    if (isRates) x.nticks = 8;
    if (Number.isFinite(ceiling) && !isRates) y.autorangeoptions = { maxallowed: isLogY ? Math.log10(ceiling) : ceiling };
    return {
      autosize: true, margin: { t: 12, r: 14, b: 46 * (size / 12), l: 62 * (size / 12) }, showlegend: false, hovermode: "closest", dragmode: "zoom", uirevision: `${view.what} ${view.y} ${view.x} ${isLogX} ${isLogY}`,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour, family: cssValue(this.frame, "--st-font") || "sans-serif", size },
      hoverlabel: { bgcolor: cssValue(this.frame, "--st-secondary-background-color"), bordercolor: grid, font: { color: colour, size } },
      xaxis: x, yaxis: y, annotations: this.labels(board, members, view, isLogX, isLogY, size),
    };
  }

  // The name at the end of the line that is looked at, and of one's own
  labels(board, members, view, isLogX, isLogY, size) {
    const shown = members.filter(({ key }) => key === view.focus || key === view.me);
    return shown.flatMap((member) => {
      const { x, y } = view.what === "curves" ? board.points(member, view.y, view.x) : { x: [member.lr], y: [board.last(member, view.y)] };
      const at = y.findLastIndex((value, i) => value !== null && (value > 0 || !isLogY) && (x[i] > 0 || !isLogX));
      if (at < 0 || y[at] > board.ceiling(view.y)) return [];
      const text = member.key === view.me ? `${escape(member.name)} (${escape(this.texts.you)})` : escape(member.name);
      return [{
        x: isLogX ? Math.log10(x[at]) : x[at], y: isLogY ? Math.log10(y[at]) : y[at], text: `<b>${text}</b>`, showarrow: false, xanchor: "right", yanchor: "bottom",
        bgcolor: cssValue(this.frame, "--st-background-color"), opacity: 0.9, font: { size },
      }];
    });
  }

  // The chart for those who do not see it
  alt(board, view) {
    const { texts } = this;
    const members = board.running.filter(({ run }) => board.curves.has(run));
    const say = (value) => (value === null ? "–" : isScore(view.y) ? `${(100 * value).toFixed(1)}%` : short(value));
    const spoken = members.slice(0, SPOKEN).map((member) => `${member.name} ${say(board.last(member, view.y))}`);
    const words = { n: members.length, y: view.yTitle, x: view.what === "rates" ? texts.rate_axis : texts[`axis_${view.x}`], values: spoken.join(", ") + (members.length > SPOKEN ? ", …" : "") };
    return fill(texts.alt, words);
  }

  resize() {
    if (this.isBuilt && this.frame.clientWidth) this.Plotly.Plots.resize(this.frame);
  }

  save(name, format) {
    return savePicture(this.Plotly, { chart: this.frame }, name, format);
  }

  purge() {
    this.isBuilt = false;
    this.Plotly.purge(this.frame);
  }
}

// How a participant is drawn: by the learning rate on a logarithmic scale, or one colour and dash per group
export function painter(members, by, { scales, palettes }, dark) {
  const [scale, palette] = [scales[dark ? 1 : 0], palettes[dark ? 1 : 0]];
  if (by === "lr") {
    const rates = members.map(({ lr }) => lr).filter((lr) => lr > 0);
    const [low, high] = rates.length ? [Math.min(...rates), Math.max(...rates)] : [1, 1];
    const paint = ({ lr }) => ({ colour: lr > 0 ? mixedColour(scale, high > low ? Math.log(lr / low) / Math.log(high / low) : 0.5) : NEUTRAL, dash: "solid" });
    return Object.assign(paint, { bar: high > low ? { low, high, scale } : null, groups: [], group: () => 0 });
  }
  const groups = [...new Set(members.map((member) => setting(member, by)))].sort(new Intl.Collator("en", { numeric: true }).compare);
  const group = (member) => Math.max(0, groups.indexOf(setting(member, by)));
  return Object.assign((member) => laneStyle(group(member), palette), { bar: null, groups: groups.map((name, i) => ({ name, ...laneStyle(i, palette) })), group });
}

// 1, 2 and 5 per decade, or whole decades where these are many; the ends where there are none
function ticks(low, high) {
  const digits = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    found.push(...digits.map((digit) => digit * 10 ** power).filter((value) => value >= low * 0.999 && value <= high * 1.001));
  }
  return found.length > 1 ? found : [low, high];
}

// Plotly reads a little markup in texts
function escape(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
