// Saves a chart of the page: the picture as plotly.js draws it, and the numbers of its traces.

import { component, download, h } from "./dom.js";
import { loadPlotly, savePicture } from "./plotly.js";
import { traceTable } from "./trace_table.js";

class Files {
  constructor(root) {
    this.root = root;
  }

  update(data) {
    if (this.data?.chart === data.chart) return;
    this.data = data;
    const button = (text, save) => h("button", { type: "button", onclick: save, "aria-label": `${data.label}: ${text}` }, text);
    this.said = h("span", { role: "status" });
    this.root.replaceChildren(h("div", { role: "group", "aria-label": data.label }, this.said,
      button("PNG", () => this.savePicture("png")), button("SVG", () => this.savePicture("svg")), button("CSV", () => this.saveTable())));
  }

  stop() {}

  chart() {
    return document.querySelector(`.${this.data.chart} .js-plotly-plot`);
  }

  async savePicture(format) {
    try {
      await savePicture(await loadPlotly(this.data.plotly), { chart: this.chart() }, this.data.name, format);
      this.said.textContent = "";
    } catch (error) {
      this.said.textContent = this.data.failed;
      console.warn("a chart could not be saved", error);
    }
  }

  saveTable() {
    const chart = this.chart();
    const table = chart && traceTable(chart);
    if (table) download(`${this.data.name}.csv`, new Blob([table], { type: "text/csv" }));
    this.said.textContent = table ? "" : chart ? this.data.only_pictures : this.data.failed;
  }
}

export default component(".lw-chart-files", Files);
