// One row of the log as an element.
import { button, copyFrom, download, make } from "../dom.js";
import { mediaElement } from "../media.js";
import { LOG } from "../store.js";
/** @typedef {import("../store.js").Store} Store */
import { ansiSpans, beginning, byteSize, clockText, indentJson, shortName } from "../text.js";

const CHANNEL_COLOURS = 6;

/**
 * @param {HTMLElement} element
 * @param {string} text may hold colours
 */
function fill(element, text) {
  if (!text.includes("\x1b")) {
    element.textContent = text;
    return;
  }
  element.replaceChildren(...ansiSpans(text).map((span) => make("span", span.classes.join(" "), span.text)));
}

/**
 * @param {import("../store.js").Row} row
 * @param {Store} store
 * @param {string[]} channels in the order of their colours
 * @returns {HTMLElement}
 */
export function rowElement(row, store, channels) {
  const element = make("div", "cj-row");
  element.dataset.n = String(row.n);
  if (row.k === "error" || row.k === "fault") element.classList.add("cj-err");
  else if (row.k !== "data" && !row.d) element.classList.add(row.k === "note" ? "cj-note" : "cj-mark");
  if (!row.x && (row.k === "end" || row.k === "turn")) element.classList.add("cj-empty");
  if (row.c !== undefined && channels.length > 1 && row.c !== LOG) {
    element.classList.add("cj-channel", `cj-channel-${channels.indexOf(row.c) % CHANNEL_COLOURS}`);
  }
  const time = make("time", "", clockText(row.t));
  time.title = [new Date(row.t).toISOString(), row.w].filter(Boolean).join(" · ");
  // Shortened here: a style that cuts text makes each row a layer of its own.
  const who = make("bdi", row.m ? "cj-who cj-you" : "cj-who", shortName(row.w));
  who.title = time.title;
  const text = make("div", "cj-text");
  if (row.d) text.append(mediaElement(row.d, store, row.n));
  else if (row.f === "bytes") bytesInto(text, row, store);
  else textInto(text, row, store);
  element.append(time, who, text);
  // Shown by the style sheet when details are wanted: an element more for each row would be felt.
  if (row.s !== undefined) element.dataset.details = detailsOf(row);
  return element;
}

/**
 * @param {Element} element a row
 * @param {boolean} same whether the entry before it has the same sender
 */
export function markSender(element, same) {
  element.classList.toggle("cj-same", same);
}

/** @param {import("../store.js").Row} row */
function detailsOf(row) {
  const parts = row.c === LOG ? ["log", `line ${row.s}`] : [row.c ?? "", row.k, `sequence ${row.s}`];
  if (row.r) parts.push(`in reply to ${row.r}`);
  return parts.join(" · ");
}

/**
 * @param {HTMLElement} element
 * @param {import("../store.js").Row} row
 * @param {Store} store
 */
function textInto(element, row, store) {
  const short = row.f === "json" ? beginning(row.x.replace(/\s*\n\s*/g, " "), 1, 200) : beginning(row.x);
  const structured = row.f === "json" && /[[{,].*[,:]/.test(row.x);
  if (short.length === row.x.length && !row.all && !structured) {
    fill(element, row.x);
    return;
  }
  const content = make("span");
  fill(content, short);
  const cut = short.length < row.x.length || row.all !== undefined;
  const fold = button("unfold", () => void turn(), "cj-fold");
  fold.setAttribute("aria-expanded", "false");
  let open = false;
  const turn = async () => {
    open = !open;
    if (open) {
      let whole = row.x;
      if (row.all) {
        fold.textContent = "…";
        whole = (await store.ask({ do: "whole", row: row.n })).text ?? row.x;
      }
      const complete = !row.all || whole.length === row.all;
      fill(content, row.f === "json" && complete ? indentJson(whole) : whole + (complete ? "" : " … (Download gives all of it)"));
    } else fill(content, short);
    fold.textContent = open ? "fold" : "unfold";
    fold.setAttribute("aria-expanded", String(open));
  };
  element.append(content, cut ? "… " : " ", fold);
}

/**
 * @param {HTMLElement} element
 * @param {import("../store.js").Row} row
 * @param {Store} store
 */
function bytesInto(element, row, store) {
  const size = row.z ?? 0;
  const preview = make("code", "cj-hex", row.x + (size * 3 - 1 > row.x.length ? " …" : ""));
  const fetchIt = async () => {
    const { buffers, gone } = await store.ask({ do: "payload", row: row.n });
    if (!gone) download(`${row.c}-${row.s}.bin`, /** @type {DataView<ArrayBuffer>} */ (buffers[0]), "application/octet-stream");
  };
  element.append(make("span", "cj-meta", byteSize(size)), " ", preview, " ", button("Download", () => void fetchIt(), "cj-fold"));
}

/**
 * @param {HTMLElement} pre
 * @returns {HTMLButtonElement} that copies its code
 */
export function codeCopy(pre) {
  const text = pre.textContent ?? "";
  const copy = button("Copy", () => void copyFrom(copy, () => text), "cj-quiet cj-copy");
  return copy;
}
