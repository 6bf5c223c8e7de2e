// The line above the curves: how the run is, and how far.

import { clock, fill, h, setText, short, whole } from "./dom.js";

export class StateLine {
  constructor(texts) {
    this.state = h("strong", { class: "state" });
    this.facts = h("span", { class: "facts" });
    this.plan = h("span", { class: "plan" });
    this.announced = h("span", { class: "sr", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.notice = h("p", { class: "notice", hidden: true });
    this.line = h("div", { class: "line", role: "group", "aria-label": texts.status }, this.state, this.facts, this.plan);
    this.elements = [this.line, this.announced, this.problem, this.notice];
  }

  announce(text) {
    setText(this.announced, text);
  }

  // `failure`: what the page itself could not do, or nothing
  draw(feed, texts, score, failure) {
    const { status, connection, hello } = feed ?? {};
    this.line.hidden = !feed;
    if (!feed) {
      this.problem.hidden = this.notice.hidden = true;
      return;
    }
    const isBroken = connection === "reconnecting" || connection === "unknown";
    setText(this.state, isBroken ? texts[connection] : status ? texts[`state_${status.state}`] ?? status.state : texts.connecting);
    this.state.dataset.kind = isBroken ? "broken" : status?.state ?? "connecting";
    setText(this.facts, status ? facts(status, feed, texts, score).join("  ·  ") : "");
    this.drawPlan(hello, texts);
    const problem = [failure, status?.message, status?.hint].filter(Boolean).join(" ");
    setText(this.problem, problem);
    this.problem.hidden = !problem;
    setText(this.notice, status?.notice ?? "");
    this.notice.hidden = !status?.notice;
  }

  // Which executors train the series; why, as a tip
  drawPlan(hello, texts) {
    const names = [...new Set(hello?.executors ?? [])].filter(Boolean); // a lane that was removed has none
    const isSingle = hello?.executors?.length === 1; // then there are no lanes to speak of
    const words = names.map((name) => (isSingle && texts[`executor_${name}_one`]) || (texts[`executor_${name}`] ?? name));
    setText(this.plan, names.length ? fill(texts.plan, { names: words.join(", ") }) : "");
    this.plan.title = hello?.reason ?? "";
  }
}

// The place in the queue, when its turn may come, and what keeps it where that is not the queue alone
function waiting(queue, texts) {
  if (!queue) return [];
  const isKnown = queue.wait_s !== null;
  const place = fill(texts[isKnown ? "place_soon" : "place"], { n: queue.place, time: clock(queue.wait_s ?? 0) });
  return [place, texts[`waits_${queue.waits_for}`]];
}

function facts(status, { hello, measured, lanes, repeats }, texts, score) {
  const isRunning = status.state === "running";
  const isSingle = lanes.length * repeats === 1;
  const norm = measured.gradient_norm.at(-1)?.[0];
  const count = (name, i, n) => fill(texts[n === null || n === undefined ? `${name}_open` : name], { [name]: whole(i), n: whole(n ?? 0) });
  const test = status.test_accuracy?.[0];
  const rates = [...new Set(status.learning_rates.filter(Number.isFinite))];
  const { catching_up: late } = status;
  return [
    hello && count("epoch", status.epoch, status.n_epochs),
    hello && count("step", status.step, status.total_steps),
    late && fill(texts.catching_up, { name: lanes[late.lane]?.name ?? "", step: whole(late.step), n: whole(late.of) }),
    isRunning && status.steps_per_s > 0 && fill(texts.rate, { rate: whole(status.steps_per_s) }),
    status.elapsed_s > 0 && fill(texts.elapsed, { time: clock(status.elapsed_s) }),
    isRunning && status.left_s !== null && fill(texts.left, { time: clock(status.left_s) }),
    rates.length === 1 && fill(texts.learning_rate, { value: short(rates[0], 3) }),
    isSingle && norm !== undefined && isRunning && fill(texts.gradient_norm, { value: short(norm, 2) }),
    ...waiting(status.queue, texts),
    isSingle && Number.isFinite(test) && fill(texts.test, { value: score.words(test) }),
    hello?.device,
  ].filter(Boolean);
}
