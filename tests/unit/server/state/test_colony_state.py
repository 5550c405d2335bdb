"""One colony in memory: what its indexes find after each change."""

from __future__ import annotations

import pytest

from colony_jupyter.server.state.colony_state import ColonyState
from colony_jupyter.server.state.records import Executor, Process, Workflow
from colony_jupyter.wire.models import (
    Attribute,
    Colony,
    ExecutorRecord,
    ExecutorState,
    Function,
    ProcessState,
    User,
)

WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


class FakeArchive:
    """An archive in which the processes of a test are."""

    def __init__(self) -> None:
        self.processes = {}

    def get(self, processid):
        return self.processes.get(processid)


@pytest.fixture
def archive():
    return FakeArchive()


@pytest.fixture
def colony(archive):
    return ColonyState(Colony(colonyid="owner", name="dev"), archive)


@pytest.fixture
def process(make_spec):
    """Return a function that makes a process."""

    def make(processid, kind="x", *, order=1, priority=1, **members):
        given = {"processid": processid, "colonyname": "dev", "initiatorid": "ann", "initiatorname": "ann"}
        return Process(**{**given, **members}, spec=make_spec(kind), order=order, priority=priority, submitted=order)

    return make


def executor(name, executorid, state=ExecutorState.APPROVED):
    record = ExecutorRecord(executorid=executorid, executortype="x", executorname=name, colonyname="dev", state=state)
    return Executor(record=record, commissioned=1)


def workflow(processgraphid, submitted=1, **members):
    return Workflow(
        processgraphid=processgraphid,
        colonyname="dev",
        initiatorid="ann",
        initiatorname="ann",
        rootprocessids=[],
        processids=[],
        submitted=submitted,
        **members,
    )


def waiting(colony, kind="x"):
    return [each.processid for each in colony.waiting(kind)]


# Members


def test_a_user_is_a_member_under_each_of_its_names(colony):
    for name in ("ann", "ann2"):
        colony.add_user(User(colonyname="dev", userid="key", name=name))
    assert colony.user_by_id("key").name == "ann"
    colony.drop_user("ann")
    assert colony.user_by_id("key").name == "ann2"
    assert colony.is_member("key")
    colony.drop_user("ann2")
    assert not colony.is_member("key")
    assert colony.user_by_id("key") is None
    colony.drop_user("ann2")  # twice is once


def test_a_user_of_the_same_name_replaces_the_former_one(colony):
    colony.add_user(User(colonyname="dev", userid="old", name="ann"))
    colony.add_user(User(colonyname="dev", userid="new", name="ann"))
    assert (colony.is_user("old"), colony.is_user("new")) == (False, True)


@pytest.mark.parametrize("state", ExecutorState)
def test_only_an_approved_executor_is_a_member(colony, state):
    colony.add_executor(executor("one", "key", state))
    assert colony.is_member("key") is (state is ExecutorState.APPROVED)
    assert colony.is_member_in_any_state("key")
    assert not colony.is_member_in_any_state("stranger")


def test_of_several_executors_with_one_key_the_approved_one_is_found(colony):
    colony.add_executor(executor("pending", "key", ExecutorState.PENDING))
    assert colony.executor_by_id("key").record.executorname == "pending"
    assert colony.executor_by_id("key", approved=True) is None
    colony.add_executor(executor("approved", "key"))
    assert colony.executor_by_id("key").record.executorname == "approved"


def test_an_executor_of_the_same_name_replaces_the_former_one(colony):
    colony.add_executor(executor("one", "old"))
    colony.add_executor(executor("one", "new"))
    assert colony.executor_by_id("old") is None
    assert colony.executor_by_id("new") is colony.executors["one"]


# Functions


def test_a_function_is_there_until_its_last_record_is_dropped(colony):
    records = [Function(functionid=each, executorname="one", funcname="f") for each in ("1", "2")]
    for record in records:
        colony.put_function(record)
    assert list(colony.functions_named("one", "f")) == ["1", "2"]
    colony.drop_function(records[0])
    assert colony.has_function("one", "f")
    colony.drop_function(records[1])
    assert not colony.has_function("one", "f")
    assert not colony.has_function("other", "f")


# Workflows


def test_a_workflow_moves_from_the_open_ones_to_those_of_its_last_state(colony):
    flows = [workflow("late", 3), workflow("early", 1), workflow("open", 2)]
    for flow in flows:
        colony.add_workflow(flow)
    for flow in flows[:2]:
        colony.finish_workflow(flow, SUCCESS)
    assert [each.processgraphid for each in colony.open_workflows()] == ["open"]
    assert [name for _, name in colony.final_workflows(SUCCESS)] == ["early", "late"]
    colony.finish_workflow(flows[0], CANCELLED)
    assert [name for _, name in colony.final_workflows(SUCCESS)] == ["early"]
    for flow in flows:
        colony.drop_workflow(flow)
    assert not colony.workflows
    assert not list(colony.open_workflows())
    assert not any(colony.final_workflows(state) for state in ProcessState)


# Processes


def test_processes_wait_by_executor_type_in_the_order_of_their_priority(colony, process):
    colony.add_process(process("second", order=1))
    colony.add_process(process("third", order=2))
    colony.add_process(process("first", order=3, priority=0))
    colony.add_process(process("other", "y"))
    assert waiting(colony) == ["first", "second", "third"]
    assert waiting(colony, "y") == ["other"]
    assert waiting(colony, "none") == []


def test_a_process_that_waits_for_its_parents_is_not_given_to_an_executor(colony, process):
    held = process("p", waitforparents=True)
    colony.add_process(held)
    assert waiting(colony) == []
    assert list(colony.in_state(WAITING)) == [held]
    colony.release(held)
    assert waiting(colony) == ["p"]
    colony.hold(held)
    assert waiting(colony) == []


def test_a_process_is_counted_in_the_state_it_is_in(colony, process):
    moved = process("p")
    colony.add_process(moved)
    for state in (RUNNING, WAITING, RUNNING, FAILED):
        colony.move(moved, state)
        assert {each: colony.count(each) for each in ProcessState if colony.count(each)} == {state: 1}
        assert waiting(colony) == (["p"] if state is WAITING else [])


def test_a_process_is_found_by_its_attributes_until_it_is_dropped(colony, process):
    found = process("p", attributes=[Attribute(attributeid="first")])
    colony.add_process(found)
    colony.add_attribute(found, Attribute(attributeid="second"))
    assert colony.with_attribute("first") is colony.with_attribute("second") is found
    colony.drop_process(found)
    assert colony.with_attribute("first") is colony.with_attribute("second") is None
    assert (colony.count(WAITING), waiting(colony)) == (0, [])


def test_archived_processes_are_found_if_they_are_of_this_colony(colony, archive, process):
    archive.processes = {"ours": process("ours"), "theirs": process("theirs", colonyname="other")}
    assert colony.find("ours") is archive.processes["ours"]
    assert colony.find("theirs") is None
    assert colony.find("absent") is None


def test_archived_processes_are_counted_without_being_here(colony):
    colony.count_archived(SUCCESS, 3)
    colony.count_archived(SUCCESS, -1)
    assert colony.count(SUCCESS) == 2
    assert list(colony.in_state(SUCCESS)) == []


# On the way into the archive


def test_a_closed_process_is_here_until_it_has_been_written_and_is_counted_once(colony, process):
    closed = process("p", state=SUCCESS)
    colony.add_process(closed)
    colony.load(closed)
    assert colony.count(SUCCESS) == 1
    assert colony.unload(closed)
    assert "p" not in colony.processes
    assert colony.count(SUCCESS) == 1


def test_a_closed_process_that_is_changed_while_it_is_written_stays_for_the_second_write(colony, process):
    closed = process("p", state=SUCCESS)
    colony.add_process(closed)
    colony.load(closed)
    colony.load(closed)
    assert not colony.unload(closed)
    assert "p" in colony.processes
    assert colony.unload(closed)
    assert colony.count(SUCCESS) == 1


def test_a_process_that_is_changed_after_it_was_archived_comes_back_and_is_counted_once(colony, process):
    colony.count_archived(SUCCESS, 1)
    again = process("p", state=SUCCESS)
    colony.load(again)
    assert colony.count(SUCCESS) == 1
    assert colony.unload(again)
    assert colony.count(SUCCESS) == 1


def test_a_process_that_is_removed_while_it_is_written_is_not_archived(colony, process):
    closed = process("p", state=FAILED)
    colony.add_process(closed)
    colony.load(closed)
    colony.drop_process(closed)
    assert not colony.unload(closed)
    assert colony.count(FAILED) == 0
