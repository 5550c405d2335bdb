"""JSON as the server reads it (docs/protocol.md section 2, "Decoding is lenient").

Unknown members are ignored, member names match in any letter case, null for a scalar means its zero value, absent means
zero. Both sides read this way: what a server leaves out of an answer is zero too, not the default a maker of the object
would choose (`FunctionSpec.maxexectime` is the one that matters, trap 1).
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct

T = TypeVar("T")

_MAX_BYTE: Final = 255


class Undecodable(ValueError):
    """Text that is no JSON, or JSON of another shape."""


def decode(data: bytes | str, shape: type[T]) -> T:
    """Read JSON into a struct, a list of structs or a plain value.

    Raises:
        Undecodable: if it is not JSON, or not of that shape; JSON null instead of an object included.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(str(error)) from error
    if value is None and isinstance(shape, type) and issubclass(shape, Struct):
        raise Undecodable("Expected `object`, got `null`")
    return convert(value, shape)


def convert(value: Any, shape: type[T]) -> T:
    """Read an already parsed JSON value; see `decode`."""
    try:
        return msgspec.convert(_rule(cast("Hashable", shape))(value), shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Undecodable(str(error)) from error


_Rule = Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


@functools.cache
def _rule(shape: Any) -> _Rule:
    """How a JSON value becomes one that `msgspec.convert` takes for the shape; None becomes a fresh zero of it."""
    origin = typing.get_origin(shape)
    if origin is typing.Annotated:
        return _rule(typing.get_args(shape)[0])
    if origin in (types.UnionType, typing.Union):
        # Unions of the protocol are all "something or null".
        (something,) = (_rule(part) for part in typing.get_args(shape) if part is not types.NoneType)
        return lambda value: None if value is None else something(value)
    if origin is list:
        item = _rule(typing.get_args(shape)[0])
        return lambda value: [] if value is None else [item(v) for v in value] if isinstance(value, list) else value
    if origin is dict:
        return lambda value: {} if value is None else value
    if isinstance(shape, type) and issubclass(shape, Struct):
        return _struct_rule(shape)
    if shape is bytes:
        return _bytes
    if isinstance(shape, type) and issubclass(shape, str):
        return lambda value: "" if value is None else value
    if shape is bool:
        return lambda value: False if value is None else value
    if isinstance(shape, type) and issubclass(shape, (int, float)):
        return lambda value: 0 if value is None else value
    return _as_it_is


def _bytes(value: Any) -> Any:
    """Base64 that may hold line breaks, or a list of byte values: other SDKs send their payloads so."""
    if isinstance(value, str):
        return value.replace("\n", "").replace("\r", "")
    if isinstance(value, list) and all(
        item is None or (type(item) is int and 0 <= item <= _MAX_BYTE) for item in value
    ):
        return bytes(item or 0 for item in value)
    return b"" if value is None else value


def _struct_rule(shape: type[Struct]) -> _Rule:
    hints = typing.get_type_hints(shape, include_extras=True)
    rules = {f.encode_name: _rule(hints[f.name]) for f in msgspec.structs.fields(shape)}
    folded = {name.casefold(): name for name in rules}

    def rule(value: Any) -> Any:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            return value
        found = {}
        for key, member in value.items():
            name = key if key in rules else folded.get(key.casefold())
            if name is not None:
                found[name] = rules[name](member)
        for name in rules.keys() - found.keys():
            found[name] = rules[name](None)
        return found

    return rule
