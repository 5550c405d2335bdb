"""The table form: DataFrames and Series of pandas and polars as one JSON object, described in docs/values.md."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.values import scalars
from colony_jupyter.wire.limits import EXACT_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.values.protocol import Converter
    from colony_jupyter.values.report import Path

MARK: Final = "colony_jupyter.table"
"""Key by which a JSON object is known as a table; its value is the version of the form."""
VERSION: Final = 1

_FLOATS: Final = ("float16", "float32", "float64")
_INFINITE: Final = (float("inf"), -float("inf"))
_WIDE: Final = ("Int128", "UInt128")
"""Integers that pandas does not have."""
_AS_TEXT: Final = {"Decimal": "decimal", "Date": "date", "Time": "time", "Binary": "bytes"}
"""Types of polars whose values become text, with the labels of their columns; pandas has them as objects."""


def is_frame(value: Any) -> bool:
    """Whether an object is a DataFrame or a Series of pandas or polars, or an Index or an array of pandas' own."""
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    return (
        pandas is not None
        and isinstance(value, (pandas.DataFrame, pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray))
    ) or (polars is not None and isinstance(value, (polars.DataFrame, polars.Series, polars.LazyFrame)))


def encode(converter: Converter, frame: Any, path: Path) -> Any:
    """Return the table form of a DataFrame or Series; the list of values of an Index or an array of pandas."""
    if type(frame).__name__ == "LazyFrame":
        converter.fault(path, "is a polars LazyFrame, which holds no data yet", "call .collect() on it")
        return None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, (pandas.DataFrame, pandas.Series)):
        return _pandas(converter, pandas, frame, path)
    if pandas is not None and isinstance(frame, (pandas.Index, pandas.api.extensions.ExtensionArray)):
        return _pandas_list(converter, pandas, frame, path)
    single = not hasattr(frame, "columns")
    columns = [_polars_column(converter, each, path) for each in ([frame] if single else frame.get_columns())]
    return {MARK: VERSION, "kind": "series" if single else "dataframe", "columns": columns}


def _pandas_list(converter: Converter, pandas: Any, column: Any, path: Path) -> Any:
    if isinstance(column, pandas.MultiIndex):
        return converter.value(column.tolist(), path)
    series = pandas.Series(column)
    if isinstance(series.dtype, (pandas.CategoricalDtype, pandas.IntervalDtype)):
        series = series.astype(object)
    if series.dtype.kind == "m":
        series = series.dt.total_seconds()
    return converter.value(_pandas_values(converter, pandas, series, str(series.dtype), path), path)


def _pandas(converter: Converter, pandas: Any, frame: Any, path: Path) -> dict[str, Any]:
    single = isinstance(frame, pandas.Series)
    each: Iterable[tuple[Any, Any]] = [(frame.name, frame)] if single else frame.items()
    table: dict[str, Any] = {
        MARK: VERSION,
        "kind": "series" if single else "dataframe",
        "columns": [_pandas_column(converter, pandas, name, column, path) for name, column in each],
    }
    if not single and any(name is not None for name in frame.columns.names):
        table["columnnames"] = [_name(converter, name, path) for name in frame.columns.names]
    if not (type(frame.index) is pandas.RangeIndex and frame.index.equals(pandas.RangeIndex(len(frame)))) or (
        frame.index.name is not None
    ):
        table["index"] = [
            _pandas_column(
                converter, pandas, frame.index.names[at], pandas.Series(frame.index.get_level_values(at)), path
            )
            for at in range(frame.index.nlevels)
        ]
    return table


def _name(converter: Converter, name: Any, path: Path) -> Any:
    if isinstance(name, tuple):
        return [_name(converter, each, path) for each in name]
    if name is None or name != name:  # noqa: PLR0124 - pandas has NaN for the label None
        return None
    simple = scalars.simplify(name)
    return repr(name) if simple is scalars.UNKNOWN else converter.value(simple, path)


def _pandas_column(converter: Converter, pandas: Any, name: Any, column: Any, path: Path) -> dict[str, Any]:
    label = str(column.dtype)
    at = (*path, name)
    found: dict[str, Any] = {"name": _name(converter, name, at), "dtype": label}
    if isinstance(column.dtype, pandas.CategoricalDtype):
        found["dtype"] = "category"
        found["ordered"] = bool(column.dtype.ordered)
        categories = pandas.Series(column.dtype.categories)
        found["categories"] = _pandas_column(converter, pandas, None, categories, at)
        found["values"] = [None if code < 0 else code for code in column.cat.codes.tolist()]
        return found
    if label == "object":
        kind = pandas.api.types.infer_dtype(column, skipna=True)
        found["dtype"] = kind if kind in _AS_TEXT.values() else label
    values = _pandas_values(converter, pandas, column, label, at)
    # The floats of a column are JSON already; walking through a million of them would take as long again.
    found["values"] = values if label in _FLOATS else converter.value(values, at)
    return found


def _pandas_values(converter: Converter, pandas: Any, column: Any, label: str, path: Path) -> list[Any] | None:
    numpy: Any = sys.modules["numpy"]
    if label.startswith("datetime64"):
        zoned = isinstance(column.dtype, pandas.DatetimeTZDtype)
        array = (column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column).to_numpy()
        texts = numpy.datetime_as_string(array)
        missing = numpy.isnat(array)
        ending = "Z" if zoned else ""
        return [None if gone else f"{text}{ending}" for text, gone in zip(texts.tolist(), missing, strict=True)]
    if label.startswith("timedelta64"):
        array = column.to_numpy()
        counts = array.astype("int64").tolist()
        return [None if gone else _exact(count) for count, gone in zip(counts, numpy.isnat(array), strict=True)]
    if isinstance(column.dtype, pandas.IntervalDtype):
        ends = [_ends(converter, pandas, end, path) for end in (column.array.left, column.array.right)]
        return [None if left is None else [left, right] for left, right in zip(*ends, strict=True)]
    if label.startswith("complex"):
        converter.fault(path, "is a column of complex numbers, which JSON does not have", "give .real and .imag of it")
        return None
    kind = column.dtype.kind if isinstance(column.dtype, numpy.dtype) else "O"
    if kind == "f":
        return _floats(converter, numpy, column.to_numpy())
    if kind in "biu":
        return column.to_numpy().tolist()  # type: ignore[no-any-return]
    values = column.to_numpy(dtype=object, na_value=None) if kind != "O" or label != "object" else column.to_numpy()
    return [None if isinstance(value, float) and value != value else value for value in values]  # noqa: PLR0124 - NaN


def _floats(converter: Converter, numpy: Any, array: Any) -> list[Any]:
    """Return a column of floats; NaN is a missing value there and becomes null uncounted."""
    if array.dtype.itemsize > numpy.dtype("float64").itemsize:
        array = array.astype("float64")
    finite = numpy.isfinite(array)
    if finite.all():
        return array.tolist()  # type: ignore[no-any-return]
    converter.nonfinite += int(numpy.isinf(array).sum())
    values = array.astype(object)
    values[~finite] = None
    return values.tolist()  # type: ignore[no-any-return]


def _ends(converter: Converter, pandas: Any, ends: Any, path: Path) -> list[Any]:
    """Return the left or right ends of intervals; infinite ones, which are common there, as text."""
    if ends.dtype.kind == "f":
        return [None if end != end else repr(end) if end in _INFINITE else end for end in ends.tolist()]  # noqa: PLR0124
    return _pandas_values(converter, pandas, pandas.Series(ends), str(ends.dtype), path) or []


def _exact(count: int) -> int | str:
    return count if -EXACT_INTEGER <= count <= EXACT_INTEGER else str(count)


def _polars_column(converter: Converter, column: Any, path: Path) -> dict[str, Any]:
    at = (*path, column.name)
    kind = type(column.dtype).__name__ if not isinstance(column.dtype, type) else column.dtype.__name__
    found: dict[str, Any] = {"name": converter.value(column.name, at), "dtype": _polars_label(column, kind)}
    if kind in ("Categorical", "Enum"):
        known = column.dtype.categories if kind == "Enum" else column.drop_nulls().unique(maintain_order=True)
        categories = known.to_list()
        codes = {text: code for code, text in enumerate(categories)}
        found["ordered"] = kind == "Enum"
        found["categories"] = {"name": None, "dtype": "string", "values": categories}
        found["values"] = [None if text is None else codes[text] for text in column.to_list()]
        return found
    found["values"] = converter.value(_polars_values(converter, column, kind), at)
    return found


def _polars_label(column: Any, kind: str) -> str:
    if kind.startswith(("Int", "UInt")) and kind not in _WIDE:
        return kind if column.null_count() else kind.lower()
    if kind.startswith("Float"):
        return kind.lower()
    if kind == "Boolean":
        return "boolean" if column.null_count() else "bool"
    if kind == "Datetime":
        zone = column.dtype.time_zone
        return f"datetime64[{column.dtype.time_unit}{f', {zone}' if zone else ''}]"
    if kind == "Duration":
        return f"timedelta64[{column.dtype.time_unit}]"
    if kind in ("Categorical", "Enum"):
        return "category"
    return "string" if kind == "String" else _AS_TEXT.get(kind, "object")


def _polars_values(converter: Converter, column: Any, kind: str) -> list[Any]:
    if kind.startswith("Float"):
        values = column.fill_nan(None)
        infinite = int(values.is_infinite().sum() or 0)
        converter.nonfinite += infinite
        found: list[Any] = values.to_list()
        return [None if value in _INFINITE else value for value in found] if infinite else found
    if kind == "Datetime":
        zoned = bool(column.dtype.time_zone)
        moments = column.dt.convert_time_zone("UTC") if zoned else column
        return moments.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.f{'Z' if zoned else ''}").to_list()  # type: ignore[no-any-return]
    if kind == "Duration":
        return [None if count is None else _exact(count) for count in column.to_physical().to_list()]
    return column.to_list()  # type: ignore[no-any-return]
