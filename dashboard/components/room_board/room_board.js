// The board of a room: the newest run of everybody who is in it, on one chart and in one table, live.

import { BoardChart } from "./board_chart.js";
import { BoardData, curvesCsv, isScore, tableCsv, XS, YS } from "./board_data.js";
import { BoardFeed } from "./board_feed.js";
import { BoardTable } from "./board_table.js";
import { component, download, fill, h, oncePerFrame, setText } from "./dom.js";
import { laneSwatch } from "./lane_view.js";
import { loadPlotly } from "./plotly.js";

const BYS = ["lr", "optimizer", "batch_size"];

class View {
  constructor(root, data) {
    const { texts } = data;
    Object.assign(this, { root, texts, data, board: new BoardData(), connection: "connecting" });
    this.view = { what: "curves", y: "batch_loss", x: "step", by: "lr", isLogX: false, isLogY: true, focus: null };
    this.status = h("p", { class: "status", role: "status" });
    this.empty = h("p", { class: "empty", hidden: true }, texts.empty);
    this.frame = h("div", { class: "plot" });
    this.figure = h("div", { role: "figure", class: "frame" }, this.frame);
    this.hint = h("p", { class: "hint", hidden: true }, texts.diverged_hint);
    this.groups = h("ul", { class: "groups", "aria-label": texts.groups });
    const on = { onFocus: (key) => this.focus(key), onOpen: (key) => this.open(key) };
    this.table = new BoardTable(texts, on);
    this.charts = h("div", { class: "charts", hidden: true }, this.controls(), this.figure, this.hint, this.groups);
    this.whole = h("div", { class: "whole", hidden: true }, this.charts, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": texts.table }, this.table.element));
    root.replaceChildren(this.status, this.empty, this.whole);
    this.ask = oncePerFrame(() => this.draw());
    this.resizing = new ResizeObserver(() => { this.chart?.resize(); this.ask(); });
    this.resizing.observe(this.frame);
  }

  controls() {
    const { texts, view } = this;
    const select = (name, label, options) => {
      const box = h("select", {}, ...options.map((one) => h("option", { value: one }, texts[`${name}_${one}`])));
      box.value = view[name];
      box.addEventListener("change", () => this.set({ [name]: box.value }));
      return { box, label: h("label", {}, label, box) };
    };
    const check = (name, text) => h("label", {}, h("input", { type: "checkbox", checked: view[name], onchange: ({ target }) => this.set({ [name]: target.checked }) }), text);
    this.what = ["curves", "rates"].map((what) => h("button", { type: "button", "aria-pressed": String(what === view.what), onclick: () => this.set({ what }) }, texts[`what_${what}`]));
    const [y, x, by] = [select("y", texts.y, YS), select("x", texts.x, XS), select("by", texts.by, BYS)];
    this.scoreOption = y.box.querySelector("option[value=validation_accuracy]");
    this.onlyCurves = [x.label, check("isLogX", texts.log_x)];
    const files = [h("button", { type: "button", onclick: () => this.saveTable() }, texts.csv),
      ...["png", "svg"].map((format) => h("button", { type: "button", "aria-label": texts[format], onclick: () => this.chart?.save(`room-${this.room}`, format) }, format.toUpperCase()))];
    return h("div", { class: "controls", role: "group", "aria-label": texts.controls },
      h("span", { class: "what", role: "group", "aria-label": texts.what }, ...this.what), y.label, x.label, by.label, this.onlyCurves[1], check("isLogY", texts.log_y), h("span", { class: "files" }, ...files));
  }

  update(data, send) {
    Object.assign(this, { data, send });
    if (data.room !== this.room) this.follow(data.room);
    this.ask();
  }

  follow(room) {
    this.feed?.close();
    Object.assign(this, { room, board: new BoardData() });
    this.feed = new BoardFeed(room, (header, arrays) => this.board.take(header, arrays), (connection) => {
      this.connection = connection;
      this.nUpdates = (this.nUpdates ?? 0) + 1;
      this.ask();
    });
  }

  set(change) {
    Object.assign(this.view, change);
    this.ask();
  }

  focus(key) {
    if (key !== this.view.focus) this.set({ focus: key });
  }

  open(key) {
    const member = this.board.members.find((one) => one.key === key);
    if (member?.run) this.send("open", member.run);
  }

  async load() {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      this.Plotly = await loadPlotly(this.data.plotly);
    } catch (error) {
      this.failure = this.texts.no_plotly;
      console.warn(error);
    }
    this.ask();
  }

  draw() {
    const { board, texts, view } = this;
    const n = board.running.length;
    const words = { n: board.nMembers, runs: n };
    const told = this.connection === "live" ? fill(board.nMembers > board.members.length ? texts.status_more : texts.status, { ...words, shown: board.members.length }) : texts[this.connection === "unknown" ? "unknown_room" : this.connection];
    setText(this.status, this.failure ?? (board.isKnown || this.connection !== "live" ? told : texts.connecting));
    Object.assign(this.root.dataset, { connection: this.connection, members: board.members.length, runs: n, updates: this.nUpdates });
    this.empty.hidden = !board.isKnown || n > 0;
    this.whole.hidden = board.members.length === 0;
    this.charts.hidden = n === 0;
    if (!this.Plotly && n > 0) this.load();
    else if (n > 0) this.drawChart();
    this.drawTable();
  }

  // What an accuracy is called where all, some or none of the runs predict numbers
  get score() {
    const regression = new Set(this.data.regression);
    const kinds = new Set(this.board.running.map(({ loss }) => regression.has(loss)));
    return { name: kinds.size > 1 ? this.texts.score_both : kinds.has(true) ? this.texts.score_r2 : this.texts.score_accuracy, isR2: kinds.size === 1 && kinds.has(true) };
  }

  drawChart() {
    const { board, texts, view, data } = this;
    const { name } = this.score;
    this.chart ??= new BoardChart(this.Plotly, this.frame, texts, { onFocus: (key) => this.focus(key), onOpen: (key) => this.open(key) });
    view.me = data.me;
    view.yTitle = isScore(view.y) ? fill(texts.score_axis, { score: name }) : texts[`axis_${view.y}`];
    setText(this.scoreOption, fill(texts.y_validation_accuracy, { score: name }));
    this.what.forEach((button, i) => button.setAttribute("aria-pressed", String((i === 0) === (view.what === "curves"))));
    this.onlyCurves.forEach((element) => { element.hidden = view.what !== "curves"; });
    this.chart.draw(board, view, data);
    this.figure.setAttribute("aria-label", this.chart.alt(board, view));
    this.hint.hidden = !board.running.some((member) => board.hasDiverged(member, view.y));
    this.groups.replaceChildren(...this.chart.paint.groups.map((group) => h("li", {}, laneSwatch(group), group.name || texts.unknown)));
  }

  drawTable() {
    const { board, view, data } = this;
    const { name, isR2 } = this.score;
    const paint = this.chart?.paint ?? (() => ({ colour: "#8A8F98", dash: "solid" }));
    this.table.draw({ members: board.members, paint, focus: view.focus, me: data.me, scoreName: name, isR2 });
  }

  saveTable() {
    const isCurves = this.view.what === "curves";
    const text = isCurves ? curvesCsv(this.board, this.view.y) : tableCsv(this.board.members);
    download(`room-${this.room}-${isCurves ? "curves" : "table"}.csv`, new Blob([text], { type: "text/csv" }));
  }

  stop() {
    this.feed?.close();
    this.ask.stop();
    this.resizing.disconnect();
    this.chart?.purge();
  }
}

export default component(".lw-room-board", View);
