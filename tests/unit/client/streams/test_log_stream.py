"""The log of a process as a stream: in order, through outages, to its end; shared by many; on the embedded colony."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from simulated_colony import PID, SimulatedColony
from virtual_time import run

from colony_jupyter import AsyncColony, Colony, ProcessRemoved, UsageError, WaitTimeout
from colony_jupyter.client.streams.log_stream import AsyncLogStream
from colony_jupyter.errors import AccessDenied, LogIncomplete, ProtocolError, ServerRefused, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessState


def texts(lines):
    return [line.message for line in lines]


def asked(server):
    return [call for call in server.calls if isinstance(call, messages.GetLogs)]


def simulated(scenario):
    """Run a scenario with a simulated server and a stream of the log of its process, on virtual time."""

    async def work():
        server = SimulatedColony(channels=())
        await scenario(server, AsyncLogStream(server.session()))

    run(work())


class TestSimulated:
    def test_lines_arrive_within_half_a_second_while_others_do(self):
        async def scenario(server, stream):
            now = asyncio.get_running_loop().time
            for number in range(10):
                server.log(str(number))
                begun = now()
                assert (await anext(stream)).message == str(number)
                assert now() - begun < 0.6

        simulated(scenario)

    def test_a_quiet_log_is_asked_for_every_two_seconds(self):
        async def scenario(server, stream):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 60)
            assert 30 <= len(asked(server)) <= 40

        simulated(scenario)

    def test_the_stream_ends_two_seconds_after_the_process(self):
        async def scenario(server, stream):
            server.log("a")
            assert (await anext(stream)).message == "a"
            now = asyncio.get_running_loop().time
            closed = now()
            server.close()
            asyncio.get_running_loop().call_later(1.9, server.log, "late")
            assert texts([line async for line in stream]) == ["late"]
            assert 2.0 < now() - closed < 3.2
            assert stream.process.state is ProcessState.SUCCESS

        simulated(scenario)

    def test_a_thousand_lines_between_two_calls_arrive_with_equal_times_among_them(self):
        async def scenario(server, stream):
            for number in range(1700):
                server.log(str(number), at=1000.0 + (number // 7) / 1000)
            server.close()
            assert texts(await stream.read()) == [str(number) for number in range(1700)]

        simulated(scenario)

    def test_lines_written_during_an_outage_arrive(self):
        async def scenario(server, stream):
            server.log("before")
            assert (await anext(stream)).message == "before"
            states = []
            stream.on_trouble = states.append
            server.is_down = True
            server.log("during")
            asyncio.get_running_loop().call_later(20, setattr, server, "is_down", False)
            assert (await anext(stream)).message == "during"
            assert states == [True, False]

        simulated(scenario)

    @pytest.mark.parametrize(
        "refusal",
        [
            ServerUnreachable("here:1", "status 503", sent=True),
            ProtocolError("no answer of ColonyOS"),
            ServerRefused(400, "pq: the database system is starting up", "getlogsmsg"),
        ],
    )
    def test_a_server_that_cannot_answer_for_a_while_is_asked_again(self, refusal):
        async def scenario(server, stream):
            server.log("a")
            server.refuses = refusal
            asyncio.get_running_loop().call_later(20, setattr, server, "refuses", None)
            assert (await anext(stream)).message == "a"

        simulated(scenario)

    def test_after_a_minute_without_an_answer_it_raises_and_can_go_on(self):
        async def scenario(server, stream):
            server.is_down = True
            with pytest.raises(ServerUnreachable):
                await anext(stream)
            server.is_down = False
            server.log("a")
            assert (await anext(stream)).message == "a"

        simulated(scenario)

    def test_a_waiting_process_is_not_asked_for_lines(self):
        async def scenario(server, _):
            server.record.state, server.record.starttime = ProcessState.WAITING, ""
            stream = AsyncLogStream(server.session())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 30)
            assert asked(server) == []

        simulated(scenario)

    def test_too_many_lines_of_one_time_are_an_error(self):
        async def scenario(server, stream):
            for number in range(501):
                server.log(str(number), at=1000.0)
            assert len(await stream.batch()) == 500
            with pytest.raises(LogIncomplete, match="500 lines were read before"):
                await stream.batch()

        simulated(scenario)

    def test_a_stranger_gets_the_refusal_at_once(self):
        async def scenario(server, stream):
            server.refuses = AccessDenied(403, "Access denied, not a member", "getlogsmsg")
            with pytest.raises(AccessDenied):
                await anext(stream)

        simulated(scenario)

    def test_a_hundred_streams_share_26_calls_a_second(self):
        async def work():
            server = SimulatedColony(channels=())
            session = server.session()
            streams = [AsyncLogStream(session) for _ in range(100)]
            reads = [asyncio.create_task(stream.read()) for stream in streams]
            await asyncio.sleep(5)
            del server.calls[:]
            await asyncio.sleep(20)
            assert 20 * 20 <= len(asked(server)) <= 25 * 20 + 1
            assert len(server.calls) <= 30 * 20
            server.log("a")
            server.close()
            begun = asyncio.get_running_loop().time()
            assert [texts(lines) for lines in await asyncio.gather(*reads)] == [["a"]] * 100
            assert asyncio.get_running_loop().time() - begun < 20

        run(work())

    @pytest.mark.parametrize("ends", [ProcessState.SUCCESS, ProcessState.CANCELLED])
    def test_one_of_many_that_waits_first(self, ends):
        async def work():
            server = SimulatedColony(channels=())
            server.record.state, server.record.starttime = ProcessState.WAITING, ""
            session = server.session()
            reads = [asyncio.create_task(AsyncLogStream(session).read()) for _ in range(30)]
            await asyncio.sleep(20)
            assert asked(server) == []
            if ends is ProcessState.SUCCESS:
                server.record = msgspec.structs.replace(
                    server.record, state=ProcessState.RUNNING, starttime="2026-01-01T00:00:00Z"
                )
                server.log("a")
                await asyncio.sleep(10)
            server.close(ends)
            async with asyncio.timeout(25):
                lines = await asyncio.gather(*reads)
            assert [texts(each) for each in lines] == [["a"] if ends is ProcessState.SUCCESS else []] * 30

        run(work())


class TestAsIterator:
    def test_a_wait_that_is_cancelled_loses_no_line(self):
        async def scenario(server, stream):
            got = []

            async def take():
                got.append((await anext(stream)).message)

            for number in range(200):
                server.log(str(number))
                task = asyncio.create_task(take())
                await asyncio.sleep(0.0007 * (number % 13))
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            server.close()
            assert got + texts(await stream.read()) == [str(number) for number in range(200)]

        simulated(scenario)

    def test_two_tasks_at_once_are_an_error(self):
        async def scenario(_, stream):
            first = asyncio.create_task(anext(stream))
            await asyncio.sleep(0.1)
            with pytest.raises(UsageError, match="Two tasks read from one stream of log lines"):
                await anext(stream)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

        simulated(scenario)

    def test_a_closed_one_raises(self):
        async def scenario(_, stream):
            await stream.aclose()
            with pytest.raises(UsageError, match="closed: open another by log"):
                await anext(stream)

        simulated(scenario)

    def test_a_timeout_is_of_the_whole_stream(self):
        async def scenario(server, _):
            stream = AsyncLogStream(server.session(), timeout=3)
            server.log("a")
            assert (await anext(stream)).message == "a"
            with pytest.raises(WaitTimeout, match=f"the end of the log of {PID[:8]}"):
                await stream.read()

        simulated(scenario)


class TestEmbedded:
    async def test_lines_arrive_while_the_process_runs_and_end_with_it(self, running):
        async with running(channels=()) as (mine, theirs):
            stream = mine.log(timeout=30)
            await theirs.colony.add_log(theirs, "one")
            line = await anext(stream)
            assert (str(line), line.processid) == ("one", mine.processid)
            await theirs.colony.add_log(theirs, "two")
            await theirs.colony.close(theirs)
            assert texts(await stream.read()) == ["two"]

    async def test_more_lines_than_a_reply_holds(self, running):
        async with running(channels=()) as (mine, theirs):
            for number in range(1100):
                await theirs.colony.add_log(theirs, str(number))
            await theirs.colony.close(theirs)
            assert texts(await mine.log(timeout=30).read()) == [str(number) for number in range(1100)]

    async def test_the_log_of_a_process_that_was_removed(self, running):
        async with running(channels=()) as (mine, theirs):
            await theirs.colony.add_log(theirs, "one")
            await theirs.colony.close(theirs)
            stream = mine.log(timeout=30)
            assert str(await anext(stream)) == "one"
            await mine.colony.remove_process(mine)
            with pytest.raises(ProcessRemoved):
                await stream.read()

    async def test_a_client_that_is_closed_ends_the_wait(self, running):
        async with running(channels=()) as (mine, _):
            other = AsyncColony(mine.colony.settings)
            stream = (await other.get_process(mine.processid)).log()
            wait = asyncio.create_task(anext(stream))
            await asyncio.sleep(0.2)
            await other.aclose()
            with pytest.raises(UsageError, match="client is closed"):
                await asyncio.wait_for(wait, 5)

    async def test_the_blocking_face(self, running):
        async with running(channels=()) as (mine, theirs):

            def read():
                with Colony(mine.colony.settings) as colony:
                    process = colony.get_process(mine.processid)
                    first = next(iter(process.log()))
                    return str(first), process.log(timeout=30).read().to_dicts()

            reading = asyncio.create_task(asyncio.to_thread(read))
            await theirs.colony.add_log(theirs, "one")
            await asyncio.sleep(0.5)
            await theirs.colony.add_log(theirs, "two")
            await theirs.colony.close(theirs)
            first, rows = await reading
            assert first == "one"
            assert [row["message"] for row in rows] == ["one", "two"]

    async def test_a_process_that_ended_long_ago_is_read_without_delay(self, running, monkeypatch):
        async with running(channels=()) as (mine, theirs):
            await theirs.colony.add_log(theirs, "one")
            await theirs.colony.close(theirs)
            await mine.refresh()
            later = time.time() + 60
            monkeypatch.setattr("colony_jupyter.client.streams.log_stream.time.time", lambda: later)
            begun = time.monotonic()
            assert texts(await mine.log().read()) == ["one"]
            assert time.monotonic() - begun < 1.5
