// One table of a board. Rows stay where they are while the pointer or the focus is in it, so that a click hits its row.
import { button, make, setText } from "../dom.js";

/** @typedef {import("./store.js").BoardRow} BoardRow */
/** @typedef {{follow: (pid: string) => void, cancel: (pid: string) => void, followed: () => string}} RowCalls */

/**
 * @param {BoardRow} row
 * @returns {string} what identifies it among the rows
 */
const rowKey = (row) => row.cells.find((cell) => cell.pid)?.pid ?? row.cells[0]?.x ?? "";

export class BoardTable {
  /** @param {RowCalls} calls */
  constructor(calls) {
    this.calls = calls;
    this.name = make("div", "cj-board-name");
    this.head = make("thead");
    this.body = make("tbody");
    this.more = make("div", "cj-meta");
    this.element = make("div", "cj-board-section", this.name, make("div", "cj-table", make("table", "", this.head, this.body)), this.more);
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
    /** The process whose cancelling is to be confirmed. */
    this.asking = "";
  }

  /** @param {import("./store.js").BoardSection} section */
  draw(section) {
    setText(this.name, section.name);
    this.more.hidden = !section.more;
    setText(this.more, section.more ?? "");
    const columns = section.columns.join("\n");
    this.head.hidden = !section.rows.length;
    if (this.head.dataset.key !== columns) {
      this.head.dataset.key = columns;
      // The last column has the buttons.
      this.head.replaceChildren(make("tr", "", ...section.columns.map((name) => make("th", "", name)), make("td")));
      this.rows.clear();
      this.body.replaceChildren();
    }
    const keys = section.rows.map(rowKey);
    const isUsed = this.body.matches(":hover") || this.body.contains(document.activeElement);
    const known = [...this.rows.keys()];
    for (const [at, row] of section.rows.entries()) {
      const element = this.rows.get(keys[at]);
      if (element) this.drawRow(element, row);
      else if (!isUsed || known.length <= at) this.add(keys[at], row);
    }
    if (isUsed) return;
    for (const [key, element] of this.rows) {
      if (keys.includes(key)) continue;
      element.remove();
      this.rows.delete(key);
    }
    const wanted = keys.map((key) => /** @type {HTMLTableRowElement} */ (this.rows.get(key)));
    if (wanted.some((element, at) => this.body.children[at] !== element)) this.body.replaceChildren(...wanted);
  }

  /**
   * @param {string} key
   * @param {BoardRow} row
   */
  add(key, row) {
    const element = make("tr");
    this.rows.set(key, element);
    this.body.append(element);
    this.drawRow(element, row);
  }

  /**
   * @param {HTMLTableRowElement} element
   * @param {BoardRow} row
   */
  drawRow(element, row) {
    while (element.children.length <= row.cells.length) element.append(make("td"));
    for (const [at, cell] of row.cells.entries()) {
      const shown = /** @type {HTMLElement} */ (element.children[at]);
      if (cell.pid) this.drawId(shown, cell);
      else {
        if (!shown.firstChild) shown.append(make("bdi"));
        setText(/** @type {HTMLElement} */ (shown.firstChild), cell.x);
        shown.className = cell.state ? `cj-as-${cell.state.toLowerCase()}` : "";
        shown.title = cell.exact ?? "";
      }
    }
    this.drawCancel(/** @type {HTMLElement} */ (element.children[row.cells.length]), row);
  }

  /**
   * @param {HTMLElement} shown
   * @param {import("./store.js").BoardCell} cell
   */
  drawId(shown, cell) {
    const pid = cell.pid ?? "";
    let id = /** @type {HTMLButtonElement | null} */ (shown.firstChild);
    if (!id) {
      id = button(cell.x, () => this.calls.follow(pid), "cj-id");
      id.title = `${pid} (click shows the process)`;
      id.setAttribute("aria-label", `Show process ${cell.x}`);
      shown.append(id);
    }
    id.setAttribute("aria-pressed", String(this.calls.followed() === pid));
  }

  /**
   * @param {HTMLElement} shown
   * @param {BoardRow} row
   */
  drawCancel(shown, row) {
    const pid = row.cancel ?? "";
    const key = `${pid} ${this.asking === pid}`;
    if (shown.dataset.key === key) return;
    shown.dataset.key = key;
    shown.className = "cj-board-buttons";
    shown.replaceChildren();
    if (!pid) return;
    const ask = (/** @type {string} */ asked) => {
      this.asking = asked;
      this.drawCancel(shown, row);
      /** @type {HTMLElement | null} */ (shown.querySelector("button:last-child"))?.focus();
    };
    if (this.asking !== pid) {
      const cancel = button("Cancel", () => ask(pid), "cj-quiet");
      cancel.setAttribute("aria-label", `Cancel process ${pid.slice(0, 8)}`);
      shown.append(cancel);
      return;
    }
    const yes = button("Yes", () => {
      this.asking = "";
      this.calls.cancel(pid);
      this.drawCancel(shown, row);
    });
    shown.append(make("span", "cj-meta", "Cancel? "), yes, button("No", () => ask("")));
  }
}
