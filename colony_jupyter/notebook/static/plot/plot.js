// The plot of a channel's numbers: lines, a legend that switches them, axes to choose, and values under the pointer.
import { button, make, setText } from "../dom.js";
import { CURVE_COLOURS, drawPlot } from "./canvas.js";
import { Curves } from "./curves.js";
import { numberText, timeText } from "./scale.js";
/** @typedef {import("../view.js").View} View */

/** Milliseconds between two drawings while entries arrive. */
const REDRAW = 500;
const ENTRY_AXIS = "#entry";
const TIME_AXIS = "#time";
/** Keys that count: they are axes, and lines only if they are switched on. */
const COUNTERS = ["step", "epoch"];

/** The plot of one view. */
export class Plot {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.store = view.store;
    this.channel = "";
    /** @type {string} axis that was chosen; empty for what the kernel proposes */
    this.axis = "";
    this.log = false;
    this.curves = new Curves();
    /** @type {Map<string, boolean>} lines that were switched on or off */
    this.switched = new Map();
    /** @type {number | null} x that is marked */
    this.here = null;
    /** @type {import("./canvas.js").Frame | null} */
    this.frame = null;
    this.asking = false;
    /** How many entries what is drawn has. */
    this.drawn = -1;
    this.legend = make("div", "cj-legend");
    this.legend.setAttribute("role", "group");
    this.legend.setAttribute("aria-label", "Lines");
    this.axes = make("select", "cj-select");
    this.axes.setAttribute("aria-label", "x axis");
    this.logButton = button("log", () => this.toggleLog(), "cj-quiet");
    this.logButton.title = "Logarithmic y axis";
    this.logButton.setAttribute("aria-pressed", "false");
    this.canvas = make("canvas", "cj-canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.tip = make("div", "cj-tip");
    this.tip.hidden = true;
    this.spoken = make("div", "cj-spoken");
    this.spoken.setAttribute("role", "status");
    this.table = make("table");
    this.note = make("div", "cj-plot-note");
    const tools = make("div", "cj-plot-tools", this.legend, make("span", "cj-grow"), make("label", "cj-meta", "x ", this.axes), this.logButton);
    // A caption of its own for readers of the page that see no picture.
    this.element = make("div", "cj-plot", tools, make("div", "cj-frame", this.canvas, this.tip), this.note, make("div", "cj-spoken", this.table), this.spoken);
    this.element.hidden = true;
    this.listen(view);
  }

  /** @param {View} view */
  listen(view) {
    const options = { signal: view.gone };
    this.axes.addEventListener("change", () => {
      this.axis = this.axes.value;
      this.here = null;
      void this.load();
    }, options);
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX), options);
    this.canvas.addEventListener("pointerleave", () => this.mark(null), options);
    this.canvas.addEventListener("blur", () => this.mark(null), options);
    this.canvas.addEventListener("keydown", (event) => this.onKey(event), options);
    view.on(["head"], () => void this.update());
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(this.canvas);
    view.gone.addEventListener("abort", () => resized.disconnect());
  }

  /**
   * Show the numbers of a channel.
   * @param {string} channel
   * @param {string} [axis] @param {string[]} [keys] the only lines that are on
   */
  show(channel, axis = "", keys = []) {
    this.element.hidden = false;
    if (channel !== this.channel) {
      Object.assign(this, { channel, axis, curves: new Curves(), switched: new Map(), drawn: -1 });
      this.wanted = keys;
    }
    void this.update();
  }

  hide() {
    this.element.hidden = true;
  }

  get count() {
    return (this.store.head?.plots ?? []).find(([channel]) => channel === this.channel)?.[1] ?? 0;
  }

  /** Load what is new, and again after a while if more came meanwhile. */
  async update() {
    if (this.asking || this.element.hidden || this.count === this.drawn) return;
    this.asking = true;
    await this.load();
    setTimeout(() => {
      this.asking = false;
      if (!this.view.gone.aborted && this.view.inSight) void this.update();
    }, REDRAW);
  }

  async load() {
    const { channel, curves, axis } = this;
    const count = this.count;
    const held = axis === curves.x || !axis ? { size: curves.size, bucket: curves.bucket } : {};
    const { plot, buffers, gone } = await this.store.ask({ do: "plot", channel, x: axis, ...held });
    if (gone || channel !== this.channel || axis !== this.axis) {
      this.draw();
      return;
    }
    this.drawn = count;
    if (plot) curves.merge(plot, buffers);
    this.draw();
  }

  /** @param {string} key */
  isOn(key) {
    const chosen = this.switched.get(key);
    if (chosen !== undefined) return chosen;
    return this.wanted?.length ? this.wanted.includes(key) : !COUNTERS.includes(key) || this.curves.lines.length === 1;
  }

  /** @param {string} key */
  label(key) {
    return key || this.channel;
  }

  draw() {
    if (this.element.hidden) return;
    this.drawLegend();
    this.drawAxes();
    this.drawTable();
    const { curves } = this;
    const lines = curves.lines.map(({ key, rank }, at) => ({ key, rank, colour: this.colour(at) })).filter(({ key }) => this.isOn(key));
    const style = getComputedStyle(this.element);
    const ink = style.getPropertyValue("--cj-soft");
    this.frame = drawPlot(this.canvas, curves, lines, { log: this.log, time: curves.x === TIME_AXIS, whole: curves.x === ENTRY_AXIS, here: this.here, ink });
    const counted = `${this.count.toLocaleString("en")} ${this.count === 1 ? "entry" : "entries"}`;
    this.canvas.setAttribute("aria-label", `Plot of ${this.channel}: ${lines.map(({ key }) => this.label(key)).join(", ") || "no lines"}; ${counted}. The arrow keys go through the values.`);
    this.drawNote(lines.length);
  }

  /** @param {number} shown number of lines */
  drawNote(shown) {
    const { store, curves } = this;
    let text = "";
    if (!curves.lines.length) text = store.dead ? "The kernel was restarted or has ended, and has the numbers no more." : `No numbers have come on '${this.channel}' yet.`;
    else if (shown && !this.frame) text = this.log ? "None of the values is above 0, which a logarithmic axis needs." : "No entry has this x axis.";
    else if (!shown && this.unknown.length) text = `No entry has the key '${this.unknown[0]}'. There are: ${curves.lines.map(({ key }) => this.label(key)).join(", ")}.`;
    else if (curves.left) text = `${curves.left} more ${curves.left === 1 ? "key is" : "keys are"} not drawn.`;
    setText(this.note, text);
    this.note.hidden = !text;
  }

  /** The keys that were chosen with the plot and that no entry has had. */
  get unknown() {
    return (this.wanted ?? []).filter((wanted) => this.curves.lines.every(({ key }) => key !== wanted));
  }

  /** @param {number} at number of a line */
  colour(at) {
    const entry = this.legend.children[at];
    return entry ? getComputedStyle(entry).getPropertyValue("--cj-curve") : "";
  }

  drawLegend() {
    const { lines } = this.curves;
    const keys = JSON.stringify(lines.map(({ key }) => key));
    if (this.legend.dataset.keys !== keys) {
      this.legend.dataset.keys = keys;
      this.legend.replaceChildren(...lines.map(({ key, rank }) => {
        const entry = button("", () => {
          this.switched.set(key, !this.isOn(key));
          this.draw();
        }, `cj-quiet cj-curve cj-curve-${rank % CURVE_COLOURS}`);
        entry.append(make("bdi", "", this.label(key)));
        return entry;
      }));
    }
    lines.forEach(({ key, last }, at) => {
      const entry = /** @type {HTMLElement} */ (this.legend.children[at]);
      entry.setAttribute("aria-pressed", String(this.isOn(key)));
      entry.title = `${this.label(key)}: ${numberText(last)} at last`;
    });
  }

  drawAxes() {
    const { curves } = this;
    const keys = curves.lines.map(({ key }) => key).filter(Boolean);
    if (curves.x && !curves.x.startsWith("#")) keys.push(curves.x);
    const values = [ENTRY_AXIS, TIME_AXIS, ...keys.sort()];
    if (this.axes.dataset.values !== values.join("\n")) {
      this.axes.dataset.values = values.join("\n");
      this.axes.replaceChildren(...values.map((value) => {
        const option = make("option", "", value.replace(/^#/, ""));
        option.value = value;
        return option;
      }));
    }
    this.axes.value = curves.x || ENTRY_AXIS;
  }

  drawTable() {
    const rows = this.curves.lines.map(({ key, count, first, last, low, high }) => {
      const values = [count, first, last, low, high].map((value) => make("td", "", numberText(value)));
      return make("tr", "", make("th", "", this.label(key)), ...values);
    });
    const names = ["line", "points", "first", "last", "lowest", "highest"];
    this.table.replaceChildren(make("caption", "", `Numbers of ${this.channel}`), make("tr", "", ...names.map((name) => make("th", "", name))), ...rows);
  }

  toggleLog() {
    this.log = !this.log;
    this.logButton.setAttribute("aria-pressed", String(this.log));
    this.draw();
  }

  /** Keys of the lines that are drawn. */
  get keys() {
    return this.curves.lines.map(({ key }) => key).filter((key) => this.isOn(key));
  }

  /** @param {number} pixels from the left edge of the canvas */
  point(pixels) {
    const { frame } = this;
    if (!frame) return;
    const { across, left, width } = frame;
    const x = across.low + ((pixels - left) / width) * (across.high - across.low);
    const near = this.keys.map((key) => this.curves.nearest(key, x)).filter((point) => point !== null);
    near.sort((one, other) => Math.abs(one[0] - x) - Math.abs(other[0] - x));
    this.mark(near.length ? near[0][0] : null);
  }

  /** @param {number | null} x */
  mark(x) {
    if (x === this.here) return;
    this.here = x;
    this.draw();
    this.drawTip();
  }

  drawTip() {
    const { here, frame, curves } = this;
    this.tip.hidden = here === null || !frame;
    if (here === null || !frame) return;
    const name = curves.x.replace(/^#/, "");
    const place = `${name} ${curves.x === TIME_AXIS ? timeText(here, true) : numberText(here)}`;
    const rows = this.keys.map((key) => ({ key, point: curves.nearest(key, here) })).filter(({ point }) => point !== null);
    this.tip.replaceChildren(make("div", "cj-meta", place), ...rows.map(({ key, point }) => {
      const rank = curves.lines.find((line) => line.key === key)?.rank ?? 0;
      return make("div", `cj-curve cj-curve-${rank % CURVE_COLOURS}`, make("bdi", "", this.label(key)), " ", make("b", "", numberText(/** @type {number[]} */ (point)[1])));
    }));
    const x = frame.left + frame.across.at(here) * frame.width;
    const right = x > frame.left + frame.width / 2;
    this.tip.style.left = right ? "" : `${x + 12}px`;
    this.tip.style.right = right ? `${this.canvas.clientWidth - x + 12}px` : "";
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const places = this.curves.places(this.keys);
    if (!places.length) return;
    const at = this.here === null ? -1 : places.indexOf(this.here);
    const next = { ArrowRight: Math.min(places.length - 1, at + 1), ArrowLeft: at < 0 ? places.length - 1 : Math.max(0, at - 1), Home: 0, End: places.length - 1 }[event.key];
    if (event.key === "Escape") this.mark(null);
    if (next === undefined) return;
    event.preventDefault();
    this.mark(places[next]);
    setText(this.spoken, [...this.tip.children].map((row) => row.textContent).join(", "));
  }
}
