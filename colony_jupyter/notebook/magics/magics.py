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
from colony_jupyter.notebook.magics.process_commands import ProcessCommands
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.notebook.model.changes import Note
from colony_jupyter.notebook.session.request import is_headless
from colony_jupyter.notebook.session.session import Session

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Concatenate

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
class ColonyMagics(ProcessCommands, KernelCommands, Magics):
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

    # commands about the colony

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

    def _top(self, found: Namespace, names: Mapping[str, Any]) -> None:
        _ = names
        actions.top.show(self.session.run, self.session.colony, sys.stdout, follow=found.follow, theme=self.theme)

    def _executors(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.executors, self.session.colony)

    def _functions(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.run(actions.processes.functions, self.session.colony)

    def _doctor(self, found: Namespace, names: Mapping[str, Any]) -> object:
        _ = found, names
        return self.session.examine()

    def _settle(self) -> float:
        return float(self.settle)

    def _names(self, local: dict[str, Any] | None) -> Mapping[str, Any]:
        return ChainMap(local or {}, self.shell.user_ns)


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except StdinNotImplementedError:
        raise UsageError("This front end cannot ask for a key: set COLONIES_PRVKEY in the environment.") from None
