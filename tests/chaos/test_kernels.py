"""Kernels whose connections are cut, whose server is killed, and whose processes are succeeded by others."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
from kernel_parties import parties, run
from proxy import Proxy
from servers import SERVERS, open_server

from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.host import host as host_module
from colony_jupyter.kernels.relay.handshake import WELCOME
from colony_jupyter.kernels.relay.layout import Limits
from colony_jupyter.kernels.remote import RemoteKernel
from colony_jupyter.kernels.traffic import Traffic
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.models import ProcessState

LINES = "import time\nfor number in range({count}):\n    print(number, flush=True)\n    time.sleep({pause})"
FLOOD = "for number in range(10_000):\n    print(number, flush=True)"


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory, real_server):
    with open_server(request.param, tmp_path_factory.mktemp("colony"), real_server) as running:
        yield running


def numbers(count):
    return [str(number) for number in range(count)]


async def disturbed(kernel, disturb, *, count=100, pause=0.03):
    """Run a cell that prints, and disturb it in the middle; all that it printed."""
    running = asyncio.create_task(run(kernel, LINES.format(count=count, pause=pause), 50))
    await asyncio.sleep(count * pause / 3)
    await disturb()
    return (await running).split()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seconds", [4, pytest.param(15, marks=pytest.mark.chaos)])
@pytest.mark.parametrize("side", ["caller", "executor"])
async def test_a_cut_of_either_side_loses_and_repeats_nothing(server, side, seconds):
    async with Proxy(server.port) as link, parties(server, **{f"{side}_port": link.port}) as (kernel, _, _):

        async def cut():
            link.refusing = True
            link.cut_all()
            await asyncio.sleep(seconds)
            link.refusing = False

        assert await disturbed(kernel, cut) == numbers(100)
        assert await run(kernel, "print(number)") == "99\n"


async def test_a_server_that_is_killed_loses_and_repeats_nothing(tmp_path):
    with ColonyServer(tmp_path) as server:
        async with parties(server) as (kernel, _, _):

            async def kill():
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)

            assert await disturbed(kernel, kill) == numbers(100)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("count", "pause", "entries"), [(300, 0.03, 10), pytest.param(10_000, 0.003, 25, marks=pytest.mark.chaos)]
)
async def test_other_processes_take_over_in_the_middle_of_a_cell(server, count, pause, entries):
    limits = Limits(entries=entries, size=60_000, channels=6)
    async with parties(server, caller_limits=limits, limits=limits) as (kernel, executor, user):
        first = kernel.processid
        assert (await run(kernel, LINES.format(count=count, pause=pause), 200)).split() == numbers(count)
        carried = list(executor.serving)
        assert len(carried) > 2
        assert kernel.processid != first
        await asyncio.wait([executor.serving[each] for each in carried if each != kernel.processid], timeout=10)
        former = [await user.get_process(each) for each in carried if each != kernel.processid]
        assert {each.state for each in former} == {ProcessState.SUCCESS}
        assert executor.failures == {}


async def test_a_session_that_begins_anew_loses_and_repeats_nothing(server):
    async with parties(server) as (kernel, _, _):

        async def again():
            for _ in range(5):
                kernel.link.interrupted("the test wants it")
                await asyncio.sleep(0.2)

        assert await disturbed(kernel, again) == numbers(100)


async def test_a_log_that_a_server_has_lost_is_made_up_for(server, monkeypatch):
    """A real server loses its channels when it restarts: entries that were not read are gone."""
    async with parties(server) as (kernel, _, _):

        async def lose():
            line = kernel.link.line
            feed, line.feed = line.feed, lambda channel, payload: None if channel != "ctl" else feed(channel, payload)
            await asyncio.sleep(0.4)
            line.feed = feed

        assert await disturbed(kernel, lose) == numbers(100)


async def test_forged_and_former_entries_do_not_end_the_kernel(server):
    async with parties(server) as (kernel, executor, user):
        assert await run(kernel, "kept = 1; print(kept)") == "1\n"
        process = kernel.link.process
        own = [entry for entry in await process.channel("ctl").read() if entry.senderid == user.key.id]
        for entry in own:
            await process.channel("ctl").send(entry.payload, type=entry.type)
        for entry in await process.channel("in").read():
            await process.channel("in").send(entry.payload, type=entry.type)
        for payload in (b"", b"x" * 50, own[0].payload[:-3]):
            for channel in ("ctl", "in"):
                await process.channel(channel).send(payload, type="k")
            await process.channel("ctl").send(payload, type="hello")
        assert await run(kernel, "kept += 1; print(kept)") == "2\n"
        assert executor.failures == {}


async def test_a_kernel_without_a_caller_ends_when_it_is_idle(server, monkeypatch):
    monkeypatch.setattr(host_module, "_TICK", 0.1)
    async with parties(server, keep=1.0) as (kernel, executor, user):
        processid = kernel.processid
        kernel.link.put("in", kernel_cell(kernel, "import time; time.sleep(3)"))
        await kernel.detach()  # what was put in before is delivered
        await asyncio.sleep(2.3)
        assert (await user.get_process(processid)).state is ProcessState.RUNNING
        await asyncio.wait([executor.serving[processid]], timeout=20)
        assert "had no caller for" in executor.failures[processid]


async def test_a_caller_whose_welcome_is_slow_is_no_absent_one(server, monkeypatch):
    monkeypatch.setattr(host_module, "_TICK", 0.1)
    greet = Traffic.greet

    async def slow(self, kind, payload):
        await asyncio.sleep(1.0 if kind == WELCOME else 0.0)
        await greet(self, kind, payload)

    monkeypatch.setattr(Traffic, "greet", slow)
    async with parties(server, keep=0.3) as (kernel, _, _):
        assert await run(kernel, "print(1)") == "1\n"


def kernel_cell(kernel, code):
    from colony_jupyter.kernels.relay.framing import Item

    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "user_expressions": {}}
    return Item("shell", kernel._compose("execute_request", "a-cell", content))


async def test_an_executor_that_does_not_answer_is_given_up(server, monkeypatch):
    from colony_jupyter.kernels.relay import keepalive

    for name in ("_WELCOME", "_BUSY_PING", "_PONG"):
        monkeypatch.setattr(keepalive, name, 1.0)
    async with parties(server) as (kernel, executor, _):
        running = asyncio.create_task(run(kernel, "import time; time.sleep(60)"))
        await asyncio.sleep(0.5)
        for carrier in executor.host._carriers.values():
            await carrier._traffic.aclose()
        with pytest.raises(KernelGone, match="does not answer any more"):
            await asyncio.wait_for(running, 15)


@contextlib.contextmanager
def load(processes=3):
    """Programs that compute without end."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in burning:
            each.kill()
            each.wait(10)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("floods", [1, pytest.param(20, marks=pytest.mark.chaos)])
async def test_a_flood_under_load_arrives_as_a_whole_in_few_entries(server, floods):
    async with parties(server) as (kernel, _, _):
        for _ in range(floods):
            before = kernel.link.line.occupancy.entries
            with load():
                text = await run(kernel, FLOOD, 110)
            assert text.split() == numbers(10_000)
            assert kernel.link.line.occupancy.entries - before < 400


@pytest.mark.timeout(600)
@pytest.mark.parametrize("starts", [3, pytest.param(50, marks=pytest.mark.chaos)])
async def test_the_first_cell_never_hangs_and_loses_no_output(server, starts):
    async with parties(server, start=False) as (_, executor, user):
        for _ in range(starts):
            kernel = RemoteKernel(user, Target(executor.name))
            await kernel.start()
            try:
                assert await run(kernel, "print('first')", 30) == "first\n"
            finally:
                await kernel.shut_down()


async def test_a_picture_in_parts_arrives_byte_for_byte(server):
    async with parties(server) as (kernel, _, _):
        pictures: list[str] = []
        code = (
            "import base64, hashlib, os\nfrom IPython.display import display\n"
            "data = base64.b64encode(os.urandom(18_750_000)).decode()\n"
            "display({'image/png': data}, raw=True)\nhashlib.sha256(data.encode()).hexdigest()"
        )

        def heard(message):
            content = message.content.get("data", {})
            pictures.extend(content.get(kind) for kind in ("image/png", "text/plain") if kind in content)

        async with asyncio.timeout(50):
            await kernel.execute(code, heard)
        picture, digest = pictures
        assert len(picture) == 25_000_000
        assert hashlib.sha256(picture.encode()).hexdigest() == digest.strip("'")


ECHO = """
from comm import get_comm_manager
def opened(comm, message):
    comm.on_msg(lambda message: comm.send(message["content"]["data"]))
get_comm_manager().register_target("echo", opened)
"""


async def test_code_of_5_mb_arrives(server):
    async with parties(server) as (kernel, _, _):
        code = f"text = '{'x' * 5_000_000}'\nprint(len(text))"
        assert await run(kernel, code, 50) == "5000000\n"


async def test_an_executor_whose_slots_are_all_taken_is_not_given_up(server, monkeypatch):
    """It asks for no work then, and the server hears little of it: the relay itself is its sign of life."""
    from colony_jupyter.kernels.relay import keepalive

    for name in ("_BUSY_PING", "_PONG"):
        monkeypatch.setattr(keepalive, name, 1.0)
    async with parties(server) as (kernel, executor, _):
        executor.stop_asking()
        assert await run(kernel, "import time; time.sleep(6); print('on')") == "on\n"


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("count", "longest"), [(150, 2.0), pytest.param(500, 0.5, marks=pytest.mark.chaos)])
async def test_messages_of_widgets_at_50_a_second_all_come_back_in_order(server, count, longest):
    async with parties(server) as (kernel, _, _):
        await run(kernel, ECHO)
        loop = asyncio.get_running_loop()
        sent: dict[int, float] = {}
        back: list[tuple[int, float]] = []
        all_back = asyncio.Event()

        def heard(message):
            if message.msg_type == "comm_msg":
                number = message.content["data"]["number"]
                back.append((number, loop.time() - sent[number]))
                if len(back) == count:
                    all_back.set()

        kernel.on_message = heard
        kernel.send("comm_open", {"comm_id": "one", "target_name": "echo", "data": {}}, {}, [])
        for number in range(count):
            sent[number] = loop.time()
            kernel.send("comm_msg", {"comm_id": "one", "data": {"number": number}}, {}, [])
            await asyncio.sleep(0.02)
        async with asyncio.timeout(20):
            await all_back.wait()
        assert [number for number, _ in back] == list(range(count))
        assert sorted(delay for _, delay in back)[count * 95 // 100] < longest


INTERRUPTED = """
import time
number = 0
print("on", flush=True)
try:
    {body}
except KeyboardInterrupt:
    print("", "caught", flush=True)
    raise
"""


@pytest.mark.chaos
@pytest.mark.parametrize(
    "body",
    ["time.sleep(60)", "while True: number += 1", "while True: print(number := number + 1, flush=True)"],
    ids=["sleep", "loop", "flood"],
)
async def test_an_interrupt_ends_the_cell_in_half_a_second_and_keeps_the_variables(server, body):
    async with parties(server) as (kernel, _, _):
        await run(kernel, "kept = 17")
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(10):
            prints = asyncio.Event()

            def heard(message, prints=prints):
                if message.msg_type == "stream":
                    prints.set()

            cell = asyncio.create_task(kernel.execute(INTERRUPTED.format(body=body), heard))
            await prints.wait()
            await asyncio.sleep(0.3)
            begun = loop.time()
            kernel.interrupt()
            reply = await asyncio.wait_for(cell, 20)
            times.append(loop.time() - begun)
            assert reply.content["ename"] == "KeyboardInterrupt"
        assert await run(kernel, "print(kept, number >= 0)") == "17 True\n"
        assert sorted(times)[len(times) // 2] < 0.5, times


@pytest.mark.parametrize(("deaths", "longest"), [(1, 5.0), pytest.param(10, 1.0, marks=pytest.mark.chaos)])
async def test_the_death_of_a_kernel_is_noticed_in_a_second(server, deaths, longest):
    async with parties(server, start=False) as (_, executor, user):
        times = []
        for _ in range(deaths):
            kernel = RemoteKernel(user, Target(executor.name))
            await kernel.start()
            pid = int(await run(kernel, "import os; print(os.getpid())"))
            running = asyncio.create_task(run(kernel, "import time; time.sleep(60)"))
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(KernelGone, match="The kernel has died"):
                await asyncio.wait_for(running, 20)
            times.append(time.monotonic() - begun)
            await kernel.shut_down()
        assert sorted(times)[len(times) // 2] < longest, times
