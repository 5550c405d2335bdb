"""The board of a colony."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from colony_jupyter.notebook.formats.board_text import as_text
from colony_jupyter.notebook.model.top_board import Facts, TopModel, ago_text
from colony_jupyter.wire.models import (
    Conditions,
    ExecutorRecord,
    ExecutorState,
    Function,
    FunctionSpec,
    ProcessRecord,
    ProcessState,
    Statistics,
    Workflow,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


def ago(seconds):
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def process(number, state, submitted, executor=""):
    return ProcessRecord(
        processid=f"{number:064x}",
        state=state,
        submissiontime=ago(submitted),
        assignedexecutorid=executor,
        spec=FunctionSpec(funcname=f"f{number}", conditions=Conditions(executortype="cli")),
    )


def executor(name, heard=None, state=ExecutorState.APPROVED):
    times = {} if heard is None else {"lastheardfromtime": ago(heard)}
    return ExecutorRecord(
        executorid=name, executorname=name, executortype="cli", colonyname="dev", state=state, **times
    )


def board(facts, at=NOW, model=None):
    return (model or TopModel("colony dev")).board(facts, at)


def texts(section):
    return [[cell.x for cell in row.cells] for row in section.rows]


def test_executors_and_what_they_run():
    facts = Facts(
        Statistics(),
        executors=[
            executor("idle", 4),
            executor("gone", 900),
            executor("new", state=ExecutorState.PENDING),
            executor("busy", 8),
            executor("removed", 1, ExecutorState.REMOVED),
        ],
        functions=[Function(executorname="busy", funcname=name) for name in ("b", "a", "a", "c", "d", "e")],
        running=[process(1, RUNNING, 9, "busy"), process(2, RUNNING, 8, "busy")],
    )
    section = board(facts).sections[0]
    assert texts(section) == [
        ["busy", "cli", "a, b, c, d and 1 more", "8 s ago", "2"],
        ["idle", "cli", "", "4 s ago", ""],
        ["gone", "cli", "", "15 min ago", ""],
        ["new (pending)", "cli", "", "never", ""],
    ]
    assert [row.cells[3].state for row in section.rows] == ["", "", "FAILED", ""]


def test_a_member_of_a_workflow_cannot_be_cancelled_alone():
    member = process(1, WAITING, 3)
    member.processgraphid = "g"
    sections = board(Facts(Statistics(waitingprocesses=1), waiting=[member])).sections[1:]
    assert [row.cancel for section in sections for row in section.rows] == ["", ""]


def test_many_executors_are_counted():
    section = board(Facts(Statistics(), executors=[executor(f"e{number:02}") for number in range(13)])).sections[0]
    assert (len(section.rows), section.more) == (10, "3 more executors.")
    assert board(Facts(Statistics())).sections[0].more == "No executor is registered."


def test_longest_waiting_and_newest():
    facts = Facts(
        Statistics(waitingprocesses=7, runningprocesses=1),
        waiting=[process(number, WAITING, 100 - number) for number in range(7)],
        running=[process(8, RUNNING, 10)],
        closed=[process(9, FAILED, 5)],
    )
    longest, newest = board(facts).sections[1:]
    assert longest.name == "waiting longest"
    assert [row[1] for row in texts(longest)] == ["f0", "f1", "f2", "f3", "f4"]
    assert texts(longest)[0][3] == "1:40"
    assert [(row[1], row[2]) for row in texts(newest)][:3] == [("FAILED", "f9"), ("RUNNING", "f8"), ("WAITING", "f6")]
    assert [bool(row.cancel) for row in newest.rows] == [False, True, True, True, True]


def test_a_process_whose_time_cannot_be_read_is_not_among_the_longest():
    odd = process(1, WAITING, 10)
    odd.submissiontime = "soon"
    made = board(Facts(Statistics(waitingprocesses=2), waiting=[odd, process(2, WAITING, 20)]))
    (longest,) = [section for section in made.sections if section.name == "waiting longest"]
    assert [row[1] for row in texts(longest)] == ["f2"]


def test_rates_are_those_of_the_last_seconds():
    model = TopModel("colony dev")
    for second, success in ((0, 0), (2, 0), (4, 0), (12, 80), (14, 100)):
        statistics = Statistics(successfulprocesses=success, waitingprocesses=100 - success)
        drawn = board(Facts(statistics), NOW + timedelta(seconds=second), model)
    assert {each.state: each.rate for each in drawn.counts if each.rate} == {"SUCCESS": "10/s"}
    assert drawn.meta == ""
    later = board(Facts(Statistics(successfulprocesses=100, waitingprocesses=100)), NOW + timedelta(seconds=16), model)
    assert later.meta == "8.3/s submitted"
    # Processes that were removed are no rate.
    assert [each.rate for each in board(Facts(Statistics()), NOW + timedelta(seconds=18), model).counts] == [""] * 5


def test_workflows():
    flows = [
        Workflow(processgraphid=f"{number:064x}", state=RUNNING, submissiontime=ago(number), processids=["a", "b"])
        for number in range(7)
    ]
    section = board(Facts(Statistics(runningworkflows=7), workflows=flows)).sections[-1]
    assert texts(section)[1] == ["00000000", "RUNNING", "2", "1 s ago"]
    assert section.more == "2 more workflows."


def test_as_text_with_trouble():
    shown = as_text(board(Facts(Statistics(failedprocesses=1234), trouble="No answer.")))
    assert shown.startswith("colony dev\n0 WAITING  0 RUNNING  0 SUCCESS  1,234 FAILED  0 CANCELLED\n")
    assert shown.endswith("executors:\n  No executor is registered.\n\nNo answer.")


def test_times_ago():
    assert [ago_text(span) for span in (0, 89, 200, float("inf"))] == ["0 s ago", "89 s ago", "3 min ago", ""]
