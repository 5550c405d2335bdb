"""Converts Python objects to values that JSON has.

No library is imported for its types: an object can only be of a library that its process has imported already.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final, Literal

from colony_jupyter.values import arrays, frames, mime, objects, scalars
from colony_jupyter.values.report import DEEPEST, Attribute, Converted, Fault, Path, described, location
from colony_jupyter.wire.limits import EXACT_INTEGER
from colony_jupyter.wire.storable import encodable, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Large = Literal["refuse", "text", "keep"]
"""What to do with integers beyond ±2^53, which a ColonyOS server changes except in the payload of an entry."""

_PLAIN: Final = frozenset({str, bool, type(None)})
_NUMBERS: Final = frozenset({int, float})
_RETURN: Final = "use text, numbers, lists or dicts made from it"


def convert(value: Any, root: str, *, large: Large) -> Converted:
    """Convert an object to a JSON value.

    Lists and dicts that are JSON already are returned as they are, not copied.

    Args:
        value: any object.
        root: the name of the value, with which locations begin: ``result``, ``args[0]``.
        large: what to do with integers beyond ±2^53: a fault, text, or unchanged.
    """
    conversion = _Conversion(root, large)
    converted = conversion.value(value, ())
    return Converted(converted, conversion.nonfinite, conversion.large, tuple(conversion.faults))


class _Conversion:
    """One conversion: counts what it changes and collects faults.

    Args:
        root: the name of the value.
        large: what to do with integers beyond ±2^53.
    """

    def __init__(self, root: str, large: Large) -> None:
        self._root = root
        self._large = large
        self._open: set[int] = set()  # ids of the containers around the current part, to find cycles
        self.nonfinite = 0
        self.large = 0
        self.faults: list[Fault] = []

    def fault(self, path: Path, problem: str, remedy: str) -> None:
        """Record a part that has no JSON form."""
        self.faults.append(Fault(location(self._root, path), problem, remedy))

    def value(self, value: Any, path: Path) -> Any:
        """Convert one part."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is bool or value is None:
            return value
        if kind is int:
            return self.integer(value, path)
        if kind is float:
            return self.number(value)
        if kind is list or kind is tuple:
            return self._nested(value, path, self.items)
        if kind is dict:
            return self._nested(value, path, self.mapping)
        try:
            return self._object(value, path)
        except Exception as error:  # noqa: BLE001 - an object's own methods may raise anything
            why = f"could not be converted ({described(error)})"
            self.fault(path, f"is {_named(kind)} and {why}", _RETURN)
            return None

    def text(self, value: str) -> str:
        """Replace characters that a server cannot store; the payload of an entry may hold all but surrogates."""
        if value.isprintable():  # it then has neither
            return value
        return encodable(value) if self._large == "keep" else storable(value)

    def integer(self, value: int, path: Path) -> int | str | None:
        """Convert an integer by the rule for large ones."""
        if -EXACT_INTEGER <= value <= EXACT_INTEGER or self._large == "keep":
            return value
        if self._large == "text":
            self.large += 1
            return scalars.digits(value)
        self.fault(path, "is an integer beyond ±2^53, whose digits a ColonyOS server changes", "pass it as text")
        return None

    def number(self, value: float) -> float | None:
        """Convert a float; NaN and infinity become null."""
        if math.isfinite(value):
            return value
        self.nonfinite += 1
        return None

    def mapping(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        """Convert a mapping. Its keys become text."""
        if type(value) is dict and set(map(type, value)) <= {str} and all(map(str.isprintable, value)):
            found = {key: self.value(each, (*path, key)) for key, each in value.items()}
            return value if all(found[key] is value[key] for key in value) else found
        result: dict[str, Any] = {}
        for key, each in value.items():
            name = self._key(key, (*path, key))
            if name is None:
                continue
            if name in result:
                self.fault((*path, key), f'has a key that becomes "{name}", as another key does', "use distinct keys")
                continue
            result[name] = self.value(each, (*path, key))
        return result

    def items(self, values: Sequence[Any], path: Path) -> list[Any]:
        """Convert a sequence to a list, a long one of plain values without a call for each."""
        kinds = set(map(type, values))
        if kinds <= _PLAIN | _NUMBERS and self._fits(values, kinds):
            return values if type(values) is list else list(values)
        found = [self.value(each, (*path, at)) for at, each in enumerate(values)]
        return values if type(values) is list and all(map(_is, values, found)) else found

    def _fits(self, values: Sequence[Any], kinds: set[type]) -> bool:
        """Whether a list of plain values needs no change."""
        if kinds <= _NUMBERS and kinds:
            if float in kinds and not all(map(_finite, values)):
                return False
            return int not in kinds or -EXACT_INTEGER <= min(values) <= max(values) <= EXACT_INTEGER
        return kinds <= {bool, type(None)} or (kinds == {str} and all(map(str.isprintable, values)))

    def fields(self, fields: Iterable[tuple[str, Any]], path: Path) -> dict[str, Any]:
        """Convert the fields of an object to a JSON object."""
        return {name: self.value(each, (*path, Attribute(name))) for name, each in fields}

    def _object(self, value: Any, path: Path) -> Any:
        kind = type(value)
        if isinstance(value, enum.Enum):
            return self.value(value.value, path)
        simple = scalars.simplify(value)
        if simple is not scalars.UNKNOWN:
            return self.value(simple, path)
        if frames.is_frame(value):
            return self._nested(value, path, lambda frame, at: frames.encode(self, frame, at))
        if arrays.is_array(value):
            return arrays.encode(self, value, path)
        fields = objects.fields(value)
        if fields is not None:
            return self._nested(value, path, lambda _, at: self.fields(fields, at))
        if isinstance(value, Mapping):
            return self._nested(value, path, self.mapping)
        if isinstance(value, AbstractSet):
            return self._nested(_in_order(value), path, self.items, value)
        bundle = mime.bundle_of(value)
        if bundle is not None:
            return self._nested(bundle, path, self.mapping, value)
        if isinstance(value, Sequence) or type(value).__name__ in ("deque", "dict_values"):
            return self._nested(list(value), path, self.items, value)
        remedy = "use list(...) of it" if hasattr(kind, "__next__") else _RETURN
        self.fault(path, f"is {_named(kind)}, which has no JSON form", remedy)
        return None

    def _nested(self, value: Any, path: Path, convert: Callable[[Any, Path], Any], owner: Any = None) -> Any:
        identity = id(value if owner is None else owner)
        if identity in self._open:
            self.fault(path, "contains itself", "remove the cycle")
            return None
        if len(path) > DEEPEST:
            self.fault(path[:4], f"is nested more than {DEEPEST} levels deep", "make it flatter")
            return None
        self._open.add(identity)
        try:
            return convert(value, path)
        finally:
            self._open.discard(identity)

    def _key(self, key: Any, path: Path) -> str | None:
        if isinstance(key, enum.Enum):
            key = key.value
        if not isinstance(key, (str, bool, int, float, type(None))):
            key = scalars.simplify(key)
        if key is None or isinstance(key, bool):
            return {None: "null", True: "true", False: "false"}[key]
        if isinstance(key, (int, float)):
            return repr(key) if isinstance(key, float) else scalars.digits(int(key))
        if isinstance(key, str):
            return self.text(str(key))
        self.fault(path, f"has {_named(type(path[-1]))} as its key, which no JSON object can have", "use text keys")
        return None


def _finite(value: float) -> bool:
    return value - value == 0  # false for NaN and infinity; for an int of any size, unlike math.isfinite


def _is(one: object, other: object) -> bool:
    return one is other


def _in_order(values: AbstractSet[Any]) -> list[Any]:
    """Return the members of a set in order where they have one, so that equal sets have equal forms."""
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def _named(kind: type) -> str:
    module = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
