// SVG elements, made like the others: attributes and text nodes, never markup.

export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const text = (x, y, words, kind = "") => svg("text", { x, y, class: kind }, String(words));

// "4", in a container "4.2", in a second branch "4b.2"
export function number(path, nBranches) {
  const [first, branch, ...rest] = path;
  const head = String(first + 1);
  if (branch === undefined) return head;
  const letter = nBranches(path.slice(0, 1)) > 1 ? "abcdefgh"[branch] : "";
  return `${head}${letter}.${number(rest, (inner) => nBranches([first, branch, ...inner]))}`;
}
