"""A function whose process is cancelled, closed or taken away stops, and so do its blocking calls."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
import time

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import ExecutorError, UsageError
from colony_jupyter.executor.cancellation import Cancellation, ThreadPortal, in_thread, race


def failure(process):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=10)
    return raised.value.errors


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


def test_after_its_deadline_a_process_runs_again(make_executor, submit):
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


class TestLoss:
    async def test_it_happens_once_and_every_wait_and_check_knows(self):
        cancellation = Cancellation()
        waiting = asyncio.create_task(cancellation.wait())
        cancellation.check()
        assert not cancellation.happened
        cancellation.happen(ExecutorError("first"))
        cancellation.happen(ExecutorError("second"))
        await asyncio.wait_for(waiting, 5)
        assert cancellation.happened
        with pytest.raises(ExecutorError, match="first"):
            cancellation.check()

    async def test_calls_that_threads_wait_for_are_given_up_also_those_that_begin_later(self):
        cancellation = Cancellation()
        calls = [concurrent.futures.Future() for _ in range(3)]
        cancellation.begin(calls[0])
        cancellation.begin(calls[1])
        cancellation.end(calls[1])
        cancellation.happen(ExecutorError("lost"))
        cancellation.begin(calls[2])
        assert [call.cancelled() for call in calls] == [True, False, True]


class TestThreadPortal:
    async def test_a_thread_gets_results_and_errors_of_the_loop(self):
        portal = ThreadPortal(asyncio.get_running_loop(), Cancellation())

        async def double(number):
            return 2 * number

        async def fail():
            raise ValueError("as asked")

        assert await asyncio.to_thread(portal.run, double, 21) == 42
        with pytest.raises(ValueError, match="as asked"):
            await asyncio.to_thread(portal.run, fail)

    async def test_what_is_spawned_is_not_waited_for(self):
        portal, done = ThreadPortal(asyncio.get_running_loop(), Cancellation()), asyncio.Event()

        async def work():
            done.set()

        await asyncio.to_thread(portal.spawn, work)
        await asyncio.wait_for(done.wait(), 5)

    async def test_a_call_is_given_up_with_the_reason_when_it_happens_and_refused_afterwards(self):
        cancellation = Cancellation()
        portal = ThreadPortal(asyncio.get_running_loop(), cancellation)
        begun, ended = asyncio.Event(), asyncio.Event()

        async def wait():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        calling = asyncio.create_task(asyncio.to_thread(portal.run, wait))
        await asyncio.wait_for(begun.wait(), 5)
        cancellation.happen(ExecutorError("the process was cancelled"))
        with pytest.raises(ExecutorError, match="the process was cancelled"):
            await calling
        await asyncio.wait_for(ended.wait(), 5)
        with pytest.raises(ExecutorError, match="the process was cancelled"):
            await asyncio.to_thread(portal.run, wait)

    async def test_a_call_from_the_loop_itself_is_refused(self):
        portal = ThreadPortal(asyncio.get_running_loop(), Cancellation())
        with pytest.raises(UsageError, match="own loop: use an `async def` function"):
            portal.run(asyncio.sleep, 0)

    async def test_a_coroutine_that_was_cancelled_from_within_is_so_for_the_thread_too(self):
        portal = ThreadPortal(asyncio.get_running_loop(), Cancellation())

        async def cancel():
            raise asyncio.CancelledError

        def call():
            with pytest.raises(concurrent.futures.CancelledError):
                portal.run(cancel)

        await asyncio.to_thread(call)


class TestRace:
    @staticmethod
    async def forever(ended: list[str]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # an end takes a while
            ended.append("forever")

    async def test_the_first_decides_and_the_others_have_ended_after_it(self):
        ended = []
        async with race(asyncio.sleep(0, "first"), self.forever(ended)) as (first, second):
            assert (first.done(), second.done(), ended) == (True, False, [])
            assert await first == "first"
        assert second.cancelled()
        assert ended == ["forever"]

    async def test_it_waits_for_the_first_no_longer_than_the_limit(self):
        ended = []
        async with race(self.forever(ended), self.forever(ended), seconds=0.01) as tasks:
            assert [task.done() for task in tasks] == [False, False]
        assert ended == ["forever", "forever"]

    async def test_all_end_where_the_wait_is_cancelled_or_the_context_raises(self):
        ended = []

        async def wait():
            async with race(self.forever(ended), self.forever(ended)):
                raise AssertionError

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended == ["forever", "forever"]
        with pytest.raises(ValueError, match="within"):
            async with race(self.forever(ended), asyncio.sleep(0)):
                raise ValueError("within")
        assert len(ended) == 3


class TestInThread:
    async def test_results_errors_and_context_variables_pass(self):
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
        variable.set("here")
        name = []

        def work():
            name.append(threading.current_thread().name)
            return variable.get()

        def leave():
            raise SystemExit(3)

        assert await in_thread(work, "executor work") == "here"
        assert name == ["executor work"]
        with pytest.raises(SystemExit):
            await in_thread(leave, "executor leave")

    async def test_a_wait_that_is_cancelled_leaves_the_thread_to_end_by_itself(self):
        begun, go = threading.Event(), threading.Event()

        def work():
            begun.set()
            go.wait(10)

        waiting = asyncio.create_task(in_thread(work, "executor stubborn"))
        assert await asyncio.to_thread(begun.wait, 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go.set()
        await asyncio.to_thread(lambda: [t.join(5) for t in threading.enumerate() if t.name == "executor stubborn"])
        await asyncio.sleep(0)

    def test_the_result_of_a_thread_that_ends_as_its_loop_closes_is_dropped(self, monkeypatch):
        begun, go, errors = threading.Event(), threading.Event(), []
        monkeypatch.setattr(threading, "excepthook", errors.append)

        def work():
            begun.set()
            go.wait(10)

        async def leave():
            waiting = asyncio.create_task(in_thread(work, "executor late"))
            assert await asyncio.to_thread(begun.wait, 5)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            runner.run(leave())
        monkeypatch.setattr(loop, "is_closed", lambda: False)  # it was not, a moment ago
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "executor late"]
        go.set()
        thread.join(5)
        assert errors == []
