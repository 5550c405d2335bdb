"""Lists that convert to tables, and what becomes a column."""

from __future__ import annotations

import json
import math
import pickle
import sys
from datetime import UTC, datetime

import msgspec
import pandas as pd
import polars as pl
import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import (
    entry_records,
    entry_row,
    executor_records,
    executor_row,
    function_records,
    function_row,
    group_row,
    log_records,
    log_row,
    process_records,
    process_row,
    workflow_records,
    workflow_row,
)
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
        (b"9007199254740993", 9007199254740993),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_payload_that_is_no_object_is_one_column(payload, value):
    assert entry_row(entry(payload))["payload"] == value


def test_nan_as_pythons_own_encoder_writes_it_is_a_number():
    payload = json.dumps({"loss": math.nan, "best": -math.inf, "step": 3}).encode()
    assert entry_records([entry(payload)]).to_pandas()["step"].to_list() == [3]
    row = entry_row(entry(payload))
    assert math.isnan(row["loss"])
    assert row["best"] == -math.inf
    assert entry_row(entry(b"{NaN}"))["payload"] == "{NaN}"


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


def test_a_process_of_a_group_has_its_arguments_its_output_and_how_long_it_ran():
    record = ProcessRecord(
        processid="p", state=ProcessState.SUCCESS, starttime=TIME, endtime="2026-11-27T08:00:02.25Z", errors=None
    )
    facts = {"state": "SUCCESS", "seconds": 2.0, "errors": [], "processid": "p"}
    assert group_row({"rate": 0.1}, record, 3, "SUCCESS") == {"rate": 0.1, "output": 3, **facts}
    row = group_row({"rate": 0.1, "state": "x"}, record, {"loss": 1, "rate": 2}, "SUCCESS")
    assert row == {"rate": 0.1, "arg_state": "x", "loss": 1, "output_rate": 2, **facts}
    running = msgspec.structs.replace(record, state=ProcessState.RUNNING)
    assert group_row({}, running, None, "RUNNING")["seconds"] is None


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([[1, "a"], [{"b": None}]], ['[1,"a"]', '[{"b":null}]']),
        ([{"b": 1}, {"c": 2}, 3], ['{"b":1}', '{"c":2}', "3"]),
        ([{"b": 1}, {"c": "x"}], [{"b": 1, "c": None}, {"b": None, "c": "x"}]),
        ([{"b": 1}, {"b": "x"}], ['{"b":1}', '{"b":"x"}']),
        ([[1], [2.5], None], [[1.0], [2.5], None]),
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([True, 1], ["true", "1"]),
        (["a", 1, b"\xffb", None], ["a", "1", r"\xffb", None]),
        ([b"\xff", None], [b"\xff", None]),
        ([2**70, 1], [2**70, 1]),
        ([2**200, 1], [str(2**200), "1"]),
        ([None, None], [None, None]),
        ([{}, {}], [{}, {}]),
    ],
    ids=str,
)
def test_columns_of_several_types_become_text_in_polars_only(values, column):
    rows = Records([{"args": value} for value in values], dict)
    assert rows.to_polars()["args"].to_list() == column
    assert rows.to_pandas()["args"].isna().tolist() == [value is None for value in values]


def test_integers_that_a_float_does_not_hold_are_kept_where_others_are_missing():
    rows = entry_records([entry(b'{"a": 9007199254740993}'), entry(b'{"a": 1}'), entry(b'{"b": 0.5}')])
    assert rows.to_pandas()["a"].to_list() == [2**53 + 1, 1, None]
    assert rows.to_polars()["a"].to_list() == [2**53 + 1, 1, None]


@pytest.mark.parametrize(
    ("records", "row", "times"),
    [
        (entry_records, entry_row(entry(b"{}")), ["timestamp"]),
        (
            log_records,
            log_row(Log(processid="p", colonyname="c", executorname="e", message="m", timestamp=0)),
            ["timestamp"],
        ),
        (process_records, process_row(ProcessRecord(processid="p")), ["submissiontime", "starttime", "endtime"]),
        (
            executor_records,
            executor_row(ExecutorRecord(executorid="e", executortype="t", executorname="n", colonyname="c")),
            ["commissiontime", "lastheardfromtime"],
        ),
        (function_records, function_row(Function(funcname="f")), []),
        (workflow_records, workflow_row(Workflow(processgraphid="g")), ["submissiontime", "starttime", "endtime"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_table_without_rows_has_its_columns_and_times_are_datetimes(records, row, times):
    table = records([])
    assert table.to_dicts() == []
    frame, polars = table.to_pandas(), table.to_polars()
    assert list(frame.columns) == polars.columns == list(row)
    assert [name for name in frame if frame[name].dtype == "datetime64[us, UTC]"] == times
    assert [name for name, dtype in polars.schema.items() if dtype == pl.Datetime("us", "UTC")] == times


def test_times_that_no_row_has_are_datetimes():
    waiting = process_records([ProcessRecord(processid="p", submissiontime=TIME)])
    frame = waiting.to_pandas()
    assert (frame["endtime"] - frame["submissiontime"]).isna().all()
    assert waiting.to_polars()["endtime"].dtype == pl.Datetime("us", "UTC")


def test_no_rows_of_unknown_columns():
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
