"""Moving variables, with a kernel that answers in this process."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import virtual_time

from colony_jupyter.errors import UsageError
from colony_jupyter.kernels import transfer
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.remote import Message
from colony_jupyter.kernels.values import Values


class Comm:
    """One end of a comm in the remote kernel."""

    def __init__(self, kernel, number) -> None:
        self._kernel, self._number = kernel, number
        self.receive: Any = None

    def on_msg(self, receive):
        self.receive = receive

    def send(self, data, buffers=()):
        self._kernel.values.hear(message("comm_msg", comm_id=self._number, data=data, buffers=list(buffers)))


class Kernel:
    """A kernel with variables, which runs what is sent to prepare it."""

    def __init__(self, status="ok") -> None:
        self.gone: KernelGone | None = None
        self.status = status
        self.values: Any = None
        self.variables: dict[str, Any] = {}
        self.executed = 0
        self.open: dict[str, Any] = {}
        self.is_silent = False
        self.ahead: list[int] = []  # pieces that were sent and not confirmed, at each piece

    async def execute(self, code, output, *, silent):
        assert silent
        self.executed += 1
        shell, manager = SimpleNamespace(user_ns=self.variables), SimpleNamespace(register_target=self._register)
        scope = {"get_ipython": lambda: shell}
        comm = SimpleNamespace(get_comm_manager=lambda: manager)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "comm", comm)
            exec(code, scope)
        assert set(scope) == {"get_ipython", "__builtins__"}  # nothing is left among the user's variables
        return message("execute_reply", status=self.status, evalue="no such thing")

    def _register(self, target, opened):
        assert target == transfer.TARGET
        self.opened = opened

    def send(self, kind, content, metadata, buffers):
        number = content["comm_id"]
        if kind == "comm_close":
            self.open.pop(number, None)
        elif kind == "comm_open":
            self.open[number] = comm = Comm(self, number)
            if not self.is_silent:
                self.opened(comm, {"content": content})
        else:
            self.ahead.append(self.ahead[-1] + 1 if self.ahead else 1)
            asyncio.get_running_loop().call_later(0.1, self._confirm, number, {"buffers": buffers})

    def _confirm(self, number, message):
        self.ahead.append(self.ahead[-1] - 1)
        self.open[number].receive(message)


def message(kind, buffers=(), **content):
    return Message(kind, content, {}, "", list(buffers))


def moving(scenario, **how):
    async def work():
        kernel: Any = Kernel(**how)
        values = kernel.values = Values(kernel)
        async with asyncio.timeout(600):
            await scenario(kernel, values)
        assert kernel.open == {}

    virtual_time.run(work())


def quietly(received, size):
    pass


def test_a_variable_is_set_there_and_read_back_in_pieces(monkeypatch):
    monkeypatch.setattr(transfer, "PIECE", 10)

    async def scenario(kernel, values):
        counted = []
        value = {"text": "x" * 200, "numbers": [1, 2.5, None]}
        size = await values.push("config", value, lambda *counts: counted.append(counts))
        assert kernel.variables == {"config": value}
        assert counted[-1] == (size, size)
        assert await values.pull("config", lambda *counts: counted.append(counts)) == value
        assert counted[-1] == (size, size)
        assert kernel.executed == 1  # the kernel is prepared once
        assert max(kernel.ahead) == 4

    moving(scenario)


def test_an_empty_variable_is_moved():
    async def scenario(kernel, values):
        assert await values.push("nothing", b"", quietly) == 0
        assert kernel.variables == {"nothing": b""}
        assert await values.pull("nothing", quietly) == b""

    moving(scenario)


def test_what_cannot_be_moved_is_refused_before_anything_is_sent():
    async def scenario(kernel, values):
        with pytest.raises(UsageError):
            await values.push("generator", (each for each in ()), quietly)
        assert kernel.executed == 0

    moving(scenario)


def test_a_kernel_of_another_language_is_named():
    async def scenario(kernel, values):
        with pytest.raises(UsageError, match="Python kernels only: no such thing"):
            await values.pull("x", quietly)

    moving(scenario, status="error")


def test_a_refusal_of_the_kernel_names_the_variable():
    async def scenario(kernel, values):
        with pytest.raises(UsageError, match=r"^'x' cannot be moved: there is no variable 'x' in the kernel\.$"):
            await values.pull("x", quietly)
        kernel.variables["x"] = {1}
        with pytest.raises(UsageError, match=r"^'x' cannot be moved: 'x' is a set\. .* convert it first\.$"):
            await values.pull("x", quietly)

    moving(scenario)


def test_a_value_that_the_kernel_cannot_make_is_refused(monkeypatch):
    async def scenario(kernel, values):
        monkeypatch.setattr(transfer, "encode", lambda value, name: ("../x", b"abc"))
        with pytest.raises(UsageError) as raised:
            await values.push("x", 1, quietly)
        assert str(raised.value) == (
            "'x' cannot be moved: TypeError: a value of kind '../x' is not known: both sides need the same version of "
            "colony_jupyter."
        )
        assert kernel.variables == {}

    moving(scenario)


def test_a_kernel_that_ends_ends_the_wait():
    async def scenario(kernel, values):
        kernel.is_silent = True
        pulling = asyncio.create_task(values.pull("x", quietly))
        await asyncio.sleep(30)  # it may be executing something
        assert not pulling.done()
        kernel.gone = KernelGone("The kernel has ended.")
        with pytest.raises(KernelGone, match="has ended"):
            await pulling

    moving(scenario)


def test_messages_of_others_are_not_for_it():
    async def scenario(kernel, values):
        assert not values.hear(message("comm_msg", comm_id="a widget"))

    moving(scenario)
