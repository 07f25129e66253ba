// The table's rows: made once, changed only where the answer changed, drawn when they can be seen.

import { cell, details, heldBack, level, urgency } from "./cells.js";
import { chart, sparkline } from "./charts.js";
import { element } from "./elements.js";
import { points } from "./words.js";

const AT_ONCE = 40; // what a large screen shows; the rest follows in pieces
const PIECE = 100;

export class Rows {
  /** `links`: {dag(id), page(path)} make addresses in Airflow. */
  constructor(body, links) {
    this.body = body;
    this.links = links;
    this.rows = new Map();
    this.targets = [];
    this.seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
  }

  /** Take an answer's tables in. */
  update(tables, targets) {
    if (targets.join() !== this.targets.join()) this.#removeAllBut(new Set());
    this.targets = targets;
    this.#removeAllBut(new Set(tables.map(({ table }) => table)));
    for (const table of tables) {
      const row = this.rows.get(table.table) ?? { name: table.table, sparks: [], chart: null, past: null, open: false };
      const text = JSON.stringify(table);
      const changed = row.text !== text;
      Object.assign(row, { table, text, copies: table.targets, worst: worst(table) });
      this.rows.set(row.name, row);
      row.old ||= Boolean(row.element && changed);
      if (row.old && row.visible) this.#fill(row);
    }
  }

  /** Take an answer's histories in. */
  remember(tables) {
    for (const { table, targets } of tables) {
      const row = this.rows.get(table);
      if (!row) continue;
      row.past = Object.fromEntries(Object.entries(targets)
        .filter(([, { history }]) => history).map(([name, { history }]) => [name, points(history)]));
      this.#draw(row);
    }
  }

  /** Show the rows that `keep` wants, in the order of `compare`. Returns how many they are. */
  arrange(keep, compare) {
    const order = [...this.rows.values()].filter(keep).sort(compare);
    const kept = new Set(order);
    for (const row of this.rows.values()) if (row.element) row.element.hidden = !kept.has(row);
    clearTimeout(this.later);
    this.#place(order, 0, AT_ONCE);
    return order.length;
  }

  /** How many tables are as bad as each level, at worst. */
  tally() {
    const found = {};
    for (const { worst: colour } of this.rows.values()) found[colour] = (found[colour] ?? 0) + 1;
    return found;
  }

  /** Draw all charts anew: the colours, or the room for them, changed. */
  redraw() {
    for (const row of this.rows.values()) this.#draw(row);
  }

  /** Open a table's row, if it is shown. */
  open(name) {
    const row = this.rows.get(name);
    if (row?.element && !row.open) this.#toggle(row);
  }

  #place(order, from, many) {
    const focused = document.activeElement;
    const upto = Math.min(order.length, from + many);
    let before = from ? order[from - 1].element.nextSibling : this.body.firstChild;
    for (const row of order.slice(from, upto)) {
      if (!row.element) this.#make(row);
      if (row.element === before) before = before.nextSibling;
      else this.body.insertBefore(row.element, before);
    }
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
    this.body.setAttribute("aria-busy", String(upto < order.length));
    if (upto < order.length) this.later = setTimeout(() => this.#place(order, upto, PIECE));
  }

  #make(row) {
    row.button = element("button", { type: "button", class: "open", "aria-expanded": "false" }, breakable(row.name));
    row.button.addEventListener("click", () => this.#toggle(row));
    row.cells = this.targets.map(() => element("td", { role: "cell" }));
    row.held = element("strong", { class: "warn held" });
    row.element = element("tr", { role: "row", "data-table": row.name },
      element("th", { role: "rowheader", scope: "row" }, row.button, element("div", { class: "under" },
        element("a", { href: this.links.dag(row.table.dag_id) }, "runs"),
        row.table.priority === "normal" ? null : element("span", {}, `${row.table.priority} priority`),
        row.held)),
      ...row.cells);
    this.#fill(row);
    this.seen.observe(row.element);
  }

  /** Write what is known into a row. Rows out of sight wait until they are looked at. */
  #fill(row) {
    row.old = false;
    const held = heldBack(row.table);
    row.held.textContent = held.words;
    row.held.title = held.more;
    const focused = row.cells.findIndex((each) => each.contains(document.activeElement));
    this.targets.forEach((name, at) => row.cells[at].replaceChildren(...cell(row.copies[name], name, this.links.page)));
    row.cells[focused]?.querySelector("a")?.focus({ preventScroll: true });
    this.#drawSparks(row);
    if (row.open) row.facts.replaceChildren(...this.#facts(row));
  }

  #facts(row) {
    const held = heldBack(row.table);
    const source = held.words ? [element("dt", {}, "source"), element("dd", {}, `${held.words}. ${held.more}`)] : [];
    return source.concat(this.targets.filter((name) => row.copies[name])
      .flatMap((name) => [element("dt", {}, name), element("dd", {}, details(row.copies[name]))]));
  }

  #toggle(row) {
    row.open = !row.open;
    row.button.setAttribute("aria-expanded", String(row.open));
    if (row.open) {
      row.facts = element("dl", {}, ...this.#facts(row));
      row.picture = element("div", { class: "chart" });
      row.detail = element("td", { role: "cell", class: "detail" }, row.facts, row.picture);
      row.element.append(row.detail);
    } else {
      row.detail.remove();
    }
    this.#drawChart(row);
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.rows.get(target.dataset.table);
      if (!row) continue;
      row.visible = isIntersecting;
      if (row.visible && row.old) this.#fill(row);
      else this.#drawSparks(row);
    }
  }

  #draw(row) {
    if (!row.element) return;
    this.#drawSparks(row);
    this.#drawChart(row);
  }

  #drawSparks(row) {
    for (const spark of row.sparks) spark.destroy();
    row.sparks = row.visible ? this.#measured(row).map((name) => {
      const where = row.cells[this.targets.indexOf(name)].querySelector(".spark");
      return sparkline(where, row.past[name], row.copies[name].budget?.max_lag_seconds);
    }) : [];
  }

  #drawChart(row) {
    row.chart?.destroy();
    row.chart = null;
    if (!row.open) return;
    const names = this.#measured(row);
    row.picture.textContent = names.length ? "" : "Nothing was measured yet.";
    if (names.length) {
      row.chart = chart(row.picture, names.map((name) => ({ name, points: row.past[name] })), row.copies[names[0]].budget);
    }
  }

  /** The targets of which there is a history. */
  #measured(row) {
    return this.targets.filter((name) => row.copies[name] && row.past?.[name]?.some(([, lag]) => lag != null));
  }

  #removeAllBut(kept) {
    for (const [name, row] of this.rows) {
      if (kept.has(name)) continue;
      for (const plot of [...row.sparks, ...(row.chart ? [row.chart] : [])]) plot.destroy();
      if (row.element) {
        this.seen.unobserve(row.element);
        row.element.remove();
      }
      this.rows.delete(name);
    }
  }
}

/** A long name is broken behind its dots and underscores, where it must be. */
const breakable = (name) => element("span", {}, name.split(/(?<=[._])/).flatMap((part) => [part, element("wbr")]));

/** The level of the copy that is worst off. */
function worst({ targets }) {
  const copies = Object.values(targets);
  return copies.length ? level(copies.reduce((a, b) => (urgency(b) < urgency(a) ? b : a))) : "grey";
}
