"""Questions of several tasks on one channel."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from colony_jupyter import ChannelClosed, StreamBroken
from colony_jupyter.client.streams import subscription


@contextlib.asynccontextmanager
async def answering(theirs, me):
    async def answer():
        async with theirs.channel("c").stream(to_end=False, errors="yield") as stream:
            async for entry in stream:
                if entry.senderid == me:
                    await theirs.channel("c").send(f"re {entry.text}", inreplyto=entry.sequence)

    task = asyncio.create_task(answer())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_two_tasks_that_ask_one_question_after_the_other_get_every_answer(running):
    async with running() as (mine, theirs), answering(theirs, mine.colony.userid):

        async def ask(task):
            for number in range(8):
                answer = await mine.channel("c").ask(f"{task}-{number}", timeout=20)
                assert answer.text == f"re {task}-{number}"
                await asyncio.sleep(0.0005 * task)

        await asyncio.gather(ask(1), ask(2))


async def test_a_question_opens_no_socket_and_reads_no_log_once_the_reader_runs(running, monkeypatch):
    opened = []
    async with running() as (mine, theirs), answering(theirs, mine.colony.userid):
        real = mine.colony.open_subscription
        monkeypatch.setattr(mine.colony, "open_subscription", lambda message: opened.append(message) or real(message))
        await mine.channel("c").ask("first", timeout=20)
        assert opened
        opened.clear()
        monkeypatch.setattr(subscription, "pages", lambda *_: pytest.fail("the log is read"))
        for _ in range(5):
            await mine.channel("c").ask("next", timeout=20)
        assert opened == []


async def test_after_a_pause_it_resumes_at_the_end_of_the_log(running, monkeypatch):
    async with running() as (mine, theirs), answering(theirs, mine.colony.userid):
        for _ in range(3):
            await mine.channel("c").ask("before", timeout=20)
        await mine.shared.asker("c").aclose()
        asked = []
        real = mine.colony.open_subscription
        monkeypatch.setattr(
            mine.colony, "open_subscription", lambda message: asked.append(message.afterseq) or real(message)
        )
        assert (await mine.channel("c").ask("after", timeout=20)).text == "re after"
        assert asked == [5]  # one before the six entries that were read


async def test_an_end_without_an_answer_states_that_the_message_was_sent(running):
    async with running() as (mine, theirs):
        asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=20))
        await anext(theirs.channel("c").stream(limit=1))
        await theirs.colony.fail(theirs, ["disk full"])
        words = r"The message was sent on channel 'c', but it was not answered: .* ended \(it failed: disk full\)"
        with pytest.raises(ChannelClosed, match=words):
            await asking
        with pytest.raises(
            ChannelClosed, match=r"Nothing can be sent on channel 'c': .* ended \(it failed: disk full\)"
        ):
            await mine.channel("c").ask("still there?", timeout=20)


async def test_a_question_uses_the_socket_of_an_open_stream_and_reads_no_log(running, monkeypatch):
    opened = []
    async with running() as (mine, theirs), answering(theirs, mine.colony.userid):
        async with mine.channel("c").stream(to_end=False) as stream:
            await stream.listening()
            real = mine.colony.open_subscription
            monkeypatch.setattr(mine.colony, "open_subscription", lambda sent: opened.append(sent) or real(sent))
            monkeypatch.setattr(subscription, "pages", lambda *_: pytest.fail("the log is read"))
            for number in range(3):
                assert (await mine.channel("c").ask(f"{number}", timeout=20)).text == f"re {number}"
            assert opened == []
            assert [(await anext(stream)).text for _ in range(6)] == ["0", "re 0", "1", "re 1", "2", "re 2"]
        monkeypatch.undo()
        assert (await mine.channel("c").ask("after it", timeout=20)).text == "re after it"


async def test_a_question_outlives_the_stream_whose_socket_it_used(running):
    async with running() as (mine, theirs):
        stream = mine.channel("c").stream(to_end=False)
        await stream.listening()
        asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=20))
        question = await anext(stream)
        await stream.aclose()
        await theirs.channel("c").send("yes", inreplyto=question.sequence)
        assert (await asking).text == "yes"


async def test_a_loss_of_the_log_states_that_the_message_was_sent(running):
    async with running() as (mine, _):
        sent = asyncio.Event()
        asker = mine.shared.asker("c")
        send = asker._send

        async def sending(payload):
            sequence = await send(payload)
            asyncio.get_running_loop().call_soon(sent.set)  # after the question waits for its answer
            return sequence

        asker._send = sending
        asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=20))
        await sent.wait()
        asker._lost(1)
        with pytest.raises(StreamBroken, match=r"The message was sent on channel 'c', but no answer.*restarted"):
            await asking
