// The log: a window of rows that follows the end while the reader is there, and moves through all rows by scrolling.
import { button, make, say } from "./dom.js";
import { rowElement } from "./rows.js";
import { Store, WINDOW } from "./store.js";

/** Pixels from an edge at which the next rows are brought. */
const EDGE = 40;
const STEP = 200;
/** Rows that are painted together: those of a part in which nothing changes are not painted again. */
const PART = 50;

/** @type {Set<Log>} those whose end has moved since the last frame */
const moved = new Set();

/** Have a log scrolled to its end in the next frame, with all others: the page is laid out once for them together. */
function stickSoon(/** @type {Log} */ log) {
  if (!moved.size) {
    requestAnimationFrame(() => {
      for (const each of moved) if (each.following) each.stick();
      moved.clear();
    });
  }
  moved.add(log);
}

/** The log of one view. */
export class Log {
  /**
   * @param {Store} store
   * @param {AbortSignal} gone when the view goes
   */
  constructor(store, gone) {
    this.store = store;
    /** @type {string} the channel shown; empty for all */
    this.channel = "";
    /** @type {import("./store.js").Row[]} rows in the document, in their order */
    this.shown = [];
    this.following = true;
    /** Where the end was when it was last scrolled to, in pixels. */
    this.end = 0;
    this.unseen = 0;
    this.loading = false;
    /** @type {string} words searched for */
    this.words = "";
    this.tabs = make("div", "cj-tabs");
    this.tabs.setAttribute("role", "tablist");
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
    this.element = make("div", "cj-entries", this.tabs, this.search, make("div", "cj-frame", this.list, this.fresh));
    const options = { signal: gone };
    this.list.addEventListener("scroll", () => this.onScroll(), { ...options, passive: true });
    this.field.addEventListener("input", () => void this.onSearch(), options);
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.toggleSearch(false), options);
    store.addEventListener("rows", (event) => this.onRows(/** @type {CustomEvent} */ (event).detail), options);
    store.addEventListener("reset", () => this.onReset(), options);
    store.addEventListener("head", () => this.drawTabs(), options);
    this.drawTabs();
    this.toEnd();
  }

  get channels() {
    return (this.store.head?.channels ?? []).map(([name]) => name);
  }

  drawTabs() {
    const channels = this.store.head?.channels ?? [];
    this.tabs.hidden = channels.length <= 1;
    this.reveal();
    if (this.tabs.hidden) return;
    const total = channels.reduce((sum, [, count]) => sum + count, 0);
    /** @type {[string, string, number, number][]} */
    const wanted = [["", "all", total, -1], ...channels.map(([name, count], at) => /** @type {[string, string, number, number]} */ ([name, name, count, at]))];
    if (this.tabs.childElementCount !== wanted.length) {
      this.tabs.replaceChildren(...wanted.map(([name, label, , colour]) => {
        const tab = button("", () => this.choose(name), "cj-tab");
        if (colour >= 0) tab.classList.add(`cj-channel-${colour % 6}`);
        tab.setAttribute("role", "tab");
        tab.append(make("bdi", "", label), make("sup"));
        tab.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const tabs = /** @type {HTMLElement[]} */ ([...this.tabs.children]);
          const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
          next.focus();
          next.click();
        });
        return tab;
      }));
    }
    wanted.forEach(([name, , count], at) => {
      const tab = /** @type {HTMLElement} */ (this.tabs.children[at]);
      const on = name === this.channel;
      say(/** @type {HTMLElement} */ (tab.lastChild), count.toLocaleString("en"));
      tab.classList.toggle("cj-on", on);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
  }

  /** Nothing is shown of a log that is empty. */
  reveal() {
    this.element.hidden = !this.store.next && this.search.hidden;
  }

  /** @param {string} channel */
  choose(channel) {
    this.channel = channel;
    this.drawTabs();
    if (this.words) void this.onSearch();
    else this.toEnd();
    this.element.dispatchEvent(new Event("channel"));
  }

  /** @param {import("./store.js").Row[]} rows */
  onRows(rows) {
    this.reveal();
    if (this.words) return;
    const mine = rows.filter(Store.of(this.channel));
    if (this.following) {
      this.append(mine);
      stickSoon(this);
    } else {
      this.unseen += mine.filter((row) => row.x).length;
      this.drawFresh();
    }
  }

  onReset() {
    this.reveal();
    if (this.words) return;
    if (this.following) this.toEnd();
    else {
      this.unseen = this.store.next - (this.shown[this.shown.length - 1]?.n ?? 0) - 1;
      this.drawFresh();
    }
  }

  /** Show the newest rows and follow the end from now on. */
  toEnd() {
    this.following = true;
    this.unseen = 0;
    this.drawFresh();
    this.show(this.store.rows.filter(Store.of(this.channel)));
    this.stick();
    // One channel among many may have few of the newest rows.
    if (this.channel && this.shown.length < STEP && this.store.next > WINDOW) void this.older();
  }

  stick() {
    this.list.scrollTop = this.list.scrollHeight;
    this.end = this.list.scrollTop;
  }

  /** @param {import("./store.js").Row[]} rows */
  show(rows) {
    this.shown = rows;
    this.list.replaceChildren(...this.parts(rows));
  }

  /**
   * @param {import("./store.js").Row[]} rows
   * @param {Element | null} [last] part that is not full yet, to begin with
   * @returns {Element[]} the parts that are new
   */
  parts(rows, last = null) {
    const { channels } = this;
    const parts = [];
    for (const row of rows) {
      if (!last || last.childElementCount >= PART) {
        last = make("div", "cj-part");
        parts.push(last);
      }
      last.append(rowElement(row, this.store, channels));
    }
    return parts;
  }

  /** @param {import("./store.js").Row[]} rows */
  append(rows) {
    this.list.append(...this.parts(rows, this.list.lastElementChild));
    this.shown.push(...rows);
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

  drawFresh() {
    this.fresh.hidden = this.unseen === 0;
    this.fresh.textContent = `${this.unseen.toLocaleString("en")} new`;
  }

  onScroll() {
    const { list } = this;
    const below = list.scrollHeight - list.scrollTop - list.clientHeight;
    const last = this.shown[this.shown.length - 1]?.n ?? -1;
    if (moved.has(this) && this.following && list.scrollTop >= this.end - 8) return; // the end has moved, not the reader
    if (below < 8 && !this.words) {
      if (this.isNewest(last)) {
        this.following = true;
        this.unseen = 0;
        this.drawFresh();
      } else void this.newer();
    } else {
      this.following = false;
      if (below < EDGE && !this.words) void this.newer();
    }
    if (list.scrollTop < EDGE && list.scrollHeight > list.clientHeight) void this.older();
  }

  /** @param {number} number of a row */
  isNewest(number) {
    return !this.store.rows.some((row) => row.n > number && Store.of(this.channel)(row)) && number >= (this.store.rows[0]?.n ?? 0) - 1;
  }

  /**
   * Change the rows so that one of them, which stays, does not move under the reader's eyes.
   * @param {HTMLElement} anchor
   * @param {() => void} change
   */
  keeping(anchor, change) {
    const before = anchor.getBoundingClientRect().top;
    change();
    this.list.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  async older() {
    const first = this.shown[0];
    if (this.loading || this.words || !first || first.n === 0 || this.store.dead) return;
    this.loading = true;
    const { channel } = this;
    const here = this.store.rows.filter((row) => row.n < first.n && Store.of(channel)(row)).slice(-STEP);
    const rows = here.length ? here : ((await this.store.ask({ do: "rows", before: first.n, count: STEP, channel })).rows ?? []);
    this.loading = false;
    // Meanwhile another channel may have been chosen, or the window moved.
    if (!rows.length || channel !== this.channel || this.shown[0] !== first || this.words) return;
    this.keeping(/** @type {HTMLElement} */ (this.list.firstElementChild), () => {
      this.list.prepend(...this.parts(rows));
      this.shown.unshift(...rows);
    });
    if (this.following) this.stick();
    const over = this.shown.length - WINDOW;
    if (over > 0 && !this.following) {
      this.shown.splice(-over);
      this.remove(over, (element) => element.lastElementChild);
    }
  }

  async newer() {
    const last = this.shown[this.shown.length - 1];
    if (this.loading || !last || this.isNewest(last.n)) return;
    this.loading = true;
    const { channel } = this;
    const whole = (this.store.rows[0]?.n ?? 0) <= last.n + 1;
    const here = this.store.rows.filter((row) => row.n > last.n && Store.of(channel)(row)).slice(0, STEP);
    const rows = whole || this.store.dead ? here : ((await this.store.ask({ do: "rows", after: last.n, count: STEP, channel })).rows ?? []);
    this.loading = false;
    if (!rows.length || channel !== this.channel || this.shown[this.shown.length - 1] !== last || this.words) return;
    const rowsShown = this.list.querySelectorAll(".cj-row");
    this.keeping(/** @type {HTMLElement} */ (rowsShown[rowsShown.length - 1]), () => this.append(rows));
    this.unseen = Math.max(0, this.unseen - rows.length);
    this.drawFresh();
  }

  /** @param {boolean} [on] */
  toggleSearch(on = Boolean(this.search.hidden)) {
    this.search.hidden = !on;
    this.element.hidden = false;
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
    const folded = words.toLowerCase();
    const here = this.store.rows.filter((row) => Store.of(this.channel)(row) && `${row.x}\n${row.w}`.toLowerCase().includes(folded));
    this.show(here);
    this.found.textContent = `${here.length.toLocaleString("en")} found`;
    const complete = (this.store.rows[0]?.n ?? 0) === 0 && !this.store.rows.some((row) => row.all);
    if (complete || this.store.dead) return;
    const answer = await this.store.ask({ do: "search", words, channel: this.channel });
    if (this.words !== words) return;
    this.show(answer.rows ?? []);
    this.found.textContent = `${(answer.count ?? 0).toLocaleString("en")} found`;
  }
}
