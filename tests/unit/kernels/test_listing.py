"""Kernels as rows of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.kernels.listing import KernelRecord, find, kernel_row, kernels
from colony_jupyter.kernels.names import State
from colony_jupyter.wire.models import Conditions, FunctionSpec, ProcessRecord, ProcessState

STATE = State("python3", 52_000_000, attached=True, busy=False, host="n07")


def record(**fields):
    started = datetime.now(UTC) - timedelta(minutes=5)
    about = {"processid": "ab" * 32, "owner": "ada", "executorname": "node-1", "executortype": "hpc"}
    return KernelRecord(**{**about, "started": started, "state": STATE, **fields})


def test_a_kernel_that_runs_has_all_columns():
    assert kernel_row(record()) == {
        "process": "abababab",
        "kernel": "python3",
        "owner": "ada",
        "place": "n07 / node-1",
        "age": "5 min",
        "memory": "52 MB",
        "attached": "yes",
        "busy": "no",
    }


def test_a_kernel_that_waits_names_what_it_waits_for():
    row = kernel_row(record(executorname="", state=None))
    assert row["place"] == "(waits for type 'hpc')"
    assert row["memory"] == row["attached"] == row["busy"] == ""


@pytest.mark.parametrize("state", [None, msgspec.convert({**msgspec.to_builtins(STATE), "host": ""}, State)])
def test_the_place_is_the_executor_alone_while_its_machine_is_unknown(state):
    assert kernel_row(record(state=state))["place"] == "node-1"


class Colony:
    """Two kernels that run, and one that waits."""

    def __init__(self) -> None:
        self.records = [
            self._record("ab" * 32, ProcessState.RUNNING, [msgspec.to_builtins(STATE)]),
            self._record("ab" * 31 + "cd", ProcessState.RUNNING, ["an output of another version"]),
            self._record("ef" * 32, ProcessState.WAITING, None),
        ]

    def _record(self, processid, state, output):
        spec = FunctionSpec(conditions=Conditions(executortype="hpc"))
        executorid = "1" * 64 if state is ProcessState.RUNNING else ""
        return ProcessRecord(
            processid=processid,
            initiatorid="2" * 64,
            assignedexecutorid=executorid,
            state=state,
            spec=spec,
            output=output,
        )

    async def executors(self):
        return [SimpleNamespace(executorid="1" * 64, executorname="node-1")]

    async def processes(self, state, *, label):
        assert label == "jupyter-kernel"
        return [SimpleNamespace(record=each) for each in self.records if each.state is state]

    async def get_process(self, processid):
        return processid


async def test_kernels_are_listed_as_their_processes_show_them():
    colony: Any = Colony()
    one, two, three = await kernels(colony)
    assert (one.executorname, one.owner, one.state) == ("node-1", "22222222", STATE)
    assert (two.executorname, two.state) == ("node-1", None)
    assert (three.executorname, three.executortype, three.state) == ("", "hpc", None)


@pytest.mark.parametrize(("beginning", "found"), [("ef", "ef" * 32), ("ab" * 31 + "c", "ab" * 31 + "cd")])
async def test_a_kernel_is_found_by_the_beginning_of_its_id(beginning, found):
    colony: Any = Colony()
    assert await find(colony, beginning) == found


@pytest.mark.parametrize(("beginning", "count"), [("ab", "2 kernels"), ("12", "no kernel")])
async def test_what_names_no_kernel_or_several_is_refused(beginning, count):
    colony: Any = Colony()
    with pytest.raises(UsageError) as raised:
        await find(colony, beginning)
    assert str(raised.value) == f"'{beginning}' names {count}. Kernels that run: abababab, abababab, efefefef."
