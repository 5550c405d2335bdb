"""Types and libraries that the examples in docs/values.md use, and the rows of its table."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections import deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic

PAGE = Path(__file__).parents[2] / "docs" / "values.md"
_ROW = re.compile(r"\| (.+?) \| `(.+)` \| `(.+)` \| .*\|")


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: Any
    y: Any


Pair = namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - its fields hold any value


@attrs.define
class Box:
    width: Any


class Model(pydantic.BaseModel):
    rate: float


class Item(msgspec.Struct):
    name: str


class Tensor:
    """An object that gives an array, as a tensor does."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._values, dtype=dtype)


class Case(NamedTuple):
    """A row of the table: the type, the value of the example, and its JSON."""

    kind: str
    value: Any
    json: Any


_NAMES = {
    each.__name__: each
    for each in (Colour, Point, Pair, Box, Model, Item, Tensor, deque, date, datetime, time, timedelta, Decimal)
} | {"UTC": UTC, "PurePosixPath": PurePosixPath, "UUID": UUID, "np": np, "pd": pd, "pl": pl, "pa": pa}


def documented_cases() -> list[Case]:
    """Read the table of docs/values.md."""
    section = PAGE.read_text("utf-8").partition("\n## ")[0]
    rows = [row.groups() for line in section.splitlines() if (row := _ROW.fullmatch(line))]
    return [Case(kind, eval(example, dict(_NAMES)), msgspec.json.decode(form)) for kind, example, form in rows]


def offer_values(executor: Any) -> None:
    """Offer functions that return a documented value, and that report what an argument arrived as."""
    cases = {case.kind: case.value for case in documented_cases()}

    @executor.function("give")
    def give(context: Any, kind: str) -> Any:
        return cases[kind]

    @executor.function("echo")
    def echo(context: Any, value: Any, *, key: Any) -> Any:
        context.channel("out").send({"value": value})
        return {"value": value, "key": key, "table": hasattr(value, "to_pandas") and hasattr(key, "to_pandas")}


def check_round_trips(submit: Any) -> None:
    """Send each documented value as an argument, a keyword argument, an output and a payload.

    Args:
        submit: submits a function with arguments to an executor that `offer_values` has equipped.
    """
    for case in documented_cases():
        given = submit("give", case.kind)
        echoed = submit("echo", case.value, kwargs={"key": case.value}, channels=["out", "sync"])
        expected = case.json if isinstance(case.json, list) and isinstance(case.value, (list, tuple)) else None
        result = given.result(timeout=20)
        assert result == (case.json if expected is None or len(expected) > 1 else expected[0]), case.kind
        (entry,) = [entry for entry in echoed.channel("out") if not entry.is_end]
        answer = echoed.result(timeout=20)
        is_table = isinstance(case.json, dict) and "columns" in case.json
        assert answer == {"value": case.json, "key": case.json, "table": is_table}, case.kind
        assert entry.json()["value"] == case.json, case.kind
        if isinstance(case.value, (pd.DataFrame, pd.Series)):
            assert result.to_pandas().equals(case.value)
            assert answer["value"].to_pandas().equals(case.value)
        if isinstance(case.value, (pl.DataFrame, pl.Series)):
            assert result.to_polars().equals(case.value)
