// What text.js makes of texts and figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as text from "../../colony_jupyter/notebook/static/text.js";

test("colours become spans, and end where they end", () => {
  assert.deepEqual(text.ansiSpans("a\x1b[1;31mb\x1b[0mc"), [
    { text: "a", classes: [] },
    { text: "b", classes: ["cj-sgr-bold", "cj-sgr-red"] },
    { text: "c", classes: [] },
  ]);
  assert.deepEqual(text.ansiSpans("\x1b[94mx\x1b[39my"), [
    { text: "x", classes: ["cj-sgr-blue"] },
    { text: "y", classes: [] },
  ]);
  // The parts of a 256-colour code are no codes of their own: 1 would be bold.
  assert.deepEqual(text.ansiSpans("\x1b[38;5;1mx"), [{ text: "x", classes: [] }]);
  assert.deepEqual(text.ansiSpans("\x1b[38;2;1;4;31mx"), [{ text: "x", classes: [] }]);
  assert.deepEqual(text.ansiSpans("\x1b[mx"), [{ text: "x", classes: [] }]);
});

test("JSON is broken into lines without its values being read", () => {
  assert.equal(text.indentJson('{"a":[1,2.50,{"b":null}],"c":{},"d":[]}'), `{
  "a": [
    1,
    2.50,
    {
      "b": null
    }
  ],
  "c": {},
  "d": []
}`);
  assert.equal(text.indentJson('{"n": 12345678901234567890, "s": "a{,:\\"]b"}'), '{\n  "n": 12345678901234567890,\n  "s": "a{,:\\"]b"\n}');
  for (const value of [[], {}, [[]], [{}], { a: [[], {}] }, [[[1]]], { "": "" }, "x", 1, [1, [2, [3, {}]]]]) {
    assert.deepEqual(JSON.parse(text.indentJson(JSON.stringify(value))), value);
    assert.equal(text.indentJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
  }
});

test("sizes and times read as in speech", () => {
  assert.deepEqual([0, 1, 999, 1500, 2_500_000].map(text.byteSize), ["0 bytes", "1 byte", "999 bytes", "1.5 kB", "2.5 MB"]);
  assert.deepEqual([0, 4.9, 161, 3723, -1].map(text.elapsedText), ["0:00", "0:04", "2:41", "1:02:03", "0:00"]);
  assert.deepEqual([0.04, 3, 42.4, 120, 9000].map(text.spanText), ["0.0 s", "3.0 s", "42 s", "2 min", "2.5 h"]);
  assert.match(text.clockText(1_000_000_000_123), /^\d\d:\d\d:\d\d\.123$/);
});

test("beside the bar stands what is not in the label", () => {
  assert.equal(text.progressText({ fraction: 0.4, label: "4/10", rate: 2, left: 3 }), "40 % · 2.0/s · 3.0 s left");
  assert.equal(text.progressText({ fraction: 0.62, label: "62 %" }), "");
  assert.equal(text.progressText({ fraction: 1, label: "10/10", took: 5 }), "5.0 s");
  assert.equal(text.progressText({ fraction: 0.1, label: "1/10", rate: 0.05, left: 180 }), "10 % · 3.0/min · 3 min left");
});

test("a long text is cut by lines and by characters", () => {
  assert.equal(text.beginning("a\nb\nc", 2), "a\nb");
  assert.equal(text.beginning("abcdef", 2, 3), "abc");
  assert.equal(text.beginning("abc"), "abc");
  assert.equal(text.beginning("a\nb", 2), "a\nb");
});

test("the name of a sender is short, and its end remains", () => {
  for (const name of ["laptop-7f3a", "tutorial-python-7f3a", "", "機械学習執行機械学習"]) assert.equal(text.shortName(name), name);
  assert.equal(text.shortName("tutorial-python-some-long-host-7f3a"), "tutorial-…host-7f3a");
  assert.equal(text.shortName("laptop-7f3a (former executor)"), "laptop-7f3a (former)");
  for (const name of ["tutorial-python-laptop-7f3a (former executor)", "機械学習執行機械学習執行機械", "x".repeat(300), "🦜".repeat(30)]) {
    const short = text.shortName(name);
    assert.ok(text.nameWidth(short) <= 20, short);
    assert.equal([...short][0], [...name][0]);
    assert.match(short, /…/);
  }
});
