"""The magics: they read a line and call an action."""

from __future__ import annotations

import functools
import getpass
from collections import ChainMap
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from IPython.core.error import StdinNotImplementedError
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Enum, Float, Int

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook import actions, views
from colony_jupyter.notebook.formats.errors import show_as, story
from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.ipython_matcher import NameCache, make_matcher
from colony_jupyter.notebook.magics.parser import HelpAsked
from colony_jupyter.notebook.magics.shell_words import value
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.notebook.session.request import is_headless
from colony_jupyter.notebook.session.session import Session

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Concatenate

    from colony_jupyter.client.blocking import Process
    from colony_jupyter.notebook.actions.process_feed import Follower

P = ParamSpec("P")
R = TypeVar("R")


def _told_in_sentences(
    method: Callable[Concatenate[ColonyMagics, P], R],
) -> Callable[Concatenate[ColonyMagics, P], R | None]:
    """Have help printed, and errors and interrupts shown without a stack of ours."""

    @functools.wraps(method)
    def call(self: ColonyMagics, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        self.goes_on = ""
        try:
            return method(self, *args, **kwargs)
        except HelpAsked as asked:
            print(asked)  # noqa: T201 - help goes where print goes
            return None
        except ColonyError as error:
            show_as(error, story(error))
            raise
        except KeyboardInterrupt as interrupt:
            show_as(interrupt, [f"Interrupted. {self.goes_on}".rstrip()])
            raise

    return call


@magics_class
class ColonyMagics(Magics):
    """The magics of colony_jupyter, and their settings: ``%config ColonyMagics``."""

    settle = Float(
        1.5, min=0.0, help="Seconds of quiet after an answer that end a turn of a partner who does not close its turns."
    ).tag(config=True)
    history = Int(
        None,
        allow_none=True,
        min=0,
        help="How many of the entries that are in a channel already `%colony watch` shows, the newest; None for all.",
    ).tag(config=True)

    theme: Any = Enum(
        ["auto", "light", "dark"],
        default_value="auto",
        help="Colours of the panes opened from now on: auto for the page's own, else light or dark.",
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.shell: Any = shell
        self.session = Session()
        self.matcher = make_matcher(NameCache(self.session), shell)
        self._noted = False  # whether the note about True, False and None was printed
        self.goes_on = ""  # what an interrupt of the running magic does not end, as a sentence

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @_told_in_sentences
    def colony(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> object:
        """ColonyOS: submit, watch, answer, cancel; ``%colony --help`` lists it all."""
        name, _, rest = line.strip().partition(" ")
        if name in ("-h", "--help", "help"):
            raise HelpAsked(commands.overview())
        names = self._names(local_ns)
        if cell is not None:
            if name != "submit":
                raise UsageError("Only `%%colony submit` takes a cell: the cell holds a function spec in JSON.")
            return self._submit(commands.SUBMIT_CELL.read(rest), names, cell)
        name = name or "status"
        if name not in commands.LINES:
            near = did_you_mean(name, commands.LINES) or f" There are: {', '.join(commands.LINES)}."
            raise UsageError(f"%colony has no command '{name}'.{near}")
        found = commands.LINES[name].read(rest)
        action: Callable[[Namespace, Mapping[str, Any]], object] = getattr(self, f"_{name}")
        result = action(found, names)
        self._keep(getattr(found, "table", None), result)
        return result

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @_told_in_sentences
    def colony_chat(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> None:
        """Say what the cell holds to an executor, and wait for its answer."""
        found = commands.CHAT.read(line)
        if cell is None:
            raise UsageError("Use %%colony_chat, with two percent signs, and write your message below that line.")
        text = cell.removesuffix("\n")
        if not text.strip():
            raise UsageError("The cell is empty: write your message below the %%colony_chat line.")
        names = self._names(local_ns)
        partner = self._find(found.pid, names) if found.pid else None
        talk, remark = self.session.run(
            actions.chat.conversation,
            self.session,
            self._settle,
            funcname=found.funcname,
            executortype=found.type,
            channel=found.channel,
            process=partner.asynchronous if partner else None,
            new=found.new,
        )
        name = talk.process.funcname
        self.goes_on = f"The conversation with {name} ({talk.process.processid[:8]}) goes on; your message may be sent."
        if found.no_pane:
            view = views.choose.open_text(name)
        else:
            callbacks = actions.chat.callbacks(self.session, self._settle, talk)
            view = views.choose.open_view(name, kind="chat", callbacks=callbacks, theme=self.theme)
        if remark:
            view.note(remark)
        self.session.run(actions.chat.show_in, talk, view)
        try:
            answer = self.session.run(talk.say, text, found.timeout)
        finally:
            if found.no_pane or is_headless():
                view.finish()  # all of it is there when the cell ends
            if found.no_pane:
                self.session.run(talk.turn_to, None)
        self._keep(found.variable, answer)

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
        function = found.funcname if cell is None else actions.submit.spec_of_json(cell)
        options: dict[str, Any] = {
            name: given
            for name in ("maxexectime", "maxwaittime", "maxretries", "priority", "label")
            if (given := getattr(found, name)) is not None
        }
        if found.env:
            options["env"] = {key: str(given) for key, given in actions.submit.pairs(found.env, "--env")}
        arguments = [value(word, names, note=self._note_once) for word in (found.arg if cell is None else ())]
        options |= {
            "kwargs": actions.submit.named_values(found.kw, "--kw", names, note=self._note_once),
            "channels": found.channel or (),
            "executortype": found.type or "",
            "executornames": found.executor or (),
        }
        colony = self.session.colony
        if found.quiet:
            process = self.session.remember(self.session.run(colony.submit, function, *arguments, **options))
            self._goes_on(process)
            self._keep(found.variable, process)
            if found.wait:
                self.session.run(process.asynchronous.result)
        else:
            options["acknowledged"] = not found.no_sync
            follower = self.session.run(actions.process_feed.submit_and_follow, colony, function, *arguments, **options)
            process = self.session.remember(follower.process)
            self._goes_on(process)
            self._keep(found.variable, process)
            self._show(follower, process, wait=found.wait)
        return process

    def _ps(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.recent, self.session.colony)

    def _executors(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.executors, self.session.colony)

    def _functions(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.functions, self.session.colony)

    def _workflows(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.workflows, self.session.colony)

    def _get(self, found: Namespace, names: Mapping[str, Any]) -> object:
        return self.session.run(actions.processes.details, self._find(found.pid, names).asynchronous)

    def _log(self, found: Namespace, names: Mapping[str, Any]) -> object:
        return self.session.run(actions.processes.log, self._find(found.pid, names).asynchronous)

    def _read(self, found: Namespace, names: Mapping[str, Any]) -> object:
        return self.session.run(actions.processes.read, self._find(found.pid, names).asynchronous, found.channel)

    def _send(self, found: Namespace, names: Mapping[str, Any]) -> None:
        process = self._find(found.pid, names).asynchronous
        print(self.session.run(actions.processes.send, process, found.channel, found.text))  # noqa: T201 - its answer

    def _cancel(self, found: Namespace, names: Mapping[str, Any]) -> None:
        process = self._find(found.pid, names).asynchronous
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
        follower = self.session.run(actions.process_feed.follow, process.asynchronous, channels, history=self.history)
        self._show(follower, process, wait=False, remark=why_not)
        return process

    # what they share

    def _show(self, follower: Follower, process: Process, *, wait: bool, remark: str = "") -> None:
        """Show a process in the cell that runs now; where nobody can look later, until its end."""
        self.session.followers.add(follower)
        try:
            view = views.choose.open_view(process.funcname, callbacks=follower.callbacks(), theme=self.theme)
            follower.show_in(view)
        except BaseException:
            follower.enqueue_stop()
            raise
        if remark:
            view.party(party=False)
            view.note(remark)
        self._keep_silent(process)
        if wait or is_headless():
            self.session.run(follower.follow_to_success)
        else:
            self.session.start(follower.follow_to_end)

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

    def _keep(self, name: str | None, kept: object) -> None:
        if name is not None:
            self.shell.user_ns[name] = kept

    def _keep_silent(self, process: Process) -> None:
        """Have the process show nothing of itself in this cell, where its pane is; in a terminal there is no pane."""
        if getattr(self.shell, "kernel", None) is None:
            return
        vars(process)["_ipython_display_"] = lambda: None

        def after_the_cell(_: object) -> None:
            vars(process).pop("_ipython_display_", None)
            self.shell.events.unregister("post_run_cell", after_the_cell)

        self.shell.events.register("post_run_cell", after_the_cell)


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except StdinNotImplementedError:
        raise UsageError("This front end cannot ask for a key: set COLONIES_PRVKEY in the environment.") from None
