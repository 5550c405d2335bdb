"""Records: the order of waiting processes, and which executors a process is for."""

from __future__ import annotations

from colony_jupyter.server.state.records import Process
from colony_jupyter.wire.models import ProcessState


def process(make_spec, **members):
    given = {
        "processid": "p",
        "colonyname": "dev",
        "initiatorid": "i",
        "initiatorname": "ann",
        "spec": make_spec("gpu"),
    }
    return Process(**{**given, "order": 1, "priority": 10, "submitted": 5, **members})


def test_the_lower_priority_time_comes_first_and_the_earlier_submission_of_equal_ones(make_spec):
    first = process(make_spec, order=3, priority=9)
    second = process(make_spec, order=1)
    third = process(make_spec, order=2)
    assert sorted([third, first, second], key=lambda each: each.key) == [first, second, third]


def test_a_new_process_waits_has_no_executor_and_shares_no_list_with_another(make_spec):
    one, other = process(make_spec), process(make_spec)
    assert (one.state, one.executortype, one.assigned, one.executorid) == (ProcessState.WAITING, "gpu", False, "")
    one.children.append("child")
    assert other.children == []
