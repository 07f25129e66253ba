// What one target has of one table.

import { element } from "./elements.js";
import { bytes, count, duration, instant, percent } from "./words.js";

/** What a badge's colour means, for those who do not see colours. The worst comes first. */
export const LEVELS = { red: "too old", orange: "late", yellow: "behind", green: "fresh", grey: "not known" };
const ORDER = Object.keys(LEVELS);

export const level = (copy) => (copy.badge in LEVELS ? copy.badge : "grey");

/** Sorts copies: the one that needs somebody soonest has the smallest number. */
export const urgency = (copy) => ORDER.indexOf(level(copy)) * 1e3 - Math.min(999, share(copy) * 100);

const share = ({ lag_seconds: lag, budget }) => (lag == null || !budget?.max_lag_seconds ? 0 : lag / budget.max_lag_seconds);

/** A cell's content. `task` makes a link to what failed. */
export function cell(copy, name, task) {
  if (!copy) return [element("span", { class: "faint" }, "not copied there")];
  const colour = level(copy);
  return [
    element("div", { class: "first" },
      element("span", { class: "target" }, name),
      element("span", { class: `badge ${colour}` }, state(copy)),
      copy.lag_seconds == null ? null : element("span", { class: "lag" }, duration(copy.lag_seconds)),
      element("span", { class: "as-of", title: "complete up to then, by the source's clock" },
        copy.as_of ? `as of ${instant(copy.as_of)}` : "no data yet")),
    element("div", { class: "second" }, bar(copy), element("div", { class: "spark", "aria-hidden": "true" })),
    element("div", { class: "third" }, ...remarks(copy, task)),
  ];
}

/** What keeps a table's source from being read any further, in words; empty if nothing does. */
export function heldBack({ held_back_by: held }) {
  if (!held) return { words: "", more: "" };
  return {
    words: `held back by ${held.what} ${held.thread_id}, open for ${duration(held.seconds)}`,
    more: `It is open on the source since ${instant(held.since)}. Rows that it may still commit are waited for: `
      + `nothing newer is read, and nothing is lost. End it there (KILL ${held.thread_id}), or wait.`,
  };
}

function state(copy) {
  if (!copy.enabled) return "switched off";
  return copy.status === "new" ? "new" : LEVELS[level(copy)];
}

/** The lag against the budget: full at the maximum, with a notch at the target. */
function bar(copy) {
  const { lag_seconds: lag, budget } = copy;
  if (lag == null || !budget?.max_lag_seconds) return element("div", { class: "bar" });
  const { max_lag_seconds: max, target_lag_seconds: goal } = budget;
  const words = `${duration(lag)} of at most ${duration(max)}` + (goal == null ? "" : `; ${duration(goal)} is the aim`);
  const filled = element("span"), notch = element("i");
  filled.style.width = `${Math.min(100, share(copy) * 100)}%`;
  notch.style.left = `${((goal ?? max) / max) * 100}%`;
  return element("div", {
    class: `bar ${level(copy)}`, role: "meter", title: words, "aria-label": "lag", "aria-valuetext": words,
    "aria-valuemin": 0, "aria-valuemax": max, "aria-valuenow": Math.max(0, Math.min(lag, max)),
  }, filled, goal != null && goal < max ? notch : null);
}

function remarks(copy, task) {
  const { last_batch: batch, last_failure: failure } = copy;
  const warn = (words, title) => element("strong", { class: "warn", title }, words);
  return [
    copy.in_use === false ? warn(`readers are not sent here${returns(copy)}`) : null,
    copy.debt ? warn(`owes ${count(copy.debt, "batch")}`, copy.debt_since && `since ${instant(copy.debt_since)}`) : null,
    copy.breaker && copy.breaker !== "closed" ? warn(`breaker ${copy.breaker}`) : null,
    failure ? element(failure.url ? "a" : "span", { class: "failed", href: failure.url && task(failure.url), title: failure.reason },
      `failed ${instant(failure.at)}`) : null,
    batch ? element("span", { title: `${batch.batch_id}, loaded ${instant(batch.loaded_at)}` }, batchWords(batch)) : null,
  ];
}

function returns({ returns_in_seconds: left }) {
  return left == null ? "" : `, for ${duration(left)} more`;
}

function batchWords({ rows, bytes: size, seconds }) {
  const words = [rows == null ? null : count(rows, "row"), size == null ? null : bytes(size), seconds == null ? null : duration(seconds)];
  return words.filter((word) => word !== null).join(" · ");
}

/** What an open row says of a target, as one sentence. */
export function details(copy) {
  const { budget, service_level: level, last_failure: failure } = copy;
  const words = [`${copy.role === "required" ? "Required" : "Best effort"}${copy.enabled ? "" : ", switched off"}`];
  if (budget) {
    words.push(`Budget ${budget.name}: aims at ${duration(budget.target_lag_seconds)}, at most ${duration(budget.max_lag_seconds)}, ${budget.consistency}; `
      + `readers come back below ${duration(budget.recover_below_seconds)} for ${duration(budget.recover_for_seconds)}`);
  }
  if (level) {
    words.push(`${percent(level.share)} of ${duration(level.seconds)} on time, ${percent(level.wanted)} wanted: `
      + (level.budget_left < 0 ? `the error budget is overspent by ${percent(-level.budget_left)}`
        : `${percent(level.budget_left)} of the error budget left`));
  }
  if (failure) words.push(`Failed${failure.failures > 1 ? ` ${failure.failures} times in a row` : ""}: ${failure.reason}`);
  return words.join(". ");
}
