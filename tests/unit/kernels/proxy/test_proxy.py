"""A kernel that Jupyter starts, between stand-ins for its front end and for the relay to the executor."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import virtual_time

from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.proxy import proxy as proxy_module
from colony_jupyter.kernels.proxy.proxy import Proxy
from colony_jupyter.kernels.proxy.saved_state import SavedState
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import compose

PROCESS = "ab" * 32
ABOUT = names.Started("key", "python3", "Python 3", "python", "node-1", is_new=True)


class Front:
    """The front end: what it was sent, as the id of the request and the kind of the message."""

    key = "key"

    def __init__(self, _, receive) -> None:
        self.receive = receive
        self.sent: list[tuple[str, str]] = []
        self.errors: list[str] = []
        self.listens = asyncio.Event()  # without it nothing can be sent
        self.listens.set()

    def bind(self):
        pass

    async def answer(self, request, kind, _):
        await self.listens.wait()
        self.sent.append((asked(request), kind))

    async def publish(self, kind, content, parent):
        await self.listens.wait()
        self.sent.append((read(parent), f"{kind} {content['text']}"))

    async def fail(self, request, name, text):
        self.sent.append((asked(request), name))
        self.errors.append(text)

    async def aclose(self):
        pass


class Link:
    """The relay: records what is sent, and ends as a test wants."""

    def __init__(self, *_) -> None:
        self.line = SimpleNamespace(resume_at=lambda _: None, positions=dict)
        self.attached = asyncio.Event()
        self.forwarded: list[str] = []
        self.commands: list[str] = []
        self.is_cancelled = False
        self.ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, _):
        await self.ends

    def put(self, _, item):
        self.forwarded.append(asked(item))

    def command(self, command):
        self.commands.append(command)
        if command == names.BYE:
            self.ends.set_exception(KernelGone("The kernel has ended."))

    async def detach(self, _):
        pass

    async def cancel(self):
        self.is_cancelled = True


def read(header):
    return proxy_module.header_of([b"<IDS|MSG>", b"", header, b"{}", b"{}", b"{}"]).msg_id


def asked(request):
    return proxy_module.header_of(request.frames).msg_id


def request(number, kind="execute_request", socket="shell", **content):
    return Item(socket, compose(b"", [b"client"], {"msg_type": kind, "msg_id": number}, b"{}", content))


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Return a function that runs a scenario with a proxy, and returns its exit status and what it has left."""
    file = tmp_path / "connection.json"

    async def work(scenario, *, is_to_restart):
        monkeypatch.setattr(proxy_module, "FrontEnd", Front)
        monkeypatch.setattr(proxy_module, "Link", Link)
        saved = SavedState(file)
        if not file.with_suffix(".colony").exists():  # else it is what the former proxy has left
            saved.use(PROCESS, {})
            saved.restarts(wanted=is_to_restart)
        proxy: Any = Proxy(None, Target("hpc"), file, saved)  # type: ignore[arg-type]
        running = asyncio.create_task(proxy.run())
        await asyncio.sleep(0)
        async with asyncio.timeout(600):
            await scenario(proxy, proxy._front, proxy._link)
            return await running, SavedState(file).read()[0]

    return lambda scenario, *, is_to_restart=False: virtual_time.run(work(scenario, is_to_restart=is_to_restart))


def test_what_was_held_is_sent_once_the_kernel_has_started(play):
    async def scenario(proxy, front, link):
        for each in (request("1", "kernel_info_request"), request("2")):
            await front.receive(each)
        await asyncio.sleep(1)
        assert front.sent == link.forwarded == []
        await proxy.started(ABOUT)
        assert link.forwarded == ["1", "2"]
        link.attached.set()
        proxy.end()

    assert play(scenario) == (0, "")


def test_a_front_end_that_would_give_up_is_answered_and_cells_show_what_they_wait_for(play):
    async def scenario(proxy, front, link):
        await proxy.waiting("Waiting for an executor.")
        for each in (request("1", "kernel_info_request"), request("2"), request("3")):
            await front.receive(each)
        await asyncio.sleep(5)
        assert front.sent == [("2", "stream Waiting for an executor.\n"), ("1", "kernel_info_reply")]
        await proxy.waiting("Waiting for another one.")
        await asyncio.sleep(5)
        assert front.sent[2:] == [("2", "stream Waiting for another one.\n")]
        proxy.interrupt()
        await asyncio.sleep(1)
        assert front.sent[3:] == [("2", "KeyboardInterrupt"), ("3", "KeyboardInterrupt")]
        await proxy.started(ABOUT)
        assert link.forwarded == []
        proxy.end()

    assert play(scenario) == (0, "")


def test_a_kernel_may_start_while_a_front_end_is_answered(play):
    async def scenario(proxy, front, link):
        front.listens.clear()
        for number in ("1", "2"):
            await front.receive(request(number, "kernel_info_request"))
        await asyncio.sleep(5)
        await proxy.started(ABOUT)
        front.listens.set()
        await asyncio.sleep(5)
        assert front.sent == [("1", "kernel_info_reply")]
        assert link.forwarded == ["2"]
        proxy.end()

    assert play(scenario) == (0, "")


@pytest.mark.parametrize(
    ("gone", "status", "left", "is_cancelled"),
    [
        (KernelGone("It was refused."), 1, "", True),
        (KernelGone("It was attached elsewhere.", is_elsewhere=True), 1, PROCESS, False),
        (ColonyError("The server cannot be reached."), 1, PROCESS, False),
    ],
)
def test_the_cell_that_runs_next_shows_why_the_kernel_has_gone(play, gone, status, left, is_cancelled):
    async def scenario(proxy, front, link):
        link.ends.set_exception(gone)
        await asyncio.sleep(10)
        assert front.sent == []
        await front.receive(request("1"))
        await asyncio.sleep(1)
        assert (front.sent, front.errors) == ([("1", "KernelGone")], [str(gone)])
        assert link.is_cancelled is is_cancelled

    assert play(scenario) == (status, left)


def test_a_kernel_that_has_died_is_started_again_by_the_next_proxy(play):
    async def scenario(proxy, front, link):
        await proxy.started(ABOUT)
        await front.receive(request("1"))
        link.ends.set_exception(KernelGone("The kernel has died.", died=True))
        await asyncio.sleep(1)
        assert front.errors == ["The kernel has died."]
        assert not link.is_cancelled

    assert play(scenario) == (1, PROCESS)


@pytest.mark.parametrize(
    ("gone", "is_cancelled"),
    [
        (ColonyError("The server cannot be reached."), True),
        (KernelGone("It was attached elsewhere.", is_elsewhere=True), False),
    ],
)
def test_ending_a_kernel_after_a_failure_leaves_nothing(play, gone, is_cancelled):
    async def scenario(proxy, front, link):
        link.ends.set_exception(gone)
        await asyncio.sleep(1)
        proxy.end()
        await asyncio.sleep(1)
        assert link.is_cancelled is is_cancelled

    assert play(scenario)[1] == ""


def test_a_restart_that_a_former_proxy_could_not_ask_for_is_asked_for_once(play):
    async def scenario(proxy, front, link):
        assert link.commands == [names.RESTART]
        await proxy.started(ABOUT)
        proxy.detach()

    assert play(scenario, is_to_restart=True) == (0, PROCESS)
    assert play(detached) == (0, PROCESS)


async def detached(proxy, front, link):
    assert link.commands == []
    proxy.detach()


def test_a_shutdown_ends_the_kernel_and_forgets_it(play):
    async def scenario(proxy, front, link):
        await proxy.started(ABOUT)
        link.attached.set()
        await front.receive(request("1", "shutdown_request", "control"))
        assert front.sent == [("1", "shutdown_reply")]

    assert play(scenario) == (0, "")
