"""Interrupting whatever blocks: it is back at once, nothing is left, the next call works, the process goes on.

Every blocking method is interrupted twice over: while its request is on the way to a server that does not answer, and,
where it waits by design, while it waits for what does not come.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import os
import random
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace

import psutil
import pytest
from interrupting import SOON, soon
from proxy import Proxy

from colony_jupyter import Colony, FunctionSpec, ProcessState, Workflow, embedded
from colony_jupyter.client import blocking
from colony_jupyter.client.portal import PORTAL, LoopThread
from colony_jupyter.datafolder import layout
from colony_jupyter.datafolder.lock import Lock
from colony_jupyter.settings import resolve
from colony_jupyter.wire import messages
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import Conditions

UNKNOWN = "0" * 64


def spec(at):
    return FunctionSpec(funcname="x", conditions=Conditions(colonyname=at.colony.colonyname, executortype="none"))


def named(spec):
    spec.nodename = "only"
    return spec


CALLS = {
    blocking.Colony: {
        "add_attribute": lambda at: at.colony.add_attribute(at.process, "key", "value"),
        "add_child": lambda at: at.colony.add_child(UNKNOWN, UNKNOWN, spec(at)),
        "add_colony": lambda at: at.colony.add_colony("other", UNKNOWN),
        "add_executor": lambda at: at.colony.add_executor("other", UNKNOWN, "other"),
        "add_executor_log": lambda at: at.colony.add_executor_log("other", "text"),
        "add_function": lambda at: at.colony.add_function("other", "f"),
        "add_log": lambda at: at.colony.add_log(at.process, "text"),
        "add_user": lambda at: at.colony.add_user("other", UNKNOWN),
        "approve_executor": lambda at: at.colony.approve_executor("other"),
        "assign": lambda at: at.executor.assign(30),
        "call": lambda at: at.colony.call(messages.GetProcess(processid=UNKNOWN), dict),
        "cancel": lambda at: at.colony.cancel(at.process),
        "cancel_workflow": lambda at: at.colony.cancel_workflow(UNKNOWN),
        "channel_append": lambda at: at.colony.channel_append(at.process, "c", 1, "text"),
        "channel_read": lambda at: at.colony.channel_read(at.process, "c"),
        "close": lambda at: at.colony.close(at.process),
        "colonies": lambda at: at.colony.colonies(),
        "colony": lambda at: at.colony.colony(),
        "executors": lambda at: at.colony.executors(),
        "fail": lambda at: at.colony.fail(at.process, ["text"]),
        "functions": lambda at: at.colony.functions(),
        "get_attribute": lambda at: at.colony.get_attribute(UNKNOWN),
        "get_executor": lambda at: at.colony.get_executor("other"),
        "get_executor_by_id": lambda at: at.colony.get_executor_by_id(UNKNOWN),
        "get_process": lambda at: at.colony.get_process(at.process),
        "get_run": lambda at: at.colony.get_run(UNKNOWN),
        "get_user": lambda at: at.colony.get_user("other"),
        "get_user_by_id": lambda at: at.colony.get_user_by_id(UNKNOWN),
        "get_workflow": lambda at: at.colony.get_workflow(UNKNOWN),
        "is_paused": lambda at: at.colony.is_paused(),
        "list_processes": lambda at: at.colony.list_processes(ProcessState.WAITING),
        "logs": lambda at: at.colony.logs(at.process),
        "map": lambda at: at.colony.map("x", [1, 2], executortype="none"),
        "pause_assignments": lambda at: at.colony.pause_assignments(),
        "process_history": lambda at: at.colony.process_history(60, ProcessState.WAITING),
        "processes": lambda at: at.colony.processes("waiting"),
        "reject_executor": lambda at: at.colony.reject_executor("other"),
        "remove_all_processes": lambda at: at.colony.remove_all_processes(),
        "remove_all_workflows": lambda at: at.colony.remove_all_workflows(),
        "remove_colony": lambda at: at.colony.remove_colony("other"),
        "remove_executor": lambda at: at.colony.remove_executor("other"),
        "remove_function": lambda at: at.colony.remove_function(UNKNOWN),
        "remove_process": lambda at: at.colony.remove_process(at.process),
        "remove_user": lambda at: at.colony.remove_user("other"),
        "remove_workflow": lambda at: at.colony.remove_workflow(UNKNOWN),
        "resume_assignments": lambda at: at.colony.resume_assignments(),
        "search_logs": lambda at: at.colony.search_logs("text"),
        "server_info": lambda at: at.colony.server_info(),
        "server_statistics": lambda at: at.colony.server_statistics(),
        "set_output": lambda at: at.colony.set_output(at.process, ["text"]),
        "statistics": lambda at: at.colony.statistics(),
        "submit": lambda at: at.colony.submit("x", executortype="none"),
        "submit_workflow": lambda at: at.colony.submit_workflow([named(spec(at))]),
        "subscribe_channel": lambda at: at.colony.subscribe_channel(at.process.processid, "c", print),
        "subscribe_process": lambda at: at.colony.subscribe_process(at.process, ProcessState.SUCCESS, 30),
        "type_offering": lambda at: at.colony.type_offering("x"),
        "users": lambda at: at.colony.users(),
        "version": lambda at: at.colony.version(),
        "workflows": lambda at: at.colony.workflows(ProcessState.WAITING),
    },
    blocking.Process: {
        "cancel": lambda at: at.process.cancel(),
        "closed": lambda at: at.process.closed(),
        "refresh": lambda at: at.process.refresh(),
        "result": lambda at: at.process.result(),
        "running": lambda at: at.waiting.running(),
        "wait": lambda at: at.process.wait(ProcessState.SUCCESS),
    },
    blocking.WorkflowRun: {
        "cancel": lambda at: at.run.cancel(),
        "refresh": lambda at: at.run.refresh(),
        "result": lambda at: at.run.result(),
        "wait": lambda at: at.run.wait(),
    },
    blocking.ProcessGroup: {
        "as_completed": lambda at: list(at.group.as_completed()),
        "cancel": lambda at: at.group.cancel(),
        "refresh": lambda at: at.group.refresh(),
        "results": lambda at: at.group.results(),
    },
    blocking.Channel: {
        "ask": lambda at: at.process.channel("c").ask("text"),
        "end": lambda at: at.process.channel("c").end(),
        "error": lambda at: at.process.channel("c").error("text"),
        "flush": lambda at: (at.process.channel("c").write("text"), at.process.channel("c").flush()),
        "read": lambda at: at.process.channel("c").read(),
        "send": lambda at: at.process.channel("c").send("text"),
        "subscribe": lambda at: at.process.channel("c").subscribe(print),
        "write": lambda at: [at.process.channel("c").write("text" * 1000) for _ in range(10_000)],
        "__iter__": lambda at: list(at.process.channel("c")),
    },
    blocking.Stream: {
        "batches": lambda at: list(at.process.channel("c").stream().batches()),
        "__iter__": lambda at: list(at.process.channel("c").stream()),
        "read": lambda at: at.process.channel("c").stream().read(),
    },
    blocking.LogStream: {
        "batches": lambda at: list(at.process.log().batches()),
        "__iter__": lambda at: list(at.process.log()),
        "read": lambda at: at.process.log().read(),
    },
}
NOT_WAITING = {
    blocking.Colony: {"around", "connect", "disconnect"},  # they make no call to a server that is not embedded
    blocking.Process: {"channel", "log"},
    blocking.WorkflowRun: {"raise_unless_successful", "to_dicts", "to_pandas", "to_polars"},
    # A group whose processes all wait has none to submit again; the others read what is known.
    blocking.ProcessGroup: {"counts", "retry_failed", "to_dicts", "to_pandas", "to_polars"},
    blocking.Channel: {"stream"},
    blocking.Stream: {"aclose", "close", "statistics"},
    blocking.LogStream: {"aclose", "close"},
}
BY_DESIGN = [
    (blocking.Colony, "assign"),
    (blocking.Colony, "subscribe_channel"),
    (blocking.Colony, "subscribe_process"),
    (blocking.Process, "closed"),
    (blocking.Process, "result"),
    (blocking.Process, "running"),
    (blocking.Process, "wait"),
    (blocking.WorkflowRun, "result"),
    (blocking.WorkflowRun, "wait"),
    (blocking.ProcessGroup, "as_completed"),
    (blocking.ProcessGroup, "results"),
    (blocking.Channel, "ask"),
    (blocking.Channel, "subscribe"),
    (blocking.Channel, "__iter__"),
    (blocking.Stream, "batches"),
    (blocking.Stream, "__iter__"),
    (blocking.Stream, "read"),
    (blocking.LogStream, "batches"),
    (blocking.LogStream, "__iter__"),
    (blocking.LogStream, "read"),
]


def test_none_is_forgotten():
    for face, calls in CALLS.items():
        public = {name for name in dir(face) if not name.startswith("_")}
        methods = {name for name in public if not isinstance(inspect.getattr_static(face, name), property)}
        assert (
            methods - {"portal", "asynchronous"} == {name for name in calls if name != "__iter__"} | NOT_WAITING[face]
        )


@pytest.fixture(scope="module")
def proxy(served):
    loop = LoopThread("test-proxy")
    between = Proxy(served.port)

    async def cut():
        between.cut_all()
        await asyncio.sleep(0)  # sockets of transports that are aborted are closed in the next turn of the loop

    loop.run(between.start)
    yield SimpleNamespace(
        port=between.port,
        lost=lambda: between.lost,
        carried=lambda: between.carried,
        go_silent=between.go_silent,
        silencing=lambda on: setattr(between, "silencing", on),
        cut_all=lambda: loop.run(cut),
    )
    loop.run(between.stop)
    loop.stop()


@pytest.fixture
def at(place, proxy):
    """Return a user and an executor behind the proxy, a running process, and one that no executor takes."""
    key = PrivateKey.generate(random.randbytes)
    there = dataclasses.replace(place, port=proxy.port)
    with Colony(there) as colony, Colony(there, prvkey=key) as executor:
        name = f"interrupts-{key.id[:12]}-x"
        colony.add_executor(name, key.id, name)
        colony.approve_executor(name)
        process = colony.submit("work", channels=["c"], executortype=name)
        assigned = executor.assign(5)
        waiting = colony.submit("work", executortype="absent")
        workflow = Workflow()
        workflow.add("work", executortype="absent")
        run = colony.submit(workflow)
        group = colony.map("work", [1, 2], executortype="absent")
        yield SimpleNamespace(
            colony=colony,
            executor=executor,
            process=process,
            assigned=assigned,
            waiting=waiting,
            run=run,
            group=group,
            threads=set(threading.enumerate()),
        )
        proxy.cut_all()  # a connection that is silent would hold this up
        for each in (process, waiting):
            if not colony.get_process(each).state.is_closed:
                colony.cancel(each)
        run.cancel()
        group.cancel()
    proxy.cut_all()


def interrupt(call, waits):
    """Interrupt a call once it waits; return the seconds until it is back."""
    over, sent = threading.Event(), []

    def send():
        while not over.is_set():
            if waits():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.005)

    interrupter = threading.Thread(target=send)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - see below
            interrupter.start()  # not before: it may be that quick
            call()
        return time.monotonic() - sent[0]
    finally:
        over.set()
        interrupter.join()


def timed(call):
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def holdings(at, proxy):
    tasks = sorted(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks(PORTAL.loop))
    # Threads that look up addresses stay with their loop, and connections over which calls are made with their client.
    threads = [each.name for each in set(threading.enumerate()) - at.threads if not each.name.startswith("asyncio_")]
    sockets = [each for each in psutil.Process().net_connections() if each.raddr and each.raddr.port == proxy.port]
    adapters = [colony.asynchronous._transport._adapter for colony in (at.colony, at.executor)]
    idle = [adapter._session.connector._conns for adapter in adapters if adapter is not None]
    kept = sum(len(connections) for each in idle for connections in each.values())
    return tasks, threads, max(0, len(sockets) - kept)


def check_nothing_is_left(at, proxy):
    deadline = time.monotonic() + 3
    while (now := holdings(at, proxy)) != ([], [], 0):
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def check_it_goes_on(at):
    assert at.colony.get_process(at.process).state is ProcessState.RUNNING
    assert at.colony.get_process(at.waiting).state is ProcessState.WAITING
    assert at.colony.get_workflow(at.run.processgraphid).state is ProcessState.WAITING
    count = len(at.process.channel("c").read())
    at.process.channel("c").send("after the interrupt")
    last = at.process.channel("c").read()[count:]
    assert [entry.text for entry in last][-1] == "after the interrupt"
    at.assigned.channel("c").send("and from the other side")


@pytest.mark.parametrize(("face", "name"), [(face, name) for face, calls in CALLS.items() for name in calls])
def test_while_the_server_does_not_answer(at, proxy, face, name):
    def attempt():
        proxy.cut_all()
        at.executor.executors()
        at.colony.executors()  # each has a connection now, over which it makes its next call
        lost = proxy.lost()
        proxy.go_silent()
        proxy.silencing(True)  # calls that are made at the same time use further connections
        try:
            return None, interrupt(lambda: CALLS[face][name](at), lambda: proxy.lost() > lost)
        finally:
            proxy.silencing(False)

    soon(attempt)
    if name == "write":
        proxy.cut_all()  # what was written before is still on its way, and now gets there
    check_nothing_is_left(at, proxy)
    caller = at.executor if name == "assign" else at.colony
    assert timed(caller.executors) < SOON
    proxy.cut_all()  # the other's connection is silent still
    check_it_goes_on(at)  # what was asked for was not heard, so nothing was cancelled


@pytest.mark.parametrize(("face", "name"), BY_DESIGN)
def test_while_it_waits_for_what_does_not_come(at, proxy, face, name):
    def attempt():
        begun = time.monotonic()

        def waits():
            """Whether its requests were answered; what asks again and again never rests for so long."""
            now, carried = time.monotonic(), proxy.carried()
            return (carried > begun and now - carried > 0.1) or now - begun > SOON

        return None, interrupt(lambda: CALLS[face][name](at), waits)

    soon(attempt)
    check_nothing_is_left(at, proxy)
    check_it_goes_on(at)


def test_while_the_embedded_colony_does_not_start(tmp_path):
    """Another process holds its folder; the thread that waits for it is not left waiting."""

    def waiting():
        frames = sys._current_frames().values()
        codes = [frame.f_code for stack in frames for frame, _ in traceback.walk_stack(stack)]
        return any(code.co_name == "_wait" and code.co_filename == embedded.__file__ for code in codes)

    lock = Lock(layout.prepare(tmp_path).lock)
    assert lock.acquire(attempts=1)
    try:
        colony = Colony(resolve({}, data=tmp_path))
        assert interrupt(colony.version, waiting) < SOON
        deadline = time.monotonic() + 3
        while waiting():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        lock.release()
    try:
        assert timed(colony.version) < 15
        colony.disconnect()
    finally:
        embedded.stop(tmp_path)


def test_again_and_again(at, proxy):
    """What one interrupt leaves, twenty make plain."""
    for _ in range(20):
        begun = time.monotonic()
        interrupt(at.process.result, lambda begun=begun: time.monotonic() - begun > random.random() / 20)
    check_nothing_is_left(at, proxy)
    check_it_goes_on(at)
