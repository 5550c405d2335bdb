"""Which kernel a cell runs in, and whose output is trusted; the kernels are simulated."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import virtual_time

from colony_jupyter.errors import ColonyError, RemoteCellFailed, UsageError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone
from colony_jupyter.kernels.listing import KernelRecord
from colony_jupyter.kernels.remote import Message
from colony_jupyter.notebook.actions import remote_cells
from colony_jupyter.notebook.actions.remote_cells import RemoteCells, check_names, lookup, table
from colony_jupyter.values.records import Records
from colony_jupyter.wire.models import Conditions, ExecutorRecord, FunctionSpec, ProcessRecord, ProcessState

NODE, OURS, STRANGER = "a" * 64, "b" * 64, "c" * 64


class Kernel:
    """A kernel that answers from a list."""

    fails: Exception | None = None
    made: list[Kernel] = []  # noqa: RUF012 - emptied for each test

    def __init__(self, colony, target, *, on_waiting) -> None:
        self.target, self.on_waiting = target, on_waiting
        self.on_message = None
        self.gone: KernelGone | None = None
        self.about: Any = None
        self.executorid = NODE
        self.processid = ""
        self.ended = ""
        self.replies: list[dict] = []
        self.requests: list[tuple] = []
        Kernel.made.append(self)

    async def start(self, processid=""):
        await asyncio.sleep(0.1)
        if Kernel.fails is not None:
            raise Kernel.fails
        self.processid = processid or f"{len(Kernel.made):x}" * 64
        self.about = names.Started("k", "python3", "Python 3", "python", "node-1", is_new=not processid)
        return self.about

    async def detach(self):
        self._end("detached")

    async def shut_down(self):
        self._end("shut down")

    async def execute(self, code, output, *, ask):
        self.requests.append((code, ask))
        output(message("stream", name="stdout", text="out"))
        return message("execute_reply", **self.replies.pop(0))

    async def request(self, kind, content):
        self.requests.append((kind, content))
        if not self.replies:
            await asyncio.sleep(3600)
        return message("complete_reply", **self.replies.pop(0))

    def _end(self, how):
        self.ended = how
        self.gone = KernelGone(f"The kernel was {how}.")


def message(kind, **content):
    return Message(kind, content, {}, "", [])


class Colony:
    userid = "u" * 64

    def __init__(self) -> None:
        self.settings = SimpleNamespace(is_embedded=False)
        self.running: list[SimpleNamespace] = []
        self.asked: list[str] = []

    async def connect(self):
        pass

    async def type_offering(self, funcname):
        self.asked.append(funcname)
        return "hpc"

    async def executors(self):
        return [
            ExecutorRecord(executorid=executorid, executorname=name, executortype="hpc", colonyname="dev")
            for executorid, name in ((NODE, "node-1"), (OURS, "node-2"))
        ]

    async def processes(self, state, *, executortype, label):
        assert (state, label) == (ProcessState.RUNNING, names.FUNCTION)
        return [each for each in self.running if each.spec.conditions.executortype == executortype]


def carrier(number, *, owner=Colony.userid, executor=NODE, shared=True, submitted="2026-01-01T00:00:00Z"):
    """A process that carries a kernel."""
    record = ProcessRecord(
        processid=number * 64,
        initiatorid=owner,
        assignedexecutorid=executor,
        submissiontime=submitted,
        spec=FunctionSpec(
            funcname=names.FUNCTION,
            kwargs={names.SHARED: True} if shared else {},
            conditions=Conditions(executortype="hpc"),
        ),
    )
    cancelled = []

    async def cancel():
        cancelled.append(number)

    return SimpleNamespace(
        processid=record.processid, record=record, spec=record.spec, initiatorid=owner, cancel=cancel, ended=cancelled
    )


@pytest.fixture(autouse=True)
def kernels(monkeypatch):
    monkeypatch.setattr(remote_cells, "RemoteKernel", Kernel)
    monkeypatch.setattr(Kernel, "made", [])
    monkeypatch.setattr(Kernel, "fails", None)
    monkeypatch.setattr(remote_cells, "trusted_ids", lambda executortype: [])
    return Kernel.made


def cells(scenario):
    """Run a scenario with the kernels of a notebook, on virtual time."""

    async def work():
        async with asyncio.timeout(600):
            await scenario(RemoteCells(), Colony())

    virtual_time.run(work())


def use(cells, colony, executortype="", executornames=(), **how):
    return cells.choose(colony, executortype, executornames, lambda _: None, **how)


def test_a_kernel_is_started_once_and_used_by_later_cells(kernels):
    async def scenario(cells, colony):
        assert await cells.complete("imp", 3) == ([], 0)
        first, second = await asyncio.gather(use(cells, colony), use(cells, colony))
        assert first is second
        assert await use(cells, colony) is first
        assert cells.latest is first
        assert first.executorname == "node-1"
        assert colony.asked[0] == names.FUNCTION
        assert [each.target.executortype for each in kernels] == ["hpc"]
        assert kernels[0].target.is_shared

    cells(scenario)


def test_kernels_of_other_executors_are_kept_beside_it(kernels):
    async def scenario(cells, colony):
        first = await use(cells, colony)
        named = await use(cells, colony, "hpc", ["node-2"])
        assert named is not first
        assert await use(cells, colony) is named  # the latest
        assert await use(cells, colony, "hpc") is first
        assert [tuple(each.target.executornames) for each in kernels] == [(), ("node-2",)]

    cells(scenario)


def test_a_kernel_that_has_ended_is_replaced(kernels):
    async def scenario(cells, colony):
        first = await use(cells, colony)
        kernels[0].gone = KernelGone("died")
        assert cells.latest is None
        assert await use(cells, colony) is not first

    cells(scenario)


def test_a_new_one_leaves_the_earlier_one_and_attaches_to_none(kernels):
    async def scenario(cells, colony):
        await use(cells, colony)
        colony.running = [carrier("7")]
        place = await use(cells, colony, new=True)
        assert kernels[0].ended == "detached"
        assert place.kernel is kernels[1]
        assert place.kernel.processid != "7" * 64

    cells(scenario)


def test_without_one_of_its_own_a_notebook_uses_the_newest_that_fits():
    async def scenario(cells, colony):
        colony.running = [
            carrier("1"),
            carrier("2", submitted="2026-01-02T00:00:00Z"),
            carrier("3", submitted="2026-01-03T00:00:00Z", owner="o" * 64),
            carrier("4", submitted="2026-01-04T00:00:00Z", shared=False),
        ]
        assert (await use(cells, colony, "hpc")).kernel.processid == "2" * 64
        # One that any executor may carry is carried by another than those that are asked for.
        colony.running.append(carrier("5", executor=OURS))
        assert (await use(cells, colony, "hpc", ["node-2", "node-3"])).kernel.processid == "5" * 64

    cells(scenario)


def test_a_kernel_is_attached_to_by_its_process(kernels, monkeypatch):
    process = carrier("9")

    async def find(colony, processid):
        assert processid == "999"
        return process

    monkeypatch.setattr(remote_cells.listing, "find", find)

    async def scenario(cells, colony):
        await use(cells, colony)
        place = await use(cells, colony, attach="999")
        assert place.kernel.processid == "9" * 64
        assert kernels[0].ended == "detached"
        assert cells.latest is place

    cells(scenario)


@pytest.mark.parametrize(("running", "ended"), [([], "shut down"), (["1"], "detached")])
def test_a_start_that_fails_leaves_nothing_behind(kernels, running, ended):
    async def scenario(cells, colony):
        colony.running = [carrier(number) for number in running]
        Kernel.fails = KernelGone("The executor does not answer.")
        with pytest.raises(KernelGone, match="does not answer"):
            await use(cells, colony)
        assert kernels[0].ended == ended
        assert cells.latest is None
        Kernel.fails = None
        assert (await use(cells, colony)).kernel is kernels[1]

    cells(scenario)


@pytest.mark.parametrize(
    ("executorid", "is_trusted"),
    [(NODE, True), (OURS, True), (STRANGER, False)],
)
def test_output_is_trusted_by_the_executors_id_and_not_by_its_name(monkeypatch, executorid, is_trusted):
    monkeypatch.setattr(remote_cells, "trusted_ids", lambda executortype: [NODE] if executortype == "hpc" else [])
    # An executor may claim any name, also that of one that runs here.
    here = [SimpleNamespace(name="node-1", executorid=OURS), SimpleNamespace(name=None, executorid=None)]
    monkeypatch.setattr(remote_cells.registry, "running", lambda: here)

    async def scenario(cells, colony):
        place = await use(cells, colony)
        place.kernel.executorid = executorid  # as when its process was assigned anew
        assert place.is_trusted is is_trusted
        assert place.kernel.target.trusted == [NODE]

    cells(scenario)


def test_on_an_embedded_colony_all_output_is_trusted():
    async def scenario(cells, colony):
        colony.settings.is_embedded = True
        place = await use(cells, colony)
        place.kernel.executorid = STRANGER
        assert place.is_trusted

    cells(scenario)


def test_messages_outside_of_cells_are_passed_on_unless_they_move_variables():
    async def scenario(cells, colony):
        heard = []
        place = await use(cells, colony)
        place.kernel.on_message(message("stream", text="early"))
        cells.on_message = lambda place, message: heard.append((place, message.msg_type))
        place.values.hear = lambda message: message.content.get("comm_id") == "values"
        place.kernel.on_message(message("comm_msg", comm_id="values"))
        place.kernel.on_message(message("comm_msg", comm_id="widget"))
        assert heard == [(place, "comm_msg")]

    cells(scenario)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            {"status": "error", "ename": "NameError", "evalue": "x", "traceback": ["line 1", "line 2"]},
            ("NameError", ["line 1", "line 2"]),
        ),
        ({"status": "aborted"}, ("aborted", [])),
    ],
)
def test_a_cell_that_fails_there_fails_here(reply, expected):
    async def scenario(cells, colony):
        place, shown = await use(cells, colony), []
        place.kernel.replies = [{"status": "ok"}, reply]
        await cells.run(place, "1", shown.append, None)
        assert [each.content["text"] for each in shown] == ["out"]
        with pytest.raises(RemoteCellFailed, match="node-1") as caught:
            await cells.run(place, "x", shown.append, None)
        assert expected[0] in str(caught.value)
        assert list(caught.value.traceback) == expected[1]

    cells(scenario)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"status": "ok", "matches": ["import_", "imp"], "cursor_start": 0, "cursor_end": 3}, (["import_", "imp"], 3)),
        ({"status": "ok", "matches": [1], "cursor_start": 0, "cursor_end": 99}, (["1"], 3)),
        ({"status": "ok", "matches": ["x"], "cursor_start": 9, "cursor_end": 3}, (["x"], 0)),
        ({"status": "ok"}, ([], 0)),
        ({"status": "aborted"}, ([], 0)),
        ({"status": "error", "ename": "E", "evalue": "", "traceback": []}, ([], 0)),
    ],
)
def test_completion_asks_the_kernel(reply, expected):
    async def scenario(cells, colony):
        place = await use(cells, colony)
        place.kernel.replies = [reply]
        assert await cells.complete("imp", 3) == expected
        assert place.kernel.requests == [("complete_request", {"code": "imp", "cursor_pos": 3})]

    cells(scenario)


NOT_FOUND = {"status": "ok", "found": False, "data": {}, "metadata": {}}
DESCRIBED = {"status": "ok", "found": True, "data": {"text/plain": "int", "text/html": "<b>int</b>"}, "metadata": {}}


@pytest.mark.parametrize(
    ("executorid", "reply", "expected"),
    [
        (OURS, DESCRIBED, DESCRIBED),
        (STRANGER, DESCRIBED, {**DESCRIBED, "data": {"text/plain": "int"}}),
        (STRANGER, {"status": "aborted"}, NOT_FOUND),
        (STRANGER, {"status": "ok", "found": False}, {"status": "ok", "found": False, "data": {}}),
    ],
)
def test_an_object_is_described_by_the_kernel_and_in_text_if_that_is_not_trusted(
    monkeypatch, executorid, reply, expected
):
    monkeypatch.setattr(remote_cells.registry, "running", lambda: [SimpleNamespace(name="node-1", executorid=OURS)])

    async def scenario(cells, colony):
        assert await cells.inspect("n", 1, 0) == NOT_FOUND  # no kernel yet
        place = await use(cells, colony)
        place.kernel.executorid = executorid
        place.kernel.replies = [reply]
        assert await cells.inspect("n", 1, 0) == expected
        assert await cells.inspect("n", 1, 0) == NOT_FOUND  # no answer

    cells(scenario)


def test_a_kernel_that_does_not_answer_offers_nothing():
    async def scenario(cells, colony):
        await use(cells, colony)
        begun = asyncio.get_running_loop().time()
        assert await cells.complete("imp", 3) == ([], 0)
        assert asyncio.get_running_loop().time() - begun < 10

    cells(scenario)


def test_a_kernel_is_stopped_through_its_connection_or_by_cancelling_its_process(kernels, monkeypatch):
    process = carrier("1")

    async def find(colony, processid):
        return process

    monkeypatch.setattr(remote_cells.listing, "find", find)

    async def scenario(cells, colony):
        place = await use(cells, colony)
        assert place.kernel.processid == "1" * 64
        assert await cells.stop(colony, "1") == "The kernel of process 11111111 was ended."
        assert kernels[0].ended == "shut down"
        assert process.ended == []
        await cells.stop(colony, "1")
        assert process.ended == ["1"]

    cells(scenario)


def test_closing_leaves_all_kernels_although_one_cannot_be_left(kernels):
    async def scenario(cells, colony):
        await use(cells, colony, "hpc")
        await use(cells, colony, "gpu")

        async def refuse():
            raise ColonyError("no connection")

        kernels[0].detach = refuse
        await cells.aclose()
        assert kernels[1].ended == "detached"
        assert cells.latest is None

    cells(scenario)


async def test_the_table_of_kernels(monkeypatch):
    found: list[KernelRecord] = []

    async def kernels(colony):
        return Records(found, remote_cells.listing.kernel_row)

    monkeypatch.setattr(remote_cells.listing, "kernels", kernels)
    assert repr(await table(Colony())) == "No kernel runs."
    found.append(KernelRecord("ab" * 32, "ada", "node-1", "hpc", None, names.State("python3", 52_000_000, True, False)))
    text = repr(await table(Colony()))
    for word in ("abababab", "python3", "ada", "node-1", "52 MB"):
        assert word in text


def test_names_of_variables():
    assert check_names(["x", "$y"]) == ["x", "y"]
    with pytest.raises(UsageError, match=r"'a\.b' is no name of a variable"):
        check_names(["a.b"])
    assert lookup("x", {"x": None}) is None
    with pytest.raises(UsageError, match="There is no variable 'y' in this notebook"):
        lookup("y", {"x": 1})
