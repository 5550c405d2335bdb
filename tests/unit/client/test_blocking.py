"""The blocking faces, derived from the asynchronous classes."""

from __future__ import annotations

import inspect
import os
import random
import signal
import threading
import time

import pytest

from colony_jupyter import Colony, Process, ProcessState, StreamError
from colony_jupyter.client import blocking
from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.wire.identity import PrivateKey


@pytest.fixture
def parties(place):
    key = PrivateKey.generate(random.randbytes)
    with Colony(place) as user, Colony(place, prvkey=key) as executor:
        name = f"blocking-{key.id[:12]}-x"
        user.add_executor(name, key.id, name)
        user.approve_executor(name)
        process = user.submit("work", 1, kwargs={"a": 2}, channels=["c"], executortype=name)
        assigned = executor.assign(5)
        yield process, assigned, executor


@pytest.mark.parametrize(
    ("face", "behind", "others"),
    [
        (blocking.Colony, AsyncColony, {"aclose", "close"}),
        (blocking.Process, AsyncProcess, set()),
        (blocking.Channel, AsyncChannel, set()),
    ],
)
def test_every_public_name_is_on_both_faces(face, behind, others):
    inner = {
        "asker", "call_as_owner", "call_as_server_owner", "endpoint", "explain_waiting", "shared", "handle", "is_owner",
        "key", "list_processes", "look", "reader_ended", "reader_started", "readers", "watch", "writer", "writers",
        "open_subscription", "scope", "type_offering", "colony", "acknowledge",
    }  # fmt: skip
    names = {name for name, _ in inspect.getmembers(behind) if not name.startswith("_")}
    missing = names - inner - others - {name for name, _ in inspect.getmembers(face)}
    assert not missing


def test_a_process_through_its_life(parties):
    process, assigned, executor = parties
    assert isinstance(process, Process)
    assert (assigned.spec.args, assigned.spec.kwargs) == ([1], {"a": 2})
    assert process.running(5).state is ProcessState.RUNNING
    assert str(assigned) == str(process) == process.processid
    assert assigned == process
    assigned.channel("c").send("hello")
    assigned.channel("c").write("wor")
    assigned.channel("c").write("ld")
    assigned.channel("c").end()
    assert [entry.text for entry in process.channel("c")] == ["hello", "world"]
    executor.close(assigned, ["done"])
    assert process.result(5) == "done"
    assert repr(process).startswith("<Process work ")
    assert repr(process).endswith("SUCCESS>")


def test_a_loop_may_be_left_at_any_entry(parties):
    process, assigned, _ = parties
    for number in range(10):
        assigned.channel("c").send(str(number))
    for entry in process.channel("c"):
        if entry.text == "3":
            break
    assert [entry.text for entry in process.channel("c").stream(start=8, limit=2)] == ["8", "9"]


def test_an_error_entry_comes_after_what_was_before_it(parties):
    process, assigned, _ = parties
    assigned.channel("c").send("before")
    assigned.channel("c").error("broken")
    stream = iter(process.channel("c"))
    assert next(stream).text == "before"
    with pytest.raises(StreamError, match="broken"):
        next(stream)


def test_a_callback_runs_on_the_calling_thread_and_may_block(parties):
    process, assigned, _ = parties
    seen = []

    def callback(entries):
        seen.extend((entry.text, threading.current_thread()) for entry in entries)
        if len(seen) == 1:
            assigned.channel("c").send("sent from the callback")
        return len(seen) < 2

    assigned.channel("c").send("first")
    process.channel("c").subscribe(callback, timeout=10)
    assert seen == [("first", threading.current_thread()), ("sent from the callback", threading.current_thread())]


def test_an_interrupt_gets_through_while_a_stream_waits(parties):
    process, _, _ = parties
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in process.channel("c"):
            pass
    assert time.monotonic() - begun < 1.0
    timer.join()
    assert process.refresh().state is ProcessState.RUNNING


def test_plain_verbs_as_the_tutorial_writes_them(place, parties):
    process, assigned, executor = parties
    with Colony(place) as colony:
        running = colony.subscribe_process(process, ProcessState.RUNNING, 5)
        executor.channel_append(running.processid, "c", 2, "Processing step 1/1")
        executor.channel_append(running.processid, "c", 4, "", "end")
        lines = []

        def callback(entries):
            for entry in entries:
                if entry.type == "end":
                    return False
                lines.append(entry.text)
            return True

        colony.subscribe_channel(running.processid, "c", callback, 0, 30)
        assert lines == ["Processing step 1/1"]
        assert [entry.sequence for entry in colony.channel_read(running.processid, "c", 0, 100)] == [2, 4]
        executor.set_output(assigned, ["Task completed!"])
        executor.close(assigned)
        assert colony.get_process(process.processid).output == ["Task completed!"]
