"""Whether a reply is the recorded one: member by member, placeholders by value or by type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from colony_contract.cast import Cast

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_ZERO_TIME = "0001-01-01T00:00:00Z"
_HEX64 = re.compile(r"[0-9a-f]{64}")


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "$time": lambda v: isinstance(v, str) and _TIME.fullmatch(v) is not None and v != _ZERO_TIME,
    "$int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "$num": _is_number,
    "$str": lambda v: isinstance(v, str),
    "$bool": lambda v: isinstance(v, bool),
    "$hex64": lambda v: isinstance(v, str) and _HEX64.fullmatch(v) is not None,
    "$list": lambda v: isinstance(v, list),
    "$any": lambda _: True,
}


@dataclass(frozen=True)
class Difference:
    """One place where a reply is not the recorded one."""

    path: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {_short(self.expected)}, got {_short(self.got)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + " ..."


@dataclass(frozen=True)
class Comparison:
    """How replies are compared.

    Args:
        cast: gives placeholders their values.
        unordered: paths, without the indices of lists, of lists whose order does not count.
        lenient_null: whether null and an empty list are the same.
    """

    cast: Cast
    unordered: frozenset[str] = frozenset()
    lenient_null: bool = False

    def differences(self, expected: Any, got: Any, path: str = "") -> Iterator[Difference]:
        """Find every difference.

        Raises:
            Unbound: if a placeholder in ``expected`` has no value.
        """
        if isinstance(expected, str):
            yield from self._text(expected, got, path)
        elif isinstance(expected, dict) and isinstance(got, dict):
            yield from self._members(expected, got, path)
        elif isinstance(expected, list) and isinstance(got, list):
            yield from self._items(expected, got, path)
        elif self.lenient_null and expected in (None, []) and got in (None, []):
            return
        elif _is_number(expected) and _is_number(got):
            if expected != got:
                yield Difference(path, expected, got)
        elif type(expected) is not type(got) or expected != got:
            yield Difference(path, expected, got)

    def _text(self, expected: str, got: Any, path: str) -> Iterator[Difference]:
        if expected in TYPES:
            if got is ABSENT or not TYPES[expected](got):
                yield Difference(path, expected, got)
            return
        filled = self.cast.fill_text(expected)
        if not isinstance(got, str) or filled != got:
            yield Difference(path, filled, got)

    def _members(self, expected: dict[str, Any], got: dict[str, Any], path: str) -> Iterator[Difference]:
        for name in sorted(expected.keys() | got.keys()):
            inside = f"{path}.{name}" if path else name
            if name not in got:
                yield Difference(inside, expected[name], ABSENT)
            elif name not in expected:
                yield Difference(inside, ABSENT, got[name])
            else:
                yield from self.differences(expected[name], got[name], inside)

    def _items(self, expected: list[Any], got: list[Any], path: str) -> Iterator[Difference]:
        if len(expected) != len(got):
            yield Difference(f"{path}.length", len(expected), len(got))
            yield Difference(path, expected, got)
        elif re.sub(r"\.\d+(?=\.|$)", "", path) in self.unordered:
            yield from self._unordered(expected, got, path)
        else:
            for index, (one, other) in enumerate(zip(expected, got, strict=True)):
                yield from self.differences(one, other, f"{path}.{index}")

    def _unordered(self, expected: list[Any], got: list[Any], path: str) -> Iterator[Difference]:
        """Pair the items up, as augmenting paths do: a placeholder by type may fit several."""
        fits = [
            [j for j, other in enumerate(got) if not any(self.differences(one, other, f"{path}.{i}"))]
            for i, one in enumerate(expected)
        ]
        taken: dict[int, int] = {}

        def place(i: int, tried: set[int]) -> bool:
            for j in fits[i]:
                if j not in tried:
                    tried.add(j)
                    if j not in taken or place(taken[j], tried):
                        taken[j] = i
                        return True
            return False

        unplaced = [i for i in range(len(expected)) if not place(i, set())]
        left = [j for j in range(len(got)) if j not in taken]
        for i, j in zip(unplaced, left, strict=True):
            yield from self.differences(expected[i], got[j], f"{path}.{i}")


def look_up(value: Any, path: str) -> Any:
    """Follow a path such as ``processids.3`` into a JSON value; `ABSENT` where it leads nowhere."""
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value
