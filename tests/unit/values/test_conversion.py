"""Python objects become JSON by the table of docs/values.md; what has no form is named by its place."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import deque

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from value_cases import PAGE, Colour, Pair, Point, documented_cases

from colony_jupyter.values.conversion import convert
from colony_jupyter.values.report import Attribute, location

CASES = documented_cases()

REQUIRED = [
    "numpy scalar",
    "numpy array",
    "datetime",
    "date",
    "time",
    "timedelta",
    "Decimal",
    "UUID",
    "Path",
    "Enum",
    "set",
    "dataclass",
    "attrs",
    "pydantic",
    "named tuple",
    "bytes",
    "pandas `DataFrame`",
    "pandas `Series`",
    "polars `DataFrame`",
    "polars `Series`",
    "tensor",
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_each_documented_type_has_its_documented_form(case):
    converted = convert(case.value, "result", large="text")
    assert converted.complaint() == ""
    assert msgspec.json.encode(converted.value, order="sorted") == msgspec.json.encode(case.json, order="sorted")


def test_the_page_has_a_row_for_each_type():
    kinds = " | ".join(case.kind for case in CASES)
    assert [kind for kind in REQUIRED if kind not in kinds] == []
    table = PAGE.read_text("utf-8").partition("\n## ")[0]
    assert len(CASES) == sum(line.startswith("|") for line in table.splitlines()) - 2  # all but the head


@pytest.mark.parametrize(
    "value",
    [[1.5, 2.0], [1, 2], ["a", "b"], [True, None], {"a": [1, {"b": "c"}]}, [], {}, [[1], [2]], "text"],
)
def test_values_that_are_json_are_not_copied(value):
    assert convert(value, "result", large="text").value is value


class Opaque:
    pass


@pytest.mark.parametrize(
    ("value", "rest", "where"),
    [
        (Opaque(), None, "result is a tests.Opaque"),
        ({"model": Point(Opaque(), 2)}, {"model": {"x": None, "y": 2}}, 'result["model"].x is a tests.Opaque'),
        ([1, Pair(2, [Opaque()])], [1, {"left": 2, "right": [None]}], "result[1].right[0] is a tests.Opaque"),
        ({"a": 1, (1, 2): 3}, {"a": 1}, "result[(1, 2)] has a tuple as its key"),
        ({1: "a", "1": "b"}, {"1": "a"}, 'result["1"] has a key that becomes "1"'),
        ([1j], [None], "result[0] is a complex"),
        (np.array([1j]), None, "result holds complex numbers"),
        ([iter([1])], [None], "result[0] is a list_iterator"),
        (Opaque, None, "result is a type"),
        (pl.LazyFrame({"a": [1]}), None, "result is a polars LazyFrame"),
        (np.array([1, Opaque()], dtype=object), [1, None], "result[1] is a tests.Opaque"),
        (pd.DataFrame({"a": [Opaque()], "b": [1]})["a"], ..., 'result["a"][0] is a tests.Opaque'),
    ],
)
def test_the_fault_names_the_place_and_the_rest_is_converted(value, rest, where):
    converted = convert(value, "result", large="text")
    (fault,) = converted.faults
    assert f"{where}" in str(fault)
    assert fault.remedy
    if rest is not ...:
        assert converted.value == rest


def test_an_object_that_raises_while_it_is_converted_is_a_fault():
    class Broken:
        def __array__(self) -> np.ndarray:
            raise RuntimeError("no data")

    assert "RuntimeError: no data" in convert({"x": Broken()}, "result", large="text").complaint()


def test_a_value_that_contains_itself_or_is_too_deep_is_a_fault():
    endless: list = [1]
    endless.append(endless)
    converted = convert(endless, "result", large="text")
    assert converted.value == [1, None]
    assert "result[1] contains itself" in converted.complaint()
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert "levels deep" in convert(deep, "result", large="text").complaint()
    shared = [1]
    assert convert([shared, shared], "result", large="text").complaint() == ""


def test_one_more_fault_than_are_named_is_counted():
    complaint = convert([Opaque() for _ in range(4)], "result", large="text").complaint()
    assert complaint.endswith("1 more part cannot be converted.")


def test_a_value_of_a_hundred_levels_is_converted():
    deep: list = []
    for _ in range(100):
        deep = [deep]
    converted = convert(deep, "result", large="text")
    assert (converted.value, converted.complaint()) == (deep, "")


class Name(str):
    __slots__ = ()


class Location:
    def __fspath__(self) -> str:
        return "/data/x"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (np.array([], dtype="int64"), []),
        (np.ma.masked_array(np.array([90, 60], dtype="timedelta64[s]"), [False, True]), [90.0, None]),
        (np.ma.masked_array(["a", "b"], [False, True]), ["a", None]),
        (np.ma.masked_array([np.inf, 1.5], [True, False]), [None, 1.5]),
        (np.array("NaT", dtype="datetime64[s]"), None),
        (np.array(["2024-01-01", "NaT"], dtype="datetime64[D]"), ["2024-01-01", None]),
        (np.datetime64("NaT"), None),
        (np.timedelta64("NaT"), None),
        (np.timedelta64(1500, "ms"), 1.5),
        (np.uint8(3), 3),
        (pd.NA, None),
        (pd.NaT, None),
        ({8, 1}, [1, 8]),  # which iterates the other way round
        (Name("text"), "text"),
        (Location(), "/data/x"),
        ({True: 1, None: 2, 1.5: 3, Colour.RED: 4}, {"true": 1, "null": 2, "1.5": 3, "red": 4}),
    ],
    ids=lambda value: type(value).__name__,  # the same in each worker: some texts have an address in them
)
def test_values_beside_the_documented_ones(value, form):
    converted = convert({"found": value}, "result", large="text")
    assert (converted.complaint(), converted.nonfinite) == ("", 0)
    assert converted.value == {"found": form}
    assert msgspec.json.decode(msgspec.json.encode(converted.value)) == {"found": form}


def test_an_integer_of_more_digits_than_python_writes_is_text():
    assert convert(10**5000, "result", large="text").value == "1" + "0" * 5000


def test_many_faults_are_counted():
    complaint = convert([Opaque() for _ in range(10)], "result", large="text").complaint()
    assert complaint.endswith("7 more parts cannot be converted.")


@pytest.mark.parametrize(
    ("value", "form", "count"),
    [
        (math.nan, None, 1),
        ([1.0, math.inf, -math.inf], [1.0, None, None], 2),
        ([1, math.nan], [1, None], 1),
        ([10**400, 1.5], [str(10**400), 1.5], 0),
        (np.array([[1.0, np.nan], [np.inf, 2.0]]), [[1.0, None], [None, 2.0]], 2),
        (np.float32("nan"), None, 1),
        (np.array(np.inf), None, 1),
        ({"a": deque([math.nan])}, {"a": [None]}, 1),
        (np.array([1.5, np.nan], dtype=np.longdouble), [1.5, None], 1),
        (np.array([3600, "NaT"], dtype="timedelta64[s]"), [3600.0, None], 0),
        (np.array("NaT", dtype="timedelta64[s]"), None, 0),
    ],
)
def test_numbers_that_json_lacks_become_null_and_are_counted(value, form, count):
    converted = convert(value, "result", large="text")
    assert (converted.value, converted.nonfinite) == (form, count)
    assert bool(count) == any("null" in note for note in converted.notes())


def test_missing_values_of_a_table_are_not_counted_but_infinity_is():
    frame = pd.DataFrame({"a": [1.0, np.nan, np.inf], "b": ["x", np.nan, None]})
    assert convert(frame, "result", large="text").nonfinite == 1
    assert convert(pl.DataFrame({"a": [1.0, None, math.nan, -math.inf]}), "result", large="text").nonfinite == 1


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (pd.Index([1.5, np.nan]), [1.5, None]),
        (pd.Index(["a", None]), ["a", None]),
        (pd.MultiIndex.from_tuples([("a", 1)]), [["a", 1]]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.array([1, None], dtype="int64[pyarrow]"), [1, None]),
        (pd.Categorical(["a", None, "b"]), ["a", None, "b"]),
        (pd.CategoricalIndex([1.5, None]), [1.5, None]),
        (pd.IntervalIndex.from_breaks([0, 1, 2]), ["(0, 1]", "(1, 2]"]),
        (pd.to_timedelta([90, None], unit="s"), [90.0, None]),
        (pd.date_range("2024", periods=1, unit="s", tz="Europe/Stockholm"), ["2023-12-31T23:00:00Z"]),
        (pd.period_range("2024-01", periods=1, freq="M"), ["2024-01"]),
        (pa.array([1, None]), [1, None]),
        (pa.table({"a": [1, None], "b": ["x", "y"]}), [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]),
        (pa.scalar(3), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_index_or_an_array_of_pandas_or_pyarrow_is_a_list_with_null_for_missing_values(value, form):
    converted = convert({"found": value}, "result", large="text")
    assert (converted.value, converted.nonfinite, converted.faults) == ({"found": form}, 0, ())
    msgspec.json.encode(converted.value)


LARGE = 2**53 + 1


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [n], lambda n: {"a": (n,)}, np.int64, lambda n: np.array([n])])
def test_large_integers_are_text_in_outputs_refused_in_arguments_and_left_in_payloads(wrap, sign):
    number = sign * LARGE
    outputs = convert(wrap(number), "result", large="text")
    assert outputs.large == 1
    assert f'"{number}"' in msgspec.json.encode(outputs.value).decode()
    assert "beyond ±2^53" in outputs.notes()[0]
    arguments = convert(wrap(number), "args[0]", large="refuse")
    assert "is an integer beyond ±2^53" in arguments.complaint()
    assert str(number) in msgspec.json.encode(convert(wrap(number), "payload", large="keep").value).decode()
    largest = sign * 2**53
    assert convert(largest, "result", large="refuse").value == largest


def test_text_that_a_server_cannot_store_is_replaced():
    value = {"x\0": ["a\0", "caf\udce9", "line\n"]}
    form = convert(value, "result", large="text").value
    assert form == {"x\u2400": ["a\u2400", "caf\ufffd", "line\n"]}
    assert convert("a\0\udce9", "payload", large="keep").value == "a\0\ufffd"


def test_locations_are_written_as_python_does():
    assert location("result", ("model", Attribute("weights"), 0)) == 'result["model"].weights[0]'
    assert location("kwargs", ('a"b',)) == 'kwargs["a\\"b"]'


def test_a_tensor_that_needs_gradients_or_is_on_a_gpu_is_copied_first():
    calls = []

    class Tensor:
        dtype = "torch.bfloat16"

        def _step(self, name):
            calls.append(name)
            return self

        def detach(self):
            return self._step("detach")

        def cpu(self):
            return self._step("cpu")

        def float(self):
            return self._step("float")

        def __array__(self) -> np.ndarray:
            return np.array([0.5], dtype="float32")

    Tensor.__module__ = "torch"
    assert convert(Tensor(), "result", large="text").value == [0.5]
    assert calls == ["detach", "cpu", "float"]


def test_no_library_is_imported_for_a_conversion():
    program = (
        "import sys, datetime, decimal\n"
        "from colony_jupyter.values.conversion import convert\n"
        "convert([{1}, decimal.Decimal(1), datetime.date.today(), object(), b'', 1.5], 'result', large='text')\n"
        "from colony_jupyter.values.datatable import revive\n"
        "revive([{}])\n"
        "print([name for name in ('numpy', 'pandas', 'polars', 'pyarrow', 'attrs', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
