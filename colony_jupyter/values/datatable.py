"""Tables that arrived as JSON, back as a DataFrame or Series of pandas or polars."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import importlib
import re
from typing import Any, Final

from colony_jupyter.errors import UsageError
from colony_jupyter.values.frames import MARK
from colony_jupyter.values.libraries import need
from colony_jupyter.values.report import DEEPEST

_NAMES: Final = 10
_LONGEST: Final = 60
"""Columns that the representation of a table names, and characters of each."""
_DATETIME: Final = re.compile(r"datetime64\[(\w+)(?:, (.+))?\]")
_DURATION: Final = re.compile(r"timedelta64\[(\w+)\]")
_INTERVAL: Final = re.compile(r"interval\[(.+), (right|left|both|neither)\]")
_BRACKETS: Final = {"right": ("(", "]"), "left": ("[", ")"), "both": ("[", "]"), "neither": ("(", ")")}
_INTEGER: Final = re.compile(r"[Uu]?[Ii]nt(8|16|32|64)")
_PARSERS: Final = {
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "decimal": decimal.Decimal,
    "bytes": base64.b64decode,
}
"""What makes values of the texts of a column, by its label."""


class DataTable(dict[str, Any]):
    """A table in its JSON form, a dict, that gives back the DataFrame or Series it was made from.

    `Colony` and executors return one wherever a result or an argument holds a table. For the payload of an entry:
    ``DataTable(entry.json())``.

    Args:
        form: the JSON object, as it arrives in a payload.

    Raises:
        UsageError: if it is not such an object.
    """

    def __init__(self, form: dict[str, Any]) -> None:
        if not is_table(form):
            raise UsageError(f"This is not a table: a table is a JSON object with the key '{MARK}' and columns.")
        super().__init__(form)

    def __repr__(self) -> str:
        try:
            names = [name for name, _ in self._named_columns()]
            rows = self.row_count
        except (AttributeError, LookupError, RecursionError, TypeError):
            return super().__repr__()  # it is malformed
        printable = [name[:_LONGEST] if name.isprintable() else repr(name[:_LONGEST]) for name in names[:_NAMES]]
        shown = ", ".join([*printable, *(["..."] if len(names) > _NAMES else [])])
        return f"<DataTable of {rows:,} {'row' if rows == 1 else 'rows'}: {shown}>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as dicts of JSON values, index first."""
        names, rows = self.grid()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def grid(self, limit: int | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns, index first, and the rows, each a tuple of JSON values.

        Args:
            limit: how many rows at most; None for all.

        Raises:
            UsageError: if the table is malformed; another program made it.
        """
        try:
            columns = [(name, _plain(column, limit)) for name, column in self._named_columns()]
            return [name for name, _ in columns], list(zip(*(values for _, values in columns), strict=True))
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise UsageError(f"This table is malformed ({error!r}): docs/values.md describes its form.") from None

    @property
    def row_count(self) -> int:
        """Number of rows, by the first column."""
        columns = [*self["columns"], *(self.get("index") or [])]
        return len(columns[0]["values"] or []) if columns else 0

    def to_pandas(self) -> Any:
        """Return the pandas DataFrame or Series, with its index and dtypes.

        Raises:
            UsageError: if pandas is not installed.
        """
        pandas = need("pandas")
        columns = [_pandas_column(pandas, column) for column in self["columns"]]
        index = _pandas_index(pandas, self.get("index"))
        names = [_label(column["name"]) for column in self["columns"]]
        if self["kind"] == "series":
            (series,) = columns
            series.name = names[0]
            if index is not None:
                series.index = index
            return series
        frame = pandas.concat(columns, axis=1) if columns else pandas.DataFrame()
        several = bool(names) and all(isinstance(name, tuple) for name in names)
        columnnames = self.get("columnnames")
        if names:
            frame.columns = pandas.MultiIndex.from_tuples(names) if several else pandas.Index(names)
        if columnnames:
            frame.columns.names = columnnames
        if index is not None:
            if not columns:
                return pandas.DataFrame(index=index)
            frame.index = index
        return frame

    def to_polars(self) -> Any:
        """Return a polars DataFrame or Series. An index becomes the first columns.

        Raises:
            UsageError: if polars is not installed.
        """
        polars = need("polars")
        if self["kind"] == "series":
            (column,) = self["columns"]
            return _polars_column(polars, "" if column["name"] is None else str(column["name"]), column)
        return polars.DataFrame([_polars_column(polars, name, column) for name, column in self._named_columns()])

    def _named_columns(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the columns by names that are distinct, which pandas does not require: ``a``, ``a_1``."""
        found: list[tuple[str, dict[str, Any]]] = []
        index = self.get("index") or []
        for at, column in enumerate(index):
            default = "index" if len(index) == 1 else f"level_{at}"
            found.append((default if column["name"] is None else str(column["name"]), column))
        for column in self["columns"]:
            name = column["name"]
            found.append(("value" if name is None else str(_label(name)), column))
        taken = {name for name, _ in found}
        counts: dict[str, int] = {}
        distinct: dict[str, dict[str, Any]] = {}
        for name, column in found:
            free = name
            while free in distinct or (free != name and free in taken):
                counts[name] = counts.get(name, 0) + 1
                free = f"{name}_{counts[name]}"
            distinct[free] = column
        return list(distinct.items())


def is_table(value: Any) -> bool:
    """Whether a JSON value is the form of a table."""
    return isinstance(value, dict) and MARK in value and isinstance(value.get("columns"), list)


def revive(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with each table in it as a `DataTable`; lists and dicts are changed in place."""
    if depth > DEEPEST:
        return value
    if type(value) is dict:
        if is_table(value):
            return DataTable(value)
        for key, each in value.items():
            if type(each) in (dict, list):
                value[key] = revive(each, depth + 1)
    elif type(value) is list and not {dict, list}.isdisjoint(map(type, value)):
        value[:] = [revive(each, depth + 1) for each in value]
    return value


def _label(name: Any) -> Any:
    return tuple(map(_label, name)) if isinstance(name, list) else name


def _plain(column: dict[str, Any], limit: int | None = None, *, depth: int = 0) -> list[Any]:
    """Return the JSON values of a column, categories in the place of their codes."""
    values: list[Any] = (column["values"] or [])[:limit]
    if "categories" in column:
        if depth == DEEPEST:
            raise ValueError("categories of categories without end")
        categories = _plain(column["categories"], depth=depth + 1)
        return [None if code is None else categories[code] for code in values]
    if found := _INTERVAL.fullmatch(column["dtype"]):
        opening, closing = _BRACKETS[found[2]]
        return [None if ends is None else f"{opening}{ends[0]}, {ends[1]}{closing}" for ends in values]
    return values


def _integers(values: list[Any]) -> list[int | None]:
    return [None if value is None else int(value) for value in values]


def _pandas_index(pandas: Any, index: list[dict[str, Any]] | None) -> Any:
    if not index:
        return None
    levels = [_pandas_column(pandas, column) for column in index]
    names = [_label(column["name"]) for column in index]
    if len(levels) == 1:
        return pandas.Index(levels[0], name=names[0])
    return pandas.MultiIndex.from_arrays(levels, names=names)


def _pandas_column(pandas: Any, column: dict[str, Any]) -> Any:
    label, values = column["dtype"], column["values"] or []
    numpy = importlib.import_module("numpy")
    if label == "category":
        categories = pandas.Index(_pandas_column(pandas, column["categories"]))
        codes = [-1 if code is None else code for code in values]
        return pandas.Series(
            pandas.Categorical.from_codes(codes, categories=categories, ordered=column.get("ordered", False))
        )
    if found := _DATETIME.fullmatch(label):
        unit, zone = found.groups()
        texts = [None if text is None else text.removesuffix("Z") for text in values]
        series = pandas.Series(numpy.array(texts, dtype=f"datetime64[{unit}]"))
        return series.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else series
    if found := _DURATION.fullmatch(label):
        counts = [None if count is None else numpy.timedelta64(int(count), found[1]) for count in values]
        return pandas.Series(numpy.array(counts, dtype=label))
    if found := _INTERVAL.fullmatch(label):
        left, right = (
            pandas.Index(_pandas_column(pandas, {"dtype": found[1], "values": [ends and ends[at] for ends in values]}))
            for at in (0, 1)
        )
        return pandas.Series(pandas.arrays.IntervalArray.from_arrays(left, right, closed=found[2]))
    if label in _PARSERS:
        return pandas.Series([None if each is None else _PARSERS[label](each) for each in values], dtype=object)
    if label.startswith("period"):
        return pandas.Series(pandas.PeriodIndex(values, dtype=label))
    if _INTEGER.fullmatch(label):
        return pandas.Series(_integers(values), dtype=label)
    try:
        return pandas.Series(values, dtype=label)
    except (ImportError, TypeError) as error:  # ImportError: of pyarrow
        raise UsageError(f"pandas cannot make a column of type '{label}' here: {error}. Use to_dicts().") from None


def _polars_column(polars: Any, name: str, column: dict[str, Any]) -> Any:
    label, values = column["dtype"], column["values"] or []
    if label == "category":
        texts = [None if value is None else str(value) for value in _plain(column)]
        if column.get("ordered"):
            return polars.Series(name, texts, dtype=polars.Enum(list(map(str, _plain(column["categories"])))))
        return polars.Series(name, texts, dtype=polars.Categorical)
    if found := _DATETIME.fullmatch(label):
        unit, zone = found.groups()
        unit = unit if unit in ("ms", "us", "ns") else "us"
        texts = [None if text is None else text.removesuffix("Z") for text in values]
        moments = polars.Series(name, texts, dtype=polars.String).str.to_datetime(time_unit=unit)
        return _in_zone(polars, moments.dt.replace_time_zone("UTC"), zone) if zone else moments
    if found := _DURATION.fullmatch(label):
        unit = found[1]
        counts = _integers(values)
        if unit == "s":
            unit, counts = "ms", [None if count is None else count * 1000 for count in counts]
        return polars.Series(name, counts, dtype=polars.Int64).cast(polars.Duration(unit))
    if label in _PARSERS:
        return polars.Series(name, [None if each is None else _PARSERS[label](each) for each in values])
    return _polars_plain(polars, name, label, values)


def _in_zone(polars: Any, moments: Any, zone: str) -> Any:
    """Convert times in UTC to a time zone, if polars has it: it has no fixed offsets, as ``UTC+02:00``."""
    try:
        return moments.dt.convert_time_zone(zone)
    except polars.exceptions.PolarsError:
        return moments


def _polars_plain(polars: Any, name: str, label: str, values: list[Any]) -> Any:
    if _INTEGER.fullmatch(label):
        kind = label.lower().replace("i", "I", 1).replace("u", "U")
        return polars.Series(name, _integers(values), dtype=getattr(polars, kind))
    if label.lower() in ("float32", "float64"):
        return polars.Series(name, values, dtype=getattr(polars, label.capitalize()))
    if label in ("bool", "boolean"):
        return polars.Series(name, values, dtype=polars.Boolean)
    if label in ("str", "string"):
        return polars.Series(name, values, dtype=polars.String)
    if label.startswith("interval"):
        return polars.Series(name, _plain({"dtype": label, "values": values}), dtype=polars.String)
    return polars.Series(name, values, strict=False)
