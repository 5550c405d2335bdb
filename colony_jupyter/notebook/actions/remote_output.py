"""Shows in a local cell what a cell of a remote kernel puts out, as if it ran here."""

from __future__ import annotations

import contextlib
import getpass
import queue
import sys
import time
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.portal import PORTAL
from colony_jupyter.notebook.formats.plain_text import clean
from colony_jupyter.notebook.views.remote_widgets import RemoteStates

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.kernels.remote import Message
    from colony_jupyter.notebook.actions.remote_cells import CellKernel

_SLICE: Final = 0.05
_INTERRUPT: Final = 10.0
"""Seconds for an interrupted remote cell to end."""
_HARMLESS: Final = ("text/plain", "image/png", "image/jpeg")
_COMM: Final = "comm_"


class Question:
    """A question of the remote cell.

    Args:
        prompt: its text.
        is_secret: whether the answer is not shown.
        cell: the future of the remote cell.
    """

    def __init__(self, prompt: str, *, is_secret: bool, cell: Future[Any]) -> None:
        self._prompt = prompt
        self._is_secret = is_secret
        self._answer: Future[str] = Future()
        cell.add_done_callback(lambda _: self._fail(EOFError("The cell ended before this question was answered.")))

    def put(self) -> None:
        """Ask the user, in the thread of the cell."""
        try:
            answer = (getpass.getpass if self._is_secret else input)(self._prompt)
        except BaseException as error:
            self._fail(error)
            raise
        with contextlib.suppress(InvalidStateError):  # the cell has ended meanwhile
            self._answer.set_result(answer)

    def answer(self) -> str:
        """Wait for the answer, in another thread.

        Raises:
            EOFError: if the cell ends before the question is answered.
        """
        return self._answer.result()

    def _fail(self, error: BaseException) -> None:
        with contextlib.suppress(InvalidStateError):
            self._answer.set_exception(error)


class Display:
    """The output of remote cells.

    Args:
        shell: IPython's.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._comms: dict[str, Any] = {}  # local ends of the remote kernel's widgets
        self._states = RemoteStates()
        self._omitted = False  # whether the cell was shown that something is left out

    def begin(self) -> None:
        """Note that a cell begins."""
        self._omitted = False

    def show(self, source: CellKernel, message: Message) -> None:
        """Show a message in the cell that runs, in its thread."""
        content = message.content
        match message.msg_type:
            case "stream":
                stream = sys.stderr if content.get("name") == "stderr" else sys.stdout
                stream.write(content.get("text", ""))
                stream.flush()
            case "display_data" | "execute_result" | "update_display_data":
                self._publish(source, message)
            case "clear_output":
                from IPython.display import clear_output  # noqa: PLC0415 - plain Python may do without

                clear_output(wait=bool(content.get("wait")))  # type: ignore[no-untyped-call]
            case kind if kind.startswith(_COMM):
                self.comm(source, message)

    def _publish(self, source: CellKernel, message: Message) -> None:
        data: dict[str, Any] = message.content.get("data", {})
        if not source.is_trusted:
            harmless = {kind: value for kind, value in data.items() if kind in _HARMLESS}
            if len(harmless) < len(data):
                self._omit(source)
            data = harmless
        transient = message.content.get("transient") or {}
        is_update = message.msg_type == "update_display_data"
        metadata = message.content.get("metadata")
        self._shell.display_pub.publish(data, metadata, transient=transient, update=is_update)

    def _omit(self, source: CellKernel) -> None:
        if not self._omitted:
            self._omitted = True
            sys.stderr.write(
                f"HTML and widgets of executor '{clean(source.executorname)}' are not shown, since it is not trusted: "
                f"colony-jupyter kernel install --type {source.kernel.target.executortype}\n"
            )

    def comm(self, source: CellKernel, message: Message) -> None:
        """Pass a message of a widget on to the page, from any thread."""
        if not source.is_trusted:
            if message.msg_type == "comm_open":
                self._omit(source)
            return
        content = message.content
        number, data = str(content.get("comm_id")), content.get("data", {})
        if message.msg_type == "comm_open":
            self._open(source, message, number)
        elif (comm := self._comms.get(number)) is None:
            return
        elif message.msg_type == "comm_msg":
            self._states.changed(number, data, message.buffers)
            comm.send(data, message.metadata, message.buffers)
        else:
            del self._comms[number]
            self._states.closed(number)
            comm.close(data)

    def _open(self, source: CellKernel, message: Message, number: str) -> None:
        from comm import create_comm  # noqa: PLC0415 - for widgets only

        if not self._comms:
            self._states.answer_pages()
        content = message.content
        self._states.opened(number, content.get("data") or {}, message.buffers)
        comm = self._comms[number] = create_comm(
            target_name=str(content.get("target_name")),
            data=content.get("data"),
            metadata=message.metadata,
            buffers=message.buffers,
            comm_id=number,
        )

        def send(kind: str, message: dict[str, Any]) -> None:
            about = {"comm_id": number, "data": message["content"].get("data", {})}
            buffers = [bytes(each) for each in message.get("buffers") or []]
            self._states.changed(number, about["data"], buffers)
            PORTAL.loop.call_soon_threadsafe(source.kernel.send, kind, about, message.get("metadata") or {}, buffers)

        comm.on_msg(lambda message: send("comm_msg", message))
        comm.on_close(lambda message: send("comm_close", message))


def show_until(
    done: Future[Any],
    begin: Callable[[], None],
    arrived: queue.SimpleQueue[Callable[[], None]],
    interrupt: Callable[[], bool],
) -> None:
    """Run a remote cell and show what arrives until it has ended; an interrupt goes to it, and ends this cell too.

    Args:
        done: the remote cell's future. Whatever ends the wait before it has ended cancels it.
        begin: begins the remote cell.
        arrived: what to do for what arrives.
        interrupt: interrupts the remote cell; returns whether there is one, so that its end is waited for.

    Raises:
        KeyboardInterrupt: after the remote cell has ended, or 10 s later.
    """
    try:
        begin()
        _show(done, arrived, interrupt)
    except BaseException:
        done.cancel()
        raise


def _show(done: Future[Any], arrived: queue.SimpleQueue[Callable[[], None]], interrupt: Callable[[], bool]) -> None:
    # A function of its own: Python does not cover every instruction of a nested `try` by the outer one.
    interrupted = 0.0
    while True:
        try:
            if done.done() and arrived.empty():
                break
            with contextlib.suppress(queue.Empty):
                arrived.get(timeout=_SLICE)()
            if interrupted and time.monotonic() - interrupted > _INTERRUPT:
                break
        except KeyboardInterrupt:
            if interrupted or not interrupt():
                raise
            interrupted = time.monotonic()
    if interrupted:
        raise KeyboardInterrupt
