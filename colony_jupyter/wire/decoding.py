"""JSON as the server reads it (docs/protocol.md section 2, "Decoding is lenient").

Unknown members are ignored, member names match in any letter case, null for a scalar means its zero value, absent means
zero. Both sides read this way: what a server leaves out of an answer is zero too, not the default a maker of the object
would choose (`FunctionSpec.maxexectime` is the one that matters, trap 1).
"""

from __future__ import annotations

import contextlib
import functools
import json
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
    """Read JSON into a struct, a list of structs or a plain value; `msgspec.Raw` stands for JSON to be read later.

    Raises:
        Undecodable: if it is not JSON, or not of that shape; JSON null instead of an object included.
    """
    exact = decode_exactly(data, shape)
    if exact is not None:
        return exact
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(str(error)) from error
    if value is None and isinstance(shape, type) and issubclass(shape, Struct):
        raise Undecodable("Expected `object`, got `null`")
    return convert(value, shape)


def read_json(data: bytes | str) -> Any:
    """Read any JSON value, with NaN and infinity as Python's own encoder writes them, which pycolonies uses.

    Raises:
        ValueError: if it is not JSON.
        RecursionError: if it is nested too deeply.
    """
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        if (
            (b"NaN" in data or b"Infinity" in data)
            if isinstance(data, bytes)
            else ("NaN" in data or "Infinity" in data)
        ):
            return json.loads(data)
        raise


def decode_exactly(data: bytes | str, shape: type[T]) -> T | None:
    """Read JSON that msgspec alone reads as the rules do, which is most of what servers send; None if it is other.

    A member that is twice in one object may hide that it is missing in another one: no encoder writes that.
    """
    needed = _needed(cast("Hashable", shape))
    if needed is None:
        return None
    try:
        found = _decoder(cast("Hashable", shape)).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = data.encode() if needed and isinstance(data, str) else data
    objects = len(found) if isinstance(found, list) else 1
    # In JSON these bytes stand for nothing but the name of a member.
    return found if all(text.count(b'"%b":' % name.encode()) >= objects for name in needed) else None  # type: ignore[arg-type]


def convert(value: Any, shape: type[T]) -> T:
    """Read an already parsed JSON value; see `decode`."""
    needed = _needed(cast("Hashable", shape))
    if needed is not None:
        with contextlib.suppress(msgspec.ValidationError):  # a null, or another form that the rules know
            found = msgspec.convert(value, shape)
            if _has_all(value, needed):
                return found
    try:
        return msgspec.convert(_rule(cast("Hashable", shape))(value), shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Undecodable(str(error)) from error


_Rule = Callable[[Any], Any]


@functools.cache
def _needed(shape: Any) -> tuple[str, ...] | None:
    """Return the members that an object must have so that `msgspec.convert` alone reads it as the rules do.

    These are the members whose default is no zero. None for shapes that are always read by the rules: those with
    objects in them, and those that do not refuse members of other names, which may differ in letter case only.
    """
    if typing.get_origin(shape) is list:
        return _needed(typing.get_args(shape)[0])
    if shape is msgspec.Raw:
        return ()
    if not (isinstance(shape, type) and issubclass(shape, Struct)) or not shape.__struct_config__.forbid_unknown_fields:
        return None
    hints = typing.get_type_hints(shape, include_extras=True)
    fields = msgspec.structs.fields(shape)
    if not all(_is_scalar(hints[field.name]) for field in fields):
        return None
    defaults = {field.encode_name: (field.default, _rule(hints[field.name])(None)) for field in fields}
    # msgspec itself refuses an object without a member that has no default.
    return tuple(name for name, (default, zero) in defaults.items() if default not in (msgspec.NODEFAULT, zero))


@functools.cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def _has_all(value: Any, names: tuple[str, ...]) -> bool:
    objects = value if isinstance(value, list) else [value]
    return all(name in each for name in names for each in objects)


def _is_scalar(shape: Any) -> bool:
    if typing.get_origin(shape) is typing.Annotated:
        return _is_scalar(typing.get_args(shape)[0])
    return isinstance(shape, type) and issubclass(shape, (str, bytes, bool, int, float))


def _as_it_is(value: Any) -> Any:
    return value


@functools.cache
def _rule(shape: Any) -> _Rule:
    """How a JSON value becomes one that `msgspec.convert` accepts for the shape; None becomes a fresh zero of it."""
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
