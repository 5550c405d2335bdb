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

_DATETIME: Final = re.compile(r"datetime64\[(\w+)(?:, (.+))?\]")
_DURATION: Final = re.compile(r"timedelta64\[(\w+)\]")
_INTEGER: Final = re.compile(r"[Uu]?[Ii]nt(8|16|32|64)")
_PARSED: Final = {
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "decimal": decimal.Decimal,
    "bytes": base64.b64decode,
}


class DataTable(dict[str, Any]):
    """A table in its JSON form, a dict, that gives back the DataFrame or Series it was made from.

    `Colony` and executors return one wherever a result or an argument holds a table. For the payload of an entry:
    ``DataTable(entry.json())``.

    Args:
        form: the JSON object, as docs/values.md describes it.

    Raises:
        UsageError: if it is not such an object.
    """

    def __init__(self, form: dict[str, Any]) -> None:
        if not is_table(form):
            raise UsageError(f"This is not a table: a table is a JSON object with the key '{MARK}' and columns.")
        super().__init__(form)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Give the rows as dicts of JSON values, index first."""
        columns = [(name, _plain(column)) for name, column in self._named_columns()]
        return [
            dict(zip([name for name, _ in columns], row, strict=True))
            for row in zip(*(c for _, c in columns), strict=True)
        ]

    def to_pandas(self) -> Any:
        """Give the pandas DataFrame or Series, with its index and dtypes.

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
        frame.columns = pandas.MultiIndex.from_tuples(names) if several else pandas.Index(names)
        if columnnames:
            frame.columns.names = columnnames
        if index is not None:
            if not columns:
                return pandas.DataFrame(index=index)
            frame.index = index
        return frame

    def to_polars(self) -> Any:
        """Give a polars DataFrame or Series. An index becomes the first columns.

        Raises:
            UsageError: if polars is not installed.
        """
        polars = need("polars")
        if self["kind"] == "series":
            (column,) = self["columns"]
            return _polars_column(polars, "" if column["name"] is None else str(column["name"]), column)
        return polars.DataFrame([_polars_column(polars, name, column) for name, column in self._named_columns()])

    def _named_columns(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        index = self.get("index") or []
        for at, column in enumerate(index):
            default = "index" if len(index) == 1 else f"level_{at}"
            found.append((default if column["name"] is None else str(column["name"]), column))
        for column in self["columns"]:
            name = column["name"]
            found.append(("value" if name is None else str(_label(name)), column))
        return found


def is_table(value: Any) -> bool:
    """Whether a JSON value is the form of a table."""
    return isinstance(value, dict) and MARK in value and isinstance(value.get("columns"), list)


def revive(value: Any) -> Any:
    """Give a JSON value with each table in it as a `DataTable`; lists and dicts are changed in place."""
    if type(value) is dict:
        if is_table(value):
            return DataTable(value)
        for key, each in value.items():
            if type(each) in (dict, list):
                value[key] = revive(each)
    elif type(value) is list and not {dict, list}.isdisjoint(map(type, value)):
        value[:] = map(revive, value)
    return value


def need(library: str) -> Any:
    """Import pandas or polars, which a user may not have.

    Raises:
        UsageError: if it is not installed.
    """
    try:
        return importlib.import_module(library)
    except ImportError:
        raise UsageError(f"{library} is not installed: run '%pip install {library}', or use to_dicts().") from None


def _label(name: Any) -> Any:
    return tuple(map(_label, name)) if isinstance(name, list) else name


def _plain(column: dict[str, Any]) -> list[Any]:
    """Give the JSON values of a column, categories in the place of their codes."""
    values: list[Any] = column["values"] or []
    if "categories" not in column:
        return values
    categories = _plain(column["categories"])
    return [None if code is None else categories[code] for code in values]


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
    if label in _PARSED:
        return pandas.Series([None if each is None else _PARSED[label](each) for each in values], dtype=object)
    if label.startswith("period"):
        return pandas.Series(pandas.PeriodIndex(values, dtype=label))
    if _INTEGER.fullmatch(label):
        return pandas.Series(_integers(values), dtype=label)
    try:
        return pandas.Series(values, dtype=label)
    except TypeError as error:
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
        return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(zone) if zone else moments
    if found := _DURATION.fullmatch(label):
        unit = found[1]
        counts = _integers(values)
        if unit == "s":
            unit, counts = "ms", [None if count is None else count * 1000 for count in counts]
        return polars.Series(name, counts, dtype=polars.Int64).cast(polars.Duration(unit))
    if label in _PARSED:
        return polars.Series(name, [None if each is None else _PARSED[label](each) for each in values])
    return _polars_plain(polars, name, label, values)


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
    return polars.Series(name, values, strict=False)
