// One view of a pane: what it shows, for how long, and whether anybody could see it.
/** @typedef {import("./store.js").Store} Store */

/** How far out of sight a view is drawn all the same, so that it is complete when it is scrolled to. */
const MARGIN = "200px 0px";

/**
 * @param {Element} element
 * @returns {Element | null} what the whole page scrolls in, if it is not the window
 */
function scroller(element) {
  let found = null;
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
    // Outputs could scroll, too, and rarely do: the outermost is the notebook's.
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) found = at;
  }
  return found;
}

/** Tells the parts of a view of what happens in the store. While the view is out of sight they draw nothing. */
export class View {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.stop = new AbortController();
    /** Aborted when the view goes. */
    this.gone = this.stop.signal;
    this.inSight = true;
    /** @type {Set<() => void>} what is to be drawn when it comes back into sight */
    this.missed = new Set();
  }

  /**
   * Have something drawn whenever one of some events happens, or once for all that happened out of sight.
   * @param {string[]} names of events of the store
   * @param {() => void} draw
   */
  on(names, draw) {
    const happened = () => {
      if (this.inSight) draw();
      else this.missed.add(draw);
    };
    for (const name of names) this.store.addEventListener(name, happened, { signal: this.gone });
  }

  /**
   * Note from now on whether an element, the whole view, is in sight.
   * @param {Element} element must be in the document
   */
  watch(element) {
    const options = { root: scroller(element), rootMargin: MARGIN };
    const observer = new IntersectionObserver((seen) => this.turn(seen[seen.length - 1].isIntersecting), options);
    observer.observe(element);
    this.gone.addEventListener("abort", () => observer.disconnect());
  }

  /** @param {boolean} inSight */
  turn(inSight) {
    this.inSight = inSight;
    if (!inSight) return;
    const missed = [...this.missed];
    this.missed.clear();
    for (const draw of missed) draw();
  }
}
