"""Functions of an executor that print and log: each process's log has its own lines."""

# ruff: noqa: T201 - prints are what is tested

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from colony_jupyter.executor.logs.output_hooks import captured


class Recorder:
    def __init__(self) -> None:
        self.texts = {"stdout": "", "stderr": "", "logging": ""}

    def write(self, stream, text):
        self.texts[stream] += text


@pytest.fixture
def recorder():
    return Recorder()


def lines(colony, process):
    return "\n".join(line.message for line in colony.logs(process, count=500)).split("\n")


def test_output_is_captured_and_still_written(recorder, capsys):
    with captured(recorder):
        print("to stdout")
        print("to stderr", file=sys.stderr)
    print("after")
    assert recorder.texts["stdout"] == "to stdout\n"
    assert recorder.texts["stderr"] == "to stderr\n"
    assert capsys.readouterr() == ("to stdout\nafter\n", "to stderr\n")


def test_the_hooks_are_removed(recorder):
    before = (sys.stdout, sys.stderr, threading.Thread.start, list(logging.getLogger().handlers))
    with captured(recorder), captured(Recorder()):
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr, threading.Thread.start, list(logging.getLogger().handlers)) == before


def test_what_other_code_has_replaced_meanwhile_stays(recorder, monkeypatch):
    """A debugger hooks into the start of threads, and calls what was there before."""
    monkeypatch.setattr(threading.Thread, "start", before := threading.Thread.start)
    started = []
    with captured(recorder):
        original = threading.Thread.start

        def start(thread):
            started.append(thread)
            original(thread)

        threading.Thread.start = start
    assert threading.Thread.start is start
    thread = threading.Thread(target=print, args=("not captured",))
    thread.start()
    thread.join()
    assert (started, recorder.texts["stdout"]) == ([thread], "")
    threading.Thread.start = before


def test_threads_that_the_code_starts_are_captured(recorder):
    def work():
        print("in a thread")

    with captured(recorder):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(print, "in a pool").result()
    assert recorder.texts["stdout"] == "in a thread\nin a pool\n"


def test_threads_of_other_code_are_not(recorder):
    go, done = threading.Event(), threading.Event()

    def work():
        go.wait(10)
        print("not captured")
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with captured(recorder):
        go.set()
        assert done.wait(10)
    thread.join()
    assert recorder.texts["stdout"] == ""


async def test_tasks_have_separate_outputs():
    first, second = Recorder(), Recorder()
    met = asyncio.Barrier(2)

    async def work(recorder, word):
        with captured(recorder):
            for number in range(3):
                await met.wait()
                print(word, number)

    await asyncio.gather(work(first, "a"), work(second, "b"))
    assert first.texts["stdout"] == "a 0\na 1\na 2\n"
    assert second.texts["stdout"] == "b 0\nb 1\nb 2\n"


def test_records_are_captured_once(recorder, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    named = logging.getLogger("a.program")
    monkeypatch.setattr(named, "level", logging.INFO)
    with captured(recorder):
        named.info("no handler takes it")
        named.warning("the last resort prints it")
        handler = logging.StreamHandler()  # writes to the captured stderr
        root.addHandler(handler)
        named.warning("a handler prints it")
        root.removeHandler(handler)
        logging.getLogger("colony_jupyter.client").error("about the call itself")
    assert recorder.texts["logging"] == "INFO:a.program:no handler takes it\n"
    assert recorder.texts["stderr"] == "the last resort prints it\na handler prints it\nabout the call itself\n"


def test_output_of_functions_goes_to_the_logs_of_their_processes(colony, make_executor, submit):
    executor = make_executor()
    met = threading.Barrier(2)

    @executor.function("plain")
    def plain(context, word):
        met.wait(10)
        print(word, "printed")
        logging.getLogger("program").warning("%s logged", word)
        context.log(f"{word} line")
        print(word, "after", end="")

    @executor.function("async")
    async def asynchronous(context, word):
        print(word, "printed")
        await context.log(f"{word} line")
        raise ValueError(word)

    executor.start()
    first, second, third = submit("plain", "a"), submit("plain", "b"), submit("async", "c")
    for process in (first, second, third):
        process.closed(20)
    for process, word in ((first, "a"), (second, "b")):
        assert lines(colony, process) == [
            f"{word} printed",
            f"WARNING:program:{word} logged",
            f"{word} line",
            f"{word} after",
        ]
    assert lines(colony, third) == ["c printed", "c line"]


def test_ten_thousand_prints_are_few_calls(colony, make_executor, submit):
    executor = make_executor()

    @executor.function("flood")
    def flood(context):
        for number in range(10_000):
            print(number)

    executor.start()
    process = submit("flood")
    process.closed(30)
    logged = colony.logs(process, count=500)
    assert "\n".join(line.message for line in logged).split("\n") == [str(number) for number in range(10_000)]
    assert len(logged) < 30


def test_capturing_can_be_switched_off(colony, make_executor, submit):
    executor = make_executor(capture_output=False)

    @executor.function("plain")
    def plain(context):
        print("only here")

    executor.start()
    process = submit("plain")
    process.closed(20)
    assert colony.logs(process, count=10) == []
