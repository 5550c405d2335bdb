"""What this kernel is connected to, and what it has seen there.

The client is imported when it is first needed, not by ``%load_ext``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar
from weakref import WeakSet

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.settings import current, use

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from colony_jupyter.client.blocking import Process, WorkflowRun
    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.client.workflows.run import AsyncWorkflowRun
    from colony_jupyter.doctor import Report
    from colony_jupyter.notebook.actions.chat_session import ChatSession
    from colony_jupyter.notebook.actions.process_feed import ProcessFeed
    from colony_jupyter.notebook.actions.workflow_feed import WorkflowFeed
    from colony_jupyter.settings import Settings

_ENDED = 100  # processes that have ended and whose identifiers are still completed and found first

P = ParamSpec("P")
T = TypeVar("T")


class Topic(NamedTuple):
    """What a conversation is known by."""

    address: str
    colonyname: str
    funcname: str
    executortype: str
    channel: str


class Session:
    """The kernel's current connection, its processes and conversations."""

    def __init__(self) -> None:
        self._colony: AsyncColony | None = None  # None until something asks for it
        self._earlier: list[AsyncColony] = []  # what still runs may need them
        self.processes: dict[str, AsyncProcess] = {}  # by id, the latest last
        self.closers: list[Callable[[], Coroutine[Any, Any, object]]] = []  # run before the connections close
        self.chat_sessions: dict[Topic, ChatSession] = {}  # the latest last
        self.feeds: WeakSet[ProcessFeed | WorkflowFeed] = WeakSet()  # those that feed panes

    @property
    def settings(self) -> Settings:
        """Where calls go; nothing is contacted.

        Raises:
            SettingsError: if the environment names the server only in part.
        """
        return current() if self._colony is None else self._colony.settings

    @property
    def is_connected(self) -> bool:
        """Whether something asked for the colony already."""
        return self._colony is not None

    @property
    def colony(self) -> AsyncColony:
        """The colony, for use on the loop.

        Raises:
            SettingsError: if the environment names the server only in part.
        """
        from colony_jupyter.client.colony import AsyncColony  # noqa: PLC0415 - see above

        if self._colony is None:
            self._colony = AsyncColony()
        return self._colony

    def run(self, action: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an action on the loop and wait for it; an interrupt cancels it."""
        return PORTAL.run(action, *args, **kwargs)

    def start(self, action: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """Run an action on the loop and do not wait for it."""
        PORTAL.spawn(action, *args)

    def examine(self) -> Report:
        """Examine the connection; see `colony_jupyter.doctor`."""
        from colony_jupyter.doctor import examine  # noqa: PLC0415 - see above

        return PORTAL.run(examine, lambda: self.settings)

    def begin(self, outcome: Future[T], action: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> None:
        """Run an action on the loop, with a future that is waited for elsewhere; see `LoopThread.begin`."""
        PORTAL.begin(outcome, action, *args)

    def switch(self, colony: AsyncColony) -> None:
        """Use another connection from now on. The earlier one serves what still runs on it.

        What is made in this kernel without settings follows: `Colony`, `AsyncColony`, an `Executor` that is started.
        """
        if self._colony is not None:
            self._earlier.append(self._colony)
        self._colony = colony
        use(colony.settings)

    def remember(self, process: AsyncProcess) -> Process:
        """Remember a process and return it in the blocking form.

        All processes that have not ended are remembered, and the latest 100 that have: a record holds its output.
        """
        from colony_jupyter.client.blocking import Process  # noqa: PLC0415 - see above

        self.processes.pop(process.processid, None)
        self.processes[process.processid] = process
        ended = [processid for processid, one in self.processes.items() if one.state.is_closed]
        for processid in ended[:-_ENDED]:
            del self.processes[processid]
        return Process(process)

    def face(self, run: AsyncWorkflowRun) -> WorkflowRun:
        """Return the run of a workflow in the blocking form."""
        from colony_jupyter.client.blocking import WorkflowRun  # noqa: PLC0415 - see above

        return WorkflowRun(run)

    def describe(self) -> str:
        """Describe what was submitted or followed here and has not ended."""
        running = [process for process in self.processes.values() if not process.state.is_closed]
        return ", ".join(f"{process.funcname} ({process.processid[:8]})" for process in running)

    def close(self) -> None:
        """Let go of the connections and of everything that listens on them; processes go on."""
        use(None)
        for closer in self.closers:
            PORTAL.run(closer)
        for stop in [
            *(chat_session.stop for chat_session in self.chat_sessions.values()),
            *(feed.stop for feed in self.feeds),
        ]:
            PORTAL.call_soon(stop)
        for colony in [*self._earlier, *([self._colony] if self._colony is not None else [])]:
            PORTAL.run(colony.aclose)
