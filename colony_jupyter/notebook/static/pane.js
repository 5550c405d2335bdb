// The pane: what anywidget calls. One store for each pane, any number of views.
import { Chat } from "./chat.js";
import { make } from "./dom.js";
import { Head, ProgressBar, ResultLine } from "./head.js";
import { Input } from "./input.js";
import { Log } from "./log.js";
import { Store } from "./store.js";
import { View } from "./view.js";

export default () => {
  /** @type {Store} */
  let store;
  return {
    /** @param {{model: import("./store.js").Model}} widget */
    initialize({ model }) {
      store = new Store(model);
      return () => store.stop.abort();
    },

    /** @param {{el: HTMLElement}} widget */
    render({ el }) {
      const view = new View(store);
      const pane = make("div", `cj cj-${store.kind}-pane cj-theme-${store.theme}`);
      // Keys are the pane's own: Lab would run or delete cells with them.
      pane.dataset.lmSuppressShortcuts = "true";
      pane.addEventListener("keydown", (event) => event.stopPropagation());
      pane.setAttribute("role", "group");
      pane.setAttribute("aria-label", `Process ${store.head?.title ?? ""}`);
      const log = store.kind === "log" ? new Log(view) : null;
      const input = new Input(view, () => log?.channel ?? "");
      log?.element.addEventListener("channel", () => input.draw());
      const head = new Head(view, log
        ? { search: () => log.toggleSearch(), reply: () => input.toggle(), details: () => pane.classList.toggle("cj-detailed") }
        : {});
      const body = log ?? new Chat(view);
      pane.append(head.element, new ProgressBar(view).element, body.element, new ResultLine(view).element, input.element);
      el.append(pane);
      requestAnimationFrame(() => {
        if (view.gone.aborted) return;
        // Rows that were laid out before they had a size could not be scrolled to their end.
        body.toEnd();
        view.watch(pane);
      });
      return () => {
        view.stop.abort();
        // Lab holds on to the element of every widget there ever was.
        el.replaceChildren();
      };
    },
  };
};
