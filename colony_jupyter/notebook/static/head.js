// The head line with state and controls, the progress bar, and the result.
import { button, copyFrom, copyText, download, folding, make, setText } from "./dom.js";
import { FRAMES } from "./frames.js";
import { mediaElement } from "./media.js";
import { elapsedText, progressText } from "./text.js";
/** @typedef {import("./view.js").View} View */

/** @typedef {{search?: () => void, reply?: () => void, details?: () => void}} Tools */

/** The head of one view. */
export class Head {
  /**
   * @param {View} view
   * @param {Tools} tools what the view can do
   */
  constructor(view, tools) {
    this.store = view.store;
    this.asking = false;
    /** Whether the kernel has not received a press of a button for a while. */
    this.busy = false;
    this.state = make("span", "cj-state");
    this.link = make("span", "cj-state cj-link");
    this.name = make("bdi", "cj-name");
    this.meta = make("span", "cj-meta");
    this.time = make("span", "cj-meta cj-time");
    this.tools = make("span", "cj-tools");
    this.actions = make("span", "cj-actions");
    this.more = button("⋯", () => {
      const open = this.element.classList.toggle("cj-open");
      this.more.setAttribute("aria-expanded", String(open));
    }, "cj-quiet cj-more");
    this.more.setAttribute("aria-expanded", "false");
    this.more.setAttribute("aria-label", "More");
    /** Changes of the state, for screen readers. */
    this.spoken = make("span", "cj-spoken");
    this.spoken.setAttribute("role", "status");
    this.element = make("div", "cj-head", this.state, this.link, this.name, this.meta, make("span", "cj-grow"), this.time, this.tools, this.more, this.actions, this.spoken);
    this.reply = button("Reply", () => tools.reply?.(), "cj-quiet");
    this.fillTools(tools);
    // Screen readers announce its state wherever the view is.
    const draw = () => this.draw();
    for (const name of ["head", "dead"]) this.store.addEventListener(name, () => FRAMES.draw(draw), { signal: view.gone });
    FRAMES.drawEverySecond(() => this.drawTime(), view.gone);
    this.draw();
  }

  /** @param {Tools} tools */
  fillTools(tools) {
    const { store } = this;
    // Without a kernel the page's own rows have to do.
    const lines = async (/** @type {string} */ form) => {
      const { buffers, gone } = await store.ask({ do: "lines", form });
      return gone ? store.lines(form) : new TextDecoder().decode(buffers[0]);
    };
    const copy = button("Copy", () => void copyFrom(copy, () => lines("text")), "cj-quiet cj-rare");
    copy.title = "Copy all entries as text";
    const save = async () => {
      const name = `${store.head?.title ?? "process"}-${store.head?.pid.slice(0, 8) ?? ""}.jsonl`;
      download(name.replace(/[^\w.-]+/g, "_"), await lines("json"), "application/jsonl");
    };
    const keep = button("Download", () => void save(), "cj-quiet cj-rare");
    keep.title = "Download all entries as JSON Lines";
    if (tools.search) this.tools.append(button("Search", tools.search, "cj-quiet"));
    if (tools.reply) this.tools.append(this.reply);
    this.tools.append(copy, keep);
    if (tools.details) {
      const details = button("Details", () => {
        tools.details?.();
        details.setAttribute("aria-pressed", String(details.getAttribute("aria-pressed") !== "true"));
      }, "cj-quiet cj-rare");
      details.title = "Show channel, type, sequence and reply-to of every entry";
      details.setAttribute("aria-pressed", "false");
      this.tools.append(details);
    }
  }

  drawTime() {
    const { head } = this.store;
    setText(this.time, head?.state ? elapsedText(this.store.elapsed) : "");
  }

  draw() {
    const { store } = this;
    const { head } = store;
    if (!head) return;
    this.state.hidden = !head.state;
    const state = head.answer || head.state;
    this.state.className = `cj-state cj-${state.toLowerCase()}${store.isLive ? " cj-live" : ""}`;
    setText(this.state, state);
    const link = this.linkText(head);
    this.link.hidden = !link;
    setText(this.link, link);
    const lost = Boolean(store.dead) && store.isPending;
    this.link.title = lost ? store.dead : (this.busy ? "What you asked for is done when the kernel is free." : head.detail);
    this.link.classList.toggle("cj-broken", lost || head.connection === "broken");
    setText(this.name, head.title);
    this.drawMeta(head);
    this.drawTime();
    this.drawActions(head);
    this.reply.hidden = !store.takesInput;
    const empty = store.next === 0 && !store.bubbles.size && !head.channels.some(([, count]) => count);
    // The texts of a chat are in the page only as they are drawn.
    this.tools.hidden = this.more.hidden = empty || store.kind === "workflow" || (Boolean(store.dead) && store.kind === "chat");
    const spoken = [state.toLowerCase(), link].filter(Boolean).join(", ");
    const words = head.state ? `${head.title}: ${spoken}` : "";
    setText(this.spoken, words);
  }

  /**
   * @param {import("./store.js").Head} head
   * @returns {string} the text for the connection; empty where it is simply live
   */
  linkText(head) {
    const { store } = this;
    if (store.dead && store.isPending) return "not live";
    if (this.busy && !store.dead) return "kernel busy";
    if (head.finished && store.isOpen) return store.kind === "chat" ? "" : "not followed";
    if (head.finished) return "";
    if (head.connection === "polling") return `polling: ${head.detail}`;
    return { resuming: "resuming", broken: "connection lost" }[head.connection] ?? "";
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    if (this.busy === busy) return;
    this.busy = busy;
    this.draw();
  }

  /** @param {import("./store.js").Head} head */
  drawMeta(head) {
    const key = [head.pid, head.executor, head.turn, head.waiting].join("\n");
    if (this.meta.dataset.key === key) return; // what is selected stays selected
    this.meta.dataset.key = key;
    this.meta.replaceChildren();
    if (head.pid) {
      const id = button(head.pid.slice(0, 8), () => {
        void copyText(head.pid);
        this.spoken.textContent = "Process id copied";
      }, "cj-id");
      id.title = `${head.pid} (click copies it)`;
      id.setAttribute("aria-label", `Copy process id ${head.pid.slice(0, 8)}`);
      this.meta.append(id);
    }
    if (head.executor) this.meta.append(this.store.kind === "chat" ? " with " : " on ", make("bdi", "cj-code", head.executor));
    if (head.turn) this.meta.append(` · turn ${head.turn}`);
    if (head.waiting) this.meta.append(" · ", make("bdi", "", head.waiting));
  }

  /** @param {import("./store.js").Head} head */
  drawActions(head) {
    const { store } = this;
    /** @type {HTMLElement[]} */
    const wanted = [];
    const call = (/** @type {string} */ name, /** @type {string} */ label) => {
      if (!store.controls.has(name)) return;
      const pressed = button(label, () => {
        pressed.disabled = true;
        void store.askPatiently({ do: "call", name }, () => this.showBusy(true)).then(() => {
          pressed.disabled = false;
          this.showBusy(false);
        });
      });
      wanted.push(pressed);
    };
    const key = [head.state, head.due, head.finished, store.dead, this.asking, store.kind, head.workflow].join();
    if (this.actions.dataset.key === key) return; // what has the focus keeps it
    this.actions.dataset.key = key;
    if (store.dead) this.asking = false;
    else if (store.kind === "chat") {
      if (!head.finished && store.isOpen) call("on_end_chat", "End chat");
      else if (head.state && !store.isOpen) call("on_new_chat", "New chat");
    } else if (store.isWaiting && !head.workflow) call("on_cancel", "Cancel");
    else if (store.isOpen && store.controls.has("on_cancel")) {
      const ask = (/** @type {boolean} */ on) => {
        this.asking = on;
        this.draw();
        /** @type {HTMLElement | null} */ (this.actions.querySelector("button:last-child"))?.focus();
      };
      if (this.asking) {
        const whole = `ColonyOS cancels a workflow only as a whole. Cancel workflow ${head.workflow?.slice(0, 8)} with all its processes?`;
        wanted.push(make("span", "cj-meta", head.workflow ? whole : `Cancel the ${store.kind === "workflow" ? "workflow" : "process"}?`));
        call("on_cancel", head.workflow ? "Cancel the workflow" : "Yes");
        wanted.push(button("No", () => ask(false)));
      } else wanted.push(button(store.isWaiting ? "Cancel" : "Stop", () => ask(true)));
    }
    this.actions.replaceChildren(...wanted);
  }
}

/** The progress bar of one view. */
export class ProgressBar {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    this.label = make("span");
    this.fill = make("i");
    this.bar = make("div", "cj-bar", this.fill);
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "Progress");
    this.meta = make("span", "cj-meta");
    this.element = make("div", "cj-progress", this.label, this.bar, this.meta);
    view.on(["head", "progress", "dead"], () => this.draw());
    this.draw();
  }

  draw() {
    const { progress, isRunning, isLive, kind } = this.store;
    this.element.hidden = kind === "chat" || (!progress && !(isRunning && isLive));
    this.element.classList.toggle("cj-indeterminate", !progress);
    this.element.classList.toggle("cj-done", Boolean(progress?.done));
    this.label.hidden = !progress;
    this.meta.hidden = !progress;
    if (!progress) {
      this.bar.removeAttribute("aria-valuenow");
      return;
    }
    const percent = Math.round(progress.fraction * 100);
    setText(this.label, progress.label);
    this.fill.style.width = `${progress.fraction * 100}%`;
    setText(this.meta, [progress.x, progressText(progress)].filter(Boolean).join(" · "));
    this.bar.setAttribute("aria-valuenow", String(percent));
    this.bar.setAttribute("aria-valuetext", progress.label);
  }
}

/** How it ended, in one view. */
export class ResultLine {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    this.element = make("div", "cj-result");
    view.on(["result"], () => this.draw());
    this.draw();
  }

  draw() {
    const { result } = this.store;
    this.element.hidden = !result || (this.store.kind === "chat" && !result.x);
    if (!result) return;
    this.element.classList.toggle("cj-failed-result", result.state !== "SUCCESS");
    this.element.replaceChildren(make("b", "", result.label));
    if (result.d) this.element.append(mediaElement(result.d, this.store));
    else if (result.columns) this.element.append(tableElement(result.columns, result.rows ?? []), make("div", "cj-meta", result.x));
    else this.element.append(folding(result.x, result.more, result.state === "FAILED" ? "show all of it" : "unfold"));
  }
}

/**
 * @param {string[]} columns
 * @param {string[][]} rows
 * @returns {HTMLElement}
 */
export function tableElement(columns, rows) {
  const head = make("thead", "", make("tr", "", ...columns.map((name) => make("th", "", name))));
  const body = make("tbody", "", ...rows.map((row) => make("tr", "", ...row.map((cell) => make("td", "", cell)))));
  return make("div", "cj-table", make("table", "", head, body));
}
