"""The magics: they read a line and call an action."""

from __future__ import annotations

import functools
import getpass
import sys
from collections import ChainMap
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from IPython.core.error import StdinNotImplementedError
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Enum, Float, Int

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook import actions, views
from colony_jupyter.notebook.formats.errors import error_lines, show_as
from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.ipython_inspector import Inspector
from colony_jupyter.notebook.magics.ipython_matcher import NameCache, make_matcher
from colony_jupyter.notebook.magics.kernel_commands import KernelCommands
from colony_jupyter.notebook.magics.parser import HelpAsked
from colony_jupyter.notebook.magics.shell_words import value
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.notebook.model.changes import Note, PlotChoice, WriteAccess
from colony_jupyter.notebook.model.series import axis
from colony_jupyter.notebook.session.request import is_headless, kernel_shell
from colony_jupyter.notebook.session.session import Session

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Concatenate

    from colony_jupyter.client.blocking import Process, WorkflowRun
    from colony_jupyter.client.workflows.run import AsyncWorkflowRun
    from colony_jupyter.notebook.actions.process_feed import ProcessFeed
    from colony_jupyter.wire.models import FunctionSpec

P = ParamSpec("P")
R = TypeVar("R")


def _errors_as_sentences(
    method: Callable[Concatenate[ColonyMagics, P], R],
) -> Callable[Concatenate[ColonyMagics, P], R | None]:
    """Print help, and show errors and interrupts without a stack of ours."""

    @functools.wraps(method)
    def call(self: ColonyMagics, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        self.goes_on = ""
        try:
            return method(self, *args, **kwargs)
        except HelpAsked as asked:
            print(asked)  # noqa: T201 - help goes where print goes
            return None
        except ColonyError as error:
            show_as(error, error_lines(error))
            raise
        except KeyboardInterrupt as interrupt:
            show_as(interrupt, [f"Interrupted. {self.goes_on}".rstrip()])
            raise

    return call


@magics_class
class ColonyMagics(KernelCommands, Magics):
    """The magics of colony_jupyter, and their settings: ``%config ColonyMagics``."""

    settle = Float(
        1.5,
        min=0.0,
        help="Seconds without a new entry after which an answer is complete, if the executor does not mark its end.",
    ).tag(config=True)
    history = Int(
        None,
        allow_none=True,
        min=0,
        help="Number of existing entries of a channel that `%colony watch` shows, the newest ones; None for all.",
    ).tag(config=True)

    theme: Any = Enum(
        ["auto", "light", "dark"],
        default_value="auto",
        help="Colours of new panes: light, dark, or auto for those of the page.",
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.shell: Any = shell
        self.session = Session()
        self.matcher = make_matcher(NameCache(self.session), shell, self.complete_remotely)
        self.inspector = Inspector(getattr(shell, "kernel", None), self.inspect_remotely)
        self._noted = False  # whether the note about True, False and None was printed
        self.goes_on = ""  # what an interrupt of the running magic does not end, as a sentence

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @_errors_as_sentences
    def colony(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> object:
        """ColonyOS: submit, watch, answer, cancel; ``%colony --help`` lists it all."""
        name, rest = (*line.strip().split(maxsplit=1), "", "")[:2]
        if name in ("-h", "--help", "help"):
            raise HelpAsked(commands.overview())
        names = self._names(local_ns)
        if cell is not None:
            if name not in commands.CELLS:
                cells = ", ".join(f"`%%colony {each}`" for each in commands.CELLS)
                raise UsageError(f"These need a cell: {cells}.{did_you_mean(name, commands.CELLS)}")
            act: Callable[[Namespace, Mapping[str, Any], str], object] = getattr(self, f"_{name}")
            return act(commands.CELLS[name].read(rest), names, cell)
        name = name or "status"
        if name not in commands.LINES:
            near = did_you_mean(name, commands.LINES) or f" There are: {', '.join(commands.LINES)}."
            raise UsageError(f"%colony has no command '{name}'.{near}")
        found = commands.LINES[name].read(rest)
        action: Callable[[Namespace, Mapping[str, Any]], object] = getattr(self, f"_{name}")
        result = action(found, names)
        self._assign(getattr(found, "table", None), result)
        return result

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @_errors_as_sentences
    def colony_chat(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> None:
        """Send the cell's text to an executor as a message, and wait for its answer."""
        found = commands.CHAT.read(line)
        if cell is None:
            raise UsageError("Use %%colony_chat, with two percent signs, and write your message below that line.")
        text = cell.removesuffix("\n")
        if not text.strip():
            raise UsageError("The cell is empty: write your message below the %%colony_chat line.")
        names = self._names(local_ns)
        partner = self._find(found.pid, names) if found.pid else None
        chat_session, remark = self.session.run(
            actions.chat.conversation,
            self.session,
            self._settle,
            funcname=found.funcname,
            executortype=found.type,
            channel=found.channel,
            process=partner.asynchronous if partner else None,
            new=found.new,
            options=self._options(found, names),
        )
        name = chat_session.process.funcname
        self.goes_on = (
            f"The conversation with {name} ({chat_session.process.processid[:8]}) goes on; your message may be sent."
        )
        if found.no_pane:
            view = views.choose.open_text(name)
        else:
            callbacks = actions.chat.callbacks(self.session, self._settle, chat_session)
            view = views.choose.open_view(name, kind="chat", callbacks=callbacks, theme=self.theme)
        if remark:
            view.feed(Note(remark))
        self.session.run(actions.chat.show_in, chat_session, view)
        try:
            answer = self.session.run(chat_session.send, text, found.timeout)
        finally:
            if found.no_pane or is_headless():
                view.finish()  # all of it is there when the cell ends
            if found.no_pane:
                self.session.run(chat_session.turn_to, None)
        self._assign(found.variable, answer)

    # the commands of %colony

    def _status(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.connect.status, self.session.colony, self.session.describe())

    def _connect(self, found: Namespace, names: Mapping[str, Any]) -> None:
        _ = names
        settings = actions.connect.choose(
            getattr(found, "host:port"),
            colonyname=found.colony,
            tls=found.tls,
            embedded=found.embedded,
            ask=_ask if found.ask else None,
        )
        self.session.switch(self.session.run(actions.connect.open_colony, settings))
        print(f"Connected to {actions.connect.place(settings)}.")  # noqa: T201 - the answer of this magic

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

    def _top(self, found: Namespace, names: Mapping[str, Any]) -> None:
        _ = names
        actions.top.show(self.session.run, self.session.colony, sys.stdout, follow=found.follow, theme=self.theme)

    def _executors(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.executors, self.session.colony)

    def _functions(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.functions, self.session.colony)

    def _workflows(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.workflows, self.session.colony)

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

    def _doctor(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.examine()

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

    def _settle(self) -> float:
        return float(self.settle)

    def _find(self, word: str, names: Mapping[str, Any]) -> Process:
        found = self.session.run(
            actions.processes.find, self.session.colony, word, names, tuple(self.session.processes)
        )
        return self.session.remember(found)

    def _names(self, local: dict[str, Any] | None) -> Mapping[str, Any]:
        return ChainMap(local or {}, self.shell.user_ns)

    def _note_once(self, sentence: str) -> None:
        """Print a note about Python's constants, the first time only."""
        if not self._noted:
            self._noted = True
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


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except StdinNotImplementedError:
        raise UsageError("This front end cannot ask for a key: set COLONIES_PRVKEY in the environment.") from None
