// All panes draw in one frame, and the page rests between two frames.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames } from "../../colony_jupyter/notebook/static/frames.js";

/** A page whose clock, frames and painting the test moves. */
function page() {
  const waiting = { frame: [], painted: [], later: [] };
  const clock = { now: 1000 };
  const ticks = new Set();
  const frames = new Frames({
    frame: (draw) => waiting.frame.push(draw),
    painted: (then) => waiting.painted.push(then),
    later: (then, milliseconds) => waiting.later.push([then, milliseconds]),
    every: (action) => {
      ticks.add(action);
      return () => ticks.delete(action);
    },
    now: () => clock.now,
  });
  /** Run the frame that was asked for, which takes a while. */
  const run = (milliseconds) => {
    waiting.frame.shift()();
    clock.now += milliseconds;
    waiting.painted.shift()();
  };
  return { frames, waiting, clock, ticks, run };
}

test("what is asked for several times is drawn once, in one frame with all else", () => {
  const { frames, waiting, run } = page();
  const drawn = [];
  const [one, other] = [() => drawn.push("one"), () => drawn.push("other")];
  for (const draw of [one, other, one]) frames.draw(draw);
  assert.deepEqual(drawn, []);
  assert.equal(waiting.frame.length, 1);
  run(1);
  assert.deepEqual(drawn, ["one", "other"]);
  assert.equal(waiting.frame.length, 0);
});

test("ends come when all is drawn", () => {
  const { frames, run } = page();
  const happened = [];
  const end = () => happened.push("end");
  for (const name of ["one", "other"]) {
    frames.draw(() => {
      happened.push(name);
      frames.atEnd(end);
    });
  }
  run(1);
  assert.deepEqual(happened, ["one", "other", "end"]);
});

test("what is asked for while drawing comes in the next frame", () => {
  const { frames, waiting, clock, run } = page();
  let count = 0;
  const draw = () => {
    count += 1;
    if (count < 2) frames.draw(draw);
  };
  frames.draw(draw);
  run(1);
  assert.equal(count, 1);
  clock.now += 100;
  run(1);
  assert.equal(count, 2);
  assert.equal(waiting.frame.length, 0);
});

test("the page rests after a frame, however long that took", () => {
  const { frames, waiting, clock, run } = page();
  const restAfter = (took) => {
    clock.now += 10_000;
    frames.draw(() => {});
    run(took);
    frames.draw(() => {});
    const [then, milliseconds] = waiting.later.shift();
    assert.equal(waiting.frame.length, 0);
    clock.now += milliseconds;
    then();
    run(1);
    return milliseconds;
  };
  assert.equal(restAfter(5), 20);
  assert.equal(restAfter(3000), 20);
});

test("after the rest a frame is asked for at once", () => {
  const { frames, waiting, clock, run } = page();
  frames.draw(() => {});
  run(40);
  clock.now += 20;
  frames.draw(() => {});
  assert.equal(waiting.frame.length, 1);
  assert.equal(waiting.later.length, 0);
});

test("one that fails is reported, and does not stop the others", () => {
  const { frames, run } = page();
  const reported = [];
  const { reportError } = globalThis;
  globalThis.reportError = (error) => reported.push(error.message);
  try {
    let isDrawn = false;
    frames.draw(() => {
      throw new Error("broken");
    });
    frames.draw(() => (isDrawn = true));
    run(1);
    assert.ok(isDrawn);
    assert.deepEqual(reported, ["broken"]);
  } finally {
    globalThis.reportError = reportError;
  }
});

test("clocks are drawn in one frame, as long as there are any", () => {
  const { frames, waiting, clock, ticks, run } = page();
  const drawn = [];
  const ends = ["one", "other"].map((name) => {
    const end = new AbortController();
    frames.drawEverySecond(() => drawn.push(name), end.signal);
    return end;
  });
  assert.equal(ticks.size, 1);
  const tick = () => {
    clock.now += 1000;
    [...ticks].forEach((action) => action());
  };
  tick();
  assert.equal(waiting.frame.length, 1);
  run(0);
  assert.deepEqual(drawn, ["one", "other"]);
  ends[0].abort();
  tick();
  run(0);
  assert.deepEqual(drawn, ["one", "other", "other"]);
  ends[1].abort();
  assert.equal(ticks.size, 0);
  frames.drawEverySecond(() => drawn.push("third"), new AbortController().signal);
  tick();
  run(0);
  assert.equal(drawn[3], "third");
});

/** An animation that notes what is done with it. */
class FakeAnimation extends EventTarget {
  isPaused = false;
  currentTime = -1;
  pause() {
    this.isPaused = true;
  }
  cancel() {
    this.currentTime = -1;
  }
}

test("what moves does so in the frames that are drawn anyway", () => {
  const { frames, waiting, clock, ticks, run } = page();
  const [one, other, hidden] = [new FakeAnimation(), new FakeAnimation(), new FakeAnimation()];
  for (const animation of [one, other]) frames.move(animation, () => true);
  frames.move(hidden, () => false);
  assert.ok(one.isPaused); // or the browser would draw its steps, too
  frames.draw(() => {});
  clock.now += 50;
  run(1);
  assert.deepEqual([one, other, hidden].map((animation) => animation.currentTime), [1050, 1050, -1]);
  clock.now += 50;
  [...ticks].forEach((action) => action());
  assert.equal(waiting.frame.length, 0);
});

test("where nothing else is drawn, what moves has frames of its own, as long as it is in sight", () => {
  const { frames, waiting, clock, ticks, run } = page();
  const animation = new FakeAnimation();
  let isInSight = true;
  frames.move(animation, () => isInSight);
  frames.move(animation, () => isInSight); // each animation that starts in a pane has all of the pane's moved
  const tick = () => {
    clock.now += 100;
    [...ticks].forEach((action) => action());
  };
  tick();
  run(1);
  assert.equal(animation.currentTime, 1100);
  isInSight = false;
  tick();
  assert.equal(waiting.frame.length, 0);
  isInSight = true;
  animation.dispatchEvent(new Event("cancel"));
  assert.equal(ticks.size, 0);
  frames.draw(() => {});
  run(1);
  assert.equal(animation.currentTime, -1);
});
