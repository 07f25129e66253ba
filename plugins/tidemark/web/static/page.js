// The page: asks for the answer again and again, and shows the part of it that is wanted.

import { LEVELS, urgency } from "./cells.js";
import { element, say } from "./elements.js";
import { Rows } from "./rows.js";
import { followTheme } from "./theme.js";
import { count, duration, instant } from "./words.js";

const HISTORY_MS = 5 * 60e3; // its slots are half an hour
const LONGEST_MS = 60e3;
const DEADLINE_MS = 30e3;

const at = (id) => document.getElementById(id);
const api = (path) => new URL(path, location.href.replace(/[?#].*/, ""));
const airflow = new URL("..", location.href).href; // this is …/tidemark/page
const links = {
  page: (path) => new URL(path.replace(/^\//, ""), airflow).href,
  dag: (id) => new URL(`dags/${encodeURIComponent(id)}`, airflow).href,
};
const asked = new URLSearchParams(location.search);
const rows = new Rows(at("rows"), links);
const view = { name: asked.get("table") ?? "", dag: asked.get("dag_id"), level: null, sort: "urgent", down: false };
let answer = null, timer = null, remembered = -Infinity, failures = 0, asking = false, shown = false;

async function ask(path) {
  const response = await fetch(api(path), {
    headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (response.status === 401) throw new Error("you are not logged in any more: load the page again");
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(said.message ?? said.detail ?? `HTTP ${response.status}`);
  return said;
}

async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    answer = await ask("freshness");
    failures = 0;
    say(at("trouble"), "");
    show();
    if (!shown) requestAnimationFrame(() => performance.mark("tables shown"));
    shown = true;
    if (performance.now() - remembered > HISTORY_MS) {
      rows.remember((await ask("freshness?history=true")).tables);
      remembered = performance.now();
    }
  } catch (error) {
    failures += 1;
    const old = answer ? ` What you see is of ${instant(answer.measured_at)}.` : "";
    say(at("trouble"), `No answer: ${error.message}.${old}`);
  }
  asking = false;
  if (document.hidden || paused()) return;
  const pause = (answer?.refresh_seconds ?? 10) * 1e3 * 2 ** Math.min(failures, 3);
  timer = setTimeout(refresh, Math.min(LONGEST_MS, pause) * (0.9 + Math.random() / 5));
}

const paused = () => at("pause").getAttribute("aria-pressed") === "true";

function restart() {
  if (document.hidden || paused()) clearTimeout(timer);
  else refresh();
}

function show() {
  const targets = answer.targets.map(({ name }) => name);
  document.documentElement.style.setProperty("--targets", targets.length);
  const tables = answer.tables.filter(({ dag_id: dag }) => !view.dag || dag === view.dag);
  rows.update(tables, targets);
  say(at("banner"), view.dag ? tables[0]?.banner ?? "" : answer.banner);
  say(at("measured"), `Measured ${instant(answer.measured_at)}`
    + (answer.recorded_at ? "" : "; the DAG freshness has not run: there is no history"));
  heartbeats();
  head(targets);
  chips();
  arrange();
  if (view.dag && tables.length) rows.open(tables[0].table);
}

function heartbeats() {
  at("heartbeats").replaceChildren(...(answer.heartbeats ?? []).map((beat) => {
    const ways = Object.entries(beat.targets).map(([name, { lag_seconds: lag }]) => `${name} ${duration(lag)}`);
    const skew = Math.abs(beat.clock_skew_seconds ?? 0) < 1 ? "" : `; its clock differs by ${duration(Math.abs(beat.clock_skew_seconds))}`;
    return element("li", { class: beat.missing ? "warn" : null },
      `Heartbeat of ${beat.source}: ${beat.missing ? "missing" : ways.join(", ") || "not arrived yet"}${skew}${behind(beat)}`);
  }));
}

/** What is read may be a replica of what is written to. */
function behind({ replica_lag_seconds: lag }) {
  if (lag == null) return "; where tables are read it is not seen";
  return lag < 1 ? "" : `; where tables are read it is ${duration(lag)} behind`;
}

function head(targets) {
  const wanted = [["urgent", "Worst first"], ["table", "Table"], ...targets.map((name) => [`lag ${name}`, name])];
  if (at("head").dataset.targets !== targets.join()) {
    at("head").dataset.targets = targets.join();
    const buttons = wanted.map(([key, words]) => {
      const button = element("button", { type: "button", "data-sort": key }, words);
      button.addEventListener("click", () => sort(key));
      return button;
    });
    at("head").replaceChildren(
      element("th", { role: "columnheader", scope: "col" }, buttons[1], buttons[0]),
      ...buttons.slice(2).map((button) => element("th", { role: "columnheader", scope: "col" }, button)));
  }
  const up = view.down ? "descending" : "ascending";
  for (const column of at("head").children) {
    let sorted = false;
    for (const button of column.children) {
      const chosen = button.dataset.sort === view.sort;
      button.setAttribute("aria-pressed", String(chosen));
      button.dataset.down = String(chosen && view.down);
      sorted ||= chosen && view.sort !== "urgent";
    }
    column.setAttribute("aria-sort", sorted ? up : "none");
  }
}

function sort(key) {
  view.down = view.sort === key ? !view.down : key.startsWith("lag ");
  if (key === "urgent") view.down = false;
  view.sort = key;
  head(rows.targets);
  arrange();
}

function chips() {
  const tally = rows.tally();
  for (const [colour, words] of Object.entries(LEVELS)) {
    let chip = at(`level-${colour}`);
    if (!chip) {
      chip = element("button", { type: "button", id: `level-${colour}`, class: `badge ${colour}` });
      chip.addEventListener("click", () => {
        view.level = view.level === colour ? null : colour;
        chips();
        arrange();
      });
      at("levels").append(chip);
    }
    chip.setAttribute("aria-pressed", String(view.level === colour));
    chip.hidden = !tally[colour] && view.level !== colour;
    const text = `${words} ${tally[colour] ?? 0}`;
    if (chip.textContent !== text) chip.textContent = text;
  }
}

function arrange() {
  const part = view.name.trim().toLowerCase();
  const keep = (row) => row.name.toLowerCase().includes(part) && (!view.level || row.worst === view.level);
  const lag = (row) => row.copies[view.sort.slice(4)]?.lag_seconds ?? -1;
  const urgent = (row) => Math.min(...Object.values(row.copies).map(urgency));
  const turn = view.down ? -1 : 1;
  const byName = (a, b) => (a.name < b.name ? -1 : 1);
  const compare = {
    table: (a, b) => turn * byName(a, b),
    urgent: (a, b) => urgent(a) - urgent(b) || byName(a, b),
  }[view.sort] ?? ((a, b) => turn * (lag(a) - lag(b)) || byName(a, b));
  const shown = rows.arrange(keep, compare);
  say(at("shown"), `${count(shown, "table")}${shown < rows.rows.size ? ` of ${rows.rows.size}` : ""}`);
  at("none").hidden = shown > 0;
}

document.body.classList.toggle("one", view.dag !== null);
at("name").value = view.name;
at("name").addEventListener("input", () => { view.name = at("name").value; arrange(); });
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("pause").addEventListener("click", () => {
  at("pause").setAttribute("aria-pressed", String(!paused()));
  restart();
});
document.addEventListener("visibilitychange", restart);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault();
    at("name").focus();
  }
  if (/^Arrow(Up|Down)$/.test(event.key) && event.target.classList.contains("open")) {
    event.preventDefault();
    const buttons = [...document.querySelectorAll("tr:not([hidden]) button.open")];
    buttons[buttons.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  }
});
// A frame of Airflow's may not take the whole window elsewhere by itself: the page around it does.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || link.hash || window.parent === window) return;
  event.preventDefault();
  const outside = window.parent.document.createElement("a");
  outside.href = link.href;
  if (event.ctrlKey || event.metaKey) outside.target = "_blank";
  outside.click();
});
let width = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width !== width) { width = contentRect.width; rows.redraw(); }
}).observe(document.body);
followTheme(() => rows.redraw());
refresh();
