"""Which processes of a workflow failed by themselves, and in which words."""

from __future__ import annotations

import pytest

from colony_jupyter.client.workflows.failures import failed_along, failed_first, failure_clause
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState


def member(name, errors, state=ProcessState.FAILED):
    spec = FunctionSpec(funcname="work", nodename=name)
    return ProcessRecord(processid=name, processgraphid="w", state=state, errors=errors, spec=spec)


def test_those_without_errors_failed_along():
    members = [member("a", []), member("b", ["full"]), member("c", None), member("d", ["old"], ProcessState.SUCCESS)]
    assert [each.processid for each in failed_first(members)] == ["b", "c"]
    assert [each.processid for each in members if failed_along(each)] == ["a"]
    assert failure_clause(members) == "node 'b' (work) failed: full, and node 'c' (work) failed without a reason"


def test_a_process_outside_a_workflow_fails_by_itself():
    single = member("a", [])
    single.processgraphid = ""
    assert not failed_along(single)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("ValueError: full\nline 3", "ValueError: full"),
        ("Traceback (most recent call last):\n  File ...\nValueError: full\n", "ValueError: full"),
        ("", ""),
    ],
)
def test_a_clause_has_one_line_of_an_error(error, shown):
    assert failure_clause([member("a", [error])]) == f"node 'a' (work) failed: {shown}"
