"""The commands of ``%colony`` about processes and workflows: they read the line and call actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook import actions, views
from colony_jupyter.notebook.magics.shell_words import value
from colony_jupyter.notebook.model.changes import Note, PlotChoice, WriteAccess
from colony_jupyter.notebook.model.series import axis
from colony_jupyter.notebook.session.request import is_headless, kernel_shell

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from colony_jupyter.client.blocking import Process, WorkflowRun
    from colony_jupyter.client.workflows.run import AsyncWorkflowRun
    from colony_jupyter.notebook.actions.process_feed import ProcessFeed
    from colony_jupyter.notebook.session.session import Session
    from colony_jupyter.wire.models import FunctionSpec


class ProcessCommands:
    """Commands about processes and workflows; part of `ColonyMagics`."""

    shell: Any
    session: Session
    goes_on: str
    history: int | None
    theme: Any

    _is_noted = False  # whether the note about True, False and None was printed

    def _submit(self, found: Namespace, names: Mapping[str, Any], cell: str | None = None) -> Process:
        if cell is None:
            arguments = [value(word, names, note=self._note_once) for word in found.arg]
            return self._submitted(found, found.funcname, arguments, self._options(found, names))
        options = self._options(found, names)
        chosen = options.pop("conditions", None)
        return self._submitted(found, actions.submit.spec_of_json(cell, chosen), (), options)

    def _execute(self, found: Namespace, names: Mapping[str, Any], cell: str) -> Process:
        options = self._options(found, names)
        chosen = options.pop("conditions", None)
        spec = actions.submit.container_spec(found.image, cell, found.rebuild_image, chosen, options)
        return self._submitted(found, spec, (), options)

    def _options(self, found: Namespace, names: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `AsyncColony.submit` that options stand for, without those that were not given."""
        options = actions.submit.options_of(found)
        if found.kw:
            options["kwargs"] = actions.submit.named_values(found.kw, "--kw", names, note=self._note_once)
        return options

    def _submitted(
        self, found: Namespace, function: str | FunctionSpec, arguments: Sequence[Any], options: dict[str, Any]
    ) -> Process:
        """Submit a function, and show its process in the cell unless that is not wanted."""
        colony = self.session.colony
        if found.quiet:
            process = self.session.remember(self.session.run(colony.submit, function, *arguments, **options))
            self._goes_on(process)
            self._assign(found.variable, process)
            if found.wait:
                self.session.run(process.asynchronous.result)
        else:
            options["acknowledged"] = not found.no_sync
            feed = self.session.run(actions.process_feed.submit_and_follow, colony, function, *arguments, **options)
            process = self.session.remember(feed.process)
            self._goes_on(process)
            self._assign(found.variable, process)
            self._show(feed, process, wait=found.wait)
        return process

    def _ps(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = names
        wanted = actions.processes.Wanted(
            found.state, found.label, found.function, found.type, mine=found.mine, count=found.count
        )
        return self.session.run(actions.processes.recent, self.session.colony, wanted)

    def _workflow(self, found: Namespace, names: Mapping[str, Any], cell: str | None = None) -> WorkflowRun:
        colony = self.session.colony
        if cell is None:
            run = self.session.run(actions.workflows.find, colony, found.workflow, names)
        else:
            run = self.session.run(actions.workflows.submit, colony, actions.submit.specs_of_json(cell))
        short = run.processgraphid[:8]
        self.goes_on = (
            f"Workflow {short} goes on: `%colony workflow {short}` shows it, `%colony cancel {short}` ends it."
        )
        blocking = self.session.face(run)
        self._assign(found.variable, blocking)
        if not getattr(found, "quiet", False):
            self._show_workflow(run, wait=found.wait)
            self._suppress_display(blocking)
        elif found.wait:
            self.session.run(run.result)
        return blocking

    def _workflows(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.workflows, self.session.colony)

    def _get(self, found: Namespace, names: Mapping[str, Any]) -> object:
        return self.session.run(actions.processes.details, self._find(found.pid, names).asynchronous)

    def _log(self, found: Namespace, names: Mapping[str, Any]) -> object:
        actions.logs.check(found)
        colony = self.session.colony
        if found.search is not None:
            return self.session.run(actions.logs.search, colony, found.search, found.days or 1, found.executor)
        if found.executor is not None:
            return self.session.run(actions.logs.of_executor, colony, found.executor)
        process = self._find(found.pid, names)
        if not found.follow:
            return self.session.run(actions.logs.of_process, process.asynchronous)
        self._goes_on(process)
        feed = self.session.run(actions.process_feed.follow, process.asynchronous, [])
        self._show(feed, process, wait=False)
        return process

    def _read(self, found: Namespace, names: Mapping[str, Any]) -> object:
        return self.session.run(actions.processes.read, self._find(found.pid, names).asynchronous, found.channel)

    def _send(self, found: Namespace, names: Mapping[str, Any]) -> None:
        process = self._find(found.pid, names).asynchronous
        print(self.session.run(actions.processes.send, process, found.channel, found.text))  # noqa: T201 - its answer

    def _cancel(self, found: Namespace, names: Mapping[str, Any]) -> None:
        try:
            process = self._find(found.pid, names).asynchronous
        except ColonyError as error:
            run = self._workflow_of(found.pid, names)
            if run is None:
                raise error from None
            print(self.session.run(actions.workflows.cancel, run))  # noqa: T201 - its answer
        else:
            print(self.session.run(actions.processes.cancel, process))  # noqa: T201 - its answer

    def _watch(self, found: Namespace, names: Mapping[str, Any]) -> Process:
        process = self._find(found.pid, names)
        wanted = [str(name) for name in found.channel]
        actions.processes.check_channels(process.record, wanted)
        self._goes_on(process)
        why_not = actions.processes.stranger(process.asynchronous)
        channels = [] if why_not else wanted or None
        feed = self.session.run(
            actions.process_feed.follow, process.asynchronous, channels, history=self.history, log=not wanted
        )
        self._show(feed, process, wait=False, remark=why_not)
        return process

    def _plot(self, found: Namespace, names: Mapping[str, Any]) -> Process:
        process = self._find(found.pid, names)
        actions.processes.check_plot(process.asynchronous, found.channel)
        self._goes_on(process)
        feed = self.session.run(actions.process_feed.follow, process.asynchronous, [found.channel], log=False)
        self._show(feed, process, wait=False, plot=PlotChoice(found.channel, axis(found.x), tuple(found.y or ())))
        return process

    # what they share

    def _show(
        self,
        feed: ProcessFeed,
        process: Process,
        *,
        wait: bool,
        remark: str = "",
        plot: PlotChoice | None = None,
    ) -> None:
        """Show a process, or a plot of it, in the cell that runs now; in a headless run, until its end."""
        self.session.feeds.add(feed)
        try:
            view = views.choose.open_view(
                process.funcname,
                kind="log" if plot is None else "plot",
                callbacks=feed.callbacks(),
                theme=self.theme,
            )
            if plot is not None:
                view.feed(plot)
            feed.show_in(view)
        except BaseException:
            feed.enqueue_stop()
            raise
        if remark:
            view.feed(WriteAccess(allowed=False))
            view.feed(Note(remark))
        self._suppress_display(process)
        if is_headless() or (wait and kernel_shell() is None):
            self.session.run(feed.follow_to_success)
            return
        self.session.start(feed.follow_to_end)
        if wait:
            try:
                self.session.run(feed.closed_with_success)
            except KeyboardInterrupt:
                feed.enqueue_stop()
                raise

    def _show_workflow(self, run: AsyncWorkflowRun, *, wait: bool) -> None:
        """Show a workflow in the cell that runs now; in a headless run, until its end."""
        feed = actions.workflow_feed.WorkflowFeed(run, self.theme)
        self.session.feeds.add(feed)
        view = views.choose.open_view("workflow", kind="workflow", callbacks=feed.callbacks(), theme=self.theme)
        try:
            feed.show_in(view)
        except BaseException:
            feed.enqueue_stop()
            raise
        if wait or is_headless():
            self.session.run(feed.follow_to_success)
        else:
            self.session.start(feed.follow_to_end)

    def _workflow_of(self, word: str, names: Mapping[str, Any]) -> AsyncWorkflowRun | None:
        try:
            return self.session.run(actions.workflows.find, self.session.colony, word, names)
        except ColonyError:
            return None

    def _goes_on(self, process: Process) -> None:
        short = process.processid[:8]
        self.goes_on = (
            f"{process.funcname} ({short}) goes on: `%colony watch {short}` shows it, `%colony cancel {short}` ends it."
        )

    def _find(self, word: str, names: Mapping[str, Any]) -> Process:
        found = self.session.run(
            actions.processes.find, self.session.colony, word, names, tuple(self.session.processes)
        )
        return self.session.remember(found)

    def _note_once(self, sentence: str) -> None:
        """Print a note about Python's constants, the first time only."""
        if not self._is_noted:
            self._is_noted = True
            print(sentence)  # noqa: T201 - a note below the cell

    def _assign(self, name: str | None, value: object) -> None:
        if name is not None:
            self.shell.user_ns[name] = value

    def _suppress_display(self, shown: Process | WorkflowRun) -> None:
        """Show nothing for the value of this cell, whose pane shows it; in a terminal there is no pane."""
        if getattr(self.shell, "kernel", None) is None:
            return
        vars(shown)["_ipython_display_"] = lambda: None

        def after_the_cell(_: object) -> None:
            vars(shown).pop("_ipython_display_", None)
            self.shell.events.unregister("post_run_cell", after_the_cell)

        self.shell.events.register("post_run_cell", after_the_cell)
