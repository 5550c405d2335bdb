// The points of a plot, put together from what the kernel sends (pure; no document needed).

/** @typedef {{key: string, rank: number, closed: number, count: number, first: number, last: number, low: number, high: number}} Line */
/** @typedef {{size: number, bucket: number, x: string, left: number, lines: Line[]}} PlotAnswer what the kernel sends (`Plots.answer` in model/plots.py). */

/** The points of one channel for one x axis. */
export class Curves {
  constructor() {
    /** What is asked for next begins with this bucket, of this many entries. */
    this.size = 0;
    this.bucket = 0;
    this.x = "";
    /** Number of keys that are not drawn. */
    this.left = 0;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Map<string, Float64Array>} x and y by turns */
    this.points = new Map();
    /** @type {Map<string, number>} how many numbers of a line will not change any more */
    this.closed = new Map();
  }

  /**
   * @param {PlotAnswer} answer
   * @param {DataView[]} buffers of each line
   */
  merge({ size, bucket, x, left, lines }, buffers) {
    const goesOn = size === this.size && x === this.x;
    const [points, closed] = [new Map(), new Map()];
    lines.forEach(({ key, closed: count }, at) => {
      const view = buffers[at];
      // A buffer within a message need not begin at a multiple of eight.
      const fresh = new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
      const begun = goesOn ? (this.closed.get(key) ?? 0) : 0;
      const all = new Float64Array(begun + fresh.length);
      if (begun) all.set(/** @type {Float64Array} */ (this.points.get(key)).subarray(0, begun));
      all.set(fresh, begun);
      points.set(key, all);
      closed.set(key, begun + count);
    });
    Object.assign(this, { size, bucket, x, left, lines, points, closed });
  }

  /**
   * @param {Iterable<string>} keys
   * @param {boolean} positive whether only values above 0 count
   * @returns {[number, number, number, number] | null} least and greatest x, least and greatest y; null for no points
   */
  bounds(keys, positive) {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const key of keys) {
      const points = this.points.get(key) ?? [];
      for (let at = 0; at < points.length; at += 2) {
        const [x, y] = [points[at], points[at + 1]];
        if (positive && y <= 0) continue;
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < low) low = y;
        if (y > high) high = y;
      }
    }
    return left > right ? null : [left, right, low, high];
  }

  /**
   * @param {string} key @param {number} x
   * @returns {[number, number] | null} the point nearest to x; the last one of those as near
   */
  nearest(key, x) {
    const points = this.points.get(key) ?? [];
    let [found, distance] = [-1, Infinity];
    for (let at = 0; at < points.length; at += 2) {
      const away = Math.abs(points[at] - x);
      if (away <= distance) [found, distance] = [at, away];
    }
    return found < 0 ? null : [points[found], points[found + 1]];
  }

  /**
   * @param {Iterable<string>} keys
   * @returns {number[]} every x there is a point at, in order
   */
  places(keys) {
    /** @type {Set<number>} */
    const places = new Set();
    for (const key of keys) {
      const points = this.points.get(key) ?? [];
      for (let at = 0; at < points.length; at += 2) places.add(points[at]);
    }
    return [...places].sort((one, other) => one - other);
  }
}
