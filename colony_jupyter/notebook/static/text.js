// Texts and figures, made from what the kernel sends (pure; no document needed).

/** @typedef {{text: string, classes: string[]}} Span A stretch of text in one style. */

const PLAIN_CODES = new Map([[1, "bold"], [2, "dim"], [3, "italic"], [4, "underline"], [9, "strike"]]);
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/**
 * Split text at its SGR sequences ("ESC [ 31 m") into stretches with classes for colour and weight.
 * Colours of the 256 and true-colour kinds are read over: the theme has no such colours.
 * @param {string} text
 * @returns {Span[]}
 */
export function ansiSpans(text) {
  /** @type {Span[]} */
  const spans = [];
  /** @type {Set<string>} */
  const styles = new Set();
  let colour = "";
  let end = 0;
  const push = (/** @type {string} */ piece) => {
    if (piece) spans.push({ text: piece, classes: [...styles, ...(colour ? [colour] : [])].map((name) => `cj-sgr-${name}`) });
  };
  // deno-lint-ignore no-control-regex -- colours begin with one
  for (const found of text.matchAll(/\x1b\[([0-9;]*)m/g)) {
    push(text.slice(end, found.index));
    end = found.index + found[0].length;
    const codes = found[1].split(";").map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at];
      if (code === 0) {
        styles.clear();
        colour = "";
      } else if (PLAIN_CODES.has(code)) styles.add(/** @type {string} */ (PLAIN_CODES.get(code)));
      else if (code === 22) ["bold", "dim"].forEach((name) => styles.delete(name));
      else if (code === 23) styles.delete("italic");
      else if (code === 24) styles.delete("underline");
      else if (code === 29) styles.delete("strike");
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) colour = COLOURS[code % 10];
      else if (code === 39) colour = "";
      else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
    }
  }
  push(text.slice(end));
  return spans;
}

/**
 * Break and indent JSON without reading its values: numbers keep every digit they came with.
 * @param {string} text well-formed JSON
 * @returns {string}
 */
export function indentJson(text) {
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      // An empty object or list stays on its line.
      out = /[[{]\s*$/.test(out.slice(-2 * depth - 5)) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ",") out += token + line();
    else if (token === ":") out += ": ";
    else out += token;
  }
  return out;
}

/**
 * @param {number} count bytes
 * @returns {string} as people write it
 */
export function byteSize(count) {
  if (count === 1) return "1 byte";
  if (count < 1000) return `${count} bytes`;
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

/**
 * @param {number} value
 * @param {number} digits
 */
const padded = (value, digits) => String(value).padStart(digits, "0");

/**
 * @param {number} at Unix milliseconds
 * @returns {string} local time of day to the millisecond
 */
export function clockText(at) {
  const when = new Date(at);
  return `${padded(when.getHours(), 2)}:${padded(when.getMinutes(), 2)}:${padded(when.getSeconds(), 2)}.${padded(when.getMilliseconds(), 3)}`;
}

/** Width of the longest name of a sender that is shown whole, in columns of a fixed-width font. */
const NAME = 20;
/** What rows.py adds to the name of an executor that lost the process. */
const FORMER = " (former executor)";

/**
 * @param {string} name
 * @returns {number} columns of a fixed-width font
 */
export function nameWidth(name) {
  // East Asian letters and pictures take two columns.
  return [...name].reduce((sum, letter) => sum + (/** @type {number} */ (letter.codePointAt(0)) < 0x1100 ? 1 : 2), 0);
}

/**
 * @param {string} name
 * @returns {string} the name, or its beginning and end: generated names differ in their ends
 */
export function shortName(name) {
  if (nameWidth(name) <= NAME) return name;
  if (name.endsWith(FORMER)) return `${shortened(name.slice(0, -FORMER.length), NAME - 9)} (former)`;
  return shortened(name, NAME);
}

/**
 * @param {string} name
 * @param {number} width columns
 * @returns {string}
 */
function shortened(name, width) {
  if (nameWidth(name) <= width) return name;
  const letters = [...name];
  const [head, tail] = [[], []].map(() => /** @type {string[]} */ ([]));
  const room = () => width - 2 - nameWidth(head.join("")) - nameWidth(tail.join(""));
  for (let at = 0; room() > 0 && at < letters.length; at += 1) {
    if (at % 2) head.push(letters[(at - 1) / 2]);
    else tail.unshift(letters[letters.length - 1 - at / 2]);
  }
  return `${head.join("")}…${tail.join("")}`;
}

/**
 * @param {number} seconds
 * @returns {string} "0:04", "2:41", "1:02:03"
 */
export function elapsedText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours ? `${hours}:${padded(minutes, 2)}:${padded(rest, 2)}` : `${minutes}:${padded(rest, 2)}`;
}

/**
 * @param {number} seconds
 * @returns {string} "3 s", "2 min", "1.5 h"
 */
export function spanText(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * The text beside a progress bar.
 * @param {{fraction: number, rate?: number, left?: number, took?: number, label: string}} progress
 * @returns {string}
 */
export function progressText(progress) {
  if (progress.took !== undefined) return spanText(progress.took);
  const percent = `${Math.round(progress.fraction * 100)} %`;
  const parts = progress.label === percent ? [] : [percent];
  if (progress.rate) parts.push(progress.rate >= 0.1 ? `${progress.rate.toFixed(1)}/s` : `${(progress.rate * 60).toFixed(1)}/min`);
  if (progress.left !== undefined) parts.push(`${spanText(progress.left)} left`);
  return parts.join(" · ");
}

/**
 * Cut a long text for its folded state.
 * @param {string} text
 * @param {number} [lines]
 * @param {number} [characters]
 * @returns {string} the beginning, or all of it when it is short
 */
export function beginning(text, lines = 8, characters = 800) {
  let end = Math.min(text.length, characters);
  let at = -1;
  for (let line = 0; line < lines; line += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at >= end) return text.slice(0, end);
  }
  end = at;
  return text.slice(0, end);
}
