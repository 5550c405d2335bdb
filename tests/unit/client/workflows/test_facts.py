"""What a run of a workflow shows of itself."""

from __future__ import annotations

import pytest

from colony_jupyter.client.process_facts import ProcessFacts, handles
from colony_jupyter.client.workflows.facts import RunFacts
from colony_jupyter.errors import UsageError, WorkflowCancelled, WorkflowFailed
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState, Workflow

RUNNING, SUCCESS, FAILED, CANCELLED = list(ProcessState)[1:]


class Member(ProcessFacts):
    def __init__(self, record) -> None:
        self.processid, self._record = record.processid, record

    @property
    def record(self):
        return self._record


class Run(RunFacts[Member]):
    def __init__(self, state, *members) -> None:
        self._record = Workflow(processgraphid="f" * 64, state=state)
        self._members = members

    @property
    def record(self):
        return self._record

    @property
    def members(self):
        return handles(map(Member, self._members))


def member(number, nodename="", state=SUCCESS, errors=None):
    spec = FunctionSpec(nodename=nodename, funcname="gen")
    return ProcessRecord(processid=f"{number}" * 64, processgraphid="f" * 64, spec=spec, state=state, errors=errors)


def test_it_is_a_mapping_of_names_of_nodes():
    run = Run(RUNNING, member(1, "first"), member(2, "second", RUNNING))
    assert (list(run), run.nodes, len(run)) == (["first", "second"], ["first", "second"], 2)
    assert run["second"].state is RUNNING
    assert "first" in run
    assert "third" not in run
    with pytest.raises(UsageError, match=r"has no node 'third'\. It has: first, second\."):
        run["third"]


def test_a_process_without_a_node_goes_by_its_function_and_a_name_given_twice_by_its_id_too():
    run = Run(RUNNING, member(1), member(2), member(3, "gen"))
    assert run.nodes == ["gen", "gen 22222222", "gen 33333333"]
    assert run["gen 22222222"].processid == "2" * 64


def test_its_text_is_its_id_and_its_repr_counts_the_states():
    run = Run(RUNNING, member(1, "a"), member(2, "b"), member(3, "c", RUNNING))
    assert str(run) == run.processgraphid == "f" * 64
    assert repr(run) == "<Run ffffffff RUNNING: 1 RUNNING, 2 SUCCESS>"


def test_rows_have_the_node_and_how_it_ended():
    rows = Run(FAILED, member(1, "a"), member(2, "b", FAILED, ["no luck"])).to_dicts()
    assert [(row["nodename"], row["state"]) for row in rows] == [("a", "SUCCESS"), ("b", "FAILED")]
    assert rows[1]["errors"] == ["no luck"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_rows_are_a_table(library):
    pytest.importorskip(library)
    run = Run(SUCCESS, member(1, "a"), member(2, "b"))
    table = getattr(run, f"to_{library}")()
    assert list(table["nodename"]) == ["a", "b"]


@pytest.mark.parametrize("state", [ProcessState.WAITING, RUNNING, SUCCESS])
def test_nothing_is_raised_unless_it_failed_or_was_cancelled(state):
    Run(state, member(1, "a")).raise_unless_successful()


def test_a_failure_names_the_node_that_failed_first_and_a_cancellation_itself():
    run = Run(FAILED, member(1, "a", FAILED, ["no luck"]), member(2, "b", FAILED, []))
    assert run.failure == "node 'a' (gen) failed: no luck"
    with pytest.raises(WorkflowFailed, match=r"node 'a' \(gen\) failed: no luck"):
        run.raise_unless_successful()
    with pytest.raises(WorkflowCancelled):
        Run(CANCELLED, member(1, "a", CANCELLED)).raise_unless_successful()


def test_without_a_failure_the_clause_is_empty():
    assert Run(SUCCESS, member(1, "a")).failure == ""
