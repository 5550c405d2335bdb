"""Interrupting every magic while it waits: the prompt is back at once, the next cell works, nothing is left.

Each is interrupted while no answer of the server comes, since that is where all of them may wait; those that wait by
design are interrupted in that, too. The kernel reaches the server through a proxy, which loses the answers.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time

import pytest
from interrupting import at_rest, holdings, interrupted, nothing_is_left, prepare, soon
from notebook_kernel import Notebook
from proxy import Proxy

from colony_jupyter import Colony, ProcessState
from colony_jupyter.client.portal import LoopThread
from colony_jupyter.notebook.actions.chat_session import ChatSession
from colony_jupyter.notebook.magics import commands
from colony_jupyter.settings import Settings, resolve
from colony_jupyter.testing import ColonyServer

WORKER = """
import asyncio
import colony_jupyter as cj

executor = cj.Executor("silent-type")

@executor.function("silent")
async def silent(context):
    await asyncio.Event().wait()
"""

UNANSWERED = {
    "status": "%colony status",
    "connect": "%colony connect {address} --colony dev",
    "submit": "%colony submit nothing --type absent-type",
    "ps": "%colony ps",
    "top": "%colony top",
    "executors": "%colony executors",
    "functions": "%colony functions",
    "workflows": "%colony workflows",
    "workflow": f"%colony workflow {'0' * 64}",
    "get": "%colony get process",
    "log": "%colony log process",
    "log followed": "%colony log process --follow",
    "log searched": "%colony log --search text",
    "log of an executor": "%colony log --executor silent",
    "read": "%colony read process talk",
    "watch": "%colony watch process",
    "plot": "%colony plot process talk",
    "push": "%colony push process",
    "pull": "%colony pull process",
    "kernels": "%colony kernels",
    "send": "%colony send process talk text",
    "cancel": "%colony cancel process",
    "doctor": "%colony doctor",
    "submit quietly": "%colony submit nothing --type absent-type --quiet",
    "submit a cell": (
        '%%colony submit --quiet\n{{"funcname": "nothing", "conditions": {{"executortype": "absent-type"}}}}'
    ),
    "workflow in a cell": (
        "%%colony workflow --quiet\n"
        '[{{"nodename": "a", "funcname": "nothing", "conditions": {{"executortype": "absent-type"}}}}]'
    ),
    "chat": "%%colony_chat nothing --type absent-type --new\ntext",
    "find": "%colony get 0123",
}
"""Lines by what they do; the first words are the commands."""

WAITING = {
    "submit": "%colony submit nothing --type absent-type --channel talk --wait -o made",
    "submit quietly": "%colony submit nothing --type absent-type --channel talk --wait --quiet -o made",
    "submit in a run without a person": "%colony submit nothing --type absent-type --channel talk -o made",
    "submit a cell": (
        "%%colony submit --wait -o made\n"
        '{{"funcname": "nothing", "conditions": {{"executortype": "absent-type"}}, "channels": ["talk"]}}'
    ),
    "workflow": (
        "%%colony workflow --wait -o made\n"
        '[{{"nodename": "a", "funcname": "nothing", "conditions": {{"executortype": "absent-type"}}}}]'
    ),
    "watch in a run without a person": "%colony watch process",
    "plot in a run without a person": "%colony plot process talk",
    "log followed in a run without a person": "%colony log process --follow",
    "chat, no executor": "%%colony_chat nothing --type absent-type --new\ntext",
    "chat, no answer": "%%colony_chat silent --type silent-type --new\ntext",
    "chat without a pane": "%%colony_chat silent --type silent-type --new --no-pane\ntext",
    "asking for a key": "%colony connect {address} --colony dev --ask",
}


@dataclasses.dataclass
class Place:
    """A kernel, the proxy it reaches the server by, and a user beside it."""

    notebook: Notebook
    proxy: Proxy
    loop: LoopThread
    settings: Settings
    user: Colony | None = None  # of the present test
    process: str = ""  # likewise

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.proxy.port}"

    def states(self) -> dict[str, ProcessState]:
        found = [record for state in ProcessState for record in self.user.list_processes(state, count=1000)]
        return {record.processid: record.state for record in found}

    async def cut(self) -> None:
        self.proxy.cut_all()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupts")
    (folder / "silent_worker.py").write_text(WORKER, "utf-8")
    loop = LoopThread("test-proxy")
    with ColonyServer(folder / "colony") as server:
        environ = {**os.environ, **server.environ(), "XDG_DATA_HOME": str(folder / "data")}
        command = [sys.executable, "-m", "colony_jupyter", "executor", "silent_worker:executor", "--finish", "0"]
        worker = subprocess.Popen(command, cwd=folder, env=environ)
        proxy = Proxy(server.port)
        loop.run(proxy.start)
        try:
            with Notebook({**environ, "COLONIES_SERVER_PORT": str(proxy.port)}) as notebook:
                assert notebook.run("%load_ext colony_jupyter").status == "ok"
                prepare(notebook)
                yield Place(notebook, proxy, loop, resolve(server.environ()))
        finally:
            worker.terminate()
            worker.wait(20)
            loop.run(proxy.stop)
            loop.stop()


@pytest.fixture
def place(kernel):
    """Return a warm kernel: the first call of each kind brings what stays, modules, their threads, connections."""
    with Colony(kernel.settings) as kernel.user:
        kernel.process = kernel.user.submit("nothing", channels=["talk"], executortype="absent-type").processid
        warming = (
            f"%colony connect {kernel.address} --colony dev",
            "%colony submit it-does-not-have --channel talk --type silent-type --wait",  # a pane, and subscriptions
            "%colony doctor",
            "%colony ps",
            f"process = {kernel.process!r}",
        )
        for line in warming:
            ran = kernel.notebook.run(line)
            assert ran.status == ("error" if "--wait" in line else "ok"), ran.error
        yield kernel
        kernel.user.cancel(kernel.process)
    kernel.loop.run(kernel.cut)  # what the kernel keeps for later calls is held on this side, too


def test_none_is_forgotten():
    assert {name.split()[0] for name in UNANSWERED} == {*commands.LINES, "chat", "find"}


@pytest.mark.parametrize("name", UNANSWERED)
def test_while_no_answer_comes(place, name):
    line = UNANSWERED[name].format(address=place.address)
    before, states = at_rest(place.notebook), place.states()

    def attempt():
        lost = place.proxy.lost
        place.proxy.swallowing = True
        try:
            return interrupted(place.notebook, lambda: place.notebook.start(line), lambda _: place.proxy.lost > lost)
        finally:
            place.proxy.swallowing = False

    cell = soon(attempt)
    assert cell.status == "error"
    assert cell.error.startswith("Interrupted.")
    assert "Traceback" not in cell.error
    check(place, before, states)  # `cancel` looks the process up first, so it has not asked yet either


@pytest.mark.parametrize("name", WAITING)
def test_while_it_waits_for_what_does_not_come(place, name):
    line = WAITING[name].format(address=place.address)
    place.notebook.run("made = None")
    before, states = at_rest(place.notebook), place.states()

    def attempt():
        headless = "without a person" in name
        return interrupted(
            place.notebook,
            lambda: place.notebook.start(f"print('begun')\n{line}" if line[:2] != "%%" else line, headless=headless),
            lambda cell: waits(place, name, cell, set(states)),
        )

    cell = soon(attempt)
    assert cell.status == "error"
    assert cell.error.startswith("Interrupted."), cell.error
    assert "Traceback" not in cell.error
    if name != "asking for a key":
        assert " goes on" in cell.error
    check(place, before, states)


@pytest.mark.parametrize(
    "line", ["%colony submit ", "%colony get ", "%colony submit f --type ", "%colony read process "]
)
def test_tab_does_not_wait_for_a_server_that_does_not_answer(place, line):
    def attempt():
        place.proxy.swallowing = True
        try:
            begun = time.monotonic()
            found = place.notebook.complete(line)
            return found, time.monotonic() - begun
        finally:
            place.proxy.swallowing = False

    assert soon(attempt)


def waits(place, name, cell, known):
    """Whether a cell has come to its wait: by what it did before, and a moment on."""
    if name == "asking for a key":
        return place.notebook.asks()
    if name.endswith("in a run without a person") and not name.startswith("submit"):
        came = "none is registered" in cell.transcript
    else:
        new = [place.user.get_process(each) for each in place.states().keys() - known]
        if name in ("chat, no answer", "chat without a pane"):
            came = any(each.state is ProcessState.RUNNING and each.channel("chat").read() for each in new)
        else:
            came = bool(new)
    if came:
        time.sleep(0.3)
    return came


def check(place, before, states):
    """Make sure that the next cell works, no process was cancelled, and nothing is left."""
    assert place.notebook.run("%colony status").status == "ok"
    now = place.states()
    assert {processid: now[processid] for processid in states} == states
    assert ProcessState.CANCELLED not in {now[processid] for processid in now.keys() - states.keys()}
    assert ChatSession.send.__qualname__ not in holdings(place.notebook)[0]
    # A conversation goes on, and is listened to as long as its process runs.
    for processid in now.keys() - states.keys():
        if now[processid].is_closed:
            continue
        if workflow := place.user.get_process(processid).processgraphid:
            place.user.cancel_workflow(workflow)
        else:
            place.user.cancel(processid)
    nothing_is_left(place.notebook, before)
