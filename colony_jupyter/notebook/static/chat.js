// The chat: bubbles by sender, the last of which may grow.
import { button, make, safeBlock } from "./dom.js";
import { mediaElement } from "./media.js";
import { codeCopy } from "./log/rows.js";
import { clockText } from "./text.js";
/** @typedef {import("./view.js").View} View */

/** The bubbles of one view. */
export class Chat {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    /** @type {Map<number, {element: HTMLElement, body: HTMLElement, blocks: string[]}>} */
    this.drawn = new Map();
    this.following = true;
    this.list = make("div", "cj-chat");
    this.list.setAttribute("role", "log");
    this.list.setAttribute("aria-label", "Conversation");
    this.list.tabIndex = 0;
    this.typing = make("div", "cj-b cj-it cj-typing", make("span", "cj-caret"));
    this.typing.setAttribute("aria-label", "A reply is being waited for");
    this.fresh = button("new", () => this.toEnd(), "cj-new");
    this.fresh.hidden = true;
    this.element = make("div", "cj-frame", this.list, this.fresh);
    this.list.addEventListener("scroll", () => this.onScroll(), { signal: view.gone, passive: true });
    view.on(["bubbles", "head", "dead"], () => this.draw());
    this.draw();
  }

  onScroll() {
    const { list } = this;
    this.following = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    if (this.following) this.fresh.hidden = true;
  }

  toEnd() {
    this.following = true;
    this.fresh.hidden = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  draw() {
    let changed = false;
    for (const bubble of this.store.bubbles.values()) changed = this.drawBubble(bubble) || changed;
    const growing = [...this.store.bubbles.values()].some((bubble) => bubble.open);
    const due = Boolean(this.store.head?.due) && !growing && !this.store.dead;
    if (due !== this.typing.isConnected) {
      if (due) this.list.append(this.typing);
      else this.typing.remove();
      changed = true;
    } else if (due) this.list.append(this.typing);
    this.element.hidden = !this.list.childElementCount;
    if (!changed) return;
    if (this.following) this.toEnd();
    else this.fresh.hidden = false;
  }

  /**
   * @param {import("./store.js").Bubble} bubble
   * @returns {boolean} whether anything changed
   */
  drawBubble(bubble) {
    let drawn = this.drawn.get(bubble.n);
    if (drawn?.element.dataset.version === String(bubble.version)) return false;
    if (!drawn) {
      const plain = bubble.k === "note" || bubble.k === "fault";
      const body = make("div", "cj-body");
      const element = make("div", plain ? `cj-remark cj-${bubble.k}` : `cj-b ${bubble.m ? "cj-me" : "cj-it"}`);
      if (bubble.k === "error") element.classList.add("cj-err");
      if (!plain) element.append(make("bdi", "cj-by", bubble.w));
      element.append(body);
      element.title = clockText(bubble.t);
      drawn = { element, body, blocks: [] };
      this.drawn.set(bubble.n, drawn);
      this.list.append(element);
    }
    drawn.element.dataset.version = String(bubble.version);
    if (bubble.d) {
      // Drawn once: a picture that is loaded, or was made larger, stays as it is.
      if (!drawn.body.childElementCount) drawn.body.append(mediaElement(bubble.d, this.store, bubble.row));
    } else if (bubble.blocks) this.drawBlocks(drawn, bubble.blocks);
    else drawn.body.textContent = bubble.x ?? "";
    drawn.element.classList.toggle("cj-growing", Boolean(bubble.open) && !this.store.dead);
    return true;
  }

  /**
   * @param {{body: HTMLElement, blocks: string[]}} drawn
   * @param {string[]} blocks safe HTML: the kernel's sanitizer made it (rendering.py)
   */
  drawBlocks(drawn, blocks) {
    let same = 0;
    while (same < Math.min(blocks.length, drawn.blocks.length) && blocks[same] === drawn.blocks[same]) same += 1;
    while (drawn.body.childElementCount > same) drawn.body.lastElementChild?.remove();
    for (const block of blocks.slice(same)) {
      const element = safeBlock(block);
      for (const pre of element.querySelectorAll("pre")) pre.append(codeCopy(pre));
      drawn.body.append(element);
    }
    drawn.blocks = blocks;
  }
}
