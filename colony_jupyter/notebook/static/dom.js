// Building elements. Text from elsewhere becomes text nodes, always.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {...(Node | string)} children strings become text nodes
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * @param {string} label what it says
 * @param {() => void} action
 * @param {string} [look] more classes
 * @returns {HTMLButtonElement}
 */
export function button(label, action, look = "") {
  const element = make("button", `cj-btn ${look}`.trim(), label);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
}

/**
 * Set a text, if it is another one: the page is not laid out again for what stays.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} text
 * @returns {Promise<void>}
 */
export async function copyText(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch {
      // Not allowed here: the old way below may be.
    }
  }
  const area = make("textarea");
  area.value = text;
  area.style.position = "fixed";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/**
 * Copy, and say so on the button for a moment.
 * @param {HTMLButtonElement} pressed
 * @param {() => string | Promise<string>} text
 */
export async function copyFrom(pressed, text) {
  const label = pressed.textContent ?? "";
  await copyText(await text());
  pressed.textContent = "Copied";
  setTimeout(() => (pressed.textContent = label), 1200);
}

/**
 * @param {string} name of the file
 * @param {BlobPart} content
 * @param {string} type
 */
export function download(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = make("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
