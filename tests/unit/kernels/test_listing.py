"""Kernels as rows of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from colony_jupyter.kernels.listing import KernelRecord, kernel_row
from colony_jupyter.kernels.names import State

STATE = State("python3", 52_000_000, attached=True, busy=False, host="n07")


def record(**fields):
    started = datetime.now(UTC) - timedelta(minutes=5)
    about = {"processid": "ab" * 32, "owner": "ada", "executorname": "node-1", "executortype": "hpc"}
    return KernelRecord(**{**about, "started": started, "state": STATE, **fields})


def test_a_kernel_that_runs_has_all_columns():
    assert kernel_row(record()) == {
        "process": "abababab",
        "kernel": "python3",
        "owner": "ada",
        "place": "n07 / node-1",
        "age": "5 min",
        "memory": "52 MB",
        "attached": "yes",
        "busy": "no",
    }


def test_a_kernel_that_waits_names_what_it_waits_for():
    row = kernel_row(record(executorname="", state=None))
    assert row["place"] == "(waits for type 'hpc')"
    assert row["memory"] == row["attached"] == row["busy"] == ""


@pytest.mark.parametrize("state", [None, msgspec.convert({**msgspec.to_builtins(STATE), "host": ""}, State)])
def test_the_place_is_the_executor_alone_while_its_machine_is_unknown(state):
    assert kernel_row(record(state=state))["place"] == "node-1"
