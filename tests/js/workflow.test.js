// The lines between the nodes of a workflow's graph.
import assert from "node:assert/strict";
import { test } from "node:test";
import { edgePath } from "../../colony_jupyter/notebook/static/workflow/graph.js";

const node = (/** @type {number} */ column, /** @type {number} */ row) => ({ pid: "", name: "", state: "", executor: "", column, row, took: null, reason: "", along: "" });

test("a line leads from the right side of a node to the left side of the next", () => {
  const [curve, head] = edgePath(node(0, 0), node(1, 2)).slice(1).split("M");
  assert.ok(curve.startsWith("210 30C"), curve);
  assert.ok(curve.endsWith(" 245 126"), curve);
  assert.ok(head.includes("L249 126"), head);
});
