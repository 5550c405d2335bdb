"""Fields of a process record as properties, and states by name or number."""

from __future__ import annotations

import pytest

from colony_jupyter.client.process_facts import ProcessFacts, as_state, handles, output_value
from colony_jupyter.errors import UsageError
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState


class Handle(ProcessFacts):
    def __init__(self, processid, record=None) -> None:
        self.processid = processid
        self._record = record

    @property
    def record(self):
        if self._record is None:
            raise UsageError("not known yet")
        return self._record


def record(**more):
    return ProcessRecord(processid="p" * 64, state=ProcessState.SUCCESS, spec=FunctionSpec(funcname="f"), **more)


def test_fields_are_those_of_the_record():
    made = record(output=[1], errors=None, retries=2, initiatorid="i", parents=["a"], starttime="t")
    handle = Handle("p" * 64, made)
    assert (handle.state, handle.funcname, handle.output, handle.errors) == (ProcessState.SUCCESS, "f", [1], [])
    assert (handle.retries, handle.initiatorid, handle.parents, handle.starttime) == (2, "i", ["a"], "t")
    assert handle.spec is made.spec
    assert str(handle) == "p" * 64
    assert repr(handle) == "<Handle f pppppppp SUCCESS>"
    assert repr(Handle("q" * 64)) == "<Handle qqqqqqqq>"


def test_a_figure_and_a_table_arrive_as_such_beside_each_other():
    table = {"colony_jupyter.table": 1, "kind": "series", "columns": [{"name": "x", "dtype": "int64", "values": [1]}]}
    found = output_value(record(output=[{"image/png": "AAAA"}, table, 3]))
    assert found == [{"image/png": "AAAA"}, table, 3]
    assert repr(found) == "[<MimeBundle: image/png>, <DataTable of 1 row: x>, 3]"


def test_handles_of_one_process_are_equal():
    assert Handle("a") == Handle("a", record())
    assert Handle("a") != Handle("b")
    assert Handle("a") != "a"
    assert len({Handle("a"), Handle("a"), Handle("b")}) == 2


def test_a_list_of_handles_converts_to_a_table():
    (row,) = handles([Handle("p" * 64, record())]).to_dicts()
    assert row["processid"] == "p" * 64


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ("running", ProcessState.RUNNING),
        ("FAILED", ProcessState.FAILED),
        (2, ProcessState.SUCCESS),
        (ProcessState.CANCELLED, ProcessState.CANCELLED),
    ],
)
def test_a_state(given, state):
    assert as_state(given) is state


@pytest.mark.parametrize("given", ["runing", 9, -1, ""])
def test_no_state(given):
    with pytest.raises(UsageError, match=r"is not the state of a process\. The states are: waiting \(0\), running"):
        as_state(given)


def test_times_places_and_outcomes_are_those_of_the_record():
    made = record(
        input=[1],
        errors=["text"],
        initiatorname="alice",
        assignedexecutorid="e",
        isassigned=True,
        submissiontime="s",
        endtime="e",
        waitdeadline="w",
        execdeadline="x",
        prioritytime=7,
        attributes=[{"key": "k"}],
        waitforparents=True,
    )
    handle = Handle("p" * 64, made)
    assert (handle.input, handle.errors, handle.attributes) == ([1], ["text"], [{"key": "k"}])
    assert (handle.initiatorname, handle.assignedexecutorid, handle.isassigned) == ("alice", "e", True)
    assert (handle.submissiontime, handle.endtime, handle.waitdeadline, handle.execdeadline) == ("s", "e", "w", "x")
    assert (handle.prioritytime, handle.waitforparents) == (7, True)
