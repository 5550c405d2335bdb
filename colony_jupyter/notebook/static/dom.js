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
 * @param {string} label its text
 * @param {() => void} action
 * @param {string} [style] more classes
 * @returns {HTMLButtonElement}
 */
export function button(label, action, style = "") {
  const element = make("button", `cj-btn ${style}`.trim(), label);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
}

/**
 * @param {string} html made safe by the kernel (formats/markdown.py): the only HTML that is read as such
 * @returns {HTMLElement}
 */
export function safeBlock(html) {
  const element = make("div", "cj-block");
  element.innerHTML = html;
  return element;
}

/**
 * Set a text, if it is another one: the page is not laid out again for what stays.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Text that folds: a short form, and all of it on demand.
 * @param {string} short
 * @param {string} [whole]
 * @param {string} [label] of the fold while it is closed
 * @returns {HTMLElement}
 */
export function folding(short, whole, label = "unfold") {
  const element = make("div", "cj-text");
  const content = make("span", "", short);
  element.append(content);
  if (!whole) return element;
  let open = false;
  const fold = button(label, () => {
    open = !open;
    content.textContent = open ? whole : short;
    fold.textContent = open ? "fold" : label;
    fold.setAttribute("aria-expanded", String(open));
  }, "cj-fold");
  fold.setAttribute("aria-expanded", "false");
  element.append(" ", fold);
  return element;
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
 * Copy, and confirm it on the button for a moment.
 * @param {HTMLButtonElement} pressed
 * @param {() => string | Promise<string>} text
 */
export async function copyFrom(pressed, text) {
  // Pressed again in that moment, its text is the confirmation, not its label.
  const label = (pressed.dataset.label ??= pressed.textContent ?? "");
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
