"""Channels as their users meet them, on the embedded colony."""

from __future__ import annotations

import asyncio
import time

import pytest

from colony_jupyter import AsyncColony, ChannelClosed, ChannelFull, ChannelNotFound, StreamError, WaitTimeout
from colony_jupyter.errors import MessageTooLarge, UsageError
from colony_jupyter.wire.limits import MAX_PAYLOAD


async def texts(stream):
    return [entry.text async for entry in stream]


class TestWriting:
    async def test_the_initiator_counts_odd_the_executor_even(self, running):
        async with running() as (mine, theirs):
            assert [await mine.channel("c").send("a"), await theirs.channel("c").send("b")] == [1, 2]
            assert [await mine.channel("c").send("c"), await theirs.channel("c").send("d")] == [3, 4]

    async def test_a_client_that_attaches_continues_after_its_own_entries_with_a_warning(self, running, place, caplog):
        async with running() as (mine, _), AsyncColony(place) as another:
            await mine.channel("c").send("before")
            again = await another.get_process(mine.processid)
            assert await again.channel("c").send("after") == 3
            assert "1 entries of this key from before" in caplog.text

    @pytest.mark.parametrize(
        ("payload", "stored"),
        [("text é", "text é".encode()), (b"\0\1", b"\0\1"), ({"a": [1, None]}, b'{"a":[1,null]}'), (3, b"3")],
    )
    async def test_text_bytes_and_json_go_as_they_are(self, running, payload, stored):
        async with running() as (mine, _):
            await mine.channel("c").send(payload)
            assert (await mine.channel("c").read())[0].payload == stored

    async def test_what_is_no_payload_is_refused_before_anything_is_sent(self, running):
        async with running() as (mine, _):
            with pytest.raises(UsageError, match="payload is an object, which has no JSON form"):
                await mine.channel("c").send(object())
            with pytest.raises(MessageTooLarge, match="is 10,485,761 bytes, the limit of one"):
                await mine.channel("c").send(b"x" * (MAX_PAYLOAD + 1))
            assert await mine.channel("c").read() == []

    async def test_text_is_joined_into_few_entries_and_stays_before_what_is_sent_after_it(self, running):
        async with running() as (mine, _):
            channel = mine.channel("c")
            for number in range(500):
                await channel.write(f"{number} ")
            await channel.send("after")
            entries = await channel.read()
            assert "".join(entry.text for entry in entries[:-1]) == "".join(f"{number} " for number in range(500))
            assert entries[-1].text == "after"
            assert len(entries) < 20

    async def test_text_goes_by_itself_soon(self, running):
        async with running() as (mine, theirs):
            stream = theirs.channel("c").stream(limit=1)
            await mine.channel("c").write("hello")
            assert await asyncio.wait_for(texts(stream), 3) == ["hello"]

    async def test_pieces_that_answer_different_entries_are_not_joined(self, running):
        async with running() as (mine, _):
            channel = mine.channel("c")
            await channel.write("to one, ", inreplyto=1)
            await channel.write("still", inreplyto=1)
            await channel.write("to three", inreplyto=3)
            await channel.flush()
            assert [(e.text, e.inreplyto) for e in await channel.read()] == [("to one, still", 1), ("to three", 3)]

    async def test_many_tasks_share_one_numbering(self, running):
        async with running() as (mine, _):
            sequences = await asyncio.gather(*(mine.channel("c").send(n) for n in range(50)))
            assert sorted(sequences) == list(range(1, 100, 2))
            assert [entry.sequence for entry in await mine.channel("c").read()] == list(range(1, 100, 2))

    async def test_a_refused_rate_is_waited_out(self, running):
        async with running() as (mine, theirs):
            reader = asyncio.create_task(texts(theirs.channel("c").stream(limit=620)))
            begun = time.monotonic()
            for number in range(620):
                await mine.channel("c").send(str(number))
            assert await reader == [str(number) for number in range(620)]
            assert time.monotonic() - begun > 0.5

    async def test_after_the_end_of_the_process_nothing_can_be_sent(self, running):
        async with running() as (mine, theirs):
            await theirs.channel("c").send("x")
            await theirs.colony.close(theirs)
            with pytest.raises(ChannelClosed, match=r"has ended \(success\)"):
                await mine.channel("c").send("late")

    async def test_a_text_stream_that_is_cut_off_states_how_much_was_sent(self, running):
        async with running() as (mine, theirs):
            for number in range(3):
                await mine.channel("c").write(str(number))
                await mine.channel("c").flush()
            await theirs.colony.close(theirs)
            await mine.channel("c").write("late")
            with pytest.raises(ChannelClosed, match="3 entries went through before"):
                await mine.channel("c").flush()

    def test_a_full_channel_states_its_limit_and_what_to_do(self):
        full = ChannelFull(500, "channel log is full")
        full.written = 7
        assert "10,000 entries" in str(full)
        assert "write()" in str(full)
        assert "7 entries went through before" in str(full)

    async def test_a_channel_that_was_not_declared_names_those_that_were(self, running):
        async with running(channels=("progress", "sync")) as (mine, _):
            with pytest.raises(ChannelNotFound, match=r"'progres' not found\. This process has: progress, sync"):
                await mine.channel("progres").send("x")
            with pytest.raises(ChannelNotFound, match="This process has: progress, sync"):
                await texts(mine.channel("progres").stream())
            with pytest.raises(ChannelNotFound, match="This process has: progress, sync"):
                await mine.channel("progres").read()


class TestReading:
    async def test_history_first_then_live(self, running):
        async with running() as (mine, theirs):
            for number in range(5):
                await theirs.channel("c").send(str(number))
            stream = mine.channel("c").stream()
            assert [(await anext(stream)).text for _ in range(5)] == ["0", "1", "2", "3", "4"]
            await theirs.channel("c").send("live")
            assert (await anext(stream)).text == "live"
            await stream.aclose()

    async def test_start_and_limit_count_entries_of_both_sides(self, running):
        async with running() as (mine, theirs):
            for number in range(3):
                await theirs.channel("c").send(f"t{number}")
                await mine.channel("c").send(f"m{number}")
            assert await texts(mine.channel("c").stream(start=2, limit=3)) == ["t1", "m1", "t2"]
            assert [e.text for e in await mine.channel("c").read(start=4)] == ["t2", "m2"]
            assert [e.text for e in await mine.channel("c").read(limit=1)] == ["t0"]

    async def test_ones_own_end_and_the_end_of_an_answer_do_not_end_it(self, running):
        async with running() as (mine, theirs):
            await mine.channel("c").end()
            await theirs.channel("c").end(inreplyto=1)
            await theirs.channel("c").send("still here")
            await theirs.channel("c").end()
            await theirs.channel("c").send("too late")
            assert await texts(mine.channel("c").stream()) == ["still here"]

    async def test_a_callback_sees_everything_until_it_has_enough(self, running):
        async with running() as (mine, theirs):
            await theirs.channel("c").send("one")
            await theirs.channel("c").end()
            await theirs.channel("c").error("two")
            seen = []

            def callback(entries):
                seen.extend((entry.type, entry.text) for entry in entries)
                return len(seen) < 3

            await mine.colony.subscribe_channel(mine.processid, "c", callback, timeout=10)
            assert seen == [("data", "one"), ("end", ""), ("error", "two")]

    async def test_a_callback_may_be_asynchronous(self, running):
        async with running() as (mine, theirs):
            for text in ("one", "two", "three"):
                await theirs.channel("c").send(text)
            seen = []

            async def callback(entries):
                await asyncio.sleep(0.01)
                seen.extend(entry.text for entry in entries)
                await mine.channel("c").send(f"got {len(seen)}")
                return len(seen) < 4

            await mine.colony.subscribe_channel(mine.processid, "c", callback, timeout=10)
            assert seen[:3] == ["one", "two", "three"]
            assert seen[3].startswith("got ")

    async def test_a_callback_ends_at_the_timeout_and_when_the_process_has_closed(self, running):
        async with running() as (mine, theirs):
            begun = time.monotonic()
            await mine.colony.subscribe_channel(mine.processid, "c", lambda _: True, timeout=0.3)
            assert 0.25 < time.monotonic() - begun < 2
            listening = asyncio.create_task(mine.colony.subscribe_channel(mine.processid, "c", lambda _: True))
            await asyncio.sleep(0.2)
            await theirs.colony.close(theirs)
            await asyncio.wait_for(listening, 5)


class TestAsking:
    async def test_many_questions_at_once_each_get_their_own_answer(self, running):
        async with running() as (mine, theirs):

            async def answer():
                questions = [entry async for entry in theirs.channel("c").stream(limit=10)]
                for question in reversed(questions):
                    await theirs.channel("c").send(f"answer to {question.text}", inreplyto=question.sequence)

            answering = asyncio.create_task(answer())
            answers = await asyncio.gather(*(mine.channel("c").ask(str(n), timeout=10) for n in range(10)))
            await answering
            assert [entry.text for entry in answers] == [f"answer to {n}" for n in range(10)]

    async def test_no_answer_in_time_an_error_for_one_and_an_end_without(self, running):
        async with running() as (mine, theirs):
            with pytest.raises(WaitTimeout, match="an answer on channel 'c'"):
                await mine.channel("c").ask("anybody?", timeout=0.3)
            asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=10))
            question = None
            async for entry in theirs.channel("c").stream(limit=2):
                question = entry
            await theirs.channel("c").error("no idea", inreplyto=question.sequence)
            with pytest.raises(StreamError, match="no idea"):
                await asking
            asking = asyncio.create_task(mine.channel("c").ask("still there?", timeout=10))
            await texts(theirs.channel("c").stream(limit=4))
            await theirs.colony.close(theirs)
            with pytest.raises(ChannelClosed, match="it was not answered: the process has ended"):
                await asking


class TestAcknowledgedEnding:
    async def acks(self, process):
        return [entry.text for entry in await process.channel("sync").read()]

    async def test_a_reader_acknowledges_once_all_it_opened_has_ended(self, running):
        async with running(channels=("a", "b", "sync")) as (mine, theirs):
            a, b = mine.channel("a").stream(), mine.channel("b").stream()
            reading = [asyncio.create_task(texts(a)), asyncio.create_task(texts(b))]
            await theirs.channel("a").send("x")
            await theirs.channel("a").end()
            assert await reading[0] == ["x"]
            assert await self.acks(theirs) == []
            await theirs.channel("b").end()
            await reading[1]
            assert await self.acks(theirs) == ["ack"]

    async def test_a_result_without_a_reader_acknowledges_at_once(self, running):
        async with running(channels=("a", "sync")) as (mine, theirs):
            waiting = asyncio.create_task(mine.result(10))
            stream = theirs.channel("sync").stream(limit=1)
            assert await texts(stream) == ["ack"]
            await theirs.colony.close(theirs, [1, 2])
            assert await waiting == [1, 2]

    async def test_an_error_that_was_handed_over_is_acknowledged_too(self, running):
        async with running(channels=("a", "sync")) as (mine, theirs):
            await theirs.channel("a").error("it went wrong")
            with pytest.raises(StreamError, match="it went wrong"):
                await texts(mine.channel("a").stream())
            assert await self.acks(theirs) == ["ack"]

    async def test_who_reads_only_a_part_does_not_acknowledge(self, running):
        async with running(channels=("a", "sync")) as (mine, theirs):
            await theirs.channel("a").send("x")
            await theirs.channel("a").end()
            assert await texts(mine.channel("a").stream(limit=1)) == ["x"]
            assert await self.acks(theirs) == []
