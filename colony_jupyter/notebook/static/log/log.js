// The log: a window of rows that follows the end while the reader is there, and moves through all rows by scrolling.
import { button, make, setText } from "../dom.js";
import { FRAMES } from "../frames.js";
import { markSender, rowElement } from "./rows.js";
import { Store, WINDOW } from "../store.js";
import { nameWidth, shortName } from "../text.js";
/** @typedef {import("../view.js").View} View */

/** Pixels from an edge at which the next rows are brought. */
const EDGE = 40;
const STEP = 200;
/** Rows that are painted together: those of a part in which nothing changes are not painted again. */
const PART = 50;

/**
 * @param {import("../store.js").Row[]} rows
 * @returns {string} sender of the last entry among them; empty for none
 */
function senderOf(rows) {
  for (let at = rows.length - 1; at >= 0; at -= 1) if (rows[at].w) return rows[at].w;
  return "";
}

/** The log of one view. */
export class Log {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    /** @type {string} the channel shown; empty for all */
    this.channel = "";
    /** @type {import("../store.js").Row[]} rows in the document, in their order */
    this.shown = [];
    this.following = true;
    /** Number of the last row up to which all rows of the channel that are newer than the first one are shown. */
    this.upTo = -1;
    /** Where the end was when it was last scrolled to, in pixels. */
    this.end = 0;
    /** Number of the newest row that was ever shown. */
    this.seen = -1;
    this.loading = false;
    /** @type {string} words searched for */
    this.words = "";
    /** How many rows hold them. */
    this.hits = 0;
    this.list = make("div", "cj-log");
    this.list.setAttribute("role", "log");
    // Hundreds of rows a second cannot be read out; the state is (head.js).
    this.list.setAttribute("aria-live", "off");
    this.list.setAttribute("aria-label", "Entries");
    this.list.tabIndex = 0;
    this.fresh = button("", () => this.toEnd(), "cj-new");
    this.fresh.hidden = true;
    this.found = make("span", "cj-meta");
    this.field = make("input");
    this.field.type = "search";
    this.field.placeholder = "Search the entries";
    this.field.setAttribute("aria-label", "Search the entries");
    this.search = make("div", "cj-search", this.field, this.found);
    this.search.hidden = true;
    this.element = make("div", "", this.search, make("div", "cj-frame", this.list, this.fresh));
    this.drawRows = () => this.onRows();
    this.scrollToEnd = () => this.following && !this.words && this.stick();
    const options = { signal: view.gone };
    this.list.addEventListener("scroll", () => this.onScroll(), { ...options, passive: true });
    // A picture has its size only when it is loaded.
    this.list.addEventListener("load", () => this.following && this.stick(), { ...options, capture: true });
    this.field.addEventListener("input", () => void this.onSearch(), options);
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.toggleSearch(false), options);
    view.on(["rows"], this.drawRows);
    view.on(["replaced"], () => this.onReplaced());
    view.on(["head"], () => this.drawHead());
    this.drawHead();
    this.toEnd();
  }

  get channels() {
    return (this.store.head?.channels ?? []).map(([name]) => name);
  }

  drawHead() {
    const senders = this.store.head?.senders ?? [];
    this.list.classList.toggle("cj-senders", senders.length > 0);
    // Each row is a grid of its own, so the width of the column comes from here.
    const width = String(Math.max(0, ...senders.map((name) => nameWidth(shortName(name)))));
    if (this.list.style.getPropertyValue("--cj-name") !== width) this.list.style.setProperty("--cj-name", width);
  }

  /** @param {string} channel empty for all */
  choose(channel) {
    this.channel = channel;
    this.element.hidden = false;
    if (this.words) void this.onSearch();
    else this.toEnd();
  }

  onRows() {
    if (this.element.hidden) return; // `choose` draws what came meanwhile
    if (this.words) this.searchOn();
    else if (this.following) this.catchUp();
    else this.drawFresh();
  }

  /** Draw the rows anew that have another text now: the next frame of a progress bar. */
  onReplaced() {
    const first = this.store.rows[0]?.n ?? 0;
    this.shown.forEach((row, at) => {
      const now = this.store.rows[row.n - first];
      const old = now && now !== row ? this.list.querySelector(`[data-n="${row.n}"]`) : null;
      if (!old) return;
      this.shown[at] = now;
      const element = rowElement(now, this.store, this.channels);
      element.classList.toggle("cj-same", old.classList.contains("cj-same"));
      old.replaceWith(element);
    });
  }

  /** Show what the store has and the document has not; called in a frame. */
  catchUp() {
    const last = Math.max(this.upTo, this.shown[this.shown.length - 1]?.n ?? -1);
    const rows = this.store.rows.filter(Store.of(this.channel));
    if (this.store.holds(last + 1)) this.append(rows.filter((row) => row.n > last));
    else this.showNewest(rows);
    this.upTo = this.store.next - 1;
    FRAMES.atEnd(this.scrollToEnd);
  }

  /** @param {import("../store.js").Row[]} rows of the channel, all that are here */
  showNewest(rows) {
    this.show(rows);
    this.upTo = this.store.next - 1;
    // One channel among many may have few of the newest rows.
    if (this.shown.length < STEP && this.store.next > WINDOW) void this.older();
  }

  /** Show the newest rows and follow the end from now on. */
  toEnd() {
    this.following = true;
    this.showNewest(this.store.rows.filter(Store.of(this.channel)));
    this.drawFresh();
    this.stick();
  }

  stick() {
    const { list } = this;
    // From here on its size is fixed, and what comes is laid out without the rest of the page.
    list.classList.toggle("cj-full", list.scrollHeight > list.clientHeight);
    list.scrollTop = list.scrollHeight;
    this.end = list.scrollTop;
  }

  /** @param {import("../store.js").Row[]} rows */
  show(rows) {
    this.shown = rows;
    this.list.replaceChildren(...this.parts(rows, ""));
    this.noteSeen();
  }

  /**
   * @param {import("../store.js").Row[]} rows
   * @param {string} sender of the entry before them; empty for none
   * @param {Element | null} [last] part that is not full yet, to begin with
   * @returns {Element[]} the parts that are new
   */
  parts(rows, sender, last = null) {
    const { channels } = this;
    const parts = [];
    for (const row of rows) {
      if (!last || last.childElementCount >= PART) {
        last = make("div", "cj-part");
        parts.push(last);
      }
      const element = rowElement(row, this.store, channels);
      markSender(element, row.w === sender);
      sender = row.w || sender;
      last.append(element);
    }
    return parts;
  }

  /** @param {import("../store.js").Row[]} rows */
  append(rows) {
    this.list.append(...this.parts(rows, senderOf(this.shown), this.list.lastElementChild));
    this.shown.push(...rows);
    this.noteSeen();
    const over = this.shown.length - WINDOW;
    if (over > 0) {
      this.shown.splice(0, over);
      this.remove(over, (element) => element.firstElementChild);
    }
  }

  /**
   * @param {number} count
   * @param {(element: Element) => Element | null} next gives the part, and its row, from which to begin
   */
  remove(count, next) {
    for (let left = count; left > 0; left -= 1) {
      const part = next(this.list);
      if (!part) return;
      next(part)?.remove();
      if (!part.childElementCount) part.remove();
    }
  }

  noteSeen() {
    this.seen = Math.max(this.seen, this.shown[this.shown.length - 1]?.n ?? -1);
  }

  /** How many rows came since the reader left the end. */
  get unseen() {
    const { store, seen } = this;
    if (!store.holds(seen + 1)) return store.next - seen - 1;
    return store.rows.filter((row) => row.n > seen && row.x && Store.of(this.channel)(row)).length;
  }

  drawFresh() {
    const unseen = this.following || this.words ? 0 : this.unseen;
    this.fresh.hidden = unseen === 0;
    setText(this.fresh, `${unseen.toLocaleString("en")} new`);
  }

  onScroll() {
    const { list } = this;
    if (this.following && list.scrollTop >= this.end - 8) return; // it was us, not the reader
    const below = list.scrollHeight - list.scrollTop - list.clientHeight;
    const last = this.shown[this.shown.length - 1]?.n ?? -1;
    this.following = below < 8 && !this.words && this.store.holds(last + 1);
    if (this.following) FRAMES.draw(this.drawRows);
    else if (below < EDGE && !this.words) void this.newer();
    this.drawFresh();
    if (list.scrollTop < EDGE && list.scrollHeight > list.clientHeight) void this.older();
  }

  /** @param {number} number of a row */
  isNewest(number) {
    return this.store.holds(number + 1) && !this.store.rows.some((row) => row.n > number && Store.of(this.channel)(row));
  }

  /**
   * Change the rows so that one of them, which stays, does not move under the reader's eyes.
   * @param {HTMLElement} anchor
   * @param {() => void} change
   */
  anchored(anchor, change) {
    const before = anchor.getBoundingClientRect().top;
    change();
    this.list.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  async older() {
    const first = this.shown[0];
    const before = (first ?? this.store.rows[0])?.n ?? 0;
    if (this.loading || this.words || before === 0) return;
    this.loading = true;
    const { channel } = this;
    const here = this.store.rows.filter((row) => row.n < before && Store.of(channel)(row)).slice(-STEP);
    const rows = here.length || this.store.dead ? here : ((await this.store.ask({ do: "rows", before, count: STEP, channel })).rows ?? []);
    this.loading = false;
    // Meanwhile another channel may have been chosen, or the window moved.
    if (!rows.length || channel !== this.channel || this.shown[0] !== first || this.words) return;
    if (!first) {
      this.show(rows);
      if (this.following) this.stick();
      return;
    }
    this.anchored(/** @type {HTMLElement} */ (this.list.firstElementChild), () => {
      const next = this.shown.findIndex((row) => row.w);
      const following = this.list.querySelectorAll(".cj-row")[next];
      if (following) markSender(following, this.shown[next].w === senderOf(rows));
      this.list.prepend(...this.parts(rows, ""));
      this.shown.unshift(...rows);
    });
    if (this.following) this.stick();
    const over = this.shown.length - WINDOW;
    if (over > 0 && !this.following) {
      this.shown.splice(-over);
      this.upTo = this.shown[this.shown.length - 1].n;
      this.remove(over, (element) => element.lastElementChild);
    }
  }

  async newer() {
    const last = this.shown[this.shown.length - 1];
    if (this.loading || !last || this.isNewest(last.n)) return;
    this.loading = true;
    const { channel } = this;
    const whole = this.store.holds(last.n + 1);
    const here = this.store.rows.filter((row) => row.n > last.n && Store.of(channel)(row)).slice(0, STEP);
    const rows = whole || this.store.dead ? here : ((await this.store.ask({ do: "rows", after: last.n, count: STEP, channel })).rows ?? []);
    this.loading = false;
    if (!rows.length || channel !== this.channel || this.shown[this.shown.length - 1] !== last || this.words) return;
    const rowsShown = this.list.querySelectorAll(".cj-row");
    this.anchored(/** @type {HTMLElement} */ (rowsShown[rowsShown.length - 1]), () => this.append(rows));
    this.drawFresh();
  }

  /** @param {boolean} [on] */
  toggleSearch(on = Boolean(this.search.hidden)) {
    this.search.hidden = !on;
    if (on) this.field.focus();
    else if (this.words) {
      this.words = "";
      this.field.value = "";
      this.toEnd();
    }
  }

  async onSearch() {
    const words = this.field.value.trim();
    this.words = words;
    if (!words) {
      this.found.textContent = "";
      this.toEnd();
      return;
    }
    const here = this.store.rows.filter((row) => this.matches(row));
    this.showFound(here, here.length);
    const complete = (this.store.rows[0]?.n ?? 0) === 0 && !this.store.rows.some((row) => row.all);
    if (complete || this.store.dead) return;
    const answer = await this.store.ask({ do: "search", words, channel: this.channel });
    if (this.words === words) this.showFound(answer.rows ?? [], answer.count ?? 0);
  }

  /** @param {import("../store.js").Row} row */
  matches(row) {
    return Store.of(this.channel)(row) && `${row.x}\n${row.w}`.toLowerCase().includes(this.words.toLowerCase());
  }

  /**
   * @param {import("../store.js").Row[]} rows
   * @param {number} count of all there are
   */
  showFound(rows, count) {
    this.show(rows);
    this.seen = this.store.next - 1;
    this.countFound(count);
  }

  /** @param {number} count */
  countFound(count) {
    this.hits = count;
    this.found.textContent = `${count.toLocaleString("en")} found`;
  }

  /** Search what arrived since for the words. */
  searchOn() {
    const rows = this.store.rows.filter((row) => row.n > this.seen && this.matches(row));
    this.append(rows);
    this.seen = this.store.next - 1;
    this.countFound(this.hits + rows.length);
  }
}
