"""A kernel on an executor, for a program: code is sent to it, and its output comes back as messages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.link import Link
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import IN
from colony_jupyter.kernels.relay.messages import compose, new_header, parts_of, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.kernels.events import Target
    from colony_jupyter.kernels.relay.layout import Lane, Limits
    from colony_jupyter.kernels.relay.line import Position

logger = logging.getLogger(__name__)

_LEAVE: Final = 6.0
"""Seconds for the executor to be informed that this program leaves, or ends the kernel."""
_ROUTE: Final = b"colony_jupyter"
"""Identity to which the kernel sends its replies."""


class Message(msgspec.Struct, frozen=True):
    """A message of a kernel.

    Attributes:
        msg_type: its type, such as ``stream``.
        content: its content.
        metadata: its metadata.
        parent: id of the request that it belongs to; empty for none.
        buffers: binary data.
    """

    msg_type: str
    content: dict[str, Any]
    metadata: dict[str, Any]
    parent: str
    buffers: list[bytes]


def read_message(frames: Sequence[bytes]) -> Message:
    """Read the frames of a message.

    Raises:
        ValueError: if they are none.
    """
    _, parts = parts_of(frames)
    header, parent, metadata, content = map(read, parts[:4])
    return Message(str(header.get("msg_type")), content, metadata, str(parent.get("msg_id", "")), list(parts[4:]))


class RemoteKernel:
    """A kernel on an executor, used on the caller's event loop.

    Args:
        colony: the colony, as the caller.
        target: where it is to run.
        on_waiting: called with a sentence about what is waited for.
        on_message: called with each message that belongs to no cell of this program.
        limits: when channels and processes are full.
    """

    def __init__(
        self,
        colony: AsyncColony,
        target: Target,
        *,
        on_waiting: Callable[[str], None] = lambda _: None,
        on_message: Callable[[Message], None] = lambda _: None,
        limits: Limits | None = None,
    ) -> None:
        self.target = target
        self.about: names.Started | None = None  # None until it has started
        self.gone: KernelGone | None = None
        """Why it has ended; None while it runs."""
        self._on_waiting = on_waiting
        self.on_message = on_message
        """Called with each message that belongs to no cell of this program."""
        self._key = secrets.token_hex(16)
        self.link = Link(colony, target, self, self._key, limits=limits)
        self._started = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._outputs: dict[str, Callable[[Message], None]] = {}  # by request
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._idle: dict[str, asyncio.Event] = {}
        self._session = uuid.uuid4().hex
        self._asking: asyncio.Task[str] | None = None  # held until it has ended
        self._asks: dict[str, Callable[[str, bool], str]] = {}  # by request, of those that may ask

    @property
    def processid(self) -> str:
        """The process that carries it; empty before it is submitted."""
        return self.link.process.processid if self.link.process is not None else ""

    @property
    def executorid(self) -> str:
        """Id of the executor that it runs on, as the server has it; empty before that is known."""
        return self.link.executorid

    async def start(self, processid: str = "") -> names.Started:
        """Start it, or attach to one that runs.

        Args:
            processid: the process of a kernel that runs; empty for a new one.

        Raises:
            KernelGone: if it cannot be started.
        """
        self._running = asyncio.create_task(self.link.run(processid))
        starting = asyncio.create_task(self._started.wait())
        try:
            await asyncio.wait({self._running, starting}, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                self._running.result()
        finally:
            starting.cancel()
        assert self.about is not None  # noqa: S101 - it has started
        self._running.add_done_callback(self._end)
        return self.about

    async def execute(
        self,
        code: str,
        output: Callable[[Message], None],
        *,
        ask: Callable[[str, bool], str] | None = None,
        silent: bool = False,
    ) -> Message:
        """Run code, and return the reply once all of its output has come.

        Args:
            code: the code.
            output: called with each message of output, on the loop.
            ask: called in a thread with the prompt of a question, and whether the answer is secret; None for code that
                may ask none.
            silent: whether it leaves no trace in the kernel's history.

        Raises:
            KernelGone: if the kernel ends meanwhile.
        """
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": ask is not None,
            "stop_on_error": True,
        }
        return await self.request("execute_request", content, output, ask=ask)

    async def request(
        self,
        kind: str,
        content: dict[str, Any],
        output: Callable[[Message], None] = lambda _: None,
        *,
        ask: Callable[[str, bool], str] | None = None,
    ) -> Message:
        """Send a request, and return its reply once its output has come.

        Args:
            kind: its type, such as ``complete_request``.
            content: its content.
            output: called with each message of output, on the loop.
            ask: see `execute`.

        Raises:
            KernelGone: if the kernel has ended, or ends meanwhile.
        """
        if self.gone is not None:
            raise self.gone.with_traceback(None)
        number = uuid.uuid4().hex
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        idle = self._idle[number] = asyncio.Event()
        self._outputs[number] = output
        if ask is not None:
            self._asks[number] = ask
        try:
            self.link.put(IN, Item("shell", self._compose(kind, number, content)))
            answer: Message = await reply
            await idle.wait()
            if self.gone is not None:
                raise self.gone.with_traceback(None)
            return answer
        finally:
            for held in (self._replies, self._idle, self._outputs, self._asks):
                held.pop(number, None)

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any], buffers: Sequence[bytes]) -> None:
        """Send a message that has no reply, such as that of a widget."""
        frames = self._compose(kind, uuid.uuid4().hex, content, metadata)
        self.link.put(IN, Item("shell", [*frames, *map(bytes, buffers)]))

    def interrupt(self) -> None:
        """Interrupt what it executes."""
        self.link.command(names.INTERRUPT)

    async def detach(self) -> None:
        """Leave it; it is kept for the next caller."""
        await self.link.detach(_LEAVE)
        await self._close()

    async def shut_down(self) -> None:
        """End it."""
        running = self._running
        if running is not None and not running.done():
            self.link.command(names.BYE)
            await asyncio.wait({running}, timeout=_LEAVE if self.link.attached.is_set() else 0)
            if not running.done():
                await self.link.cancel()
        await self._close()

    async def _close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _end(self, running: asyncio.Task[None]) -> None:
        error = None if running.cancelled() else running.exception()
        self.gone = error if isinstance(error, KernelGone) else KernelGone(str(error or "The kernel was detached."))
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self.gone)
        for idle in self._idle.values():
            idle.set()

    def _compose(
        self, kind: str, number: str, content: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> list[bytes]:
        header = new_header(kind, session=self._session, number=number, at=datetime.now(UTC))
        return compose(self._key.encode(), [_ROUTE], header, b"{}", content, metadata)

    # what the link reports

    async def deliver(self, item: Item, note: Callable[[], None]) -> None:
        """Hand a message to the cell that it belongs to."""
        note()
        try:
            message = read_message(item.frames)
        except ValueError:
            logger.warning("a message of the kernel cannot be read")
            return
        if item.name == "stdin":
            self._answer(message)
        elif item.name == "shell":
            reply = self._replies.get(message.parent)
            if reply is not None and not reply.done():
                reply.set_result(message)
        elif message.msg_type == "status":
            if message.content.get("execution_state") == "idle" and message.parent in self._idle:
                self._idle[message.parent].set()
        else:
            self._outputs.get(message.parent, self.on_message)(message)

    def _answer(self, question: Message) -> None:
        """Ask the user, in a thread, and send the answer; only if the cell that asks still runs."""
        ask = self._asks.get(question.parent)
        if ask is None:
            return
        asking = asyncio.create_task(
            asyncio.to_thread(ask, str(question.content.get("prompt", "")), bool(question.content.get("password")))
        )
        self._asking = asking

        def send(done: asyncio.Task[str]) -> None:
            if not done.cancelled() and done.exception() is None:
                frames = self._compose("input_reply", uuid.uuid4().hex, {"value": done.result(), "status": "ok"})
                self.link.put(IN, Item("stdin", frames))

        asking.add_done_callback(send)

    def delivered(self, lane: Lane, position: Position) -> None:
        """Do nothing: this program keeps no cursor."""

    async def started(self, about: names.Started) -> None:
        """Note the key, which is the kernel's own if it ran before."""
        self.about = about
        self._key = about.key
        self._started.set()

    def using(self, processid: str) -> None:
        """Do nothing."""

    async def waiting(self, sentence: str) -> None:
        """Report what is waited for."""
        with contextlib.suppress(Exception):
            self._on_waiting(sentence)

    def is_expecting(self) -> bool:
        """Whether something is executed."""
        return bool(self._replies)
