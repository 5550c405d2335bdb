"""Lists of what a colony has, which convert to tables of pandas and polars."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar, overload

import msgspec

from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Records(list[T]):
    """A list whose elements are also the rows of a table.

    Args:
        items: the elements.
        row: returns the columns of an element by their names.
    """

    def __init__(self, items: Iterable[T], row: Callable[[T], dict[str, Any]]) -> None:
        super().__init__(items)
        self._row = row

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Records[T]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> T | Records[T]:
        found = super().__getitem__(index)
        return Records(found, self._row) if isinstance(index, slice) else found  # type: ignore[arg-type, return-value]

    def __reduce__(self) -> tuple[Any, ...]:
        return Records, (list(self), self._row)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each element. Times are datetimes in UTC, None where they are not set."""
        return [self._row(item) for item in self]

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with a row for each element.

        Raises:
            UsageError: if pandas is not installed.
        """
        return _library("pandas").DataFrame(self.to_dicts())

    def to_polars(self) -> Any:
        """Return a polars DataFrame with a row for each element.

        Lists and objects of a column that do not have one type in common, which polars requires, become JSON text.

        Raises:
            UsageError: if polars is not installed.
        """
        polars = _library("polars")
        rows = self.to_dicts()
        try:
            return polars.from_dicts(rows, infer_schema_length=None) if rows else polars.DataFrame()
        except (TypeError, ValueError, polars.exceptions.PolarsError):
            rows = [{name: _plain(value) for name, value in row.items()} for row in rows]
            return polars.from_dicts(rows, infer_schema_length=None, strict=False)


def _plain(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else value


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError(f"{name} is not installed: `pip install {name}`, or use to_dicts().") from None
