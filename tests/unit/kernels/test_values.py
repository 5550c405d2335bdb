"""Moving variables, with a kernel that answers in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import virtual_time

from colony_jupyter.errors import UsageError
from colony_jupyter.kernels import transfer
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.remote import Message
from colony_jupyter.kernels.values import Values


class Kernel:
    """A kernel with variables."""

    def __init__(self, status="ok") -> None:
        self.gone: KernelGone | None = None
        self.status = status
        self.values: Any = None
        self.variables: dict[str, Any] = {}
        self.executed = 0
        self.open: dict[str, Any] = {}
        self.is_silent = False
        self.error = ""

    async def execute(self, code, output, *, silent):
        assert silent
        assert "serve" in code
        self.executed += 1
        return message("execute_reply", status=self.status, evalue="no such thing")

    def send(self, kind, content, metadata, buffers):
        number, data = content["comm_id"], content["data"]
        if kind == "comm_close":
            self.open.pop(number, None)
        if self.is_silent or kind == "comm_close":
            return
        if kind == "comm_open":
            self.open[number] = transfer.Receiving(data["kind"], data["size"]) if "push" in data else None
            self._begin(number, data)
            return
        receiving = self.open[number]
        receiving.feed(buffers[0])
        self._answer(number, {"received": receiving.received})
        if receiving.received == receiving.size:
            self.variables[self.pushed] = receiving.value()

    def _begin(self, number, data):
        if self.error:
            self._answer(number, {"error": self.error})
        elif "push" in data:
            self.pushed = data["push"]
            self._answer(number, {})
        else:
            kind, text = transfer.encode(self.variables[data["pull"]], data["pull"])
            self._answer(number, {"kind": kind, "size": len(text)})
            for piece in transfer.pieces(text):
                self._answer(number, {}, [piece])

    def _answer(self, number, data, buffers=()):
        self.values.hear(Message("comm_msg", {"comm_id": number, "data": data}, {}, "", list(buffers)))


def message(kind, **content):
    return Message(kind, content, {}, "", [])


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
        kernel.error = "there is no '../x'."
        for move in (values.pull("x", quietly), values.push("x", 1, quietly)):
            with pytest.raises(UsageError, match=r"'x' cannot be moved: there is no '\.\./x'\.$"):
                await move

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
