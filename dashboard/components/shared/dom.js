// Building blocks of a component's DOM. Everything goes through createElement and textContent, so that no text from
// anywhere can become markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// "layer {i} of {n}" with its values filled in
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A cell of a CSV file: a name may not end its cell, nor be taken for a formula by a spreadsheet
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
export const quoted = (text) => (/[",;\r\n\t]/.test(text) || FORMULA.test(text) ? `"${text.replace(FORMULA, "'$&").replaceAll('"', '""')}"` : text);

// A file for the user, made in the browser
export function download(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// The cleanup that a component returns. Streamlit also calls it for a call that was overtaken by the next one while the
// script was loading; only when the element has left the page is it time to stop.
export function whenGone(root, stop) {
  return () => setTimeout(() => root.isConnected || stop(), 0);
}

// The default export of a component: one `View` per element, told of every new data, stopped when the element has gone
export function component(selector, View) {
  const views = new WeakMap();
  return ({ parentElement, data, setTriggerValue }) => {
    const root = parentElement.querySelector(selector);
    let view = views.get(root);
    if (!view) {
      view = new View(root, data);
      views.set(root, view);
    }
    view.update(data, setTriggerValue);
    return whenGone(root, () => {
      view.stop();
      views.delete(root);
    });
  };
}

export function cssValue(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

// Whether the page behind `element` is dark: its text is lighter than middle grey
export function isDark(element) {
  const [red, green, blue] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number); // one that has left the page has no colour
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 128;
}

// How much larger than usual letters and lines of a chart are: more than 1 on a projector
export const chartScale = (element) => Number(cssValue(element, "--lw-chart-scale")) || 1;

// One call per animation frame, however often it is asked for; waits while the page is hidden
export function oncePerFrame(draw) {
  let waiting = 0;
  const ask = () => {
    if (!waiting && !document.hidden) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
  };
  document.addEventListener("visibilitychange", ask);
  ask.stop = () => {
    cancelAnimationFrame(waiting);
    document.removeEventListener("visibilitychange", ask);
  };
  return ask;
}

const NUMBER = new Intl.NumberFormat("en");
export const whole = (n) => NUMBER.format(Math.round(n));

export function short(value, digits = 4) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "–";
}

export function clock(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const two = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}
