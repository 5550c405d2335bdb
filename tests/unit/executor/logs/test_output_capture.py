"""Output of functions as messages of the process log."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.errors import AccessDenied
from colony_jupyter.executor.logs.output_capture import MESSAGE_CHARACTERS, OutputCapture, PendingLines


def messages(pending):
    return list(iter(pending.next_message, None))


def test_lines_are_joined_and_a_partial_line_waits():
    pending = PendingLines()
    pending.write("stdout", "one\ntw")
    assert messages(pending) == ["one"]
    pending.write("stdout", "o\nthree\n")
    assert messages(pending) == ["two\nthree"]
    pending.write("stdout", "four")
    pending.finish()
    assert messages(pending) == ["four"]


def test_streams_do_not_mix_within_a_line():
    pending = PendingLines()
    pending.write("stdout", "out ")
    pending.write("stderr", "err\n")
    pending.write("stdout", "put\n")
    assert messages(pending) == ["err\nout put"]


def test_only_the_last_frame_of_a_progress_bar_is_left():
    pending = PendingLines()
    for percent in range(0, 101, 20):
        pending.write("stderr", f"\r{percent}%")
    assert messages(pending) == []
    pending.write("stderr", "\n")
    pending.write("stdout", "ends in CR LF\r\n")
    assert messages(pending) == ["100%\nends in CR LF"]


def test_a_frame_split_between_writes_overwrites():
    pending = PendingLines()
    for piece in ("10", "%\r", "20%", "\r", "\n"):
        pending.write("stderr", piece)
    assert messages(pending) == ["20%"]


def test_what_exceeds_the_limit_is_counted():
    pending = PendingLines(limit=10)
    pending.write("stdout", "12345678\na\nb\n")
    assert messages(pending) == [
        "12345678",
        "... 2 lines of output are left out: the function prints too fast for the log",
    ]
    pending.write("stdout", "c\n")
    assert messages(pending) == ["c"]


def test_nothing_is_added_behind_what_was_left_out_until_that_is_counted():
    pending = PendingLines(limit=10)
    pending.write("stdout", "1234567\nlong line\na\n")  # the last one would fit
    first, sentence = messages(pending)
    assert (first, sentence.split()[1]) == ("1234567", "2")


def test_a_line_longer_than_a_message_is_divided():
    pending = PendingLines()
    text = "ab" * MESSAGE_CHARACTERS
    pending.write("stdout", text + "\nnext\n")
    found = messages(pending)
    assert max(map(len, found)) <= MESSAGE_CHARACTERS
    assert "".join(found[:2]) == text
    assert found[2:] == ["next"]


@given(st.lists(st.text(alphabet="ab\n", max_size=30), max_size=20))
def test_no_character_is_lost_or_repeated(pieces):
    pending, found = PendingLines(), []
    for piece in pieces:
        pending.write("stdout", piece)
        found += messages(pending)
    pending.finish()
    found += messages(pending)
    written = "".join(pieces).removesuffix("\n")
    assert "\n".join(found) == written or not "".join(pieces)


async def test_many_writes_become_few_messages():
    sent = []

    async def add(message):
        sent.append(message)

    capture = OutputCapture(add)
    for number in range(10_000):
        capture.write("stdout", f"line {number}\n")
        if number % 1000 == 0:
            await asyncio.sleep(0)
    await capture.aclose()
    assert "\n".join(sent).split("\n") == [f"line {number}" for number in range(10_000)]
    assert len(sent) < 20


async def test_a_flush_sends_what_a_thread_wrote():
    sent = []

    async def add(message):
        sent.append(message)

    capture = OutputCapture(add, interval=60)
    thread = threading.Thread(target=capture.write, args=("stdout", "from a thread\n"))
    thread.start()
    thread.join()
    await capture.flush()
    assert sent == ["from a thread"]
    await capture.aclose()


async def test_a_log_that_refuses_is_not_asked_again():
    calls = []

    async def add(message):
        calls.append(message)
        raise AccessDenied(403, "not yours")

    capture = OutputCapture(add)
    capture.write("stdout", "one\n")
    await capture.flush()
    capture.write("stdout", "two\n")
    await capture.aclose()
    assert calls == ["one"]


@pytest.mark.parametrize("text", ["the last line\n", "\r 50%|###  | 1/2"])
async def test_what_is_being_sent_at_the_end_is_not_lost(text):
    added, begun, go_on = [], asyncio.Event(), asyncio.Event()

    async def add(message):
        begun.set()
        await go_on.wait()
        added.append(message)

    capture = OutputCapture(add, on_frame=add)
    capture.write("stderr", text)
    await begun.wait()
    closing = asyncio.create_task(capture.aclose())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    assert added[0] == text.strip()
