"""Questions of several tasks on one channel."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import virtual_time
from simulated_colony import ME, PID, THEM, SimulatedColony

from colony_jupyter import ChannelClosed, ChannelNotFound, StreamBroken, StreamError, WaitTimeout
from colony_jupyter.client.streams import subscription
from colony_jupyter.client.streams.request_reply import RequestReply
from colony_jupyter.wire.models import ProcessState


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
        monkeypatch.setattr(mine.colony, "open_subscription", lambda *sent: opened.append(sent) or real(*sent))
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
        await mine.shared.request_reply("c").aclose()
        asked = []
        real = mine.colony.open_subscription
        monkeypatch.setattr(
            mine.colony,
            "open_subscription",
            lambda message, shape: asked.append(message.afterseq) or real(message, shape),
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
            monkeypatch.setattr(mine.colony, "open_subscription", lambda *sent: opened.append(sent) or real(*sent))
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
        request_reply = mine.shared.request_reply("c")
        send = request_reply._send

        async def sending(payload):
            sequence = await send(payload)
            asyncio.get_running_loop().call_soon(sent.set)  # after the question waits for its answer
            return sequence

        request_reply._send = sending
        asking = asyncio.create_task(mine.channel("c").ask("well?", timeout=20))
        await sent.wait()
        request_reply._lost(1)
        with pytest.raises(StreamBroken, match=r"The message was sent on channel 'c', but no answer.*restarted"):
            await asking


class TestSimulated:
    """On a simulated server, on virtual time."""

    def simulated(self, scenario):
        async def work():
            server = SimulatedColony()
            session = server.session()
            request_reply = RequestReply(
                PID,
                "c",
                ME,
                send=self.sender(server),
                reading=lambda inbox: (
                    session.subscription("c", to_end=False, survives_loss=True, inbox=inbox),
                    True,
                ),
            )
            await scenario(server, request_reply)
            await request_reply.aclose()

        virtual_time.run(work())

    def sender(self, server):
        async def send(payload):
            if "c" not in server.logs:
                raise ChannelNotFound(404, "Channel not found", processid=PID, channel="c", declared=["d"])
            sequence = server.append(ME, payload).sequence
            await asyncio.sleep(server.latency())
            return sequence

        return send

    def reply_soon(self, server, *, kind="data", after=0.5):
        """Have each question answered."""
        append = server.append

        def answering(owner, text, **options):
            entry = append(owner, text, **options)
            if owner == ME:
                loop = asyncio.get_running_loop()
                loop.call_later(after, lambda: append(THEM, f"re {text}", kind=kind, inreplyto=entry.sequence))
            return entry

        server.append = answering

    @pytest.mark.parametrize("after", [0.0, 0.5])
    def test_an_answer_may_arrive_before_the_reply_to_the_question(self, after):
        async def scenario(server, request_reply):
            self.reply_soon(server, after=after)
            server.latency = lambda: 0.05
            answers = await asyncio.gather(*(request_reply.ask(str(number), 10) for number in range(3)))
            assert [answer.text for answer in answers] == ["re 0", "re 1", "re 2"]

        self.simulated(scenario)

    def test_an_answer_may_be_an_error(self):
        async def scenario(server, request_reply):
            self.reply_soon(server, kind="error")
            with pytest.raises(StreamError, match="re well"):
                await request_reply.ask("well?", 10)

        self.simulated(scenario)

    def test_the_reading_ends_some_time_after_the_last_question(self):
        async def scenario(server, request_reply):
            self.reply_soon(server)
            await request_reply.ask("well?", 10)
            assert server.sockets
            await asyncio.sleep(120)
            assert server.sockets == set()
            assert (await request_reply.ask("and now?", 10)).text == "re and now?"

        self.simulated(scenario)

    def test_an_interrupt_leaves_nothing_behind_and_a_timeout_names_the_channel(self):
        async def scenario(server, request_reply):
            asking = asyncio.create_task(request_reply.ask("well?", None))
            await asyncio.sleep(1)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await asyncio.sleep(0.1)
            assert server.sockets == set()
            with pytest.raises(WaitTimeout, match="an answer on channel 'c'"):
                await request_reply.ask("well?", 1)

        self.simulated(scenario)

    def test_a_channel_that_does_not_exist_is_named(self):
        async def scenario(server, request_reply):
            server.logs.clear()
            for _ in range(2):
                with pytest.raises(ChannelNotFound, match="Channel 'c' not found"):
                    await request_reply.ask("well?", 10)
                await asyncio.sleep(1)

        self.simulated(scenario)

    def test_a_loss_of_the_log_fails_the_questions_that_wait(self):
        async def scenario(server, request_reply):
            asking = asyncio.create_task(request_reply.ask("well?", 60))
            await asyncio.sleep(1)
            server.lose_logs()
            server.append(THEM, "after the restart")
            with pytest.raises(StreamBroken, match=r"The message was sent on channel 'c', but no answer"):
                await asking

        self.simulated(scenario)

    def test_the_end_of_the_process_while_the_connection_is_down_states_that_the_message_was_sent(self):
        async def scenario(server, request_reply):
            asking = asyncio.create_task(request_reply.ask("well?", 60))
            await asyncio.sleep(1)
            server.is_down = True
            server.cut()
            server.close(ProcessState.FAILED, errors=["disk full"])
            await asyncio.sleep(1)
            server.is_down = False
            with pytest.raises((StreamBroken, ChannelClosed), match=r"The message was sent .*disk full"):
                await asking

        self.simulated(scenario)

    def test_closing_it_fails_what_waits(self):
        async def scenario(server, request_reply):
            asking = asyncio.create_task(request_reply.ask("well?", 60))
            await asyncio.sleep(1)
            await request_reply.aclose()
            with pytest.raises(ChannelClosed, match="the client was closed"):
                await asking

        self.simulated(scenario)
