// The pane: what anywidget calls. One store for each pane, any number of views.
import { Chat } from "./chat.js";
import { make } from "./dom.js";
import { Head, ProgressBar, ResultLine } from "./head.js";
import { Input } from "./input.js";
import { Log } from "./log.js";
import { Store } from "./store.js";

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
      const gone = new AbortController();
      const pane = make("div", `cj cj-${store.kind}-pane cj-theme-${store.theme}`);
      // Keys are the pane's own: Lab would run or delete cells with them.
      pane.dataset.lmSuppressShortcuts = "true";
      pane.addEventListener("keydown", (event) => event.stopPropagation());
      pane.setAttribute("role", "group");
      pane.setAttribute("aria-label", `Process ${store.head?.title ?? ""}`);
      const log = store.kind === "log" ? new Log(store, gone.signal) : null;
      const input = new Input(store, gone.signal, () => log?.channel ?? "");
      log?.element.addEventListener("channel", () => input.draw());
      const head = new Head(store, gone.signal, log
        ? { search: () => log.toggleSearch(), reply: () => input.toggle(), details: () => pane.classList.toggle("cj-detailed") }
        : {});
      const body = log ?? new Chat(store, gone.signal);
      pane.append(head.element, new ProgressBar(store, gone.signal).element, body.element, new ResultLine(store, gone.signal).element, input.element);
      el.append(pane);
      // Rows that were laid out before they had a size could not be scrolled to their end.
      requestAnimationFrame(() => body.toEnd());
      return () => gone.abort();
    },
  };
};
