// Copying is confirmed on its button, which has its own name again afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { copyFrom } from "../../colony_jupyter/notebook/static/dom.js";

test("a button pressed again while it confirms has its own name afterwards", async () => {
  const copied = [];
  Object.defineProperty(navigator, "clipboard", {
    value: { writeText: (text) => Promise.resolve(copied.push(text)) },
    configurable: true,
  });
  const ends = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (end) => ends.push(end);
  try {
    const pressed = { textContent: "Copy", dataset: {} };
    await copyFrom(pressed, () => "one");
    assert.equal(pressed.textContent, "Copied");
    await copyFrom(pressed, () => "two");
    for (const end of ends) end();
    assert.equal(pressed.textContent, "Copy");
    assert.deepEqual(copied, ["one", "two"]);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});
