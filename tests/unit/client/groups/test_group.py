"""Groups of processes on an embedded colony."""

from __future__ import annotations

import time

import pytest

import colony_jupyter as cj
from colony_jupyter.client.blocking import group as blocking_group


@pytest.fixture
def colony(settings):
    with cj.Colony(settings) as colony:
        yield colony
    blocking_group._interrupted.clear()


@pytest.fixture
def executor(settings, ready):
    """An executor of the type workers."""
    executor = cj.Executor("workers", settings=settings, concurrency=8)
    luck: set[int] = set()

    @executor.function("scale")
    async def scale(context, value, factor=10):
        return value * factor

    @executor.function("score")
    async def score(context, rate, epochs):
        return {"loss": rate / epochs, "state": "fine"}

    @executor.function("unlucky")
    async def unlucky(context, value):
        if value % 3 == 0 and value not in luck:
            luck.add(value)
            raise ValueError(f"no luck with {value}")
        return value

    @executor.function("late")
    def late(context, value):
        ready.wait(60)
        return value

    executor.start()
    yield executor
    ready.set()
    executor.stop()


def test_results_come_in_the_order_of_the_values(executor, colony):
    group = colony.map("scale", range(30), kwargs={"factor": 2}, executortype="workers")
    assert group.results(timeout=30) == [2 * value for value in range(30)]
    assert len(group) == 30
    assert group.counts() == {"SUCCESS": 30}
    assert repr(group) == "<ProcessGroup scale: 30 processes, 30 SUCCESS>"
    assert group[3].spec.args == [3]
    assert [process.result() for process in group][:3] == [0, 2, 4]
    assert {process.spec.label for process in group} == {group.label}
    assert colony.processes("success", label=group.label)[0] in list(group)


def test_the_type_of_executor_is_found_as_for_submit(executor, colony):
    assert colony.map("scale", [1, 2], [3, 4]).results(timeout=30) == [3, 8]
    with pytest.raises(cj.UsageError, match="No executor offers a function 'scal'"):
        colony.map("scal", [1])


def test_no_values_make_an_empty_group(colony):
    group = colony.map("scale", [], executortype="workers")
    assert (len(group), group.results(), list(group.as_completed()), group.to_dicts()) == (0, [], [], [])
    assert repr(group) == "<ProcessGroup scale: 0 processes>"


def test_a_table_has_the_arguments_and_the_outputs(executor, colony):
    pandas = pytest.importorskip("pandas")
    group = colony.map("score", {"rate": [0.1, 0.2], "epochs": [1, 2]}, executortype="workers", label="grid")
    group.results(timeout=30)
    assert group.label == "grid"
    first = group.to_dicts()[0]
    assert first.pop("seconds") >= 0
    assert first == {
        "rate": 0.1,
        "epochs": 1,
        "loss": 0.1,
        "output_state": "fine",
        "state": "SUCCESS",
        "errors": [],
        "processid": group[0].processid,
    }
    table = group.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert list(table["loss"]) == [0.1, 0.05, 0.2, 0.1]
    polars = pytest.importorskip("polars")
    assert isinstance(group.to_polars(), polars.DataFrame)


def test_arguments_named_as_a_column_keep_their_own(colony):
    group = colony.map("nothing", {"state": [1], "output": [2]}, executortype="absent")
    (row,) = group.to_dicts()
    assert (row["arg_state"], row["arg_output"], row["state"], row["output"]) == (1, 2, "WAITING", None)
    group.cancel()


def test_failures_are_raised_together_and_submitted_again(executor, colony):
    group = colony.map("unlucky", range(1, 13), executortype="workers")
    with pytest.raises(cj.GroupFailed) as raised:
        group.results(timeout=30)
    error = raised.value
    assert (len(error.failures), error.count) == (4, 12)
    shown = str(error)
    assert shown.startswith("4 of 12 processes ended without success:\n  unlucky (")
    assert "no luck with 3" in shown
    assert "  and 1 more" in shown
    mixed = group.results(errors="return")
    assert [each for each in mixed if isinstance(each, int)] == [1, 2, 4, 5, 7, 8, 10, 11]
    assert isinstance(mixed[2], cj.ProcessFailed)
    assert group.retry_failed() is group
    assert group.results(timeout=30) == list(range(1, 13))


def test_no_executor_waits_for_a_reader(executor, colony):
    begun = time.monotonic()
    group = colony.map("scale", range(20), channels=["out", "sync"], executortype="workers")
    assert group.results(timeout=30) == [10 * value for value in range(20)]
    assert time.monotonic() - begun < 10


def test_what_is_retried_while_processes_are_awaited_comes_again(executor, colony):
    group = colony.map("unlucky", [3, 1, 6, 2], executortype="workers")
    group_states = []
    for process in group.as_completed(timeout=30):
        group_states.append((process.spec.args[0], process.state.name))
        if process.state.name == "FAILED":
            group.retry_failed()
    assert {value for value, state in group_states if state == "SUCCESS"} == {1, 2, 3, 6}


def test_an_unknown_way_to_treat_errors_is_refused(executor, colony):
    group = colony.map("scale", [1], executortype="workers")
    with pytest.raises(cj.UsageError, match="errors is 'ignore': it must be 'raise' or 'return'"):
        group.results(timeout=30, errors="ignore")
    with pytest.raises(cj.UsageError, match="errors is 'ignore': it must be 'raise' or 'yield'"):
        group[0].channel("x").stream(errors="ignore")


def test_a_failure_among_the_results_shows_its_reason(executor, colony):
    (failure,) = colony.map("scale", ["x"], kwargs={"bad": 1}, executortype="workers").results(
        timeout=30, errors="return"
    )
    assert repr(failure).startswith('ProcessFailed("scale (')
    assert "unexpected keyword argument 'bad'" in repr(failure)


def test_the_value_that_is_refused_is_named(colony):
    with pytest.raises(cj.InvalidSpec, match=r"args\[0\] is an object") as refused:
        colony.map("scale", [1, 2, object()], executortype="workers")
    assert refused.value.__notes__ == ["It is call 3 of 3; nothing was submitted."]


def test_a_wait_names_what_is_waited_for(colony):
    group = colony.map("scale", [1, 2], executortype="absent")
    with pytest.raises(cj.WaitTimeout, match=r"They are: 2 WAITING\. Waiting for an executor of type 'absent'"):
        group.results(timeout=0.2)
    group.cancel()
    assert group.counts() == {"CANCELLED": 2}
    with pytest.raises(cj.GroupFailed, match="was cancelled"):
        group.results()


async def test_the_asynchronous_group_does_the_same(executor, settings):
    async with cj.AsyncColony(settings) as colony:
        group = await colony.map("scale", range(5), executortype="workers")
        completed = [await process.result() async for process in group.as_completed(timeout=30)]
        assert sorted(completed) == await group.results() == [0, 10, 20, 30, 40]
        assert [row["output"] for row in group.to_dicts()] == [0, 10, 20, 30, 40]
        assert repr(group).startswith("<AsyncProcessGroup scale: 5 processes")
        assert group[1:3] == [group[1], group[2]]


def test_a_group_is_a_sequence_of_processes(executor, colony):
    group = colony.map("scale", range(3), executortype="workers")
    assert list(group) == [group[0], group[1], group[-1]] == group[:]
    assert group[1:] == [group[1], group[2]]
    assert group[5:] == []
    with pytest.raises(IndexError):
        group[3]
    single = colony.map("scale", [1], executortype="workers")
    assert single.results(timeout=30) == [10]
    assert repr(single) == "<ProcessGroup scale: 1 process, 1 SUCCESS>"


def test_nothing_is_asked_while_nothing_waits(executor, colony, ready):
    group = colony.map("late", range(3), executortype="workers")
    assert not group.asynchronous.watch._task
    with pytest.raises(cj.WaitTimeout):
        group.results(timeout=0.1)
    assert not group.asynchronous.watch._task
    ready.set()
    group.results(timeout=30)


def test_a_value_that_cannot_be_sent_is_refused_before_anything_is_submitted(colony):
    with pytest.raises(cj.InvalidSpec):
        colony.map("scale", [1, 2, object()], executortype="refused-type", label="refused")
    assert colony.processes("waiting", label="refused") == []
