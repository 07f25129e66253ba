// The table's rows: made once, changed only where the answer changed, drawn when they can be seen.

import { cell, details, level, urgency } from "./cells.js";
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
      const row = this.rows.get(table.table) ?? { name: table.table, plots: [], past: null, open: false };
      const text = JSON.stringify(table);
      const changed = row.text !== text;
      Object.assign(row, { table, text, copies: table.targets, worst: worst(table) });
      this.rows.set(row.name, row);
      if (row.element && changed) this.#fill(row);
    }
  }

  /** Take an answer's histories in. */
  remember(tables) {
    for (const { table, targets } of tables) {
      const row = this.rows.get(table);
      if (!row) continue;
      row.past = Object.fromEntries(Object.entries(targets)
        .filter(([, { history }]) => history).map(([name, { history }]) => [name, points(history)]));
      if (row.element) this.#draw(row);
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
    for (const row of this.rows.values()) if (row.plots.length) this.#draw(row);
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
    row.button = element("button", { type: "button", class: "open", "aria-expanded": "false" }, row.name);
    row.button.addEventListener("click", () => this.#toggle(row));
    row.cells = this.targets.map(() => element("td", { role: "cell" }));
    row.element = element("tr", { role: "row", "data-table": row.name },
      element("th", { role: "rowheader", scope: "row" }, row.button, element("div", { class: "under" },
        element("a", { href: this.links.dag(row.table.dag_id) }, "runs"),
        row.table.priority === "normal" ? null : element("span", {}, `${row.table.priority} priority`))),
      ...row.cells);
    this.#fill(row);
    this.seen.observe(row.element);
  }

  #fill(row) {
    row.element.dataset.worst = row.worst;
    this.targets.forEach((name, at) => row.cells[at].replaceChildren(...cell(row.copies[name], name, this.links.page)));
    if (row.open) this.#detail(row);
    this.#draw(row);
  }

  #toggle(row) {
    row.open = !row.open;
    row.button.setAttribute("aria-expanded", String(row.open));
    if (row.open) {
      row.detail = element("td", { role: "cell", class: "detail" });
      row.element.append(row.detail);
      this.#detail(row);
    } else {
      row.detail.remove();
    }
    this.#draw(row);
  }

  #detail(row) {
    const facts = this.targets.filter((name) => row.copies[name])
      .map((name) => [element("dt", {}, name), element("dd", {}, details(row.copies[name]))]);
    row.detail.replaceChildren(element("dl", {}, ...facts.flat()), element("div", { class: "chart" }));
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.rows.get(target.dataset.table);
      if (!row) continue;
      row.visible = isIntersecting;
      this.#draw(row);
    }
  }

  #draw(row) {
    for (const plot of row.plots) plot.destroy();
    row.plots = [];
    if (!row.past) return;
    const drawn = this.targets.filter((name) => row.copies[name] && row.past[name]?.some(([, lag]) => lag != null));
    if (row.visible) {
      for (const name of drawn) {
        const where = row.cells[this.targets.indexOf(name)].querySelector(".spark");
        row.plots.push(sparkline(where, row.past[name], row.copies[name].budget?.max_lag_seconds));
      }
    }
    if (!row.open) return;
    const where = row.detail.querySelector(".chart");
    if (drawn.length) {
      where.replaceChildren();
      row.plots.push(chart(where, drawn.map((name) => ({ name, points: row.past[name] })), row.copies[drawn[0]].budget));
    } else {
      where.textContent = "Nothing was measured yet.";
    }
  }

  #removeAllBut(kept) {
    for (const [name, row] of this.rows) {
      if (kept.has(name)) continue;
      for (const plot of row.plots) plot.destroy();
      if (row.element) {
        this.seen.unobserve(row.element);
        row.element.remove();
      }
      this.rows.delete(name);
    }
  }
}

/** The level of the copy that is worst off. */
function worst({ targets }) {
  const copies = Object.values(targets);
  return copies.length ? level(copies.reduce((a, b) => (urgency(b) < urgency(a) ? b : a))) : "grey";
}
