// What the page knows of one pane, whatever number of views shows it, and its talk with the kernel.

/** Rows that are kept; older ones are asked for. */
export const WINDOW = 1000;

/** In place of a channel for the lines of the process log (rows.py). */
export const LOG = "\0log";

/** Milliseconds after which a kernel that has not answered is called busy. */
const SLOW_AFTER = 400;

/**
 * @typedef {object} Row One row as the kernel writes it (`Row.wire` in rows.py).
 * @property {number} n its number
 * @property {string} k kind: type of the entry, or "note" or "fault"
 * @property {number} t Unix milliseconds
 * @property {string} w sender
 * @property {string} x text
 * @property {number} [all] characters of the whole text, when this is not all of it
 * @property {1} [m] sent by the person at the notebook
 * @property {"json" | "bytes" | "media"} [f] form, if not text
 * @property {import("./media.js").Media} [d] what is shown of a MIME bundle
 * @property {string} [c] channel, or LOG
 * @property {number} [s] sequence
 * @property {number} [r] inreplyto
 * @property {1} [o] sent by a former executor
 * @property {number} [z] size in bytes
 */
/**
 * @typedef {object} BubblePatch
 * @property {number} n @property {string} k @property {string} w @property {number} t
 * @property {1} [m] @property {1} [open] @property {string} [x]
 * @property {number} [from] first block that changed @property {string[]} [blocks] safe HTML, from there on
 * @property {import("./media.js").Media} [d] a displayed object @property {number} [row] number of its row
 */
/** @typedef {BubblePatch & {blocks?: string[], version: number}} Bubble */
/**
 * @typedef {object} Head
 * @property {string} title @property {string} pid @property {string} state @property {string} executor
 * @property {string} waiting @property {string} connection @property {string} detail @property {number} elapsed
 * @property {boolean} party @property {boolean} finished @property {boolean} due @property {number} turn
 * @property {"" | "answered" | "unanswered"} answer whether the chat's turn is over, while the process runs
 * @property {string[]} senders none where the head line names the only one
 * @property {[string, number | null][]} channels names and numbers of entries shown; null where none are read
 * @property {number} log number of rows of the process log
 * @property {[string, number][]} plots channels with numbers, and how many entries have some
 * @property {{channel: string, x: string, keys: string[]} | null} plot what is shown alone
 * @property {string} [workflow] id of the workflow that the process is part of; empty outside one
 * @property {import("./workflow/graph.js").Flow | null} [flow] of a workflow, its processes
 * @property {[string, string][]} [remarks] of a workflow, kind and text of the latest remarks
 */
/** @typedef {{fraction: number, label: string, x: string, done?: boolean, took?: number, rate?: number, left?: number}} Progress */
/** @typedef {{state: string, label: string, x: string, more?: string, columns?: string[], rows?: string[][], d?: import("./media.js").Media}} Result */
/**
 * @typedef {object} Batch
 * @property {number} [seq] number of its first row @property {number} [end] number after its last row
 * @property {Row[]} [replaced] earlier rows that have another text now
 * @property {Row[]} [rows] @property {BubblePatch[]} [bubbles] @property {Head} [head]
 * @property {Progress | null} [progress] @property {Result | null} [result]
 */
/** @typedef {{rows?: Row[], text?: string, all?: number, count?: number, plot?: import("./plot/curves.js").PlotAnswer, buffers: DataView[], gone?: boolean}} Answer */
/**
 * @typedef {object} Model What anywidget hands over.
 * @property {(name: string) => any} get
 * @property {(name: string, callback: (...values: any[]) => void) => void} on
 * @property {(name: string, callback: (...values: any[]) => void) => void} off
 * @property {(content: object) => void} send
 * @property {any} [widget_manager]
 */

/** @type {Answer} */
const UNANSWERED = { buffers: [], gone: true };

/**
 * Undo what `packed` of packing.py did.
 * @param {{styles: object[], rows: any[][]}} small
 * @returns {Row[]}
 */
export function unpacked({ styles, rows }) {
  let [n, t, s] = [0, 0, 0];
  return rows.map(([number, at, style, sequence, x, rare]) => {
    n += number;
    t += at;
    s += sequence;
    const row = { n, t, x, ...styles[style], ...rare };
    if (row.c !== null) row.s = s;
    else delete row.c;
    return row;
  });
}

/**
 * @param {string} text a message of the kernel
 * @returns {any}
 */
export function parsed(text) {
  const message = JSON.parse(text);
  if (message.rows) message.rows = unpacked(message.rows);
  if (message.replaced) message.replaced = unpacked(message.replaced);
  return message;
}

/** State of one pane. Events: "rows", "replaced", "head", "progress", "result", "bubbles", "dead", "refused". */
export class Store extends EventTarget {
  /** @param {Model} model */
  constructor(model) {
    super();
    this.model = model;
    /** @type {"log" | "chat" | "plot" | "workflow"} */
    this.kind = model.get("kind");
    this.theme = model.get("theme");
    /** Its own, in this kernel. */
    this.number = model.get("number");
    /** @type {Set<string>} names of the callbacks the kernel has */
    this.controls = new Set(model.get("controls"));
    /** @type {Row[]} the newest rows, at most WINDOW */
    this.rows = [];
    /** Number of the next row. */
    this.next = 0;
    /** @type {Map<number, Bubble>} */
    this.bubbles = new Map();
    /** @type {Head | null} */
    this.head = null;
    /** When the head came, by performance.now(). */
    this.headAt = 0;
    /** @type {Progress | null} */
    this.progress = null;
    /** @type {Result | null} */
    this.result = null;
    /** Why nothing more will come; empty while something may. */
    this.dead = "";
    /** @type {Map<string, (answer: Answer) => void>} */
    this.asked = new Map();
    /** Of several pages on one kernel each gets all answers, so references are a page's own. */
    this.page = Math.random().toString(36).slice(2);
    this.count = 0;
    /** @type {Map<number, {blob: Blob, address: string}>} pictures by the numbers of their rows */
    this.pictures = new Map();
    this.filling = false;
    this.stop = new AbortController();
    this.listen();
    this.apply(parsed(model.get("snapshot") ?? "{}"));
    // Changes between the snapshot and now were not observed.
    const head = /** @type {Head | null} */ (this.head);
    if (!head?.finished) void this.fill();
  }

  listen() {
    const { model } = this;
    const decoder = new TextDecoder();
    const onMessage = (/** @type {any} */ _, /** @type {DataView<ArrayBuffer>[]} */ [json, ...buffers]) =>
      this.receive(parsed(decoder.decode(json)), buffers);
    // Updates come with those of all other panes, by the layout that panes share (shared_layout.py).
    const onUpdates = (/** @type {{panes: number[]}} */ { panes }, /** @type {DataView<ArrayBuffer>[]} */ updates) =>
      panes.forEach((number, at) => number === this.number && this.receive(parsed(decoder.decode(updates[at])), []));
    const layout = /** @type {Model | undefined} */ (model.get("layout"));
    model.on("msg:custom", onMessage);
    layout?.on("msg:custom", onUpdates);
    this.stop.signal.addEventListener("abort", () => {
      model.off("msg:custom", onMessage);
      layout?.off("msg:custom", onUpdates);
    });
    const kernel = model.widget_manager?.kernel;
    const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => {
      if (["restarting", "autorestarting", "dead", "terminating"].includes(status)) this.disconnect();
    };
    const onGone = () => this.disconnect();
    kernel?.statusChanged?.connect(onStatus);
    kernel?.disposed?.connect(onGone);
    this.stop.signal.addEventListener("abort", () => {
      kernel?.statusChanged?.disconnect(onStatus);
      kernel?.disposed?.disconnect(onGone);
    });
  }

  disconnect() {
    if (this.dead) return;
    this.dead = "The kernel was restarted or has ended: nothing more arrives here.";
    for (const answered of this.asked.values()) answered(UNANSWERED);
    this.asked.clear();
    this.notify("dead");
  }

  /**
   * @param {string} name
   * @param {any} [detail]
   */
  notify(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * @param {any} content
   * @param {DataView[]} buffers
   */
  receive(content, buffers) {
    const reference = content.answer ?? content.received;
    if (reference !== undefined) {
      const answered = this.asked.get(reference);
      this.asked.delete(reference);
      answered?.({ ...content, buffers });
    } else if (content.refused !== undefined) this.notify("refused", content);
    else this.apply(content);
  }

  /** @param {Batch} batch */
  apply(batch) {
    if (batch.head) {
      this.head = batch.head;
      this.headAt = performance.now();
    }
    if (batch.progress !== undefined) this.progress = batch.progress;
    if (batch.result !== undefined) this.result = batch.result;
    if (batch.replaced) this.replaceRows(batch.replaced);
    if (batch.rows?.length) this.takeRows(batch.seq ?? batch.rows[0].n, batch.rows);
    if (batch.bubbles) this.takeBubbles(batch.bubbles);
    if (batch.head) this.notify("head");
    if (batch.progress !== undefined) this.notify("progress");
    if (batch.result !== undefined) this.notify("result");
  }

  /**
   * @param {number} first
   * @param {Row[]} rows without gaps
   */
  takeRows(first, rows) {
    if (first > this.next && rows.length < WINDOW) {
      // Some are missing in between. What came stays with the kernel and is asked for along with them.
      this.fill();
      return;
    }
    const fresh = rows.filter((row) => row.n >= this.next);
    if (!fresh.length) return;
    // After a jump none of the earlier rows are left: what came is a whole window.
    this.rows = [...this.rows, ...fresh].slice(-WINDOW);
    this.next = fresh[fresh.length - 1].n + 1;
    this.notify("rows");
  }

  /** @param {Row[]} rows that have another text now */
  replaceRows(rows) {
    const first = this.rows[0]?.n ?? 0;
    for (const row of rows) if (this.rows[row.n - first]) this.rows[row.n - first] = row;
    this.notify("replaced");
  }

  /**
   * @param {number} number of a row
   * @returns {boolean} whether it is here, or still to come, and all after it
   */
  holds(number) {
    return number >= (this.rows[0]?.n ?? 0);
  }

  /** @param {BubblePatch[]} patches */
  takeBubbles(patches) {
    for (const patch of patches) {
      const known = this.bubbles.get(patch.n);
      const blocks = patch.blocks ? [...(known?.blocks ?? []).slice(0, patch.from), ...patch.blocks] : undefined;
      this.bubbles.set(patch.n, { ...patch, blocks, version: (known?.version ?? 0) + 1 });
    }
    this.notify("bubbles", patches);
  }

  /**
   * Write down the entries that are here, as the kernel does all of them (`json_lines` in rows.py).
   * @param {string} form "json" or "text"
   * @returns {string}
   */
  lines(form) {
    if (form === "text") return this.rows.filter((row) => row.x).map((row) => `${row.w}\t${row.x}\n`).join("");
    return this.rows.filter((row) => row.c !== undefined).map((row) => {
      if (row.c === LOG) return `${JSON.stringify({ executorname: row.w, message: row.x, timestamp: row.t * 1e6 })}\n`;
      const line = { channel: row.c, sequence: row.s, inreplyto: row.r ?? 0, type: row.k, timestamp: new Date(row.t).toISOString(), sender: row.w, text: row.x };
      return `${JSON.stringify(line)}\n`;
    }).join("");
  }

  /** Ask for everything that is not here yet. */
  async fill() {
    if (this.filling) return;
    this.filling = true;
    const answer = await this.ask({ do: "fresh", next: this.next });
    this.filling = false;
    if (!answer.gone) this.apply(/** @type {Batch} */ (answer));
  }

  /**
   * @param {object} question
   * @returns {Promise<Answer>} the kernel's answer; one with `gone` where the kernel is gone
   */
  ask(question) {
    if (this.dead) return Promise.resolve(UNANSWERED);
    this.count += 1;
    const ref = `${this.page}-${this.count}`;
    return new Promise((resolve) => {
      this.asked.set(ref, resolve);
      this.model.send({ ...question, ref });
    });
  }

  /**
   * Get a picture, as an address for an image or as its bytes. It is fetched once.
   * @param {number | undefined} row number of its row; none for the result
   * @param {string} type its media type
   * @param {boolean} [raw] whether the bytes are wanted
   * @returns {Promise<any>} empty if the kernel is gone
   */
  async picture(row, type, raw = false) {
    const key = row ?? -1;
    let known = this.pictures.get(key);
    if (!known) {
      const { buffers, gone } = await this.ask({ do: "media", row });
      const bytes = gone ? null : buffers?.[0];
      if (!bytes?.byteLength) return "";
      const blob = new Blob([/** @type {DataView<ArrayBuffer>} */ (bytes)], { type });
      known = { blob, address: URL.createObjectURL(blob) };
      this.pictures.set(key, known);
      const { address } = known;
      this.stop.signal.addEventListener("abort", () => URL.revokeObjectURL(address));
    }
    return raw ? known.blob : known.address;
  }

  /**
   * Ask, and call back if no answer comes for a while.
   * @param {object} question
   * @param {() => void} onDelay
   * @returns {Promise<Answer>} as `ask`
   */
  async askPatiently(question, onDelay) {
    const late = setTimeout(onDelay, SLOW_AFTER);
    const answer = await this.ask(question);
    clearTimeout(late);
    return answer;
  }

  /** Seconds it has waited or run. */
  get elapsed() {
    if (!this.head) return 0;
    return this.head.elapsed + (this.isLive && (this.isOpen || !this.head.state) ? (performance.now() - this.headAt) / 1000 : 0);
  }

  get isWaiting() {
    return this.head?.state === "WAITING";
  }

  get isRunning() {
    return this.head?.state === "RUNNING";
  }

  /** Whether the process has not ended, as far as is known here. */
  get isOpen() {
    return this.isRunning || this.isWaiting;
  }

  /** Whether anything new may be shown here. */
  get isLive() {
    return !this.dead && !this.head?.finished;
  }

  /** Whether something could still arrive if the kernel lived. */
  get isPending() {
    const { head } = this;
    if (!head || head.finished) return false;
    return this.isOpen || !head.state || ["open", "polling", "resuming"].includes(head.connection);
  }

  /** Whether it could still be typed into. */
  get takesInput() {
    const { head } = this;
    if (!head || !this.isLive || !head.party || !this.controls.has("on_send")) return false;
    if (this.kind === "log" && !head.channels.length) return false;
    return this.isRunning || (this.kind === "chat" && (this.isWaiting || !head.state));
  }

  /**
   * @param {string} channel empty for all channels, which leaves out the process log
   * @returns {(row: Row) => boolean}
   */
  static of(channel) {
    return (row) => !row.c || row.c === channel || (!channel && row.c !== LOG);
  }
}
