// The store puts batches together, whatever order they come in, and asks for what it lacks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOG, Store, unpacked, WINDOW } from "../../colony_jupyter/notebook/static/store.js";

const row = (n, c = "log") => ({ n, k: "data", t: 0, w: "x", x: `row ${n}`, c, s: n });
const rows = (first, end) => Array.from({ length: end - first }, (_, at) => row(first + at));
const head = { title: "f", pid: "p", state: "RUNNING", executor: "", waiting: "", connection: "open", detail: "", elapsed: 1, party: true, finished: false, due: false, turn: 0, channels: [["log", 0]] };

/** Rows as the kernel packs them, in the plainest way. */
const packed = (list) => {
  let [n, t, s] = [0, 0, 0];
  const small = list.map((row) => {
    const item = [row.n - n, row.t - t, row.n - list[0].n, row.s - s, row.x];
    [n, t, s] = [row.n, row.t, row.s];
    return item;
  });
  return { styles: list.map(({ k, w, c }) => ({ k, w, c, m: null, f: null, o: null })), rows: small };
};
const written = (message) => JSON.stringify(message.rows ? { ...message, rows: packed(message.rows) } : message);

/** A kernel that holds `all` and answers nothing until a test releases it. */
function pane(snapshot = { seq: 0, end: 0, rows: [], head }, { kind = "log" } = {}) {
  const listeners = {};
  const sent = [];
  const status = [];
  const carried = {};
  const layout = { on: (name, callback) => (carried[name] = callback), off: (name) => delete carried[name] };
  const model = {
    get: (name) => ({ kind, controls: ["on_send"], snapshot: written(snapshot), number: 7, layout })[name],
    on: (name, callback) => (listeners[name] = callback),
    off: (name) => delete listeners[name],
    send: (content) => sent.push(content),
    widget_manager: { kernel: { statusChanged: { connect: (slot) => status.push(slot), disconnect: () => status.pop() } } },
  };
  const store = new Store(model);
  const hear = async (content, buffers = []) => {
    listeners["msg:custom"]({}, [new TextEncoder().encode(written(content)), ...buffers]);
    await new Promise(setImmediate);
  };
  return { store, sent, hear, listeners, status, carried };
}

const numbers = (store) => store.rows.map(({ n }) => n);

test("batches in their order", async () => {
  const { store, hear } = pane();
  await hear({ seq: 0, end: 3, rows: rows(0, 3) });
  await hear({ seq: 3, end: 5, rows: rows(3, 5) });
  assert.deepEqual(numbers(store), [0, 1, 2, 3, 4]);
});

test("its own updates of those that come for all panes", () => {
  const { store, carried } = pane();
  const update = (first, end) => new TextEncoder().encode(written({ seq: first, end, rows: rows(first, end) }));
  carried["msg:custom"]({ panes: [3, 7, 12] }, [update(0, 9), update(0, 2), update(0, 9)]);
  assert.deepEqual(numbers(store), [0, 1]);
  carried["msg:custom"]({ panes: [3] }, [update(2, 3)]);
  carried["msg:custom"]({ panes: [7, 7] }, [update(2, 3), update(3, 4)]);
  assert.deepEqual(numbers(store), [0, 1, 2, 3]);
});

test("what comes twice is shown once", async () => {
  const { store, hear } = pane({ seq: 0, end: 3, rows: rows(0, 3), head });
  await hear({ seq: 1, end: 5, rows: rows(1, 5) });
  assert.deepEqual(numbers(store), [0, 1, 2, 3, 4]);
});

test("a gap is asked for, and filled", async () => {
  const { store, hear, sent } = pane();
  await hear({ answer: sent[0].ref, seq: 0, end: 0, rows: [] });
  await hear({ seq: 0, end: 2, rows: rows(0, 2) });
  await hear({ seq: 4, end: 6, rows: rows(4, 6) });
  assert.deepEqual(numbers(store), [0, 1]);
  await hear({ seq: 6, end: 7, rows: rows(6, 7) });
  assert.equal(sent.length, 2, "asked once");
  assert.equal(sent[1].do, "fresh");
  assert.equal(sent[1].next, 2);
  await hear({ answer: sent[1].ref, seq: 2, end: 7, rows: rows(2, 7) });
  assert.deepEqual(numbers(store), [0, 1, 2, 3, 4, 5, 6]);
});

test("a backlog of more than a window begins anew", async () => {
  const { store, hear } = pane();
  await hear({ seq: 0, end: 3, rows: rows(0, 3) });
  let events = 0;
  store.addEventListener("rows", () => (events += 1));
  await hear({ seq: 5000, end: 5000 + WINDOW, rows: rows(5000, 5000 + WINDOW) });
  assert.equal(store.rows[0].n, 5000);
  assert.equal(store.next, 5000 + WINDOW);
  assert.deepEqual([store.rows.length, events], [WINDOW, 1]);
  assert.deepEqual([store.holds(4999), store.holds(5000), store.holds(store.next)], [false, true, true]);
});

test("no more than a window is kept", async () => {
  const { store, hear } = pane();
  for (let at = 0; at < 30; at += 1) await hear({ seq: at * 100, end: at * 100 + 100, rows: rows(at * 100, at * 100 + 100) });
  assert.equal(store.rows.length, WINDOW);
  assert.equal(store.rows[0].n, 2000);
});

test("bubbles change from the block on that did", async () => {
  const { store, hear } = pane(undefined, { kind: "chat" });
  await hear({ bubbles: [{ n: 0, k: "data", w: "x", t: 0, from: 0, blocks: ["a", "b"] }] });
  await hear({ bubbles: [{ n: 0, k: "data", w: "x", t: 0, from: 1, blocks: ["c", "d"] }] });
  assert.deepEqual(store.bubbles.get(0).blocks, ["a", "c", "d"]);
  assert.equal(store.bubbles.get(0).version, 2);
});

test("another page's answers are not mine", async () => {
  const { store, hear, sent } = pane();
  let answered = null;
  void store.ask({ do: "rows" }).then((answer) => (answered = answer));
  await hear({ answer: "other-1", rows: rows(0, 1) });
  assert.equal(answered, null);
  await hear({ answer: sent[1].ref, rows: rows(0, 1) }, ["buffer"]);
  assert.deepEqual(answered.buffers, ["buffer"]);
});

test("a kernel that restarts ends it, once", () => {
  const { store, status } = pane();
  let events = 0;
  store.addEventListener("dead", () => (events += 1));
  assert.equal(store.takesInput, true);
  status[0](null, "busy");
  assert.equal(events, 0);
  status[0](null, "restarting");
  status[0](null, "autorestarting");
  assert.equal(events, 1);
  assert.equal(store.takesInput, false);
});

test("it lets go of everything", () => {
  const { store, listeners, status, carried } = pane();
  store.stop.abort();
  assert.deepEqual([...Object.keys(listeners), ...Object.keys(carried)], []);
  assert.equal(status.length, 0);
});

test("rows are unpacked to what they were", () => {
  const styles = [
    { k: "data", w: "x", c: "log", m: null, f: "json", o: null },
    { k: "note", w: "", c: null, m: null, f: null, o: null },
  ];
  const [first, note, last] = unpacked({ styles, rows: [[7, 1000, 0, 2, "{}", { r: 1 }], [1, 5, 1, -2, "hm"], [1, 0, 0, 4, "[]"]] });
  assert.deepEqual([first.n, first.t, first.s, first.r, first.x, first.c], [7, 1000, 2, 1, "{}", "log"]);
  assert.deepEqual([note.n, note.t, note.s, note.c], [8, 1005, undefined, undefined]);
  assert.deepEqual([last.n, last.t, last.s, last.r], [9, 1005, 4, undefined]);
});

test("a question to a kernel that is gone, or ends, is answered with that", async () => {
  const { store, status } = pane({ seq: 0, end: 2, rows: rows(0, 2), head: { ...head, finished: true } });
  const before = store.ask({ do: "rows" });
  status[0]({}, "dead");
  assert.equal((await before).gone, true);
  assert.equal((await store.ask({ do: "rows" })).gone, true);
  assert.equal(store.lines("text"), "x\trow 0\nx\trow 1\n");
  const line = JSON.parse(store.lines("json").split("\n")[1]);
  assert.deepEqual([line.channel, line.sequence, line.type, line.text], ["log", 1, "data", "row 1"]);
});

for (const [what, change, pending] of [
  ["a process that runs", {}, true],
  ["a process that is not known yet", { state: "" }, true],
  ["a process that ended, with entries on their way", { state: "SUCCESS" }, true],
  ["a process that ended, with a lost connection that resumes", { state: "FAILED", connection: "resuming" }, true],
  ["a process that ended, and all its streams", { state: "SUCCESS", connection: "ended" }, false],
  ["a pane that is complete", { state: "SUCCESS", finished: true }, false],
  ["a pane whose chat goes on in another cell", { finished: true }, false],
]) {
  test(`${what} ${pending ? "can" : "cannot"} bring more`, () => {
    const { store } = pane({ seq: 0, end: 0, rows: [], head: { ...head, ...change } });
    assert.equal(store.isPending, pending);
  });
}

test("all channels leave the log out, and a channel has our own rows", () => {
  const rows = [row(0, "a"), row(1, "log"), row(2, LOG), { n: 3, k: "note", t: 0, w: "", x: "" }];
  const of = (channel) => rows.filter(Store.of(channel)).map(({ n }) => n);
  assert.deepEqual([of(""), of("log"), of(LOG)], [[0, 1, 3], [1, 3], [2, 3]]);
});
