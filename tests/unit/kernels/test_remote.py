"""Requests to a kernel on an executor and what comes back, without the relay between them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import virtual_time

from colony_jupyter.kernels import names, remote
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.messages import compose
from colony_jupyter.kernels.remote import RemoteKernel, read_message

ABOUT = names.Started("the kernel's key", "python3", "Python 3", "python", "node-1", is_new=True)


class Link:
    """The relay: records what is sent, and ends as a test wants."""

    fails: Exception | None = None

    def __init__(self, colony, target, events, key, *, limits) -> None:
        self.events = events
        self.executorid = "e" * 64
        self.process = SimpleNamespace(processid="a" * 64)
        self.items: list[Item] = []
        self.commands: list[str] = []
        self.attached = asyncio.Event()
        self.is_cancelled = self.is_detached = False
        self.ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, processid):
        await asyncio.sleep(0.1)
        if Link.fails is not None:
            raise Link.fails
        await self.events.started(ABOUT)
        self.attached.set()
        await self.ends

    def put(self, lane, item):
        assert lane == "in"
        self.items.append(item)

    def command(self, command):
        self.commands.append(command)
        if command == names.BYE and self.attached.is_set():
            self.ends.set_exception(KernelGone("The kernel has ended."))

    async def detach(self, seconds):
        self.is_detached = True

    async def sent(self, seconds):
        pass

    async def cancel(self):
        self.is_cancelled = True


@pytest.fixture
def started(monkeypatch):
    """Return a function that runs a scenario with a kernel that has started, on virtual time."""
    monkeypatch.setattr(remote, "Link", Link)
    monkeypatch.setattr(Link, "fails", None)

    def run(scenario, *, run=virtual_time.run, **how):
        async def work():
            kernel: Any = RemoteKernel(SimpleNamespace(), Target("hpc"), **how)  # type: ignore[arg-type]
            assert await kernel.start() == ABOUT
            async with asyncio.timeout(600):
                await scenario(kernel, kernel.link)
            await kernel.detach()

        run(work())

    return run


def asked(link):
    """Id and content of the request that was sent last."""
    message = read_message(link.items[-1].frames)
    _, parts = remote.parts_of(link.items[-1].frames)
    return remote.msgspec.json.decode(parts[0])["msg_id"], message


async def hear(kernel, socket, kind, parent="", **content):
    frames = compose(b"", [b"x"], {"msg_type": kind}, b'{"msg_id":"%s"}' % parent.encode(), content)
    await kernel.deliver(Item(socket, frames), lambda: None)


async def begin(kernel, work):
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task, asked(kernel.link)[0]


def test_a_cell_ends_when_its_reply_and_all_of_its_output_have_come(started):
    async def scenario(kernel, link):
        output = []
        running, number = await begin(kernel, kernel.execute("1 + 1", output.append))
        assert asked(link)[1].content == {
            "code": "1 + 1",
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        assert kernel.is_expecting()
        await hear(kernel, "shell", "execute_reply", number, status="ok")
        await asyncio.sleep(1)
        assert not running.done()  # the reply overtakes output
        await hear(kernel, "iopub", "stream", number, text="2")
        await hear(kernel, "iopub", "status", number, execution_state="idle")
        assert (await running).content == {"status": "ok"}
        assert [each.content["text"] for each in output] == ["2"]
        assert not kernel.is_expecting()

    started(scenario)


def test_a_silent_cell_leaves_no_trace_in_the_history(started):
    async def scenario(kernel, link):
        running, _ = await begin(kernel, kernel.execute("1 + 1", lambda _: None, silent=True))
        content = asked(link)[1].content
        assert (content["silent"], content["store_history"]) == (True, False)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    started(scenario)


def test_output_of_no_cell_is_reported_apart(started):
    heard = []

    async def scenario(kernel, link):
        await hear(kernel, "iopub", "comm_msg", "of another", comm_id="c")
        await hear(kernel, "iopub", "status", "of another", execution_state="idle")
        await hear(kernel, "shell", "execute_reply", "of another", status="ok")
        await kernel.deliver(Item("iopub", [b"no message"]), lambda: None)
        assert [each.msg_type for each in heard] == ["comm_msg"]

    started(scenario, on_message=heard.append)


@pytest.mark.parametrize("has_replied", [True, False])
def test_a_kernel_that_ends_ends_its_cell_and_refuses_later_ones(started, has_replied):
    async def scenario(kernel, link):
        running, number = await begin(kernel, kernel.execute("x", lambda _: None))
        if has_replied:
            await hear(kernel, "shell", "execute_reply", number, status="ok")
        link.ends.set_exception(KernelGone("The kernel has died.", died=True))
        with pytest.raises(KernelGone, match="has died"):
            await running
        with pytest.raises(KernelGone, match="has died"):
            await kernel.execute("y", lambda _: None)

    started(scenario)


def test_a_question_is_answered_by_the_cell_that_may_ask(started):
    async def scenario(kernel, link):
        running, number = await begin(
            kernel, kernel.execute("input()", lambda _: None, ask=lambda prompt, is_secret: f"{prompt}{is_secret}")
        )
        assert asked(link)[1].content["allow_stdin"] is True
        await hear(kernel, "stdin", "input_request", number, prompt="name? ", password=True)
        await kernel._asking
        await asyncio.sleep(0)
        assert asked(link)[1].content == {"value": "name? True", "status": "ok"}
        assert link.items[-1].name == "stdin"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    started(scenario, run=asyncio.run)  # the question waits in a thread


def test_a_question_of_a_cell_that_may_not_ask_gets_no_answer(started):
    async def scenario(kernel, link):
        running, number = await begin(kernel, kernel.execute("input()", lambda _: None))
        before = len(link.items)
        await hear(kernel, "stdin", "input_request", number, prompt="name? ")
        await asyncio.sleep(1)
        assert len(link.items) == before
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    started(scenario)


def test_a_question_of_a_cell_that_has_ended_is_not_asked(started):
    """Its front end does not wait for questions any more, and the thread that asks would wait for ever."""

    async def scenario(kernel, link):
        running, number = await begin(kernel, kernel.execute("input()", lambda _: None, ask=lambda *_: "answer"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        other, _ = await begin(kernel, kernel.execute("2", lambda _: None, ask=lambda *_: "answer"))
        before = len(link.items)
        await hear(kernel, "stdin", "input_request", number, prompt="name? ")
        await asyncio.sleep(0.1)
        assert len(link.items) == before
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)

    started(scenario, run=asyncio.run)  # a question waits in a thread


def test_a_start_that_fails_is_raised(monkeypatch):
    monkeypatch.setattr(remote, "Link", Link)
    monkeypatch.setattr(Link, "fails", KernelGone("No executor answers."))

    async def work():
        kernel = RemoteKernel(SimpleNamespace(), Target("hpc"))  # type: ignore[arg-type]
        with pytest.raises(KernelGone, match="No executor answers"):
            await kernel.start()
        await kernel.shut_down()

    virtual_time.run(work())


def test_shutting_down_asks_it_to_end(started):
    async def scenario(kernel, link):
        kernel.interrupt()
        await kernel.shut_down()
        assert link.commands == [names.INTERRUPT, names.BYE]
        assert not link.is_cancelled
        assert "has ended" in str(kernel.gone)

    started(scenario)


def test_a_kernel_that_cannot_be_reached_is_ended_by_its_process(started):
    async def scenario(kernel, link):
        link.attached.clear()
        await kernel.shut_down()
        assert link.is_cancelled
        assert kernel.gone is not None

    started(scenario)


def test_leaving_keeps_it_for_the_next_caller(started):
    async def scenario(kernel, link):
        assert (kernel.processid, kernel.executorid) == ("a" * 64, "e" * 64)
        await kernel.detach()
        assert link.is_detached
        assert str(kernel.gone) == "The kernel was detached."

    started(scenario)


def test_what_is_waited_for_is_reported_although_the_report_fails(started):
    heard = []

    def report(sentence):
        heard.append(sentence)
        raise ValueError(sentence)

    async def scenario(kernel, link):
        await kernel.waiting("Waiting for an executor.")
        assert heard == ["Waiting for an executor."]

    started(scenario, on_waiting=report)
