"""Every type of docs/values.md goes through the embedded colony, as an argument, an output and a payload."""

from __future__ import annotations

import numpy as np
from value_cases import check_round_trips, offer_values

from colony_jupyter.values.datatable import DataTable


def test_every_documented_type_goes_both_ways(make_executor, submit):
    executor = make_executor()
    offer_values(executor)
    executor.start()
    check_round_trips(submit)


def test_an_array_alone_is_one_output(make_executor, submit):
    executor = make_executor()
    executor.function("task")(lambda context: np.arange(3))
    executor.start()
    process = submit("task")
    assert process.result(timeout=10) == [0, 1, 2]
    assert process.output == [[0, 1, 2]]


def test_a_payload_holds_integers_of_any_size(make_executor, submit):
    executor = make_executor()

    @executor.function("task")
    def task(context):
        context.channel("out").send({"id": 2**70, "rows": np.array([2**60])})

    executor.start()
    (entry,) = list(submit("task", channels=["out", "sync"]).channel("out"))
    assert entry.payload == b'{"id":%d,"rows":[%d]}' % (2**70, 2**60)
    assert not isinstance(entry.json(), DataTable)
