// plotly.js from this server, loaded once per page when something first needs it; and its charts as picture files

import { cssValue, download } from "./dom.js";

const SCALE = 2; // pixels of a PNG per pixel of the page

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

// Saves what plotly.js draws in the element `chart` as `name`.png or .svg, on the ground of the page; `more` changes its layout
export async function savePicture(Plotly, { chart, data = chart.data }, name, format, more = {}) {
  const ground = cssValue(chart, "--st-background-color") || "#fff";
  const layout = { ...chart.layout, paper_bgcolor: ground, plot_bgcolor: ground, ...more };
  const { clientWidth: width, clientHeight: height } = chart;
  const url = await Plotly.toImage({ data, layout }, { format, width, height, scale: format === "png" ? SCALE : 1 });
  download(`${name}.${format}`, await (await fetch(url)).blob());
}
