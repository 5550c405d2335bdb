"""Lists that convert to tables, and what becomes a column."""

from __future__ import annotations

import pickle
import sys
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import entry_row, executor_row, function_row, log_row, process_row, workflow_row
from colony_jupyter.wire.models import (
    Entry,
    ExecutorRecord,
    Function,
    FunctionArgument,
    FunctionSpec,
    Log,
    ProcessRecord,
    ProcessState,
    Workflow,
)

TIME = "2026-11-27T08:00:00.25Z"
MOMENT = datetime(2026, 11, 27, 8, 0, 0, 250_000, UTC)


def entry(payload: bytes, sequence: int = 1, **fields) -> Entry:
    return Entry(sequence=sequence, timestamp=TIME, senderid="a" * 64, payload=payload, **fields)


def test_json_objects_become_columns_and_times_become_datetimes():
    metrics = Records([entry(b'{"step": 1, "loss": 0.5}'), entry(b'{"step": 2, "loss": 0.25}', 2)], entry_row)
    frame = metrics.to_pandas()
    assert list(frame["loss"]) == [0.5, 0.25]
    assert list(frame["step"]) == [1, 2]
    assert str(frame["timestamp"].dtype).startswith("datetime64")
    assert frame["timestamp"][0] == MOMENT
    assert metrics.to_polars()["loss"].to_list() == [0.5, 0.25]
    assert metrics.to_polars()["timestamp"][0] == MOMENT


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"3.5", 3.5),
        (b"7", 7),
        (b"text", "text"),
        (b"", ""),
        (b"true", "true"),
        (b'["a"]', '["a"]'),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_payload_that_is_no_object_is_one_column(payload, value):
    assert entry_row(entry(payload))["payload"] == value


def test_a_key_that_is_the_name_of_a_column_is_renamed():
    row = entry_row(entry(b'{"type": "x", "loss": 1}', type="metric"))
    assert (row["type"], row["payload_type"], row["loss"]) == ("metric", "x", 1)


def test_what_a_colony_lists_has_its_wire_names_as_columns():
    process = ProcessRecord(
        processid="p" * 64,
        state=ProcessState.SUCCESS,
        submissiontime=TIME,
        spec=FunctionSpec(funcname="train", args=[0.1]),
        output=[{"loss": 1}],
        errors=None,
    )
    row = process_row(process)
    assert (row["funcname"], row["state"], row["submissiontime"], row["endtime"]) == ("train", "SUCCESS", MOMENT, None)
    assert (row["args"], row["output"], row["errors"]) == ([0.1], [{"loss": 1}], [])
    executor = ExecutorRecord(executorid="e", executortype="t", executorname="n", colonyname="c", commissiontime="odd")
    assert executor_row(executor)["commissiontime"] is None
    function = Function(funcname="f", args=[FunctionArgument(name="x")], avgexectime=0.5)
    assert (function_row(function)["args"], function_row(function)["avgexectime"]) == (["x"], 0.5)
    assert workflow_row(Workflow(processgraphid="g", processids=["a"]))["processids"] == ["a"]
    line = Log(processid="p", colonyname="c", executorname="e", message="m", timestamp=int(MOMENT.timestamp() * 1e9))
    assert log_row(line)["timestamp"] == MOMENT


def test_columns_of_several_types_become_json_text_in_polars_only():
    rows = Records([{"args": [1, "a"]}, {"args": [{"b": None}]}], dict)
    assert rows.to_polars()["args"].to_list() == ['[1,"a"]', '[{"b":null}]']
    assert list(rows.to_pandas()["args"]) == [[1, "a"], [{"b": None}]]


def test_no_rows():
    assert Records((), dict).to_dicts() == []
    assert isinstance(Records((), dict).to_pandas(), pd.DataFrame)
    assert isinstance(Records((), dict).to_polars(), pl.DataFrame)


def test_it_is_a_list():
    rows = Records([{"a": 1}, {"a": 2}], dict)
    assert rows == [{"a": 1}, {"a": 2}]
    assert rows[1:].to_dicts() == [{"a": 2}]
    assert rows[0] == {"a": 1}
    assert pickle.loads(pickle.dumps(rows)).to_dicts() == rows.to_dicts()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_library_that_is_missing_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=rf"{name} is not installed: `pip install {name}`, or use to_dicts\(\)"):
        getattr(Records([{"a": 1}], dict), f"to_{name}")()
