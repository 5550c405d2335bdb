"""Streams on the embedded colony: waits that are cancelled, loops left early, several tasks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import TYPE_CHECKING, Any

import pytest

from colony_jupyter import AsyncColony, Colony, StreamBroken, WaitTimeout
from colony_jupyter.channels.effects import ReadLog
from colony_jupyter.client.streams.stream import AsyncStream
from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from colony_jupyter.client.transport.frames import Frames


class Unspeakable(str):  # a str that the encoder of messages refuses
    __slots__ = ("more",)


async def test_an_internal_error_in_a_window_breaks_the_stream(running, caplog):
    async with running(channels=["c"]) as (mine, theirs):
        await theirs.channel("c").send("there is something")
        stream = mine.channel(Unspeakable("c")).stream()
        async with asyncio.timeout(5):
            with pytest.raises(StreamBroken, match=r"reading it went wrong \(TypeError") as caught:
                await anext(stream)
        await stream.aclose()
        assert caught.value.delivered == 0
    assert "cannot be read on" in caplog.text


@pytest.fixture
def opened(monkeypatch):
    """The frames of each subscription that clients open."""
    found: list[Frames[Any]] = []
    real = AsyncColony.open_subscription

    @contextlib.asynccontextmanager
    async def open_subscription(self, message, shape):
        async with real(self, message, shape) as frames:
            found.append(frames)
            yield frames

    monkeypatch.setattr(AsyncColony, "open_subscription", open_subscription)
    return found


class TestGathering:
    async def test_a_stream_receives_each_entry_at_once(self, running, opened):
        async with running() as (mine, _), mine.channel("c").stream() as stream:
            await stream.listening()
            assert [frames.gather() for frames in opened] == [0.0]

    async def test_a_reading_gathers_entries_if_its_consumer_lets_it(self, running, opened):
        async with running() as (mine, _):
            reading = mine.shared.subscription("c", gather=0.04)
            async with AsyncStream(reading) as stream:
                await stream.listening()
                assert [frames.gather() for frames in opened] == [0.04]

    async def test_nothing_is_gathered_while_a_question_waits_for_its_answer(self, running, opened):
        async with running() as (mine, theirs):
            reading = mine.shared.subscription("c", to_end=False, gather=0.04)
            async with AsyncStream(reading, everything=True) as stream:
                await stream.listening()
                asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=20))
                question = await anext(theirs.channel("c").stream())
                assert opened[0].gather() == 0.0
                await theirs.channel("c").send("yes", inreplyto=question.sequence)
                assert (await asking).text == "yes"


class TestCancelledWaits:
    async def test_the_next_wait_returns_the_next_entry(self, running):
        async with running() as (mine, theirs):
            await theirs.channel("c").send("one")
            stream = mine.channel("c").stream()
            received = [(await anext(stream)).text]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.05)
            for text in ("two", "three"):
                await theirs.channel("c").send(text)
            await theirs.channel("c").end()
            received += [entry.text async for entry in stream]
            assert received == ["one", "two", "three"]

    async def test_a_wait_that_is_cancelled_as_the_end_is_acknowledged_is_repeated(self, running, monkeypatch):
        async with running(channels=("c", "sync")) as (mine, theirs):
            stream = mine.channel("c").stream()
            await theirs.channel("c").end()
            acknowledging = asyncio.Event()
            acknowledge = mine.shared.readers.finished

            async def slow(reading):
                acknowledging.set()
                await asyncio.sleep(3600)
                await acknowledge(reading)

            monkeypatch.setattr(mine.shared.readers, "finished", slow)
            waiting = asyncio.create_task(stream.batch())
            await acknowledging.wait()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            monkeypatch.undo()
            assert await stream.batch() == []
            assert [entry.text for entry in await theirs.channel("sync").read()] == ["ack"]


class TestLoopsLeftEarly:
    async def test_a_second_loop_continues(self, running):
        async with running() as (mine, theirs):
            for text in "abcd":
                await theirs.channel("c").send(text)
            await theirs.channel("c").end()
            async with mine.channel("c").stream() as stream:
                assert (await anext(stream)).text == "a"
                async for entry in stream:
                    if entry.text == "b":
                        break
                assert [entry.text async for entry in stream] == ["c", "d"]
                assert await stream.batch() == []

    async def test_a_second_loop_continues_in_blocking_code(self, running, place):
        async with running() as (mine, theirs):
            for text in "abcd":
                await theirs.channel("c").send(text)
            await theirs.channel("c").end()

            def read():
                with Colony(place) as colony:
                    stream = colony.get_process(mine.processid).channel("c").stream()
                    received = [next(iter(stream)).text]
                    for entry in stream:
                        received.append(entry.text)
                        break
                    return received, [entry.text for entry in stream]

            assert await asyncio.to_thread(read) == (["a", "b"], ["c", "d"])

    async def test_a_stream_that_is_dropped_closes_its_connections(self, running):
        async with running() as (mine, theirs):
            await theirs.channel("c").send("a")
            async for _ in mine.channel("c"):
                break
            tasks = [task for task in asyncio.all_tasks() if "Subscription" in repr(task.get_coro())]
            assert tasks
            gc.collect()
            _, left = await asyncio.wait(tasks, timeout=5)
            assert left == set()

    @pytest.mark.parametrize("is_kept", [True, False])
    async def test_it_counts_as_acknowledged_once_the_result_is_waited_for(self, running, is_kept):
        async with running(channels=("c", "sync")) as (mine, theirs):
            await theirs.channel("c").send("a")
            stream = mine.channel("c").stream()
            async for _ in stream:
                break
            assert await theirs.channel("sync").read() == []
            if not is_kept:
                del stream
            waiting = asyncio.create_task(mine.result(20))
            async with asyncio.timeout(5):
                assert (await anext(theirs.channel("sync").stream(limit=1))).text == "ack"
            await theirs.colony.close(theirs, ["done"])
            assert await waiting == "done"
            if is_kept:
                await stream.aclose()


class TestUse:
    async def test_a_closed_stream_raises(self, running):
        async with running() as (mine, _):
            stream = mine.channel("c").stream()
            async with stream:
                pass
            with pytest.raises(UsageError, match=r"stream of channel 'c' is closed: open another"):
                await anext(stream)
            never_used = mine.channel("c").stream()
            await never_used.aclose()
            with pytest.raises(UsageError, match="is closed"):
                await never_used.batch()

    async def test_an_error_is_raised_again(self, running):
        async with running() as (mine, _):
            stream = mine.channel("c").stream(timeout=0.05)
            for _ in range(2):
                with pytest.raises(WaitTimeout, match="the end of channel 'c'"):
                    await anext(stream)

    async def test_two_tasks_cannot_read_one_stream_at_once(self, running):
        async with running() as (mine, theirs), mine.channel("c").stream() as stream:
            first = asyncio.create_task(anext(stream))
            await asyncio.sleep(0)
            with pytest.raises(UsageError, match="Two tasks read from one stream of channel 'c'"):
                await anext(stream)
            await theirs.channel("c").send("for the first")
            assert (await first).text == "for the first"

    async def test_an_asynchronous_callback_is_awaited_one_call_after_another(self, running):
        async with running() as (mine, theirs):
            for text in "ab":
                await theirs.channel("c").send(text)
            running_calls, seen = 0, []

            async def callback(entries):
                nonlocal running_calls
                running_calls += 1
                assert running_calls == 1
                await asyncio.sleep(0)
                if not seen:
                    await theirs.channel("c").send("c")
                running_calls -= 1
                seen.extend(entry.text for entry in entries)
                return len(seen) < 3

            await mine.colony.subscribe_channel(mine.processid, "c", callback, timeout=10)
            assert seen == ["a", "b", "c"]

    async def test_an_asynchronous_callback_is_awaited_in_blocking_code(self, running, place):
        async with running() as (mine, theirs):
            await theirs.channel("c").send("a")
            seen = []

            async def callback(entries):
                await asyncio.sleep(0)
                seen.extend(entry.text for entry in entries)
                return False

            def read():
                with Colony(place) as colony:
                    colony.subscribe_channel(mine.processid, "c", callback, timeout=10)

            await asyncio.to_thread(read)
            assert seen == ["a"]


async def test_nothing_is_awaited_between_two_frames(running, monkeypatch):
    """Every frame reaches the reader although the server answers no request about the sender."""
    async with running() as (mine, theirs):
        stopped = asyncio.Event()

        async def never(*_args):
            await stopped.wait()

        async with mine.channel("c").stream() as stream:
            await stream.listening()
            monkeypatch.setattr(mine.shared.watch, "refresh", never)
            # Its executor may be known already.
            monkeypatch.setattr(stream._subscription.senders, "is_known", lambda _: False)
            news = asyncio.Event()
            stream._subscription.listeners.add(news.set)
            for number in range(5):
                await theirs.channel("c").send(str(number))
            waiting = asyncio.create_task(anext(stream))
            async with asyncio.timeout(5):
                while stream.statistics().waiting < 5:
                    news.clear()
                    await news.wait()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            stopped.set()


class TestLossOfTheLog:
    def lose(self, stream: AsyncStream) -> None:
        """Present the log to the reader as empty, as after a restart of the server."""
        reader = stream._subscription._reader
        request = reader._log = ReadLog(len(reader.inbox))
        stream._subscription._input(lambda now: reader.log(request, [], now))

    async def test_it_is_reported_once_with_the_number_delivered_and_reading_continues(self, running):
        async with running() as (mine, theirs):
            losses = []
            async with mine.channel("c").stream(on_loss=losses.append, idle_timeout=10) as stream:
                for text in "ab":
                    await theirs.channel("c").send(text)
                assert [(await anext(stream)).text for _ in "ab"] == ["a", "b"]
                self.lose(stream)
                # The log of this server is not lost: read as the new log, it delivers its entries again.
                assert [(await anext(stream)).text for _ in "ab"] == ["a", "b"]
                assert losses == [2]

    async def test_without_a_callback_the_stream_breaks_and_gives_no_advice_about_sync(self, running):
        async with running() as (mine, theirs), mine.channel("c").stream() as stream:
            await theirs.channel("c").send("a")
            await anext(stream)
            self.lose(stream)
            with pytest.raises(StreamBroken, match=r"lost the channel's log.*1 entry was delivered before") as caught:
                await anext(stream)
            assert "sync" not in str(caught.value)


async def test_the_streams_of_a_client_are_counted_while_they_run(running):
    async with running(channels=["c", "d"]) as (mine, _):
        followed = mine.shared.watch.followed
        streams = [mine.channel(name).stream() for name in "cd"]
        for stream in streams:
            await stream.listening()
        assert followed.streams == 2
        await streams[0].aclose()
        await streams[0].aclose()
        assert followed.streams == 1
        await streams[1].aclose()
        assert followed.streams == 0
