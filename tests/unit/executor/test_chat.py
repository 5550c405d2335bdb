"""Chats: turns in order, many at once, ended by either side; and the tutorial's own bot and clients."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest
import virtual_time

import colony_jupyter as cj
from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.executor.chat import Chat
from colony_jupyter.executor.worker import Worker
from colony_jupyter.wire.models import TURN


def turn(stream):
    """Read one turn of a chat: the text, and the sequence that the closing entry answers."""
    pieces = []
    for entry in stream:
        if entry.type == TURN:
            return "".join(pieces), entry.inreplyto
        if entry.sequence % 2 == 0:
            assert entry.inreplyto
            pieces.append(entry.text)
    return "".join(pieces), None


async def async_pieces(context, message):
    for word in ("You ", "said ", message.text):
        yield word


def plain_pieces(context, message):
    yield "You "
    yield "said "
    yield message.text


async def async_whole(context, message):
    return f"You said {message.text}"


def plain_whole(context, message):
    return f"You said {message.text}"


@pytest.mark.parametrize("bot", [async_pieces, plain_pieces, async_whole, plain_whole])
def test_turns(make_executor, submit, bot):
    executor = make_executor()
    executor.chat("chat")(bot)
    executor.start()
    process = submit("chat", channels=["chat"])
    channel = process.channel("chat")
    stream = iter(channel)
    for number, text in enumerate(("one", "two", "three")):
        sequence = channel.send(text)
        assert sequence == 2 * number + 1
        assert turn(stream) == (f"You said {text}", sequence)
    channel.end()
    process.result(timeout=10)
    assert list(stream) == []


def test_messages_sent_at_once_are_answered_in_order(make_executor, submit):
    executor = make_executor()
    executor.chat("chat")(async_pieces)
    executor.start()
    process = submit("chat", channels=["chat", "sync"])
    channel = process.channel("chat")
    for text in "abc":
        channel.send(text)
    channel.end()
    entries = list(channel)
    assert [entry.inreplyto for entry in entries if entry.type == TURN] == [1, 3, 5]
    for sequence, text in ((1, "a"), (3, "b"), (5, "c")):
        said = "".join(entry.text for entry in entries if entry.inreplyto == sequence)
        assert said == f"You said {text}"


def test_the_bot_ends_the_conversation(make_executor, submit):
    executor = make_executor()

    @executor.chat("talk", "greeter")
    async def greeter(context, message, greeting="Hello"):
        yield f"{greeting} {message.text}"
        if message.text == "bye":
            await context.channel("talk").end()

    executor.start()
    process = submit("greeter", "Hi", channels=["talk"])
    channel = process.channel("talk")
    stream = iter(channel)
    channel.send("you")
    assert turn(stream) == ("Hi you", 1)
    channel.send("bye")
    assert turn(stream) == ("Hi bye", None)
    assert process.result(timeout=10) is None


def test_several_conversations_at_once(make_executor, submit):
    executor = make_executor()
    executor.chat("chat")(plain_pieces)
    executor.start()
    processes = [submit("chat", channels=["chat"]) for _ in range(5)]
    channels = [process.channel("chat") for process in processes]
    streams = [iter(channel) for channel in channels]
    for number, channel in enumerate(channels):
        channel.send(str(number))
    assert [turn(stream)[0] for stream in streams] == [f"You said {number}" for number in range(5)]
    for channel in channels:
        channel.end()
    for process in processes:
        process.result(timeout=10)


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_small_pieces_are_joined(make_executor, submit, kind):
    """As a model's tokens: far fewer entries than pieces, and all of the text in its order."""
    words = [f"{number} " for number in range(2000)]

    async def async_bot(context, message):
        for word in words:
            yield word

    def plain_bot(context, message):
        yield from words

    executor = make_executor()
    executor.chat("chat")(async_bot if kind == "async" else plain_bot)
    executor.start()
    process = submit("chat", channels=["chat"])
    process.channel("chat").send("count")
    pieces = []
    for entry in process.channel("chat"):
        if entry.type == TURN:
            break
        if entry.inreplyto == 1:
            pieces.append(entry.text)
    assert "".join(pieces) == "".join(words)
    assert len(pieces) < len(words) / 4
    process.channel("chat").end()
    process.result(timeout=10)


def test_what_is_no_text_is_an_entry_of_its_own(make_executor, submit):
    executor = make_executor()

    @executor.chat("chat")
    async def bot(context, message):
        yield "as "
        yield {"json": 1}
        yield b"\x00"

    executor.start()
    process = submit("chat", channels=["chat", "sync"])
    process.channel("chat").send("x")
    process.channel("chat").end()
    entries = [entry for entry in process.channel("chat") if entry.inreplyto == 1]
    assert [entry.payload for entry in entries] == [b"as ", b'{"json":1}', b"\x00", b""]


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_exception_answers_the_message_and_fails_the_conversation(make_executor, submit, kind):
    executor = make_executor()

    async def async_bot(context, message):
        yield "so far"
        raise ValueError("no model")

    def plain_bot(context, message):
        yield "so far"
        raise ValueError("no model")

    executor.chat("chat")(async_bot if kind == "async" else plain_bot)
    executor.start()
    process = submit("chat", channels=["chat", "sync"])
    process.channel("chat").send("x")
    entries = list(process.channel("chat").stream(errors="yield"))
    assert [(entry.type, entry.text, entry.inreplyto) for entry in entries[1:]] == [
        ("data", "so far", 1),
        ("error", "ValueError: no model", 1),
    ]
    with pytest.raises(cj.ProcessFailed, match="ValueError: no model"):
        process.result(timeout=10)


def test_a_chat_without_its_channel_fails_with_a_sentence(make_executor, submit):
    executor = make_executor()
    executor.chat("chat")(async_pieces)
    executor.start()
    with pytest.raises(cj.ProcessFailed, match=r"Channel 'chat' not found\. This process has: talk"):
        submit("chat", channels=["talk"]).result(timeout=10)


def test_a_conversation_that_is_cancelled_ends(make_executor, submit):
    executor = make_executor()
    begun, closed = threading.Event(), threading.Event()

    @executor.chat("chat")
    async def bot(context, message):
        begun.set()
        try:
            while True:
                yield "on and on "
                await context.log("still")
        finally:
            closed.set()

    executor.start()
    process = submit("chat", channels=["chat"])
    process.channel("chat").send("x")
    assert begun.wait(10)
    process.cancel()
    assert closed.wait(8)


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_chat_that_is_assigned_again_answers_what_was_not_answered(
    make_executor, submit, colony, monkeypatch, is_answered
):
    """Its process waits again when its executor is removed; here the same executor gets it once more."""
    monkeypatch.setitem(Worker.__init__.__kwdefaults__, "poll", 0.5)
    executor = make_executor()
    begun, attempts = threading.Event(), []

    @executor.chat("chat")
    async def bot(context, message):
        attempts.append(message.text)
        yield f"Part of {message.text}"
        if not is_answered and len(attempts) == 1:
            await context.channel("chat").flush()
            begun.set()
            await asyncio.Event().wait()

    executor.start()
    process = submit("chat", channels=["chat"])
    channel = process.channel("chat")
    stream = iter(channel)
    channel.send("one")
    if is_answered:
        assert turn(stream) == ("Part of one", 1)
    else:
        assert begun.wait(10)
    colony.remove_executor(executor.name)
    channel.send("two")
    found = [turn(stream)] if is_answered else [turn(stream), turn(stream)]
    assert found[-1] == ("Part of two", 3)
    assert attempts == (["one", "two"] if is_answered else ["one", "one", "two"])
    channel.end()
    process.result(timeout=10)


def test_asking(make_executor, submit):
    executor = make_executor()
    executor.chat("chat")(async_whole)
    executor.start()
    process = submit("chat", channels=["chat"])
    assert process.channel("chat").ask("x", timeout=10).text == "You said x"
    process.channel("chat").end()
    process.result(timeout=10)


def test_the_messages_answered_before_are_read_again_when_a_gateway_wants_it():
    reads = []

    class Channel:
        async def read(self):
            reads.append(asyncio.get_running_loop().time())
            if len(reads) == 1:
                raise ServerUnreachable("127.0.0.1:1", "429 Too Many Requests", status=429, retry_after=3.0)
            return [cj.Entry(sequence=2, senderid="executor", type=TURN, inreplyto=1)]

    process = SimpleNamespace(channel=lambda _: Channel(), initiatorid="user")
    chat = Chat(None, None, process, "chat", None, {})
    assert virtual_time.run(chat._answered()) == {1}
    assert reads[1] - reads[0] >= 3.0


def tutorial_answer(text):
    match text.lower():
        case "hello" | "hi":
            return "Hello! How can I help you?"
        case "bye" | "goodbye":
            return "Goodbye! Have a great day!"
        case _:
            return "I received your message!"


def tutorial_client(colony, process):
    """The tutorial's client: plain verbs, odd sequences of its own, stops at any ``end``."""
    colony.subscribe_process(process, "running", 30)
    heard = []
    answered = threading.Semaphore(0)

    def take(entries):
        for entry in entries:
            if entry.type == "end":
                return False
            if entry.sequence % 2 == 0 and entry.text:
                heard.append(entry.text)
                answered.release()
        return True

    def send():
        # The bot ends after the last message: by then an answer has shown that the subscription exists.
        for number, message in enumerate(["Hello", "How are you?", "Goodbye"]):
            colony.channel_append(process, "chat", 2 * number + 1, message)
            assert answered.acquire(timeout=10)

    sending = threading.Thread(target=send)
    sending.start()
    started = time.monotonic()
    colony.subscribe_channel(process, "chat", take, timeout=20)
    sending.join()
    assert time.monotonic() - started < 10
    return heard


THE_TUTORIAL = ["Hello! How can I help you?", "I received your message!", "Goodbye! Have a great day!"]


def test_the_tutorials_bot_by_plain_verbs(make_executor, colony, submit):
    executor = make_executor()

    @executor.function("chat")
    async def chat(context):
        sequence = 2
        async for entry in context.channel("chat"):
            if entry.sequence % 2 == 1:
                await context.colony.channel_append(
                    context.process, "chat", sequence, tutorial_answer(entry.text), inreplyto=entry.sequence
                )
                sequence += 2
                if "bye" in entry.text.lower():
                    await context.colony.channel_append(context.process, "chat", sequence, "", type="end")
                    return

    executor.start()
    process = submit("chat", channels=["chat"])
    assert tutorial_client(colony, process) == THE_TUTORIAL
    process.result(timeout=10)


def test_the_tutorials_client_with_a_chat_of_ours(make_executor, colony, submit):
    executor = make_executor()

    @executor.chat("chat")
    async def chat(context, message):
        yield tutorial_answer(message.text)
        if "bye" in message.text.lower():
            await context.channel("chat").end()

    executor.start()
    process = submit("chat", channels=["chat"])
    assert tutorial_client(colony, process) == THE_TUTORIAL
    process.result(timeout=10)
