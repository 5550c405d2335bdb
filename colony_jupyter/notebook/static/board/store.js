// What the page knows of one board: a view of many processes.
import { Store } from "../store.js";

/** @typedef {{x: string, exact?: string, state?: string, pid?: string}} BoardCell */
/** @typedef {{cells: BoardCell[], cancel?: string}} BoardRow */
/** @typedef {{name: string, columns: string[], rows: BoardRow[], more?: string}} BoardSection */
/** @typedef {{name: string, label: string, confirm?: string}} BoardAction */
/**
 * @typedef {object} BoardState What is shown, as the kernel writes it (`Board` in model/board.py).
 * @property {string} title @property {string} [state] @property {string} [meta] @property {number} [elapsed]
 * @property {boolean} [is_live] @property {{done: number, total: number, x: string}} [bar]
 * @property {{state: string, count: number, rate?: string}[]} [counts] @property {BoardSection[]} [sections]
 * @property {BoardAction[]} [actions] @property {string} [trouble]
 */

/** State of one board. Events: "board", "dead". */
export class BoardStore extends Store {
  /**
   * @override
   * @param {any} content
   */
  apply(content) {
    if (!content.board) return;
    /** @type {BoardState} */
    this.board = content.board;
    this.boardAt = performance.now();
    this.notify("board");
  }

  /**
   * Seconds since the first was submitted, or that they took.
   * @override
   */
  get elapsed() {
    const { board, boardAt, dead } = this;
    if (board?.elapsed === undefined) return 0;
    const runs = board.is_live && !dead && ["WAITING", "RUNNING"].includes(board.state ?? "");
    return board.elapsed + (runs ? (performance.now() - (boardAt ?? 0)) / 1000 : 0);
  }
}
