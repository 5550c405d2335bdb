"""Lists of what a colony has, which convert to tables of pandas and polars."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, TypeVar, overload

import msgspec

from colony_jupyter.values.libraries import need
from colony_jupyter.wire.limits import EXACT_INTEGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")

_ANY_COLUMNS: Final[Mapping[str, type]] = MappingProxyType({})
_TIME: Final = "datetime64[us, UTC]"


class Records(list[T]):
    """A list whose elements are also the rows of a table.

    Args:
        items: the elements.
        row: returns the columns of an element by their names.
        columns: the columns that each row has, with the types of their values: those of a table without rows, and those
            that hold times where no row has one.
    """

    def __init__(
        self, items: Iterable[T], row: Callable[[T], dict[str, Any]], columns: Mapping[str, type] = _ANY_COLUMNS
    ) -> None:
        super().__init__(items)
        self._row = row
        self._columns = columns

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Records[T]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> T | Records[T]:
        found = super().__getitem__(index)
        return Records(found, self._row, self._columns) if isinstance(index, slice) else found  # type: ignore[arg-type, return-value]

    def __reduce__(self) -> tuple[Any, ...]:
        return Records, (list(self), self._row, dict(self._columns))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each element. Times are datetimes in UTC, None where they are not set."""
        return [self._row(item) for item in self]

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with a row for each element.

        Raises:
            UsageError: if pandas is not installed.
        """
        pandas = need("pandas")
        rows = self.to_dicts()
        frame = pandas.DataFrame(rows, columns=None if rows else list(self._columns))
        for name, column in list(frame.items()):
            if self._columns.get(name) is datetime:
                frame[name] = pandas.to_datetime(column, utc=True).astype(_TIME)
            elif column.dtype == "float64" and any(_is_inexact(row.get(name)) for row in rows):
                frame[name] = pandas.Series([row.get(name) for row in rows], dtype=object)
        return frame

    def to_polars(self) -> Any:
        """Return a polars DataFrame with a row for each element.

        A column whose values have no one type in common, which polars requires, becomes text: JSON for lists, objects
        and numbers.

        Raises:
            UsageError: if polars is not installed.
        """
        polars = need("polars")
        rows = self.to_dicts()
        names = dict.fromkeys([*(name for row in rows for name in row), *self._columns])
        return polars.DataFrame(
            [_polars_column(polars, name, [row.get(name) for row in rows], self._columns.get(name)) for name in names]
        )


class Tabular:
    """What converts to a table by records that it has."""

    def _rows(self) -> Records[Any]:
        raise NotImplementedError

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each row; see `Records.to_dicts`."""
        return self._rows().to_dicts()

    def to_pandas(self) -> Any:
        """Return the rows of `to_dicts` as a pandas DataFrame.

        Raises:
            UsageError: if pandas is not installed.
        """
        return self._rows().to_pandas()

    def to_polars(self) -> Any:
        """Return the rows of `to_dicts` as a polars DataFrame.

        Raises:
            UsageError: if polars is not installed.
        """
        return self._rows().to_polars()


def _is_inexact(value: Any) -> bool:
    return isinstance(value, int) and not -EXACT_INTEGER <= value <= EXACT_INTEGER


def _polars_column(polars: Any, name: str, values: Sequence[Any], kind: type | None) -> Any:
    if kind is datetime:
        return polars.Series(name, values, dtype=polars.Datetime("us", "UTC"))
    if not values:
        known: dict[type | None, Any] = {int: polars.Int64, float: polars.Float64, str: polars.String}
        return polars.Series(name, values, dtype=known.get(kind))
    kinds = {type(value) for value in values if value is not None}
    try:
        # A frame infers the type from all rows, a series from the first one.
        series = polars.from_dicts([{name: value} for value in values], infer_schema_length=None)[name]
    except (OverflowError, TypeError, ValueError, polars.exceptions.PolarsError):
        series = None
    if series is not None and (kinds <= {int, float} or len(kinds) < 2) and _is_kept(kinds, series, values):  # noqa: PLR2004
        return series
    return polars.Series(name, [None if value is None else _text(value) for value in values], dtype=polars.String)


def _is_kept(kinds: set[type], series: Any, values: Sequence[Any]) -> bool:
    """Whether nested values are there unchanged: polars drops what does not fit the type that it inferred."""
    return kinds.isdisjoint({list, dict}) or all(map(_equals, series.to_list(), values))


def _equals(kept: Any, value: Any) -> bool:
    if isinstance(value, dict):  # all objects of a column have the keys of each
        return isinstance(kept, dict) and all(_equals(each, value.get(key)) for key, each in kept.items())
    if isinstance(value, list):
        return isinstance(kept, list) and len(kept) == len(value) and all(map(_equals, kept, value))
    same = type(kept) is type(value) or {type(kept), type(value)} == {int, float}
    return same and bool(kept == value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
