// The log: a window of rows that follows the end while the reader is there, and moves through all rows by scrolling.
import { button, make, say } from "./dom.js";
import { markSender, rowElement } from "./rows.js";
import { Store, WINDOW } from "./store.js";
import { nameWidth, shortName } from "./text.js";
/** @typedef {import("./view.js").View} View */

/** Pixels from an edge at which the next rows are brought. */
const EDGE = 40;
const STEP = 200;
/** Rows that are painted together: those of a part in which nothing changes are not painted again. */
const PART = 50;

/** @type {Set<Log>} those that follow the end and lack what came since the last frame */
const behind = new Set();

/** Have a log catch up in the next frame, with all others: the page is laid out once for them together. */
function catchUpSoon(/** @type {Log} */ log) {
  if (!behind.size) requestAnimationFrame(catchUp);
  behind.add(log);
}

function catchUp() {
  const logs = [...behind].filter((log) => log.following && !log.words);
  behind.clear();
  for (const log of logs) log.catchUp();
  for (const log of logs) log.stick();
}

/**
 * @param {import("./store.js").Row[]} rows
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
    /** @type {import("./store.js").Row[]} rows in the document, in their order */
    this.shown = [];
    this.following = true;
    /** Where the end was when it was last scrolled to, in pixels. */
    this.end = 0;
    /** Number of the newest row that was ever shown. */
    this.seen = -1;
    this.loading = false;
    /** @type {string} words searched for */
    this.words = "";
    /** How many rows hold them. */
    this.hits = 0;
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
    const options = { signal: view.gone };
    this.list.addEventListener("scroll", () => this.onScroll(), { ...options, passive: true });
    this.field.addEventListener("input", () => void this.onSearch(), options);
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.toggleSearch(false), options);
    view.on(["rows"], () => this.onRows());
    view.on(["head"], () => this.drawHead());
    this.drawHead();
    this.toEnd();
  }

  get channels() {
    return (this.store.head?.channels ?? []).map(([name]) => name);
  }

  drawHead() {
    this.drawTabs();
    const senders = this.store.head?.senders ?? [];
    this.list.classList.toggle("cj-senders", senders.length > 0);
    // Each row is a grid of its own, so the width of the column comes from here.
    const width = String(Math.max(0, ...senders.map((name) => nameWidth(shortName(name)))));
    if (this.list.style.getPropertyValue("--cj-name") !== width) this.list.style.setProperty("--cj-name", width);
  }

  drawTabs() {
    const channels = this.store.head?.channels ?? [];
    this.tabs.hidden = channels.length <= 1;
    this.reveal();
    if (this.tabs.hidden) return;
    const total = channels.reduce((sum, [, count]) => sum + (count ?? 0), 0);
    /** @typedef {[string, string, number | null, number]} Tab name, label, count and number of the colour */
    /** @type {Tab[]} */
    const wanted = [["", "all", total, -1], ...channels.map(([name, count], at) => /** @type {Tab} */ ([name, name, count, at]))];
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
      say(/** @type {HTMLElement} */ (tab.lastChild), count === null ? "" : count.toLocaleString("en"));
      tab.title = count === null ? "This channel is not read here" : "";
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

  onRows() {
    this.reveal();
    if (this.words) this.searchOn();
    else if (this.following) catchUpSoon(this);
    else this.drawFresh();
  }

  /** Show what the store has and the document has not. */
  catchUp() {
    const last = this.shown[this.shown.length - 1]?.n ?? -1;
    const rows = this.store.rows.filter(Store.of(this.channel));
    if (this.store.holds(last + 1)) this.append(rows.filter((row) => row.n > last));
    else this.show(rows);
  }

  /** Show the newest rows and follow the end from now on. */
  toEnd() {
    this.following = true;
    this.show(this.store.rows.filter(Store.of(this.channel)));
    this.drawFresh();
    this.stick();
    // One channel among many may have few of the newest rows.
    if (this.channel && this.shown.length < STEP && this.store.next > WINDOW) void this.older();
  }

  stick() {
    const { list } = this;
    // From here on its size is fixed, and what comes is laid out without the rest of the page.
    list.classList.toggle("cj-full", list.scrollHeight > list.clientHeight);
    list.scrollTop = list.scrollHeight;
    this.end = list.scrollTop;
  }

  /** @param {import("./store.js").Row[]} rows */
  show(rows) {
    this.shown = rows;
    this.list.replaceChildren(...this.parts(rows, ""));
    this.noteSeen();
  }

  /**
   * @param {import("./store.js").Row[]} rows
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

  /** @param {import("./store.js").Row[]} rows */
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
    say(this.fresh, `${unseen.toLocaleString("en")} new`);
  }

  onScroll() {
    const { list } = this;
    if (this.following && list.scrollTop >= this.end - 8) return; // it was us, not the reader
    const below = list.scrollHeight - list.scrollTop - list.clientHeight;
    const last = this.shown[this.shown.length - 1]?.n ?? -1;
    this.following = below < 8 && !this.words && this.store.holds(last + 1);
    if (this.following) catchUpSoon(this);
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
  keeping(anchor, change) {
    const before = anchor.getBoundingClientRect().top;
    change();
    this.list.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  async older() {
    const first = this.shown[0];
    if (this.loading || this.words || !first || first.n === 0) return;
    this.loading = true;
    const { channel } = this;
    const here = this.store.rows.filter((row) => row.n < first.n && Store.of(channel)(row)).slice(-STEP);
    const rows = here.length || this.store.dead ? here : ((await this.store.ask({ do: "rows", before: first.n, count: STEP, channel })).rows ?? []);
    this.loading = false;
    // Meanwhile another channel may have been chosen, or the window moved.
    if (!rows.length || channel !== this.channel || this.shown[0] !== first || this.words) return;
    this.keeping(/** @type {HTMLElement} */ (this.list.firstElementChild), () => {
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
    this.keeping(/** @type {HTMLElement} */ (rowsShown[rowsShown.length - 1]), () => this.append(rows));
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
    const here = this.store.rows.filter((row) => this.matches(row));
    this.showFound(here, here.length);
    const complete = (this.store.rows[0]?.n ?? 0) === 0 && !this.store.rows.some((row) => row.all);
    if (complete || this.store.dead) return;
    const answer = await this.store.ask({ do: "search", words, channel: this.channel });
    if (this.words === words) this.showFound(answer.rows ?? [], answer.count ?? 0);
  }

  /** @param {import("./store.js").Row} row */
  matches(row) {
    return Store.of(this.channel)(row) && `${row.x}\n${row.w}`.toLowerCase().includes(this.words.toLowerCase());
  }

  /**
   * @param {import("./store.js").Row[]} rows
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

  /** Look for the words in what came since. */
  searchOn() {
    const rows = this.store.rows.filter((row) => row.n > this.seen && this.matches(row));
    this.append(rows);
    this.seen = this.store.next - 1;
    this.countFound(this.hits + rows.length);
  }
}
