// The box people type into.
import { button, make } from "./dom.js";
import { FRAMES } from "./frames.js";
/** @typedef {import("./view.js").View} View */

const HINT = "Enter sends · Shift+Enter new line · ↑ last message";

/** The text box of one view. */
export class Input {
  /**
   * @param {View} view
   * @param {() => string} chosen the channel that is shown; empty when several are
   */
  constructor(view, chosen) {
    const { store, gone } = view;
    this.store = store;
    this.chosen = chosen;
    /** Whether the box is unfolded. */
    this.wanted = store.kind === "chat";
    /** @type {string[]} what was sent, the newest last */
    this.sent = [];
    this.recalled = 0;
    this.pending = 0;
    this.area = make("textarea");
    this.area.rows = 1;
    this.channels = make("select", "cj-select");
    this.channels.setAttribute("aria-label", "Channel");
    this.sendButton = button("Send", () => this.send(), "cj-primary");
    this.stopButton = button("Stop", () => {
      void this.ask({ do: "call", name: "on_stop_waiting" }, "The kernel is busy: interrupt it to stop waiting.");
    });
    this.stopButton.title = "Stop waiting for the reply";
    this.hint = make("div", "cj-hint", HINT);
    this.hint.setAttribute("role", "status");
    this.element = make("div", "cj-reply", make("div", "cj-input", this.channels, this.area, this.sendButton, this.stopButton), this.hint);
    const options = { signal: gone };
    this.area.addEventListener("keydown", (event) => this.onKey(event), options);
    this.area.addEventListener("input", () => this.fit(), options);
    const draw = () => this.draw();
    for (const name of ["head", "dead"]) store.addEventListener(name, () => FRAMES.draw(draw), options);
    store.addEventListener("refused", (event) => this.onRefused(/** @type {CustomEvent} */ (event).detail), options);
    this.draw();
  }

  toggle() {
    this.wanted = !this.wanted;
    this.draw();
    if (this.wanted) this.area.focus();
  }

  /** The channel a message goes to. */
  get channel() {
    const names = (this.store.head?.channels ?? []).map(([name]) => name);
    return this.chosen() || this.channels.value || names[0] || "";
  }

  draw() {
    const { store } = this;
    const names = (store.head?.channels ?? []).map(([name]) => name);
    const taking = store.takesInput && this.wanted;
    // What is being typed stays in view, whatever ends.
    this.element.hidden = !taking && !(this.wanted && this.area.value);
    this.area.disabled = !store.takesInput;
    this.sendButton.disabled = !store.takesInput;
    this.area.placeholder = store.kind === "chat" ? "Reply" : `Message to ${store.head?.title ?? ""}`;
    this.area.setAttribute("aria-label", this.area.placeholder);
    this.channels.hidden = store.kind === "chat" || names.length <= 1 || this.chosen() !== "";
    if (this.channels.childElementCount !== names.length) {
      this.channels.replaceChildren(...names.map((name) => {
        const option = make("option", "", name);
        option.value = name;
        return option;
      }));
    }
    this.stopButton.hidden = !(store.kind === "chat" && store.head?.due && store.controls.has("on_stop_waiting"));
    this.sendButton.hidden = !this.stopButton.hidden;
    if (store.dead) this.showHint(store.dead);
  }

  /** @param {string} words */
  showHint(words) {
    if (this.hint.textContent !== words) this.hint.textContent = words;
  }

  fit() {
    this.area.style.height = "auto";
    const borders = this.area.offsetHeight - this.area.clientHeight;
    this.area.style.height = `${Math.min(this.area.scrollHeight + borders, 180)}px`;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    // An Enter that ends the choice of a character by an input method is not ours.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && this.sent.length && (!this.area.value || this.recalled)) {
      event.preventDefault();
      this.recall(Math.min(this.recalled + 1, this.sent.length));
    } else if (event.key === "ArrowDown" && this.recalled) {
      event.preventDefault();
      this.recall(this.recalled - 1);
    }
  }

  /** @param {number} back how many messages back; 0 for an empty box */
  recall(back) {
    this.recalled = back;
    this.area.value = back ? this.sent[this.sent.length - back] : "";
    this.fit();
  }

  send() {
    const text = this.area.value;
    if (!text.trim() || !this.store.takesInput) return;
    this.sent.push(text);
    this.recall(0);
    const busy = "The kernel is busy: your message will be sent when it is free.";
    void this.ask({ do: "send", channel: this.channel, text }, busy).then((answer) => {
      if (answer.gone) this.onRefused({ refused: text });
    });
  }

  /**
   * Ask for something, and show a hint while the kernel does not accept it.
   * @param {object} question
   * @param {string} busy the hint
   */
  async ask(question, busy) {
    this.pending += 1;
    const answer = await this.store.askPatiently(question, () => this.showHint(busy));
    this.pending -= 1;
    if (!this.pending && !answer.gone) this.showHint(HINT);
    return answer;
  }

  /** @param {{refused: string}} message */
  onRefused(message) {
    if (!this.area.value && this.sent.includes(message.refused)) {
      this.area.value = message.refused;
      this.fit();
    }
    this.wanted = true;
    this.draw();
  }
}
