// When a page draws: all of its panes in the same frame, and with time between two frames for everything else.

/** Milliseconds between a frame and the next, for what the page does besides drawing. */
const REST = 20;
/** Milliseconds between two frames for what moves, where nothing else is drawn. */
const MOVED = 100;

const NOTHING = () => {};

/** Draws what has changed, once for all changes since the last time. */
export class Frames {
  /**
   * @param {object} page
   * @param {(draw: () => void) => void} page.frame calls back in the next frame
   * @param {(then: () => void) => void} page.painted calls back when the frame has been painted
   * @param {(then: () => void, milliseconds: number) => void} page.later
   * @param {(action: () => void, milliseconds: number) => () => void} page.every returns what ends it
   * @param {() => number} page.now in milliseconds
   */
  constructor(page) {
    this.page = page;
    /** @type {Set<() => void>} */
    this.draws = new Set();
    /** @type {Set<() => void>} */
    this.endings = new Set();
    this.isAsked = false;
    this.restsUntil = 0;
    /** @type {Set<() => void>} what is drawn every second */
    this.ticking = new Set();
    this.endTicks = () => {};
    /** When the last frame was drawn, by `page.now`. */
    this.drawnAt = 0;
    /** @type {Map<Animation, () => boolean>} each with whether it is in sight */
    this.moving = new Map();
    this.endMoves = () => {};
  }

  /**
   * Have something drawn in the next frame.
   * @param {() => void} draw called once, however often it was asked for
   */
  draw(draw) {
    this.draws.add(draw);
    if (this.isAsked) return;
    this.isAsked = true;
    const ask = () => this.page.frame(() => this.drawAll());
    const rest = this.restsUntil - this.page.now();
    if (rest > 0) this.page.later(ask, rest);
    else ask();
  }

  /**
   * Have something done when the present frame has drawn everything: what reads sizes lays the page out once for all.
   * @param {() => void} action called once, however often it was asked for
   */
  atEnd(action) {
    this.endings.add(action);
  }

  /**
   * Have something drawn every second, with all else on the page that is: each change of a clock is a frame.
   * @param {() => void} draw
   * @param {AbortSignal} gone ends it
   */
  drawEverySecond(draw, gone) {
    if (!this.ticking.size) this.endTicks = this.page.every(() => this.ticking.forEach((each) => this.draw(each)), 1000);
    this.ticking.add(draw);
    gone.addEventListener("abort", () => {
      this.ticking.delete(draw);
      if (!this.ticking.size) this.endTicks();
    });
  }

  /**
   * Have an animation move in the frames that are drawn for something, and in some of its own where there are none: as the
   * browser moves it, each of its steps is a frame that costs about as much as one with rows.
   * @param {Animation} animation until it is cancelled
   * @param {() => boolean} isInSight
   */
  move(animation, isInSight) {
    if (this.moving.has(animation)) return;
    if (!this.moving.size) this.endMoves = this.page.every(() => this.drawMoves(), MOVED);
    this.moving.set(animation, isInSight);
    animation.pause();
    animation.addEventListener("cancel", () => {
      this.moving.delete(animation);
      animation.cancel(); // a time that was set since then has begun it anew
      if (!this.moving.size) this.endMoves();
    }, { once: true });
  }

  drawMoves() {
    // A frame comes up to a sixtieth of a second after it was asked for.
    const isDue = this.page.now() - this.drawnAt >= MOVED - 20;
    if (isDue && [...this.moving.values()].some((isInSight) => isInSight())) this.draw(NOTHING);
  }

  drawAll() {
    const { page } = this;
    this.isAsked = false;
    this.drawnAt = page.now();
    // All have the same time, so that their steps are of the same frames.
    for (const [animation, isInSight] of this.moving) if (isInSight()) animation.currentTime = this.drawnAt;
    for (const waiting of [this.draws, this.endings]) {
      const actions = [...waiting];
      waiting.clear();
      for (const action of actions) {
        try {
          action();
        } catch (error) {
          reportError(error); // what another pane draws must not depend on it
        }
      }
    }
    page.painted(() => {
      this.restsUntil = page.now() + REST;
    });
  }
}

/** The one of the page. */
export const FRAMES = new Frames({
  frame: (draw) => requestAnimationFrame(draw),
  // A task that is made in a frame runs after it.
  painted: (then) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      then();
    };
    port2.postMessage(null);
  },
  later: (then, milliseconds) => setTimeout(then, milliseconds),
  every: (action, milliseconds) => {
    const timer = setInterval(action, milliseconds);
    return () => clearInterval(timer);
  },
  now: () => performance.now(),
});
