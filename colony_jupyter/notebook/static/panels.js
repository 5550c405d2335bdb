// What a log's pane shows under its head: a tab for each channel, one for the process log, and those for other views.
import { make } from "./dom.js";
import { Log } from "./log/log.js";
import { Plot } from "./plot/plot.js";
import { LOG } from "./store.js";
import { Tabs } from "./tabs.js";
/** @typedef {import("./view.js").View} View */

/** Keys of the tabs of a channel's rows and of its plot. */
const rowsKey = (/** @type {string} */ channel) => `rows ${channel}`;
const plotKey = (/** @type {string} */ channel) => `plot ${channel}`;

/** The panels of one view; one of them is shown. */
export class Panels {
  /** @param {View} view */
  constructor(view) {
    this.store = view.store;
    this.log = new Log(view);
    this.tabs = new Tabs((key) => this.choose(key));
    this.tabs.chosen = rowsKey("");
    /** Whether the reader has chosen a tab; before that, the log is shown as long as no channel has entries. */
    this.isChosen = false;
    this.plot = new Plot(view);
    this.element = make("div", "cj-entries", this.tabs.element, this.log.element, this.plot.element);
    view.on(["head"], () => this.draw());
    view.on(["rows"], () => this.reveal());
    this.draw();
  }

  /** The channel that is shown; empty when several are, or the log. */
  get channel() {
    if (!this.plot.element.hidden) return this.plot.channel;
    return this.log.channel === LOG ? "" : this.log.channel;
  }

  draw() {
    const { channels = [], log = 0, plots = [] } = this.store.head ?? {};
    const total = channels.reduce((sum, [, count]) => sum + (count ?? 0), 0);
    /** @type {import("./tabs.js").Tab[]} */
    const tabs = channels.map(([name, count], at) => {
      const title = count === null ? "This channel is not read here" : "";
      return { key: rowsKey(name), label: name, count, colour: at, title };
    });
    // One channel is all there is.
    if (tabs.length === 1) tabs[0] = { ...tabs[0], key: rowsKey(""), colour: undefined };
    else if (tabs.length) tabs.unshift({ key: rowsKey(""), label: "all", count: total });
    if (log) tabs.push({ key: rowsKey(LOG), label: "log", count: log, title: "The log of the process", lone: true });
    const several = plots.length > 1;
    tabs.push(...plots.map(([name]) => ({ key: plotKey(name), label: several ? `plot ${name}` : "plot" })));
    if (!this.isChosen) this.chooseByItself(!total && (log || !channels.length) ? LOG : "");
    this.tabs.draw(tabs);
    this.reveal();
  }

  /** @param {string} channel to show as long as the reader has chosen none */
  chooseByItself(channel) {
    if (this.log.channel === channel) return;
    this.tabs.chosen = rowsKey(channel);
    this.log.choose(channel);
  }

  /** Nothing is shown of a log that is empty. */
  reveal() {
    this.element.hidden = !this.store.next && this.log.search.hidden;
  }

  /** @param {string} key of a tab */
  choose(key) {
    this.isChosen = true;
    const channel = key.slice(key.indexOf(" ") + 1);
    if (key === plotKey(channel)) {
      this.log.element.hidden = true;
      this.plot.show(channel);
    } else {
      this.plot.hide();
      this.log.choose(channel);
    }
    this.element.dispatchEvent(new Event("channel"));
  }

  search() {
    if (this.log.element.hidden) this.tabs.choose(rowsKey(""));
    this.log.toggleSearch();
    this.reveal();
  }

  toEnd() {
    if (!this.log.element.hidden) this.log.toEnd();
  }
}

/**
 * @param {View} view
 * @returns {Plot} all that a pane of its own for a plot shows
 */
export function plotAlone(view) {
  const plot = new Plot(view);
  plot.element.classList.add("cj-entries");
  const show = () => {
    const { channel = "", x = "", keys = [] } = view.store.head?.plot ?? {};
    if (channel) plot.show(channel, x, keys);
  };
  view.on(["head"], show);
  show();
  return plot;
}
