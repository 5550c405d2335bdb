// A workflow as a graph: its processes in columns, each to the right of all it depends on. A press opens the pane of one.
import { button, make, setText } from "../dom.js";
import { FRAMES } from "../frames.js";
import { elapsedText } from "../text.js";
import { InnerPane } from "../view.js";
/** @typedef {import("../view.js").View} View */

/**
 * @typedef {object} FlowNode
 * @property {string} pid @property {string} name @property {string} state
 * @property {string} executor empty while it has none @property {number} column @property {number} row
 * @property {number | null} took seconds it ran, or has run so far; null if it has not
 * @property {string} reason why it failed; empty if it has not
 * @property {string} along the processes along with which it failed; empty if it failed by itself or not at all
 */
/**
 * @typedef {object} Flow What the kernel writes of a workflow (`Flow.wire` in flow.py).
 * @property {FlowNode[]} nodes @property {[string, string][]} edges ids of a process and of one that depends on it
 * @property {number} count of its processes; those that are drawn may be fewer
 * @property {[string, string] | null} opened the process that has a pane, and the id of its widget
 */

/** Pixels. */
const [NODE_WIDTH, NODE_HEIGHT, ACROSS, DOWN, RIM] = [200, 40, 240, 48, 10];
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function drawn(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/**
 * @param {FlowNode} source
 * @param {FlowNode} target
 * @returns {string} the way of a line between two nodes, with its head
 */
export function edgePath(source, target) {
  const [x1, y1] = [RIM + source.column * ACROSS + NODE_WIDTH, RIM + source.row * DOWN + NODE_HEIGHT / 2];
  const [x2, y2] = [RIM + target.column * ACROSS, RIM + target.row * DOWN + NODE_HEIGHT / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 5} ${y2}M${x2 - 6} ${y2 - 3}L${x2 - 1} ${y2}L${x2 - 6} ${y2 + 3}`;
}

/** The graph of one view. */
export class Graph {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    /** @type {Map<string, HTMLElement>} by the ids of processes */
    this.boxes = new Map();
    this.lines = drawn("svg", { "aria-hidden": "true" });
    this.canvas = make("div", "cj-graph", this.lines);
    this.scroller = make("div", "cj-graph-scroller", this.canvas);
    this.scroller.setAttribute("role", "group");
    this.scroller.setAttribute("aria-label", "Processes of the workflow");
    this.note = make("div", "cj-hint");
    this.remarks = make("div", "cj-remarks");
    this.member = new InnerPane(view, "cj-member");
    this.element = make("div", "cj-entries", this.scroller, this.note, this.remarks, this.member.element);
    view.on(["head"], () => this.draw());
    FRAMES.drawEverySecond(() => this.drawTimes(), view.gone);
    this.draw();
  }

  /** @returns {Flow | null} */
  get flow() {
    return this.store.head?.flow ?? null;
  }

  draw() {
    const { flow } = this;
    this.scroller.hidden = !flow?.nodes.length;
    this.drawRemarks();
    if (!flow) return;
    const known = new Set(flow.nodes.map(({ pid }) => pid));
    for (const [pid, box] of this.boxes) {
      if (known.has(pid)) continue;
      box.remove();
      this.boxes.delete(pid);
    }
    for (const node of flow.nodes) this.drawNode(node, flow.opened?.[0] === node.pid);
    this.drawLines(flow);
    const [columns, rows] = ["column", "row"].map((name) => Math.max(0, ...flow.nodes.map((node) => /** @type {any} */ (node)[name] + 1)));
    const [width, height] = [columns * ACROSS - ACROSS + NODE_WIDTH + 2 * RIM, rows * DOWN - DOWN + NODE_HEIGHT + 2 * RIM];
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    for (const [name, value] of [["width", width], ["height", height]]) this.lines.setAttribute(String(name), String(value));
    this.note.hidden = flow.count === flow.nodes.length;
    setText(this.note, `The first ${flow.nodes.length} of ${flow.count.toLocaleString("en")} processes are drawn.`);
    this.drawTimes();
    void this.member.show(flow.opened?.[1] ?? "");
  }

  drawRemarks() {
    const remarks = this.store.head?.remarks ?? [];
    const key = JSON.stringify(remarks);
    if (this.remarks.dataset.key === key) return;
    this.remarks.dataset.key = key;
    this.remarks.hidden = !remarks.length;
    this.remarks.replaceChildren(...remarks.map(([kind, text]) => make("div", `cj-remark${kind === "fault" ? " cj-fault" : ""}`, text)));
  }

  /**
   * @param {FlowNode} node
   * @param {boolean} isOpened
   */
  drawNode(node, isOpened) {
    let box = this.boxes.get(node.pid);
    if (!box) {
      box = button("", () => this.press(node.pid), "cj-node");
      box.append(make("bdi", "cj-node-name"), make("span", "cj-node-time"), make("span", "cj-node-state"), make("bdi", "cj-node-more"));
      this.boxes.set(node.pid, box);
      this.canvas.append(box);
    }
    const [name, , state, more] = /** @type {HTMLElement[]} */ ([...box.children]);
    setText(name, node.name);
    setText(state, node.state);
    const words = node.reason || (node.executor ? `on ${node.executor}` : "");
    setText(more, node.along ? `along with ${node.along}` : words);
    box.className = `cj-btn cj-node cj-node-${node.state.toLowerCase()}${isOpened ? " cj-on" : ""}`;
    box.style.left = `${RIM + node.column * ACROSS}px`;
    box.style.top = `${RIM + node.row * DOWN}px`;
    box.title = [`${node.name}: ${node.state}`, node.executor && `on ${node.executor}`, node.reason, node.pid].filter(Boolean).join("\n");
    box.setAttribute("aria-label", [`${node.name}: ${node.state.toLowerCase()}`, words].filter(Boolean).join(", "));
    box.setAttribute("aria-expanded", String(isOpened));
  }

  drawTimes() {
    const since = this.store.isLive ? (performance.now() - this.store.headAt) / 1000 : 0;
    for (const { pid, state, took } of this.flow?.nodes ?? []) {
      const time = /** @type {HTMLElement | undefined} */ (this.boxes.get(pid)?.children[1]);
      if (time) setText(time, took === null ? "" : elapsedText(took + (state === "RUNNING" ? since : 0)));
    }
  }

  /** @param {Flow} flow */
  drawLines({ nodes, edges }) {
    const places = new Map(nodes.map((node) => [node.pid, node]));
    const paths = edges.map(([source, target]) => {
      const [from, to] = [places.get(source), places.get(target)];
      return from && to ? edgePath(from, to) : "";
    });
    const key = paths.join();
    if (this.lines.dataset.key === key) return;
    this.lines.dataset.key = key;
    this.lines.replaceChildren(...paths.map((d) => drawn("path", { d })));
  }

  /** @param {string} pid of the node that was pressed */
  press(pid) {
    if (!this.store.controls.has("on_open")) return;
    void this.store.ask({ do: "open", pid: this.flow?.opened?.[0] === pid ? "" : pid });
  }
}
