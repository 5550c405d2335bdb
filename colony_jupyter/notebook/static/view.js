// One view of a pane: what it shows, for how long, and whether it is in sight.
import { make } from "./dom.js";
import { FRAMES } from "./frames.js";
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

/** Notifies the parts of a view of changes in the store. While the view is out of sight they draw nothing. */
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
   * Have something drawn in the next frame after one of some events, or once for all that happened out of sight.
   * @param {string[]} names of events of the store
   * @param {() => void} draw
   */
  on(names, draw) {
    const drawIfThere = () => {
      if (!this.gone.aborted) draw();
    };
    const happened = () => {
      if (this.inSight) FRAMES.draw(drawIfThere);
      else this.missed.add(drawIfThere);
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
    for (const draw of this.missed) FRAMES.draw(draw);
    this.missed.clear();
  }
}

/** Another pane within a view, such as that of one process of many. */
export class InnerPane {
  /**
   * @param {View} view
   * @param {string} className
   */
  constructor(view, className) {
    this.view = view;
    this.element = make("div", className);
    /** Id of the widget that is shown; empty for none. */
    this.widget = "";
    /** @type {any} the view of that widget */
    this.inner = null;
    view.gone.addEventListener("abort", () => this.inner?.remove());
  }

  /**
   * @param {string} widget id of the widget to show in place of the present one; empty for none
   */
  async show(widget) {
    if (widget === this.widget) return;
    this.widget = widget;
    this.inner?.remove();
    this.inner = null;
    this.element.replaceChildren();
    if (!widget) return;
    const manager = this.view.store.model.widget_manager;
    try {
      const inner = await manager.create_view(await manager.get_model(widget));
      if (this.widget !== widget || this.view.gone.aborted) {
        inner.remove();
        return;
      }
      this.inner = inner;
      this.element.replaceChildren(inner.el);
    } catch {
      // The kernel has closed it in the meantime, or the page was loaded after the kernel had gone.
    }
  }
}
