"""The calls that a map makes: from iterables, tuples of arguments and grids of keywords (pure)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from colony_jupyter.errors import UsageError

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable, Sequence


class Arguments(NamedTuple):
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def list_calls(iterables: Sequence[Iterable[Any] | Mapping[str, Iterable[Any]]]) -> list[Arguments]:
    """Return the arguments of each call.

    Args:
        iterables: of one iterable each element is a call: a tuple has its positional arguments, anything else is its
            only argument. A mapping in its place is a grid: a list of values for each keyword, and a call for each
            combination of them; the last keyword changes first. Of several iterables each gives one positional
            argument, as with Python's `map`.

    Raises:
        UsageError: if there is no iterable, or one of them is none.
    """
    if not iterables:
        raise UsageError("map() needs the values: one call is made for each of them.")
    for each in iterables:
        _check_iterable(each, "The values", "[...]")
    if len(iterables) > 1:
        if any(isinstance(each, Mapping) for each in iterables):
            raise UsageError("A grid, which is a mapping, stands alone: put the other values into it as a list, too.")
        return [Arguments(args, {}) for args in zip(*iterables, strict=False)]
    (values,) = iterables
    if isinstance(values, Mapping):
        return _grid(values)
    return [Arguments(value if isinstance(value, tuple) else (value,), {}) for value in values]


def _grid(values: Mapping[str, Iterable[Any]]) -> list[Arguments]:
    for name, each in values.items():
        if not isinstance(name, str):
            raise UsageError(f"{name!r} is no name of an argument: a grid has a list of values for each keyword.")
        _check_iterable(each, f"The values of '{name}'", f"{{{name!r}: [{each!r}]}}")
    combinations = itertools.product(*values.values())
    return [Arguments((), dict(zip(values, combination, strict=True))) for combination in combinations]


def _check_iterable(values: object, what: str, remedy: str) -> None:
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise UsageError(f"{what} are the single value {values!r}: use a list, {remedy}.")
    if hasattr(values, "columns"):  # of pandas or polars: iteration gives the names of its columns, or the columns
        raise UsageError(
            f"{what} are a {type(values).__name__}. For a call for each row, whose columns are the arguments, use "
            "list(frame.itertuples(index=False, name=None)) of pandas or frame.rows() of polars."
        )


def columns(args: Sequence[Any], kwargs: Mapping[str, Any], signature: inspect.Signature | None) -> dict[str, Any]:
    """Return the arguments of a call by their names, as columns of a table.

    Args:
        args: the positional ones.
        kwargs: the named ones.
        signature: that of the function; without one, positional arguments are named ``arg0``, ``arg1`` and so on.
    """
    if signature is not None:
        return dict(signature.bind(*args, **kwargs).arguments)
    return {**{f"arg{number}": value for number, value in enumerate(args)}, **kwargs}
