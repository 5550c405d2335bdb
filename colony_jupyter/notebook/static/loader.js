// What anywidget imports for each pane. A page keeps every module it ever imported: this one is small, and the pane's
// own script, which comes along as text, is imported once for all panes that have the same.

/** @typedef {{initialize: (widget: any) => unknown, render: (widget: any) => unknown}} Widget */

/**
 * @param {import("./store.js").Model} model
 * @returns {Promise<{default: () => Widget}>}
 */
const loaded = (model) => {
  const page = /** @type {any} */ (globalThis);
  /** @type {Map<string, Promise<any>>} */
  const scripts = (page[Symbol.for("colony_jupyter.scripts")] ??= new Map());
  const version = String(model.get("version"));
  const known = scripts.get(version);
  if (known) return known;
  const url = URL.createObjectURL(new Blob([String(model.get("script"))], { type: "text/javascript" }));
  const script = import(url).finally(() => URL.revokeObjectURL(url));
  scripts.set(version, script);
  // One that could not be loaded is tried again by the next pane.
  script.catch(() => scripts.delete(version));
  return script;
};

export default () => {
  /** @type {Widget} */
  let widget;
  return {
    /** @param {{model: import("./store.js").Model}} context */
    async initialize(context) {
      widget = (await loaded(context.model)).default();
      return widget.initialize(context);
    },

    /** @param {{model: import("./store.js").Model, el: HTMLElement}} context */
    render: (context) => widget.render(context),
  };
};
