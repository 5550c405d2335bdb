"""A notebook's kernel, driven as by JupyterLab: cells run one after the other, input requests are answered."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING, Any, Self

from jupyter_client.manager import KernelManager

from tools.kernel_sockets import kernel_sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass
class Cell:
    """What a cell put out.

    Attributes:
        outputs: messages of types stream, display_data, execute_result and error, in their order.
        status: ``ok`` or ``error``, once it has finished; until then empty.
    """

    msg_id: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    status: str = ""
    idle: bool = False

    @property
    def text(self) -> str:
        """What it printed."""
        return "".join(each["content"]["text"] for each in self.outputs if each["msg_type"] == "stream")

    @property
    def value(self) -> dict[str, Any] | None:
        """The MIME bundle of its value."""
        return next((each["content"]["data"] for each in self.outputs if each["msg_type"] == "execute_result"), None)

    @property
    def error(self) -> str:
        """All that is shown of its error, without colours."""
        lines = next((each["content"]["traceback"] for each in self.outputs if each["msg_type"] == "error"), [])
        return "\n".join(lines).replace("\x1b[31m", "").replace("\x1b[0m", "")

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The MIME bundles of what it displays, as they are now."""
        return [each["content"]["data"] for each in self.outputs if each["msg_type"] == "display_data"]

    @property
    def transcript(self) -> str:
        """The text of the transcript it shows."""
        texts = [data.get("text/plain", "") for data in self.shown if "text/html" in data]
        return texts[-1] if texts else ""


class Notebook:
    """A kernel of its own; also a context manager.

    Args:
        env: its environment variables, beside those of this process.
    """

    def __init__(self, env: Mapping[str, str | None] | None = None) -> None:
        import os

        environ = {**os.environ, **(env or {})}
        self._start({name: value for name, value in environ.items() if value is not None})
        self._cells: dict[str, Cell] = {}
        self.heard: list[str] = []
        """All that the kernel sent so far: outputs, answers, questions and what widgets hold."""
        self._displays: dict[str, list[dict[str, Any]]] = {}

    def _start(self, environ: dict[str, str]) -> None:
        self._folder = contextlib.ExitStack()
        self._manager = KernelManager(kernel_name="python3", **self._folder.enter_context(kernel_sockets()))
        self._manager.start_kernel(env=environ)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=50)

    @property
    def pid(self) -> int:
        """The kernel's process id."""
        provisioner: Any = self._manager.provisioner
        return provisioner.pid

    def start(self, code: str, *, headless: bool = False, cell_id: str = "", stop_on_error: bool = False) -> Cell:
        """Run a cell and do not wait for its end; one with an id can be run again, and is known to be the same."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": not headless, "stop_on_error": stop_on_error}
        metadata = {"cellId": cell_id} if cell_id else None
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        cell = self._cells[message["msg_id"]] = Cell(message["msg_id"])
        return cell

    def run(self, code: str, *, headless: bool = False, cell_id: str = "", timeout: float = 15.0) -> Cell:
        """Run a cell to its end."""
        return self.finish(self.start(code, headless=headless, cell_id=cell_id), timeout)

    def finish(self, cell: Cell, timeout: float = 15.0) -> Cell:
        """Wait until a cell has ended, and all that it put out until then has come."""
        self.until(lambda: cell.idle, timeout)
        while True:
            reply = self._client.get_shell_msg(timeout=timeout)
            self._hear(reply)
            if reply["parent_header"].get("msg_id") == cell.msg_id:
                break
        cell.status = reply["content"]["status"]
        return cell

    def until(self, condition: Callable[[], bool], timeout: float = 15.0) -> None:
        """Take in what the kernel puts out until something is so."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                latest = list(self._cells.values())[-1]
                raise TimeoutError(
                    f"It is not so within {timeout} s; the latest cell: {latest.text[-500:]!r} {latest.error[-500:]!r} "
                    f"{latest.transcript[-500:]!r}"
                )
            try:
                self._add(self._client.get_iopub_msg(timeout=min(left, 0.2)))
            except Empty:
                continue

    def answer(self, text: str, timeout: float = 15.0) -> str:
        """Type an answer to what a cell asks; return the question, and whether the answer is hidden."""
        request = self._client.get_stdin_msg(timeout=timeout)
        self._hear(request)
        self._client.input(text)
        return f"{request['content']['prompt']} (hidden: {request['content']['password']})"

    def asks(self) -> bool:
        """Whether a cell asks for something to be typed."""
        try:
            self._client.get_stdin_msg(timeout=0)
        except Empty:
            return False
        return True

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, one that `repr` and `eval` carry over."""
        import ast

        cell = self.run(f"print(repr({expression}), end='')", headless=True)
        assert cell.status == "ok", cell.error
        return ast.literal_eval(cell.text)

    def message(self, comm: str, content: dict[str, Any]) -> None:
        """Send a widget's custom message, as its page does: by a subshell, where the kernel has them."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(message)

    @functools.cached_property
    def subshell(self) -> str:
        """Id of the subshell that reads a page's messages while a cell runs; empty for kernels without, as ipykernel 6.

        There these messages are read after the cell.
        """
        features = self._control("kernel_info_request").get("supported_features", [])
        if "kernel subshells" not in features:
            return ""
        return str(self._control("create_subshell_request")["subshell_id"])

    def _control(self, request: str) -> dict[str, Any]:
        """Send a request on the control socket, which is answered while a cell runs; the content of its reply."""
        self._client.control_channel.send(self._client.session.msg(request, {}))
        return dict(self._client.get_control_msg(timeout=10)["content"])

    def interrupt(self) -> None:
        """Interrupt what runs, as the stop button does."""
        self._manager.interrupt_kernel()

    def complete(self, code: str, at: int | None = None) -> list[str]:
        """Press Tab."""
        msg_id = self._client.complete(code, len(code) if at is None else at)
        while True:
            reply = self._client.get_shell_msg(timeout=20)
            self._hear(reply)
            if reply["parent_header"].get("msg_id") == msg_id:
                return list(reply["content"]["matches"])

    def inspect(self, code: str, at: int | None = None) -> str:
        """Press Shift+Tab; the text that is shown."""
        msg_id = self._client.inspect(code, len(code) if at is None else at)
        while True:
            reply = self._client.get_shell_msg(timeout=20)
            self._hear(reply)
            if reply["parent_header"].get("msg_id") == msg_id:
                return str(reply["content"]["data"].get("text/plain", ""))

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=False)
        self._manager.cleanup_resources()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self, message: dict[str, Any]) -> None:
        buffers = [bytes(each).decode("latin-1") for each in message.get("buffers", ())]
        self.heard.append(
            json.dumps([message["msg_type"], message["content"], message["metadata"], buffers], default=str)
        )

    def _add(self, message: dict[str, Any]) -> None:
        self._hear(message)
        kind = message["msg_type"]
        name = message["content"].get("transient", {}).get("display_id")
        if kind == "update_display_data":
            # As a page does: whatever the message belongs to, the outputs of that name are changed.
            for output in self._displays.get(name, []):
                output["content"]["data"] = message["content"]["data"]
            return
        cell = self._cells.get(message["parent_header"].get("msg_id", ""))
        if cell is None:
            return
        if kind == "display_data" and name:
            self._displays.setdefault(name, []).append(message)
        if kind == "status" and message["content"]["execution_state"] == "idle":
            cell.idle = True
        elif kind in ("stream", "display_data", "execute_result", "error"):
            cell.outputs.append(message)
