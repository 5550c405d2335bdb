// What the page knows of one pane, whatever number of views shows it, and its talk with the kernel.

/** Rows that are kept; older ones are asked for. */
export const WINDOW = 1000;

/** Milliseconds after which a kernel that has not answered is called busy. */
const PATIENCE = 400;

/**
 * @typedef {object} Row One row as the kernel writes it (`Row.wire` in rows.py).
 * @property {number} n its number
 * @property {string} k kind: type of the entry, or "note" or "fault"
 * @property {number} t Unix milliseconds
 * @property {string} w sender
 * @property {string} x text
 * @property {number} [all] characters of the whole text, when this is not all of it
 * @property {1} [m] sent by the person at the notebook
 * @property {"json" | "bytes"} [f] form, if not text
 * @property {string} [c] channel
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
 */
/** @typedef {{fraction: number, label: string, x: string, done?: boolean, took?: number, rate?: number, left?: number}} Progress */
/** @typedef {{state: string, label: string, x: string, more?: string, columns?: string[], rows?: string[][]}} Result */
/**
 * @typedef {object} Batch
 * @property {number} [seq] number of its first row @property {number} [end] number after its last row
 * @property {Row[]} [rows] @property {BubblePatch[]} [bubbles] @property {Head} [head]
 * @property {Progress | null} [progress] @property {Result | null} [result]
 */
/** @typedef {{rows?: Row[], text?: string, all?: number, count?: number, buffers: DataView[], gone?: boolean}} Answer */
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
 * @param {{looks: object[], rows: any[][]}} small
 * @returns {Row[]}
 */
export function unpacked({ looks, rows }) {
  let [n, t, s] = [0, 0, 0];
  return rows.map(([number, at, look, sequence, x, rare]) => {
    n += number;
    t += at;
    s += sequence;
    const row = { n, t, x, ...looks[look], ...rare };
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
  return message;
}

/** State of one pane. Events: "rows", "head", "progress", "result", "bubbles", "dead", "refused". */
export class Store extends EventTarget {
  /** @param {Model} model */
  constructor(model) {
    super();
    this.model = model;
    /** @type {"log" | "chat"} */
    this.kind = model.get("kind");
    this.theme = model.get("theme");
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
    this.filling = false;
    this.stop = new AbortController();
    this.listen();
    this.take(parsed(model.get("snapshot") ?? "{}"));
    // Whatever came between the snapshot and now was heard by nobody.
    const head = /** @type {Head | null} */ (this.head);
    if (!head?.finished) void this.fill();
  }

  listen() {
    const { model } = this;
    const decoder = new TextDecoder();
    const onMessage = (/** @type {any} */ _, /** @type {DataView<ArrayBuffer>[]} */ [json, ...buffers]) =>
      this.hear(parsed(decoder.decode(json)), buffers);
    model.on("msg:custom", onMessage);
    this.stop.signal.addEventListener("abort", () => model.off("msg:custom", onMessage));
    const kernel = model.widget_manager?.kernel;
    const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => {
      if (["restarting", "autorestarting", "dead", "terminating"].includes(status)) this.die();
    };
    const onGone = () => this.die();
    kernel?.statusChanged?.connect(onStatus);
    kernel?.disposed?.connect(onGone);
    this.stop.signal.addEventListener("abort", () => {
      kernel?.statusChanged?.disconnect(onStatus);
      kernel?.disposed?.disconnect(onGone);
    });
  }

  die() {
    if (this.dead) return;
    this.dead = "The kernel was restarted or has ended: nothing more arrives here.";
    for (const answered of this.asked.values()) answered(UNANSWERED);
    this.asked.clear();
    this.tell("dead");
  }

  /**
   * @param {string} name
   * @param {any} [detail]
   */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * @param {any} content
   * @param {DataView[]} buffers
   */
  hear(content, buffers) {
    const reference = content.answer ?? content.taken;
    if (reference !== undefined) {
      const answered = this.asked.get(reference);
      this.asked.delete(reference);
      answered?.({ ...content, buffers });
    } else if (content.refused !== undefined) this.tell("refused", content);
    else this.take(content);
  }

  /** @param {Batch} batch */
  take(batch) {
    if (batch.head) {
      this.head = batch.head;
      this.headAt = performance.now();
    }
    if (batch.progress !== undefined) this.progress = batch.progress;
    if (batch.result !== undefined) this.result = batch.result;
    if (batch.rows?.length) this.takeRows(batch.seq ?? batch.rows[0].n, batch.rows);
    if (batch.bubbles) this.takeBubbles(batch.bubbles);
    if (batch.head) this.tell("head");
    if (batch.progress !== undefined) this.tell("progress");
    if (batch.result !== undefined) this.tell("result");
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
    this.tell("rows");
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
    this.tell("bubbles", patches);
  }

  /**
   * Write down the entries that are here, as the kernel does all of them (`json_lines` in rows.py).
   * @param {string} form "json" or "text"
   * @returns {string}
   */
  lines(form) {
    if (form === "text") return this.rows.filter((row) => row.x).map((row) => `${row.w}\t${row.x}\n`).join("");
    return this.rows.filter((row) => row.c !== undefined).map((row) => {
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
    if (!answer.gone) this.take(/** @type {Batch} */ (answer));
  }

  /**
   * @param {object} question
   * @returns {Promise<Answer>} the kernel's answer; one that says so where the kernel is gone
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
   * Ask, and have it told if no answer comes for a while.
   * @param {object} question
   * @param {() => void} tell
   * @returns {Promise<Answer>} as `ask`
   */
  async askPatiently(question, tell) {
    const late = setTimeout(tell, PATIENCE);
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
    return this.isRunning || (this.kind === "chat" && (this.isWaiting || !head.state));
  }

  /**
   * @param {string} channel empty for all
   * @returns {(row: Row) => boolean}
   */
  static of(channel) {
    return (row) => !channel || !row.c || row.c === channel;
  }
}
