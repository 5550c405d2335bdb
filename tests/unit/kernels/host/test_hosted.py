"""A kernel on an executor, whose program and sockets are stand-ins here."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import virtual_time
from relay_scene import PROGRAM

from colony_jupyter.errors import ExecutorError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.host import hosted as hosted_module
from colony_jupyter.kernels.host.hosted import Hosted
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import CTL, IN
from colony_jupyter.kernels.relay.line import Delivery


class Launched:
    """A program that runs until a test ends it."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.ended = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.is_closed = False

    async def start(self):
        await asyncio.sleep(0.01)

    async def exited(self):
        await self.ended.wait()
        return 3

    def last_words(self):
        return "no memory"

    async def aclose(self):
        await self.may_close.wait()
        self.is_closed = True


class Sockets:
    is_busy = False
    cell = b""

    def __init__(self, launched) -> None:
        self.launched = launched
        self.is_closed = False
        self.sent: list[Item] = []
        self.interrupts: list[bool] = []

    async def connect(self):
        await asyncio.sleep(0.5)

    async def drain(self):
        await asyncio.sleep(0.1)

    async def send(self, item):
        self.sent.append(item)

    async def interrupt(self, *, by_message):
        self.interrupts.append(by_message)

    async def shut_down(self):
        self.launched.ended.set()

    async def aclose(self):
        self.is_closed = True


class Kernel(Hosted):
    """A kernel, and what it has started and reported."""

    def __init__(self) -> None:
        super().__init__("python3", {}, lambda: "node")
        self.programs: list[Launched] = []
        self.sockets: list[Sockets] = []
        self.reports: list[str] = []
        self.texts: list[bytes] = []
        self.line.put = self._note  # type: ignore[method-assign]

    def _note(self, lane, item):
        self.reports.append(item.name)
        self.texts.append(item.frames[0])

    def command(self, name, data=b""):
        self.deliver(Delivery(CTL, 1, [Item(name, [data])]))

    async def start(self):
        self.command(names.START, msgspec.json.encode(names.Start("key")))
        await asyncio.sleep(1)


@pytest.fixture
def play(monkeypatch):
    """Return a function that runs a scenario with a kernel that has started, on virtual time."""

    async def work(scenario):
        kernel = Kernel()

        def launched(_, folder, *__):
            kernel.programs.append(Launched(folder))
            return kernel.programs[-1]

        def sockets(program, *_):
            kernel.sockets.append(Sockets(program))
            return kernel.sockets[-1]

        monkeypatch.setattr(hosted_module, "find_program", lambda _: PROGRAM)
        monkeypatch.setattr(hosted_module, "Launched", launched)
        monkeypatch.setattr(hosted_module, "KernelSockets", sockets)
        try:
            await kernel.start()
            assert kernel.reports == [names.STARTED]
            await scenario(kernel)
        finally:
            await kernel.kill()
        assert all(program.is_closed for program in kernel.programs)
        assert all(each.is_closed for each in kernel.sockets)
        assert not any(each.folder.exists() for each in kernel.programs)

    return lambda scenario: virtual_time.run(work(scenario))


def test_a_program_that_ends_is_reported(play):
    async def scenario(kernel):
        kernel.programs[0].ended.set()
        await asyncio.sleep(1)
        assert kernel.reports == [names.STARTED, names.DIED]
        assert kernel.id == ""
        await kernel.start()
        assert kernel.reports[2:] == [names.STARTED]
        assert kernel.id

    play(scenario)


def test_a_start_that_is_asked_for_while_the_former_program_ends_gets_another_one(play):
    """A caller that attaches asks for a start, and the end of the former program takes a moment."""

    async def scenario(kernel):
        kernel.programs[0].ended.set()
        await asyncio.sleep(0.05)
        await kernel.start()
        assert kernel.reports == [names.STARTED, names.STARTED]
        assert [each.is_closed for each in kernel.programs] == [True, False]
        assert kernel.id

    play(scenario)


def test_a_second_start_leaves_a_program_that_runs(play):
    async def scenario(kernel):
        await kernel.start()
        assert len(kernel.programs) == 1
        assert kernel.reports == [names.STARTED, names.STARTED]

    play(scenario)


def test_a_restart_replaces_the_program(play):
    async def scenario(kernel):
        former = kernel.id
        kernel.command(names.RESTART)
        await asyncio.sleep(1)
        assert kernel.reports == [names.STARTED, names.STARTED]
        assert [each.is_closed for each in kernel.programs] == [True, False]
        assert kernel.id not in ("", former)

    play(scenario)


def test_all_is_closed_if_the_executor_stops_while_a_program_ends(play):
    async def scenario(kernel):
        kernel.programs[0].may_close.clear()
        kernel.command(names.BYE)
        await asyncio.sleep(1)
        asyncio.get_running_loop().call_later(1, kernel.programs[0].may_close.set)
        await kernel.kill()

    play(scenario)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ExecutorError("There is no kernel 'ir'."), b"There is no kernel 'ir'."),
        (OSError("secret"), b"The executor failed with OSError; its log has more."),
    ],
)
def test_a_program_that_cannot_be_started_is_reported(play, monkeypatch, error, text):
    async def scenario(kernel):
        kernel.command(names.BYE)
        await kernel.ended.wait()
        monkeypatch.setattr(hosted_module, "find_program", lambda _: raise_(error))
        await kernel.start()
        assert kernel.reports == [names.STARTED, names.NOT_STARTED]
        assert kernel.texts[-1] == text

    play(scenario)


def raise_(error):
    raise error


def test_requests_and_interrupts_reach_the_program_while_it_runs(play):
    request = Item("shell", [b"<IDS|MSG>", b"", b'{"msg_id":"m"}', b"{}", b"{}", b"{}"])

    async def scenario(kernel):
        [sockets] = kernel.sockets
        for item in (request, Item("stdin", [b"answer"])):
            kernel.deliver(Delivery(IN, 1, [item]))
        kernel.command("control", b"debug")
        kernel.command(names.INTERRUPT)
        await asyncio.sleep(1)
        assert {item.name for item in sockets.sent} == {"shell", "stdin", "control"}
        assert sockets.interrupts == [False]
        assert kernel._backlog._gathering._last == "m"
        kernel.command(names.BYE)
        kernel.deliver(Delivery(IN, 2, [request]))
        await asyncio.sleep(1)
        assert len(sockets.sent) == 3

    play(scenario)


def test_the_state_names_the_program(play):
    async def scenario(kernel):
        kernel._launched.memory = lambda: 7
        state = kernel.state(attached=True)
        assert (state.kernel, state.memory, state.attached, state.busy) == ("python3", 7, True, False)

    play(scenario)
