// A board: head, bar, counts, tables, and below them the pane of a process that was clicked.
import { button, make, setText } from "../dom.js";
import { FRAMES } from "../frames.js";
import { elapsedText } from "../text.js";
import { InnerPane } from "../view.js";
import { BoardTable } from "./table.js";
/** @typedef {import("./store.js").BoardStore} BoardStore */

/** Milliseconds between two messages to the kernel that the board is visible. */
const VISIBLE = 1500;

export class BoardBody {
  /** @param {import("../view.js").View} view */
  constructor(view) {
    this.view = view;
    this.store = /** @type {BoardStore} */ (view.store);
    this.asking = "";
    this.busy = false;
    /** The process whose pane is shown. */
    this.followed = "";
    this.state = make("span", "cj-state");
    this.link = make("span", "cj-state cj-link");
    this.name = make("bdi", "cj-name");
    this.meta = make("bdi", "cj-meta");
    this.time = make("span", "cj-meta cj-time");
    this.actions = make("span", "cj-actions");
    this.spoken = make("span", "cj-spoken");
    this.spoken.setAttribute("role", "status");
    const head = make("div", "cj-head", this.state, this.link, this.name, this.meta, make("span", "cj-grow"), this.time, this.actions, this.spoken);
    this.label = make("span");
    this.bar = make("div", "cj-bar cj-segments");
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "Ended");
    this.pace = make("span", "cj-meta");
    this.progress = make("div", "cj-progress", this.label, this.bar, this.pace);
    this.counts = make("div", "cj-counts");
    this.sections = make("div", "cj-sections");
    /** @type {BoardTable[]} */
    this.tables = [];
    this.trouble = make("div", "cj-board-trouble");
    this.below = new InnerPane(view, "cj-below");
    this.element = make("div", "cj-board", head, this.progress, this.counts, this.sections, this.trouble, this.below.element);
    view.on(["board"], () => this.draw());
    this.store.addEventListener("dead", () => this.draw(), { signal: view.gone });
    FRAMES.drawEverySecond(() => this.drawTime(), view.gone);
    const timer = setInterval(() => this.reportVisible(), VISIBLE);
    view.gone.addEventListener("abort", () => clearInterval(timer));
    this.draw();
  }

  /** Make the kernel refresh the board as long as it is visible. */
  reportVisible() {
    if (!this.store.controls.has("on_visible") || !this.view.inSight || document.hidden) return;
    if (this.store.asked.size < 4) void this.store.ask({ do: "visible" });
  }

  drawTime() {
    setText(this.time, this.store.board?.elapsed === undefined ? "" : elapsedText(this.store.elapsed));
  }

  draw() {
    const { board, dead } = this.store;
    if (!board) return;
    const state = board.state ?? "";
    const live = Boolean(board.is_live) && !dead;
    this.state.hidden = !state;
    this.state.className = `cj-state cj-${state.toLowerCase()}${live ? " cj-live" : ""}`;
    setText(this.state, state);
    const link = dead && board.is_live ? "not live" : (this.busy && !dead ? "kernel busy" : "");
    this.link.hidden = !link;
    this.link.title = dead;
    setText(this.link, link);
    setText(this.name, board.title);
    setText(this.meta, board.meta ?? "");
    this.drawTime();
    this.drawActions(board);
    this.drawBar(board);
    this.drawCounts(board);
    const sections = board.sections ?? [];
    while (this.tables.length < sections.length) {
      this.tables.push(new BoardTable({
        follow: (pid) => void this.follow(pid),
        cancel: (pid) => void this.ask({ do: "cancel", pid }),
        followed: () => this.followed,
      }));
      this.sections.append(this.tables[this.tables.length - 1].element);
    }
    for (const [at, table] of this.tables.entries()) {
      table.element.hidden = at >= sections.length;
      if (at < sections.length) table.draw(sections[at]);
    }
    this.trouble.hidden = !board.trouble;
    setText(this.trouble, board.trouble ?? "");
    setText(this.spoken, state ? `${board.title}: ${state.toLowerCase()}` : "");
  }

  /** @param {import("./store.js").BoardState} board */
  drawBar({ bar, counts }) {
    this.progress.hidden = !bar;
    if (!bar) return;
    const percent = bar.total ? Math.floor((bar.done * 100) / bar.total) : 100;
    setText(this.label, `${bar.done}/${bar.total}`);
    setText(this.pace, [`${percent} %`, bar.x].filter(Boolean).join(" · "));
    this.bar.setAttribute("aria-valuenow", String(percent));
    this.bar.setAttribute("aria-valuetext", `${bar.done} of ${bar.total}`);
    const parts = (counts ?? []).filter(({ state }) => state !== "WAITING");
    // Ended ones first, those that run at the end.
    parts.sort((a, b) => Number(a.state === "RUNNING") - Number(b.state === "RUNNING"));
    while (this.bar.children.length > parts.length) this.bar.lastChild?.remove();
    while (this.bar.children.length < parts.length) this.bar.append(make("i"));
    for (const [at, { state, count }] of parts.entries()) {
      const part = /** @type {HTMLElement} */ (this.bar.children[at]);
      part.className = `cj-part-${state.toLowerCase()}`;
      part.style.width = `${(count * 100) / (bar.total || 1)}%`;
    }
  }

  /** @param {import("./store.js").BoardState} board */
  drawCounts({ counts }) {
    const shown = counts ?? [];
    while (this.counts.children.length > shown.length) this.counts.lastChild?.remove();
    while (this.counts.children.length < shown.length) this.counts.append(make("span"));
    for (const [at, { state, count, rate }] of shown.entries()) {
      const element = /** @type {HTMLElement} */ (this.counts.children[at]);
      element.className = `cj-count cj-as-${count ? state.toLowerCase() : "none"}`;
      setText(element, `${count.toLocaleString("en")} ${state}${rate ? ` · ${rate}` : ""}`);
    }
  }

  /** @param {import("./store.js").BoardState} board */
  drawActions({ actions }) {
    const shown = this.store.dead ? [] : (actions ?? []);
    if (!shown.some(({ name }) => name === this.asking)) this.asking = "";
    const key = JSON.stringify([shown, this.asking]);
    if (this.actions.dataset.key === key) return; // what has the focus keeps it
    this.actions.dataset.key = key;
    const ask = (/** @type {string} */ name) => {
      this.asking = name;
      this.draw();
      /** @type {HTMLElement | null} */ (this.actions.querySelector("button:last-child"))?.focus();
    };
    const asked = shown.find(({ name }) => name === this.asking);
    if (asked) {
      const yes = button("Yes", () => {
        ask("");
        void this.ask({ do: "call", name: asked.name });
      });
      this.actions.replaceChildren(make("span", "cj-meta", asked.confirm ?? ""), yes, button("No", () => ask("")));
      return;
    }
    this.actions.replaceChildren(...shown.map(({ name, label, confirm }) =>
      button(label, () => (confirm ? ask(name) : void this.ask({ do: "call", name })))));
  }

  /**
   * @param {object} question
   * @returns {Promise<import("../store.js").Answer & {widget?: string}>}
   */
  async ask(question) {
    const answer = await this.store.askPatiently(question, () => this.showBusy(true));
    this.showBusy(false);
    return answer;
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    if (this.busy === busy) return;
    this.busy = busy;
    this.draw();
  }

  /**
   * Show the pane of a process below, or take it away.
   * @param {string} pid
   */
  async follow(pid) {
    const wanted = this.followed === pid ? "" : pid;
    this.followed = wanted;
    void this.below.show("");
    this.draw();
    const { widget } = await this.ask({ do: "follow", pid: wanted });
    if (this.followed === wanted && !this.view.gone.aborted) await this.below.show(widget ?? "");
  }
}
