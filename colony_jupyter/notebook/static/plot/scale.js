// Scales, their ticks, and numbers as they are written next to them (pure; no document needed).

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Steps in which a clock is read, in seconds. */
const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY];

/** @typedef {"linear" | "log" | "time"} Form */
/**
 * @typedef {object} Scale
 * @property {number} low @property {number} high
 * @property {Form} form
 * @property {number[]} ticks
 * @property {number} step between two ticks; 0 where they are not even
 * @property {(value: number) => number} at where a value is, from 0 to 1
 */

/**
 * @param {number} span @param {number} count of steps that fit at most
 * @returns {number} 1, 2 or 5 times a power of ten
 */
function evenStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].find((each) => each * power >= rough * (1 - 1e-9));
  return (step ?? 10) * power;
}

/**
 * @param {number} low @param {number} high @param {number} count
 * @returns {number[]} powers of ten, or 1, 2 and 5 times them where there are few
 */
function logTicks(low, high, count) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
  /** @type {number[]} */
  const ticks = [];
  for (let power = first; power <= last; power += every) ticks.push(...factors.map((factor) => factor * 10 ** power));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/**
 * @param {number} low least value shown @param {number} high greatest one; for "log" both are above 0
 * @param {number} count of ticks there is room for
 * @param {Form} [form]
 * @returns {Scale}
 */
export function scaleOf(low, high, count, form = "linear") {
  if (form === "log") {
    if (low === high) [low, high] = [low / 2, high * 2];
    const [from, to] = [Math.log10(low), Math.log10(high)];
    return { low, high, form, step: 0, ticks: logTicks(low, high, count), at: (value) => (Math.log10(value) - from) / (to - from) };
  }
  if (high - low <= Math.abs(high) * 1e-12) {
    const half = form === "time" ? 0.5 : Math.abs(high) * 0.1 || 1;
    [low, high] = [low - half, high + half];
  }
  const span = high - low;
  const clock = form === "time" && CLOCK_STEPS.find((each) => each >= span / Math.max(1, count));
  const step = clock || evenStep(span, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * step);
  return { low, high, form, step, ticks, at: (value) => (value - low) / span };
}

/**
 * @param {number} value
 * @param {number} [step] between ticks: as many decimals as that needs are written
 * @returns {string}
 */
export function numberText(value, step = 0) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  if (step) return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return String(Number(value.toPrecision(6)));
}

/**
 * @param {number} at Unix seconds
 * @param {boolean} [fine] whether milliseconds are wanted
 * @returns {string} the local time of day
 */
export function timeText(at, fine = false) {
  const when = new Date(at * 1000);
  const text = [when.getHours(), when.getMinutes(), when.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  return fine ? `${text}.${String(when.getMilliseconds()).padStart(3, "0")}` : text;
}

/**
 * @param {Scale} scale @param {number} tick
 * @returns {string}
 */
export function tickText({ form, step }, tick) {
  return form === "time" ? timeText(tick, step < 1) : numberText(tick, step);
}
