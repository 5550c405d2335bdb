"""Functions of an executor, over the embedded colony: called, answered, failed, stopped."""

from __future__ import annotations

import asyncio
import functools
import math
import sys
import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import UsageError
from colony_jupyter.executor import closing


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


def test_the_part_of_a_result_that_is_json_is_kept_when_the_process_fails(make_executor, submit):
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


def test_text_written_and_not_flushed_arrives_before_the_end(make_executor, submit):
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        for number in range(200):
            await context.channel("out").write(f"{number} ")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    assert "".join(entry.text for entry in process.channel("out")).split() == [str(n) for n in range(200)]
    assert process.result(timeout=10) is None


@pytest.mark.parametrize(("channels", "other"), [(["out", "other"], []), (["out", "other", "sync"], ["end"])])
def test_what_was_written_to_is_ended(make_executor, submit, channels, other):
    """With `sync` all channels are ended: the executor waits for every reader, and a reader waits for its end entry."""
    executor = make_executor()
    go = threading.Event()

    @executor.function("write")
    def write(context):
        go.wait(10)
        context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=channels)
    types = {}
    reading = threading.Barrier(3)

    def read(name):
        process.channel(name).send("first", type="greeting")
        stream = process.channel(name).stream(to_end=False, timeout=20)
        assert next(iter(stream)).type == "greeting"
        reading.wait(10)
        types[name] = [entry.type for entry in stream]

    readers = [threading.Thread(target=read, args=(name,)) for name in ("out", "other")]
    for reader in readers:
        reader.start()
    process.running(10)
    reading.wait(10)
    go.set()
    started = time.monotonic()
    assert process.result(timeout=10) is None
    assert time.monotonic() - started < 5
    for reader in readers:
        reader.join(10)
    assert types == {"out": ["data", "end"], "other": other}


def test_the_reader_is_waited_for_and_closing_happens_all_the_same(make_executor, submit, monkeypatch, caplog):
    monkeypatch.setattr(closing.Ending.__init__, "__kwdefaults__", {"ack_seconds": 0.5})
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        await context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    process.running(10)
    process.closed(10)
    assert process.refresh().state is cj.ProcessState.SUCCESS
    assert "did not acknowledge" in caplog.text


def test_the_tutorials_client_acknowledges_by_hand(make_executor, colony, submit):
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        await context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    got = []

    def take(entries):
        for entry in entries:
            if entry.is_end:
                colony.channel_append(process, "sync", 1, "ack")
                return False
            got.append(entry.text)
        return True

    colony.subscribe_channel(process, "out", take, timeout=20)
    assert got == ["x"]
    started = time.monotonic()
    process.closed(10)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_cancelling_stops_the_function(make_executor, submit, kind):
    executor = make_executor()
    running, stopped = threading.Event(), threading.Event()

    async def async_wait(context):
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert context.cancelled
            stopped.set()

    def plain_wait(context):
        running.set()
        while not context.cancelled:
            time.sleep(0.01)
        stopped.set()

    executor.function("wait")(async_wait if kind == "async" else plain_wait)
    executor.start()
    process = submit("wait")
    assert running.wait(10)
    process.cancel()
    assert stopped.wait(8)
    assert process.refresh().state is cj.ProcessState.CANCELLED


def test_a_blocking_call_is_given_up_when_the_executor_stops(make_executor, submit):
    executor = make_executor()
    running, raised = threading.Event(), []

    @executor.function("listen")
    def listen(context):
        running.set()
        try:
            for _ in context.channel("in"):
                pass
        except cj.ColonyError as error:
            raised.append(str(error))
        try:
            context.channel("in").send("too late")
        except cj.ColonyError as error:
            raised.append(str(error))

    executor.start()
    process = submit("listen", channels=["in"])
    assert running.wait(10)
    executor.stop()
    (error,) = failure(process)
    assert error == f"Executor '{executor.name}' was stopped while it ran this process."
    assert raised == [error, error]


def test_a_reading_function_ends_when_the_process_is_cancelled(make_executor, submit):
    executor = make_executor()
    running, ended = threading.Event(), threading.Event()

    @executor.function("listen")
    def listen(context):
        running.set()
        try:
            for _ in context.channel("in"):
                pass
            context.channel("in").send("too late")
        except cj.ColonyError:
            ended.set()
            raise

    executor.start()
    process = submit("listen", channels=["in"])
    assert running.wait(10)
    process.cancel()
    assert ended.wait(8)


def test_a_deadline_takes_the_process_away_and_it_runs_again(make_executor, submit):
    executor = make_executor()
    attempts, outcomes = [], []

    @executor.function("slow")
    async def slow(context):
        attempts.append(1)
        if len(attempts) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                outcomes.append("stopped")
        await context.channel("out").send("second")
        return "done"

    executor.start()
    process = submit("slow", channels=["out"], maxexectime=1, maxretries=3)
    assert process.result(timeout=20) == "done"
    assert outcomes == ["stopped"]
    assert len(attempts) == 2


def test_several_run_at_once_and_no_more_than_allowed(make_executor, submit, until):
    executor = make_executor(concurrency=2)
    go, running = threading.Event(), []

    @executor.function("wait")
    def wait(context):
        running.append(1)
        go.wait(20)
        return len(running)

    executor.start()
    processes = [submit("wait") for _ in range(3)]
    until(lambda: len(running) == 2)
    threading.Event().wait(0.3)
    assert len(running) == 2
    states = sorted(process.refresh().state for process in processes)
    assert states == [cj.ProcessState.WAITING, cj.ProcessState.RUNNING, cj.ProcessState.RUNNING]
    go.set()
    for process in processes:
        process.result(timeout=10)


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


def test_the_functions_that_the_colony_lists(make_executor, colony, until):
    def listed():
        return sorted((each.funcname, each.description) for each in colony.functions(executor.name))

    executor = make_executor()

    @executor.function("first")
    def first(context):
        """Do the first thing.

        And more.
        """

    executor.start()
    assert listed() == [("first", "Do the first thing.")]
    executor.function("second")(lambda context: 2)
    until(lambda: [name for name, _ in listed()] == ["first", "second"])
    name = executor.name
    executor.stop()
    executor.start()
    assert executor.name == name
    assert [name for name, _ in listed()] == ["first", "second"]


def test_a_function_that_is_defined_again_takes_its_place_at_once(make_executor, submit, colony):
    executor = make_executor()
    executor.function("give")(lambda context: "old")
    executor.start()
    assert submit("give").result(timeout=10) == "old"
    executor.function("give")(lambda context: "new")
    assert submit("give").result(timeout=10) == "new"
    assert len(colony.functions(executor.name)) == 1


def test_what_the_colony_lists_follows_what_is_defined_again(make_executor, submit, colony, until):
    def listed():
        return [
            (each.functionid, each.description, [(one.name, one.type, one.required) for one in each.args])
            for each in colony.functions(executor.name)
        ]

    executor = make_executor()

    def give(context, number: int):
        """Give a number."""
        return number

    executor.function("give")(give)
    executor.start()
    ((first, *told),) = listed()
    assert told == ["Give a number.", [("number", "int", True)]]
    executor.stop()
    executor.start()
    assert listed() == [(first, *told)]  # as it was: its counts go on

    @executor.function("give")
    def give_more(context, number: int = 2):
        """Give a number, or two."""
        return number

    until(lambda: [told for _, *told in listed()] == [["Give a number, or two.", [("number", "int", False)]]])
    assert submit("give").result(timeout=10) == 2


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


def test_modules_are_what_users_get():
    assert cj.Executor is sys.modules["colony_jupyter.executor.executor"].Executor
