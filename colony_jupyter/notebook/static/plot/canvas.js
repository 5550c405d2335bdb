// Drawing a plot: axes, lines, and the values at one place.
import { scaleOf, tickText } from "./scale.js";
/** @typedef {import("./scale.js").Scale} Scale */

const HEIGHT = 220;
const ABOVE = 8;
const BELOW = 22;
const RIGHT = 12;
const TICK = 80;
/** Lines after these have the same colours and are dashed. */
export const CURVE_COLOURS = 10;

/**
 * @typedef {object} Frame Where what is drawn.
 * @property {Scale} across @property {Scale} up
 * @property {number} left @property {number} width @property {number} height of the area of the lines, in pixels
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./curves.js").Curves} curves
 * @param {{key: string, colour: string, rank: number}[]} lines those to draw
 * @param {{log: boolean, time: boolean, whole: boolean, here: number | null, ink: string}} how `here` is the x that is
 *   marked; `whole` for an x axis of whole numbers
 * @returns {Frame | null} null when there is nothing to draw
 */
export function drawPlot(canvas, curves, lines, { log, time, whole, here, ink }) {
  const ratio = globalThis.devicePixelRatio || 1;
  const full = canvas.clientWidth;
  const [wide, high] = [Math.round(full * ratio), Math.round(HEIGHT * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const pen = canvas.getContext("2d");
  if (!pen || !full) return null;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, full, HEIGHT);
  const bounds = curves.bounds(lines.map(({ key }) => key), log);
  if (!bounds) return null;
  const height = HEIGHT - ABOVE - BELOW;
  const margin = log ? 0 : (bounds[3] - bounds[2]) * 0.05;
  const up = scaleOf(bounds[2] - margin, bounds[3] + margin, height / 32, log ? "log" : "linear");
  pen.font = "11px system-ui, sans-serif";
  const labels = up.ticks.map((tick) => tickText(up, tick));
  const left = Math.ceil(Math.max(24, ...labels.map((label) => pen.measureText(label).width))) + 14;
  const width = Math.max(10, full - left - RIGHT);
  const room = width / TICK;
  const across = scaleOf(bounds[0], bounds[1], whole ? Math.min(room, bounds[1] - bounds[0]) : room, time ? "time" : "linear");
  const frame = { across, up, left, width, height };
  const x = (/** @type {number} */ value) => left + across.at(value) * width;
  const y = (/** @type {number} */ value) => ABOVE + (1 - up.at(value)) * height;
  drawAxes(pen, frame, labels, x, y, ink);
  for (const { key, colour, rank } of lines) {
    pen.strokeStyle = pen.fillStyle = colour;
    pen.setLineDash(rank < CURVE_COLOURS ? [] : [5, 3]);
    drawLine(pen, /** @type {Float64Array} */ (curves.points.get(key)), x, y, log);
    const marked = here === null ? null : curves.nearest(key, here);
    if (marked && !(log && marked[1] <= 0)) drawDot(pen, x(marked[0]), y(marked[1]), 3.5);
  }
  pen.setLineDash([]);
  if (here !== null) {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.5;
    pen.fillRect(Math.round(x(here)), ABOVE, 1, height);
    pen.globalAlpha = 1;
  }
  return frame;
}

/**
 * @param {CanvasRenderingContext2D} pen @param {Frame} frame @param {string[]} labels of the ticks going up
 * @param {(value: number) => number} x @param {(value: number) => number} y
 * @param {string} ink its colour
 */
function drawAxes(pen, { across, up, left, width, height }, labels, x, y, ink) {
  pen.setLineDash([]);
  pen.fillStyle = ink;
  pen.globalAlpha = 0.2;
  for (const tick of up.ticks) pen.fillRect(left, Math.round(y(tick)), width, 1);
  for (const tick of across.ticks) pen.fillRect(Math.round(x(tick)), ABOVE, 1, height);
  pen.globalAlpha = 1;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  up.ticks.forEach((tick, at) => pen.fillText(labels[at], left - 6, y(tick)));
  pen.textAlign = "center";
  const edge = left + width + RIGHT;
  for (const tick of across.ticks) {
    const label = tickText(across, tick);
    const half = pen.measureText(label).width / 2;
    pen.fillText(label, Math.min(edge - half, x(tick)), ABOVE + height + 12);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen @param {Float64Array} points
 * @param {(value: number) => number} x @param {(value: number) => number} y @param {boolean} log
 */
function drawLine(pen, points, x, y, log) {
  if (points.length === 2) {
    if (!(log && points[1] <= 0)) drawDot(pen, x(points[0]), y(points[1]), 2.5);
    return;
  }
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.beginPath();
  let drawing = false;
  for (let at = 0; at < points.length; at += 2) {
    const shown = !(log && points[at + 1] <= 0);
    if (shown && drawing) pen.lineTo(x(points[at]), y(points[at + 1]));
    else if (shown) pen.moveTo(x(points[at]), y(points[at + 1]));
    drawing = shown;
  }
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} radius */
function drawDot(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}
