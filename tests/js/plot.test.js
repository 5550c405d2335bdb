// Scales, ticks and the points of a plot.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Curves } from "../../colony_jupyter/notebook/static/plot/curves.js";
import { numberText, scaleOf, tickText, timeText } from "../../colony_jupyter/notebook/static/plot/scale.js";

test("ticks are even numbers that fit", () => {
  assert.deepEqual(scaleOf(0, 10, 5).ticks, [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(scaleOf(0.13, 0.9, 4).ticks.map((tick) => tickText(scaleOf(0.13, 0.9, 4), tick)), ["0.2", "0.4", "0.6", "0.8"]);
  assert.deepEqual(scaleOf(-1, 1, 2).ticks, [-1, 0, 1]);
  for (const [low, high] of [[5, 5], [0, 0], [-3, -3], [1e9, 1e9]]) {
    const scale = scaleOf(low, high, 5);
    assert.ok(scale.ticks.length > 1, `${low}`);
    assert.ok(Math.abs(scale.at(low) - 0.5) < 1e-9);
  }
});

test("a logarithmic scale has powers of ten, and more between few of them", () => {
  assert.deepEqual(scaleOf(0.001, 1000, 8, "log").ticks, [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  assert.deepEqual(scaleOf(1, 30, 8, "log").ticks, [1, 2, 5, 10, 20]);
  assert.ok(scaleOf(1e-30, 1e30, 6, "log").ticks.length <= 8);
  assert.equal(scaleOf(1, 100, 5, "log").at(10), 0.5);
  assert.ok(Number.isFinite(scaleOf(3, 3, 5, "log").at(3)));
});

test("times are read as on a clock", () => {
  const at = new Date(2026, 10, 27, 12, 0, 0).getTime() / 1000;
  const scale = scaleOf(at, at + 60, 4, "time");
  assert.equal(scale.step, 15);
  assert.deepEqual(scale.ticks.map((tick) => tickText(scale, tick)), ["12:00:00", "12:00:15", "12:00:30", "12:00:45", "12:01:00"]);
  assert.equal(timeText(at + 0.25, true), "12:00:00.250");
});

test("numbers have the digits that matter", () => {
  assert.deepEqual([0, 0.1 + 0.2, 123456.789, 1e9, 1.5e-7, -2.25].map((value) => numberText(value)), ["0", "0.3", "123457", "1e9", "1.5e-7", "-2.25"]);
  assert.equal(numberText(0.30000000000000004, 0.1), "0.3");
});

const bytes = (/** @type {number[]} */ ...numbers) => {
  const held = new Uint8Array(numbers.length * 8 + 4);
  new Float64Array(new Float64Array(numbers)).forEach((number, at) => new DataView(held.buffer).setFloat64(4 + at * 8, number, true));
  return new DataView(held.buffer, 4);
};
const line = (/** @type {string} */ key, /** @type {number} */ closed) => ({ key, rank: 0, closed, count: 0, first: 0, last: 0, low: 0, high: 0 });

test("what comes goes on from the last closed bucket", () => {
  const curves = new Curves();
  curves.merge({ size: 1, bucket: 2, x: "#entry", left: 0, lines: [line("loss", 4)] }, [bytes(1, 9, 2, 8, 3, 7)]);
  curves.merge({ size: 1, bucket: 3, x: "#entry", left: 0, lines: [line("loss", 2), line("new", 0)] }, [bytes(3, 7, 4, 6), bytes(4, 1)]);
  assert.deepEqual([...(curves.points.get("loss") ?? [])], [1, 9, 2, 8, 3, 7, 4, 6]);
  assert.equal(curves.closed.get("loss"), 6);
  assert.deepEqual([...(curves.points.get("new") ?? [])], [4, 1]);
  curves.merge({ size: 2, bucket: 1, x: "#entry", left: 0, lines: [line("loss", 4)] }, [bytes(1, 9, 2, 8, 3, 7)]);
  assert.deepEqual([...(curves.points.get("loss") ?? [])], [1, 9, 2, 8, 3, 7]);
  assert.equal(curves.points.get("new"), undefined);
});

test("bounds and the nearest point", () => {
  const curves = new Curves();
  curves.merge({ size: 1, bucket: 2, x: "#entry", left: 0, lines: [line("a", 0), line("b", 0)] }, [bytes(1, -5, 2, 8), bytes(4, 1)]);
  assert.deepEqual(curves.bounds(["a", "b"], false), [1, 4, -5, 8]);
  assert.deepEqual(curves.bounds(["a", "b"], true), [2, 4, 1, 8]);
  assert.equal(curves.bounds([], false), null);
  assert.deepEqual(curves.nearest("a", 1.6), [2, 8]);
  assert.equal(curves.nearest("none", 1), null);
  assert.deepEqual(curves.places(["b", "a"]), [1, 2, 4]);
});
