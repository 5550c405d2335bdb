"""Functions of an executor, over the embedded colony: called, answered, failed, stopped."""

from __future__ import annotations

import asyncio
import functools
import math
import threading

import pytest

import colony_jupyter as cj
from colony_jupyter.client.writer import ChannelWriter
from colony_jupyter.errors import UsageError


def test_the_tutorials_task(make_executor, submit):
    executor = make_executor()

    @executor.function("long-task")
    async def long_task(context, steps=10):
        for step in range(1, steps + 1):
            await context.channel("progress").send(f"Processing step {step}/{steps}")
        return "Task completed!"

    executor.start()
    process = submit("long-task", 4, channels=["progress", "sync"])
    entries = list(process.channel("progress"))
    assert [entry.text for entry in entries] == [f"Processing step {step}/4" for step in range(1, 5)]
    assert [entry.sequence for entry in entries] == [2, 4, 6, 8]
    assert process.result(timeout=10) == "Task completed!"


def test_a_plain_function_runs_in_a_thread_with_blocking_channels(make_executor, submit):
    executor = make_executor()
    threads = []

    @executor.function("echo")
    def echo(context, times, *, mark="!"):
        threads.append(threading.current_thread())
        for entry in context.channel("in"):
            if entry.senderid == context.process.initiatorid:
                context.channel("out").send(entry.text * times + mark, inreplyto=entry.sequence)
        return {"cancelled": context.cancelled, "input": context.input}

    executor.start()
    process = submit("echo", 2, kwargs={"mark": "?"}, channels=["in", "out", "sync"])
    process.channel("in").send("a")
    process.channel("in").send("b")
    process.channel("in").end()
    assert [(entry.text, entry.inreplyto) for entry in process.channel("out")] == [("aa?", 1), ("bb?", 3)]
    assert process.result(timeout=10) == {"cancelled": False, "input": []}
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize(("value", "result"), [(None, None), ([1, 2], [1, 2]), ({"a": [1]}, {"a": [1]}), (0, 0)])
def test_what_is_returned_is_the_result(make_executor, submit, value, result):
    executor = make_executor()
    executor.function("give")(lambda context: value)
    executor.start()
    assert submit("give").result(timeout=10) == result


def failure(process):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=10)
    return raised.value.errors


def test_a_function_that_is_not_there_fails_with_a_list(make_executor, submit):
    executor = make_executor()
    executor.function("b")(lambda context: 1)
    executor.function("a")(lambda context: 1)
    executor.start()
    assert failure(submit("c")) == ("This executor of type 'task' has no function 'c'. It has: a, b.",)


def test_arguments_that_do_not_fit_fail_with_a_sentence(make_executor, submit):
    executor = make_executor()

    @executor.function("task")
    async def task(context, steps, *, label: str = "x"):
        return steps

    executor.start()
    (error,) = failure(submit("task"))
    assert "missing a required argument: 'steps'" in error
    assert "The function is task(steps, *, label='x')." in error


def test_an_exception_goes_to_the_channels_and_into_the_errors(make_executor, submit):
    executor = make_executor()

    @executor.function("task")
    async def task(context):
        await context.channel("out").write("so far")
        await context.channel("done").end()
        raise ValueError("disk full")

    executor.start()
    process = submit("task", channels=["out", "done", "untouched", "sync"])
    seen = []
    with pytest.raises(cj.StreamError, match="ValueError: disk full"):
        seen.extend(entry.text for entry in process.channel("out"))
    message, trace = failure(process)
    assert message == "ValueError: disk full"
    (place,) = trace.splitlines()
    assert place.startswith("test_run.py, line ")
    assert place.endswith('in task: raise ValueError("disk full")')


@pytest.mark.parametrize("kind", ["async", "plain"])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration()])
def test_nothing_a_function_raises_ends_the_executor(make_executor, submit, kind, error):
    executor = make_executor()

    async def async_fails(context):
        raise error

    def plain_fails(context):
        raise error

    executor.function("fails")(async_fails if kind == "async" else plain_fails)
    executor.function("works")(lambda context: "yes")
    executor.start()
    assert failure(submit("fails"))
    assert submit("works").result(timeout=10) == "yes"


def test_what_is_no_json_fails(make_executor, submit):
    executor = make_executor()
    executor.function("task")(lambda context: object())
    executor.start()
    (error,) = failure(submit("task"))
    assert error.startswith("result is an object, which has no JSON form: ")


def test_the_part_of_a_result_that_is_json_remains_when_the_process_fails(make_executor, submit):
    executor = make_executor()
    executor.function("task")(lambda context: {"loss": 0.5, "model": {"weights": object()}})
    executor.start()
    process = submit("task")
    (error,) = failure(process)
    assert error.startswith('result["model"]["weights"] is an object')
    assert process.output == [{"loss": 0.5, "model": {"weights": None}}]


def test_changed_numbers_are_counted_in_the_log(make_executor, submit, colony):
    executor = make_executor()
    executor.function("task")(lambda context: {"losses": [math.nan, 1.0, -math.inf], "id": 2**60})
    executor.start()
    process = submit("task")
    assert process.result(timeout=10) == {"losses": [None, 1, None], "id": str(2**60)}
    nonfinite, large = [line.message for line in colony.logs(process)]
    assert nonfinite.startswith("result: 2 numbers are NaN or infinite")
    assert large.startswith("result: 1 integer is beyond ±2^53")


def retrying(function):
    """A decorator that knows no coroutines."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


class Model:
    async def __call__(self, context, channel="out") -> str:
        await context.channel(channel).send("sent")
        return "done"

    async def method(self, context):
        return await self(context)


FUNCTIONS = {
    "behind a decorator": retrying(Model().method),
    "object": Model(),
    "partial": functools.partial(Model().method),
    "decorated partial": retrying(functools.partial(Model(), channel="out")),
    "lambda that returns a coroutine": lambda context: asyncio.sleep(0, "done"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_awaitable_that_a_function_returns_is_awaited(make_executor, submit, name):
    executor = make_executor()
    executor.function("task")(FUNCTIONS[name])
    executor.start()
    assert submit("task", channels=["out"]).result(timeout=10) == "done"


def test_a_generator_behind_a_decorator_is_refused(make_executor):
    @retrying
    def pieces(context):
        yield "a"

    with pytest.raises(UsageError, match="is a generator"):
        make_executor().function("task")(pieces)


def test_stop_iteration_is_reported_with_the_users_line(make_executor, submit):
    executor = make_executor()

    def plain(context):
        return next(iter([]))

    async def coroutine(context):
        return next(iter([]))

    executor.function("plain")(plain)
    executor.function("coroutine")(coroutine)
    executor.start()
    for name in ("plain", "coroutine"):
        message, trace = failure(submit(name))
        assert message == "StopIteration"
        assert trace.endswith(f"in {name}: return next(iter([]))")


def test_a_task_left_behind_that_opens_channels_does_not_fail_the_process(make_executor, submit):
    executor = make_executor()
    others = [f"c{number}" for number in range(60)]
    tasks = []

    @executor.function("task")
    async def task(context):
        async def late():
            for name in others:
                await context.channel(name).write(name)
                await asyncio.sleep(0)

        await context.channel("out").write("x" * 2000)
        tasks.append(asyncio.create_task(late()))
        return "done"

    executor.start()
    for _ in range(5):
        assert submit("task", channels=["out", *others]).result(timeout=20) == "done"


def test_the_writers_of_a_process_are_closed_with_it(make_executor, submit, monkeypatch, until):
    closed, aclose = [], ChannelWriter.aclose

    async def noted(self):
        closed.append(self)
        await aclose(self)

    monkeypatch.setattr(ChannelWriter, "aclose", noted)
    executor, writers = make_executor(), []

    @executor.function("write")
    async def write(context):
        for name in ("one", "two"):
            await context.channel(name).write(name)
        writers.extend(context.process.shared.writers.values())

    executor.start()
    submit("write", channels=["one", "two"]).result(timeout=20)
    until(lambda: len(closed) == 2)
    assert {id(writer) for writer in writers} == {id(writer) for writer in closed}


def test_a_line_of_the_log_is_the_text_of_any_object(make_executor, submit, colony):
    executor = make_executor()

    @executor.function("blocking")
    def blocking(context):
        context.log({"loss": 0.5})
        context.log(3)

    @executor.function("awaiting")
    async def awaiting(context):
        await context.log({"loss": 0.5})
        await context.log(3)

    executor.start()
    for name in ("blocking", "awaiting"):
        process = submit(name)
        process.result(timeout=20)
        assert [line.message for line in colony.logs(process)] == ["{'loss': 0.5}", "3"]


def test_progress_and_log(make_executor, submit, colony):
    executor = make_executor()

    @executor.function("plain")
    def plain(context):
        context.log("begun")
        return [item * 2 for item in context.progress([1, 2, 3], message="doubling")]

    @executor.function("async")
    async def also(context):
        await context.log("begun")
        bar = context.progress(2)
        await bar.update(message="half")
        await bar.update()
        return [item async for item in context.progress(3)]

    executor.start()
    process = submit("plain", channels=["out", "progress", "sync"])
    entries = [entry.json() for entry in process.channel("progress")]
    assert entries[0] == {"current": 0, "total": 3, "message": "doubling"}
    assert entries[-1] == {"current": 3, "total": 3, "message": "doubling"}
    assert process.result(timeout=10) == [2, 4, 6]
    assert [line.message for line in colony.logs(process)] == ["begun"]
    assert submit("plain").result(timeout=10) == [2, 4, 6]
    process = submit("async", channels=["progress"])
    assert process.result(timeout=10) == [0, 1, 2]
    assert [line.message for line in colony.logs(process)] == ["begun"]


def test_input_of_a_workflow(make_executor, colony, until):
    executor = make_executor()
    executor.function("make")(lambda context: 20)
    executor.function("add")(lambda context, more: context.input[0] + more)
    executor.start()
    conditions = [{"executortype": "task"}, {"executortype": "task", "dependencies": ["first"]}]
    from colony_jupyter.wire.models import Conditions

    workflow = colony.submit_workflow(
        [
            cj.FunctionSpec(nodename="first", funcname="make", conditions=Conditions(**conditions[0])),
            cj.FunctionSpec(nodename="second", funcname="add", args=[22], conditions=Conditions(**conditions[1])),
        ]
    )
    assert colony.get_process(workflow.processids[1]).result(timeout=15) == 42


def test_plain_verbs_inside_a_function(make_executor, submit):
    executor = make_executor()

    @executor.function("chat")
    async def chat(context):
        pid = context.process.processid
        await context.colony.channel_append(pid, "chat", 2, "first")
        await context.channel("chat").send("second")
        await context.colony.set_output(pid, ["set"])

    executor.start()
    process = submit("chat", channels=["chat", "sync"])
    assert [(entry.sequence, entry.text) for entry in process.channel("chat")] == [(2, "first"), (4, "second")]
    assert process.result(timeout=10) == "set"


def test_what_is_not_declared_fails_with_what_is(make_executor, submit):
    executor = make_executor()

    @executor.function("send")
    async def send(context):
        await context.channel("progres").send("x")

    executor.start()
    message, trace = failure(submit("send", channels=["progress", "sync"]))
    assert message == "ChannelNotFound: Channel 'progres' not found. This process has: progress, sync."
    assert trace.endswith('await context.channel("progres").send("x")')
