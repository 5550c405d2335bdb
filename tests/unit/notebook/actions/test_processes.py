"""Processes as they are typed, listed and cancelled."""

from __future__ import annotations

import pytest

import colony_jupyter as cj
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.errors import ChannelNotFound, UsageError
from colony_jupyter.notebook.actions import processes
from colony_jupyter.notebook.actions.processes import Wanted
from colony_jupyter.settings import resolve
from colony_jupyter.wire.models import ExecutorRecord


@pytest.fixture
def submitted(colony):
    """Return a process that waits, with a channel."""
    process = colony.submit("f", executortype="absent-x", channels=["c"], label="mine")
    yield process
    if not process.state.is_closed:
        process.cancel()


def find(colony, word, names=None, known=()):
    return PORTAL.run(processes.find, colony.asynchronous, word, names or {}, known).processid


def test_a_process_is_found_by_variable_id_and_beginning(colony, submitted):
    pid = submitted.processid
    names = {"p": submitted, "text": pid.upper(), "record": submitted.asynchronous.record}
    for word in ("p", "$p", "text", "record", pid, pid.upper(), pid[:20]):
        assert find(colony, word, names) == pid


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("$none", "There is no variable 'none' in this notebook"),
        ("number", "The variable 'number' holds no process and no id, but a value of type int."),
        ("run", r"but a value of type WorkflowRun. `%colony workflow run` shows it; run\['NODE'\] is the process of a"),
        ("$abc", "The variable 'abc' holds no process"),
        ("proces", "'proces' is no process: .* Did you mean 'process'"),
        ("f" * 63, "No process is known whose id begins with"),
    ],
)
def test_what_is_no_process_is_refused_with_a_hint(colony, submitted, word, sentence):
    run = type("WorkflowRun", (), {})()  # as cj.WorkflowRun is named
    names = {"number": 3, "abc": 3, "process": submitted, "run": run}
    with pytest.raises(UsageError, match=sentence):
        find(colony, word, names)


def test_a_beginning_of_several_ids_is_refused(colony, submitted):
    pid = submitted.processid
    other = pid[:10] + ("0" if pid[10] != "0" else "1") + pid[11:]
    with pytest.raises(UsageError, match=r"2 processes' ids begin with .* type more of it"):
        find(colony, pid[:10], known=[other])


def listed(colony, **wanted):
    return repr(PORTAL.run(processes.recent, colony.asynchronous, Wanted(**wanted)))


def test_processes_are_listed_by_state_label_function_type_and_submitter(colony, submitted):
    short = submitted.processid[:8]
    for wanted in (
        {},
        {"state": "waiting"},
        {"label": "mine"},
        {"function": "f"},
        {"executortype": "absent-x"},
        {"mine": True},
    ):
        assert short in listed(colony, **wanted)
    for wanted in ({"state": "running"}, {"label": "other"}, {"function": "g"}, {"executortype": "other-x"}):
        assert short not in listed(colony, **wanted)
    with pytest.raises(UsageError, match="--count must be at least 1, not 0"):
        listed(colony, count=0)


def test_cancelling_twice_states_that_it_has_ended(colony, submitted):
    behind = submitted.asynchronous
    assert PORTAL.run(processes.cancel, behind) == f"f ({submitted.processid[:8]}) is cancelled."
    assert PORTAL.run(processes.cancel, behind).endswith("has ended already: CANCELLED.")


def test_an_entry_is_sent_and_listed(colony, submitted):
    behind = submitted.asynchronous
    sentence = PORTAL.run(processes.send, behind, "c", "hello")
    assert sentence.startswith(f"Sent on channel 'c' of f ({submitted.processid[:8]}), as entry ")
    assert "hello" in repr(PORTAL.run(processes.read, behind, "c"))
    for work in (lambda: PORTAL.run(processes.read, behind, "d"), lambda: PORTAL.run(processes.send, behind, "d", "x")):
        with pytest.raises(ChannelNotFound, match="'d'"):
            work()
    processes.check_plot(behind, "c")
    PORTAL.run(processes.cancel, behind)
    with pytest.raises(ChannelNotFound):
        PORTAL.run(processes.read, behind, "c")
    with pytest.raises(ChannelNotFound):
        processes.check_plot(behind, "c")


def test_details_show_the_function_and_the_state(colony, submitted):
    text = repr(PORTAL.run(processes.details, submitted.asynchronous))
    assert submitted.processid in text
    assert "WAITING" in text


def test_lists_of_executors_and_functions_of_an_empty_colony(colony_server):
    with cj.Colony(resolve(colony_server.environ())) as colony:
        assert "executor" in repr(PORTAL.run(processes.executors, colony.asynchronous)).casefold()
        assert "function" in repr(PORTAL.run(processes.functions, colony.asynchronous)).casefold()


async def test_names_of_executors_are_asked_for_until_they_are_known():
    class Asked:
        def __init__(self) -> None:
            self.ids = []

        async def get_executor_by_id(self, executorid):
            self.ids.append(executorid)
            if len(self.ids) == 1:
                raise cj.ColonyError("not now")
            return ExecutorRecord(executorid=executorid, executorname="laptop", executortype="t", colonyname="dev")

    names, colony = processes.ExecutorNames(), Asked()
    for _ in range(3):
        await names.find(colony, "e" * 64)
    assert names == {"e" * 64: "laptop"}
    assert colony.ids == ["e" * 64] * 2
