"""The table form: DataFrames and Series of pandas and polars as one JSON object, described in docs/values.md."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.values import scalars

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.values.protocol import Converter
    from colony_jupyter.values.report import Path

MARK: Final = "colony_jupyter.table"
"""Key by which a JSON object is known as a table; its value is the version of the form."""
VERSION: Final = 1

_INFINITE: Final = (float("inf"), -float("inf"))
_PARSED: Final = {"Decimal": "decimal", "Date": "date", "Time": "time", "Binary": "bytes", "String": "string"}


def is_frame(value: Any) -> bool:
    """Whether an object is a DataFrame, a Series or an Index of pandas or polars."""
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    return (pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))) or (
        polars is not None and isinstance(value, (polars.DataFrame, polars.Series, polars.LazyFrame))
    )


def encode(converter: Converter, frame: Any, path: Path) -> dict[str, Any] | None:
    """Give the table form of a DataFrame or Series."""
    if type(frame).__name__ == "LazyFrame":
        converter.fault(path, "is a polars LazyFrame, which holds no data yet", "call .collect() on it")
        return None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, (pandas.DataFrame, pandas.Series)):
        return _pandas(converter, pandas, frame, path)
    single = not hasattr(frame, "columns")
    columns = [_polars_column(converter, each, path) for each in ([frame] if single else frame.get_columns())]
    return {MARK: VERSION, "kind": "series" if single else "dataframe", "columns": columns}


def _pandas(converter: Converter, pandas: Any, frame: Any, path: Path) -> dict[str, Any]:
    single = isinstance(frame, pandas.Series)
    each: Iterable[tuple[Any, Any]] = [(frame.name, frame)] if single else frame.items()
    table: dict[str, Any] = {
        MARK: VERSION,
        "kind": "series" if single else "dataframe",
        "columns": [_pandas_column(converter, pandas, name, column, path) for name, column in each],
    }
    if not single and any(name is not None for name in frame.columns.names):
        table["columnnames"] = [_name(name) for name in frame.columns.names]
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


def _name(name: Any) -> Any:
    if isinstance(name, tuple):
        return [_name(each) for each in name]
    if name is None:
        return None
    simple = scalars.simplify(name)
    return repr(name) if simple is scalars.UNKNOWN else simple


def _pandas_column(converter: Converter, pandas: Any, name: Any, column: Any, path: Path) -> dict[str, Any]:
    label = str(column.dtype)
    found: dict[str, Any] = {"name": _name(name), "dtype": label}
    at = (*path, name)
    if isinstance(column.dtype, pandas.CategoricalDtype):
        found["dtype"] = "category"
        found["ordered"] = bool(column.dtype.ordered)
        categories = pandas.Series(column.dtype.categories)
        found["categories"] = _pandas_column(converter, pandas, None, categories, at)
        found["values"] = [None if code < 0 else code for code in column.cat.codes.tolist()]
        return found
    found["values"] = converter.value(_pandas_values(converter, pandas, column, label, at), at)
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
    if label.startswith("interval"):
        converter.fault(path, "is a column of intervals, which have no JSON form", "convert it with .astype(str)")
        return None
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
    """Give a column of floats; NaN is a missing value there and becomes null uncounted."""
    if array.dtype.itemsize > numpy.dtype("float64").itemsize:
        array = array.astype("float64")
    finite = numpy.isfinite(array)
    if finite.all():
        return array.tolist()  # type: ignore[no-any-return]
    converter.nonfinite += int(numpy.isinf(array).sum())
    values = array.astype(object)
    values[~finite] = None
    return values.tolist()  # type: ignore[no-any-return]


def _exact(count: int) -> int | str:
    return count if -(2**53) <= count <= 2**53 else str(count)


def _polars_column(converter: Converter, column: Any, path: Path) -> dict[str, Any]:
    at = (*path, column.name)
    kind = type(column.dtype).__name__ if not isinstance(column.dtype, type) else column.dtype.__name__
    found: dict[str, Any] = {"name": column.name, "dtype": _polars_label(column, kind)}
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
    if kind.startswith(("Int", "UInt")):
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
    return _PARSED.get(kind, "object")


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
