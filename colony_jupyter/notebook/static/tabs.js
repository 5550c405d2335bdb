// The strip of tabs over what a pane shows.
import { button, make, setText } from "./dom.js";

/**
 * @typedef {object} Tab
 * @property {string} key what is chosen with it
 * @property {string} label
 * @property {number | null} [count] shown with the label; null where none is known
 * @property {number} [colour] number of the channel's colour
 * @property {string} [title]
 * @property {boolean} [lone] whether it is shown also where it is the only one
 */

/** Tabs of which one is on. */
export class Tabs {
  /** @param {(key: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    /** @type {Tab[]} */
    this.drawn = [];
    /** @type {string} key of the tab that is on */
    this.chosen = "";
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
    tabs.forEach(({ key, count, title }, at) => {
      const tab = /** @type {HTMLElement} */ (this.element.children[at]);
      const on = key === this.chosen;
      // Counts change many times a second, and nothing else does.
      if (!same || count !== drawn[at].count) setText(/** @type {HTMLElement} */ (tab.lastChild), count === null || count === undefined ? "" : count.toLocaleString("en"));
      if (same && title === drawn[at].title && on === tab.classList.contains("cj-on")) return;
      tab.title = title ?? "";
      tab.classList.toggle("cj-on", on);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
  }

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
