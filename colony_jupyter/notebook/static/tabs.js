// The strip of tabs over what a pane shows.
import { button, make, setText } from "./dom.js";
import { FRAMES } from "./frames.js";

/**
 * @typedef {object} Tab
 * @property {string} key what is chosen with it
 * @property {string} label
 * @property {number | null} [count] shown with the label; null where none is known
 * @property {number} [colour] number of the channel's colour
 * @property {string} [title]
 * @property {boolean} [lone] whether it is shown also where it is the only one
 */

/** Milliseconds between two changes of the counts: a change costs about as much as a row, and faster ones cannot be read. */
const COUNTED = 500;
/** Made once: `toLocaleString` makes one each time. */
const COUNT = new Intl.NumberFormat("en");

/** Tabs of which one is on. */
export class Tabs {
  /** @param {(key: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    /** @type {Tab[]} */
    this.drawn = [];
    /** @type {string} key of the tab that is on */
    this.chosen = "";
    /** When the counts may change again, by performance.now(). */
    this.countsFrom = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.element = make("div", "cj-tabs");
    this.element.setAttribute("role", "tablist");
  }

  /** @param {string} key */
  choose(key) {
    this.chosen = key;
    this.draw(this.drawn);
    this.onChoose(key);
  }

  /** @param {Tab[]} tabs */
  draw(tabs) {
    const { drawn } = this;
    const same = tabs.length === drawn.length && tabs.every(({ key }, at) => key === drawn[at].key);
    this.drawn = tabs;
    this.element.hidden = tabs.length < 2 && !tabs[0]?.lone;
    if (!same) this.element.replaceChildren(...tabs.map((tab) => this.tabElement(tab)));
    if (same) this.drawCountsInTime();
    else this.drawCounts();
    tabs.forEach(({ key, title }, at) => {
      const tab = /** @type {HTMLElement} */ (this.element.children[at]);
      const on = key === this.chosen;
      if (same && title === drawn[at].title && on === tab.classList.contains("cj-on")) return;
      tab.title = title ?? "";
      tab.classList.toggle("cj-on", on);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
  }

  /** Draw the counts now if they may change again, and once more when nothing has come for a while. */
  drawCountsInTime() {
    if (performance.now() >= this.countsFrom) this.drawCounts();
    else this.timer ??= setTimeout(() => FRAMES.draw(this.drawCounts), COUNTED);
  }

  drawCounts = () => {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.countsFrom = performance.now() + COUNTED;
    this.drawn.forEach(({ count }, at) => setText(/** @type {HTMLElement} */ (this.element.children[at].lastChild), count === null || count === undefined ? "" : COUNT.format(count)));
  };

  /** @param {Tab} tab */
  tabElement({ key, label, colour }) {
    const element = button("", () => this.choose(key), "cj-tab");
    if (colour !== undefined) element.classList.add(`cj-channel-${colour % 6}`);
    element.setAttribute("role", "tab");
    element.append(make("bdi", "", label), make("sup"));
    element.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const all = /** @type {HTMLElement[]} */ ([...this.element.children]);
      const next = all[(all.indexOf(element) + step + all.length) % all.length];
      next.focus();
      next.click();
    });
    return element;
  }
}
