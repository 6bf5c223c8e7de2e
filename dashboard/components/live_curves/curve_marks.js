// What happened to a lane, in words.

import { fill, short } from "./dom.js";

export function markText(mark, lanes, texts) {
  const { kind, lane } = mark;
  const optimizer = (name) => texts[`optimizer_${name}`] ?? name;
  const what = {
    hyper: () => fill(texts.mark, { name: mark.name === "lr" ? texts.mark_rate : mark.name.replaceAll("_", " "), old: short(mark.old, 3), new: short(mark.new, 3) }),
    swap: () => fill(texts.mark_swap, { old: optimizer(mark.old), new: optimizer(mark.new) }),
    added: () => (mark.source >= 0 ? fill(texts.mark_fork, { source: lanes[mark.source]?.name ?? "" }) : texts.mark_added),
    removed: () => texts.mark_removed,
  }[kind]();
  return lanes.length > 1 ? fill(texts.mark_lane, { lane: lanes[lane]?.name ?? "", what }) : what;
}
