"""Every operation in every situation of a network; `test-output/situations.md` holds the table of a run."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from pathlib import Path

import pytest
from follower_node import FollowerNode
from forward_proxy import ForwardProxy
from gateway import Fault, Gateway
from parties import reach
from proxy import Proxy
from short_processes import RecordingView

from colony_jupyter import AsyncColony, Executor, settings
from colony_jupyter.doctor import Mark, examine
from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.actions.process_feed import ProcessFeed
from colony_jupyter.wire.identity import PrivateKey

OPERATIONS = ("assign", "send", "write", "read", "ask", "close", "pane", "doctor")
ALL_WORK = dict.fromkeys(OPERATIONS, "ok")
OUTAGE = {**ALL_WORK, "doctor": "failure"}
REFUSED = {**dict.fromkeys(OPERATIONS, "GatewayRefused"), "pane": "shows an error", "doctor": "failure"}
TRIES_ON = {**dict.fromkeys(OPERATIONS, "tries on"), "assign": "ServerUnreachable", "doctor": "failure"}


class Situation:
    """One way to the server, and what happens on it during each operation.

    Args:
        environ: environment variables that lead that way.
        during: does something to the way during an operation.
        seconds: within which an operation has its outcome, or counts as one that is tried on.
        spares_doctor: whether nothing is done to the way while the doctor runs.
    """

    def __init__(self, environ, *, during=None, seconds=20.0, spares_doctor=False) -> None:
        self.environ = environ
        self.seconds = seconds
        self.spares_doctor = spares_doctor
        self._during = during

    @contextlib.asynccontextmanager
    async def operation(self):
        task = None if self._during is None else asyncio.create_task(self._during())
        try:
            yield
        finally:
            if task is not None:
                await task
                await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def behind_gateway(server, *, outage=None, seconds=0.0, upgrade=None):
    async with Gateway(server.port) as gateway:
        gateway.upgrade_refusal = upgrade

        async def during() -> None:
            gateway.outage = outage
            await asyncio.sleep(seconds)
            gateway.outage = None

        is_lasting = outage is not None and not seconds
        if is_lasting:
            gateway.outage, gateway.upgrade_refusal = outage, outage
        environ = {"COLONIES_SERVER_PORT": str(gateway.port)}
        yield Situation(environ, during=during if seconds else None, seconds=2.0 if is_lasting else 20.0)


@contextlib.asynccontextmanager
async def with_cuts(server):
    async with Proxy(server.port) as proxy:

        async def during() -> None:
            for _ in range(5):
                await asyncio.sleep(0.05)
                proxy.cut_all()

        # Which of the doctor's calls is cut would be chance.
        yield Situation({"COLONIES_SERVER_PORT": str(proxy.port)}, during=during, spares_doctor=True)


@contextlib.asynccontextmanager
async def behind_proxy(server, *, connect=None, is_dead=False):
    async with ForwardProxy() as proxy:
        proxy.refuse_connect = connect
        seconds = 2.0 if is_dead else 20.0
        yield Situation({"HTTP_PROXY": "http://127.0.0.1:1" if is_dead else proxy.url}, seconds=seconds)


@contextlib.asynccontextmanager
async def on_other_node(server):
    async with AsyncColony(reach(server)) as colony:
        await colony.connect()
        async with FollowerNode(server.port, [colony.userid]) as node:
            yield Situation({"COLONIES_SERVER_PORT": str(node.port)}, seconds=2.0)


@contextlib.asynccontextmanager
async def direct(_):
    yield Situation({})


PAGE = Fault(200, body=b"<html><title>Please wait</title></html>")
SITUATIONS = {
    "direct": (direct, ALL_WORK),
    "connections cut every 50 ms": (with_cuts, ALL_WORK),
    "503 for 0.5 s": (lambda server: behind_gateway(server, outage=Fault(503), seconds=0.5), OUTAGE),
    "429 for 0.5 s": (lambda server: behind_gateway(server, outage=Fault(429), seconds=0.5), OUTAGE),
    "504 for 0.5 s, calls carried out": (
        lambda server: behind_gateway(server, outage=Fault(504, forward=True), seconds=0.5),
        OUTAGE,
    ),
    "an HTML page for 0.5 s": (lambda server: behind_gateway(server, outage=PAGE, seconds=0.5), OUTAGE),
    "WebSocket refused (403)": (
        lambda server: behind_gateway(server, upgrade=Fault(403)),
        {**ALL_WORK, "doctor": "warning"},
    ),
    "CONNECT refused (403)": (
        lambda server: behind_proxy(server, connect="403 Forbidden"),
        {**ALL_WORK, "doctor": "warning"},
    ),
    "redirect (302)": (lambda server: behind_gateway(server, outage=Fault(302)), REFUSED),
    "proxy asks for a password (407)": (lambda server: behind_gateway(server, outage=Fault(407)), REFUSED),
    "proxy is dead": (lambda server: behind_proxy(server, is_dead=True), TRIES_ON),
    "another node of the cluster": (
        on_other_node,
        {
            **ALL_WORK,
            **dict.fromkeys(("send", "write"), "ChannelClosed"),
            **dict.fromkeys(("read", "ask"), "StreamBroken"),
            "pane": "shows an error",
        },
    ),
}


class Trial:
    """One process, its two parties, and what became of each operation on it."""

    def __init__(self, server, situation: Situation) -> None:
        self.outcomes: dict[str, str] = {}
        self.faults: list[str] = []
        """Errors that the pane shows."""
        self.seconds = 0.0
        """Time of the doctor."""
        self._situation = situation
        self._direct = reach(server)
        self._way = settings.resolve({**server.environ(), **situation.environ})
        self._key = PrivateKey.generate(random.randbytes)

    async def run(self) -> None:
        """Carry out every operation by the situation's way; what it needs beforehand is done directly."""
        async with (
            AsyncColony(self._direct) as owner,
            AsyncColony(self._direct, prvkey=self._key) as helper,
            AsyncColony(self._way) as user,
            AsyncColony(self._way, prvkey=self._key) as executor,
        ):
            name = f"situation-{self._key.id[:8]}-x"
            await owner.add_executor(name, self._key.id, name)
            await owner.approve_executor(name)
            submitted = await owner.submit("work", channels=["c", "q", "p"], executortype=name)
            await self._run_executor(owner)
            assert await helper.assign(5) is not None
            assigned = executor.handle(submitted.processid)
            mine = user.handle(submitted.processid)
            theirs = helper.handle(submitted.processid)
            view, follower = RecordingView(), ProcessFeed(mine, ["p"])
            follower.turn_to(view)
            follower.start()
            stream = mine.channel("c").stream(to_end=False)
            reading = asyncio.create_task(two(stream))
            asking = asyncio.create_task(mine.channel("q").ask("question"))
            answering = asyncio.create_task(answer(theirs))
            await self.attempt("send", assigned.channel("c").send("one"))
            await self.attempt("write", write(assigned.channel("c")))
            if "ok" not in (self.outcomes["send"], self.outcomes["write"]):
                await theirs.channel("c").send("one")
                await theirs.channel("c").send("two")
            await theirs.channel("p").send("shown")
            await self.attempt("read", asyncio.shield(reading))
            await self.attempt("ask", asyncio.shield(asking))
            await self.attempt("pane", shown(view))
            if self.outcomes["pane"] == "ok" and view.faults:
                self.faults, self.outcomes["pane"] = list(view.faults), "shows an error"
            await self.attempt("close", executor.close(assigned, ["done"]))
            if self.outcomes["close"] != "ok":
                await helper.close(theirs, ["done"])
            await asyncio.wait([reading, asking], timeout=3)
            for operation, task in (("read", reading), ("ask", asking)):
                if self.outcomes[operation] == "tries on" and task.done() and not task.cancelled():
                    self.outcomes[operation] = type(task.exception() or TimeoutError()).__name__
            if view.faults and self.outcomes["pane"] == "tries on":
                self.faults, self.outcomes["pane"] = list(view.faults), "shows an error"
            for task in (reading, asking, answering):
                task.cancel()
            await asyncio.gather(reading, asking, answering, return_exceptions=True)
            follower.stop()
            await asyncio.gather(follower.wait(), return_exceptions=True)
            await stream.aclose()
        begun = time.monotonic()
        async with contextlib.nullcontext() if self._situation.spares_doctor else self._situation.operation():
            report = await examine(lambda: self._way)
            self.seconds = time.monotonic() - begun
        marks = {finding.mark for finding in report.findings}
        self.outcomes["doctor"] = "failure" if Mark.FAILURE in marks else "ok"
        if self.outcomes["doctor"] == "ok" and any(
            each.mark is Mark.WARNING and each.subject in ("channel", "nodes") for each in report.findings
        ):
            self.outcomes["doctor"] = "warning"

    async def _run_executor(self, owner: AsyncColony) -> None:
        """Let an executor of this package take and end a process."""
        executor = Executor(f"taking-{self._key.id[:8]}-x", settings=self._way)
        executor.function("work")(lambda context: "done")
        try:
            await asyncio.to_thread(executor.start)
        except ColonyError as error:
            self.outcomes["assign"] = type(error).__name__
            return
        try:
            process = await owner.submit("work", executortype=executor.executortype)
            assert await self.attempt("assign", process.result()) == "done"
        finally:
            await asyncio.to_thread(executor.stop)

    async def attempt(self, name: str, work):
        """Carry out one operation and note its outcome; returns what it returns, None if it fails."""
        try:
            async with self._situation.operation(), asyncio.timeout(self._situation.seconds):
                result = await work
        except TimeoutError:
            self.outcomes[name] = "tries on"
        except ColonyError as error:
            self.outcomes[name] = type(error).__name__
        else:
            self.outcomes[name] = "ok"
            return result
        return None


async def two(stream) -> None:
    assert [(await anext(stream)).text for _ in range(2)] == ["one", "two"]


async def answer(process) -> None:
    async for entry in process.channel("q").stream():
        if entry.text == "question":
            await process.channel("q").send("answer", inreplyto=entry.sequence)


async def write(channel) -> None:
    await channel.write("two")
    await channel.flush()


async def shown(view: RecordingView) -> None:
    while ("p", "data", "shown") not in view.received:  # noqa: ASYNC110 - the view has no event
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def table():
    """Rows by situation; written when all have run."""
    rows: dict[str, Trial] = {}
    yield rows
    lines = [f"| Situation | {' | '.join(OPERATIONS)} | doctor's time |", "|---" * (len(OPERATIONS) + 2) + "|"]
    for name, trial in rows.items():
        cells = [trial.outcomes.get(operation, "") for operation in OPERATIONS]
        lines.append(f"| {name} | {' | '.join(cells)} | {trial.seconds:.1f} s |")
    folder = Path(__file__).parents[2] / "test-output"
    folder.mkdir(exist_ok=True)
    (folder / "situations.md").write_text("\n".join(lines) + "\n")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", SITUATIONS)
async def test_each_operation_has_the_outcome_that_the_situation_permits(colony_server, table, name):
    make, expected = SITUATIONS[name]
    async with make(colony_server) as situation:
        table[name] = trial = Trial(colony_server, situation)
        await trial.run()
    assert trial.outcomes == expected, trial.faults
    assert trial.seconds < 15
