// What is shown of a MIME bundle: a picture, HTML that the kernel has made safe, JSON, or text.
import { button, download, folding, make, safeBlock } from "./dom.js";
import { byteSize, indentJson } from "./text.js";
/** @typedef {import("./store.js").Store} Store */

/**
 * @typedef {object} Media
 * @property {"image" | "html" | "json" | "text"} kind
 * @property {string} x safe HTML, JSON, text, or the alternative text of a picture
 * @property {string} [mime] media type of a picture
 * @property {number} [bytes] its size
 * @property {number} [ask] 1 if it is loaded on request only
 */

/**
 * @param {Media} media
 * @param {Store} store
 * @param {number} [row] number of its row; none for the result
 * @returns {HTMLElement}
 */
export function mediaElement(media, store, row) {
  const element = make("div", `cj-media cj-media-${media.kind}`);
  if (media.kind === "image") pictureInto(element, media, store, row);
  else if (media.kind === "html") element.append(safeBlock(media.x));
  else if (media.kind === "json") {
    const short = media.x.length > 200 ? `${media.x.slice(0, 200)}…` : media.x;
    element.append(folding(short, indentJson(media.x)));
  } else element.append(folding(media.x.slice(0, 2000), media.x.length > 2000 ? media.x : ""));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {Media} media
 * @param {Store} store
 * @param {number} [row]
 */
function pictureInto(element, media, store, row) {
  const type = media.mime ?? "image/png";
  const name = `${row === undefined ? "result" : `picture-${row}`}.${type.split("/")[1].split("+")[0]}`;
  const draw = async () => {
    const address = await store.picture(row, type);
    if (!address) {
      element.replaceChildren(make("span", "cj-meta", `[${type}, ${byteSize(media.bytes ?? 0)}] ${media.x}: the kernel that has it is gone`));
      return;
    }
    const picture = make("img", "cj-picture");
    picture.alt = media.x;
    picture.addEventListener("error", () => element.replaceChildren(make("span", "cj-meta", `[${type}: cannot be shown] ${media.x}`)));
    picture.src = address;
    const grow = button("", () => {
      const large = element.classList.toggle("cj-large");
      grow.setAttribute("aria-pressed", String(large));
    }, "cj-zoom");
    grow.title = "Full size";
    grow.setAttribute("aria-label", `${media.x}: full size`);
    grow.setAttribute("aria-pressed", "false");
    grow.append(picture);
    const save = button("Download", () => void store.picture(row, type, true).then((data) => data && download(name, data, type)), "cj-fold");
    element.replaceChildren(grow, save);
  };
  if (media.ask) element.append(button(`Load the picture (${byteSize(media.bytes ?? 0)})`, () => void draw()));
  else void draw();
}
