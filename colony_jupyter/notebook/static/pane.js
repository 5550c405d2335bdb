// The pane: what anywidget calls. One store for each pane, any number of views.
import { BoardBody } from "./board/board.js";
import { BoardStore } from "./board/store.js";
import { Chat } from "./chat.js";
import { make } from "./dom.js";
import { FRAMES } from "./frames.js";
import { Head, ProgressBar, ResultLine } from "./head.js";
import { Input } from "./input.js";
import { Panels, plotAlone } from "./panels.js";
import { Store } from "./store.js";
import { View } from "./view.js";
import { Graph } from "./workflow/graph.js";

export default () => {
  /** @type {Store} */
  let store;
  return {
    /** @param {{model: import("./store.js").Model}} widget */
    initialize({ model }) {
      store = model.get("kind") === "board" ? new BoardStore(model) : new Store(model);
      return () => store.stop.abort();
    },

    /** @param {{el: HTMLElement}} widget */
    render({ el }) {
      const view = new View(store);
      const pane = make("div", `cj cj-${store.kind}-pane cj-theme-${store.theme}`);
      // Keys are the pane's own: Lab would run or delete cells with them.
      pane.dataset.lmSuppressShortcuts = "true";
      pane.addEventListener("keydown", (event) => event.stopPropagation());
      pane.addEventListener("animationstart", () => {
        for (const animation of pane.getAnimations({ subtree: true })) {
          if (animation instanceof CSSAnimation) FRAMES.move(animation, () => view.inSight);
        }
      });
      pane.setAttribute("role", "group");
      const close = () => {
        // Lab holds on to the element of every widget there ever was.
        el.replaceChildren();
        view.stop.abort();
      };
      const placed = () => {
        view.watch(pane);
        // A style sheet could find this out by itself, at the price of 10 ms a frame: `:has` looks at every change within.
        const area = pane.closest(".jp-OutputArea");
        area?.classList.add("cj-beside");
        view.gone.addEventListener("abort", () => area?.classList.toggle("cj-beside", area.querySelector(".cj") !== null));
      };
      if (store instanceof BoardStore) {
        pane.setAttribute("aria-label", store.board?.title ?? "");
        pane.append(new BoardBody(view).element);
        el.append(pane);
        requestAnimationFrame(() => {
          if (!view.gone.aborted) placed();
        });
        return close;
      }
      pane.setAttribute("aria-label", store.kind === "workflow" ? "Workflow" : `Process ${store.head?.title ?? ""}`);
      const panels = store.kind === "log" ? new Panels(view) : null;
      const input = new Input(view, () => panels?.channel ?? "");
      panels?.element.addEventListener("channel", () => input.draw());
      const head = new Head(view, panels
        ? { search: () => panels.search(), reply: () => input.toggle(), details: () => pane.classList.toggle("cj-detailed") }
        : {});
      const chat = store.kind === "chat" ? new Chat(view) : null;
      const body = panels ?? chat ?? (store.kind === "workflow" ? new Graph(view) : plotAlone(view));
      pane.append(head.element, new ProgressBar(view).element, body.element, new ResultLine(view).element, input.element);
      el.append(pane);
      requestAnimationFrame(() => {
        if (view.gone.aborted) return;
        // Rows that were laid out before they had a size could not be scrolled to their end.
        (panels ?? chat)?.toEnd();
        placed();
      });
      return close;
    },
  };
};
