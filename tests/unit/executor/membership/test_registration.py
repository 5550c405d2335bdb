"""An executor becomes a member of its colony, which lists its functions."""

from __future__ import annotations

import dataclasses
import threading

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import ExecutorError
from colony_jupyter.executor.membership import registration
from colony_jupyter.executor.membership.registration import Registration


def records(colony, executortype):
    return [each for each in colony.executors() if each.executortype == executortype]


def test_the_owner_is_asked_and_waited_for(make_executor, colony, settings, capsys, until, monkeypatch):
    joins, join = [], Registration.join

    async def counted(self):
        joins.append(self)
        return await join(self)

    monkeypatch.setattr(registration, "_POLL", 0.05)
    monkeypatch.setattr(Registration, "join", counted)
    without = dataclasses.replace(settings, colony_prvkey=None)
    executor = make_executor("asking", "applicant", settings=without)
    executor.function("give")(lambda context: "in")
    starting = threading.Thread(target=executor.start)
    starting.start()
    said = until(lambda: capsys.readouterr().out)
    assert said.count("\n") == 1
    words = said.replace(",", " ").split()
    assert {"applicant", "asking"} <= set(words)
    executorid = words[words.index("id") + 1].rstrip(".")
    colony.add_executor("applicant", executorid, "asking")
    before = len(joins)
    until(lambda: len(joins) >= before + 3)  # of these, the second saw it pending, and did not suffice
    assert starting.is_alive()
    colony.approve_executor("applicant")
    starting.join(10)
    assert not starting.is_alive()
    assert colony.submit("give", executortype="asking").result(timeout=10) == "in"


def test_a_rejected_executor_raises_an_error_that_states_it(make_executor, colony):
    executor = make_executor("rejected", "unloved")
    executor.start()
    executor.stop()
    colony.reject_executor("unloved")
    with pytest.raises(ExecutorError, match="has rejected executor 'unloved'"):
        executor.start()
    assert not executor.is_running


def test_a_name_under_which_another_runs_is_refused(make_executor, tmp_path, monkeypatch):
    make_executor("taken", "unique").start()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another machine"))
    other = make_executor("taken else", "unique")
    with pytest.raises(ExecutorError, match="The name 'unique' is in use"):
        other.start()


def test_a_name_under_which_none_was_heard_for_long_is_taken_over(make_executor, colony, tmp_path, monkeypatch):
    former = make_executor("gone", "heir")
    former.start()
    former.stop()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another machine"))
    other = make_executor("gone too", "heir")
    with pytest.raises(ExecutorError, match="The name 'heir' is in use"):
        other.start()
    monkeypatch.setattr(registration, "_ALIVE", 0.0)
    other.start()
    (record,) = [each for each in colony.executors() if each.executorname == "heir"]
    assert record.executorid == other.executorid != former.executorid


def test_an_executor_that_is_one_already_is_not_added_again(make_executor, colony):
    """Adding it again would put what it runs back to waiting (trap 18)."""
    executor = make_executor("lasting")
    executor.start()
    before = records(colony, "lasting")
    executor.stop()
    executor.start()
    after = records(colony, "lasting")
    assert [each.commissiontime for each in before] == [each.commissiontime for each in after]


def test_the_functions_that_the_colony_lists(make_executor, colony, until):
    def listed():
        return sorted((each.funcname, each.description) for each in colony.functions(executor.name))

    executor = make_executor()

    @executor.function("first")
    def first(context):
        """Do the first thing.

        And more.
        """

    executor.start()
    assert listed() == [("first", "Do the first thing.")]
    executor.function("second")(lambda context: 2)
    until(lambda: [name for name, _ in listed()] == ["first", "second"])
    name = executor.name
    executor.stop()
    executor.start()
    assert executor.name == name
    assert [name for name, _ in listed()] == ["first", "second"]


def test_a_function_that_is_listed_twice_is_listed_once_after_the_next_start(make_executor, colony, settings):
    executor = make_executor()
    executor.function("give")(lambda context: 1)
    executor.start()
    ((first, *_),) = [[each.functionid] for each in colony.functions(executor.name)]
    with cj.Colony(settings, prvkey=executor.worker.identity.key) as itself:
        itself.add_function(executor.name, "give", executortype="task")
    assert len(colony.functions(executor.name)) == 2
    executor.stop()
    executor.start()
    assert [each.functionid for each in colony.functions(executor.name)] == [first]


def test_a_function_that_is_defined_again_replaces_it_at_once(make_executor, submit, colony):
    executor = make_executor()
    executor.function("give")(lambda context: "old")
    executor.start()
    assert submit("give").result(timeout=10) == "old"
    executor.function("give")(lambda context: "new")
    assert submit("give").result(timeout=10) == "new"
    assert len(colony.functions(executor.name)) == 1


def test_what_the_colony_lists_follows_what_is_defined_again(make_executor, submit, colony, until):
    def listed():
        return [
            (each.functionid, each.description, [(one.name, one.type, one.required) for one in each.args])
            for each in colony.functions(executor.name)
        ]

    executor = make_executor()

    def give(context, number: int):
        """Return a number."""
        return number

    executor.function("give")(give)
    executor.start()
    ((first, *description),) = listed()
    assert description == ["Return a number.", [("number", "int", True)]]
    executor.stop()
    executor.start()
    assert listed() == [(first, *description)]  # as it was: its counts go on

    @executor.function("give")
    def give_more(context, number: int = 2):
        """Return a number, or two."""
        return number

    until(
        lambda: (
            [description for _, *description in listed()] == [["Return a number, or two.", [("number", "int", False)]]]
        )
    )
    assert submit("give").result(timeout=10) == 2
