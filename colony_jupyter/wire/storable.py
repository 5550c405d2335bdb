"""Text that a ColonyOS server can store: UTF-8 without NUL.

PostgreSQL refuses NUL in text, and a lone surrogate has no UTF-8 form. Both reach programs through file names, binary
headers and undecodable output, so they are replaced before a text is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NUL_SYMBOL: Final = "\N{SYMBOL FOR NULL}"
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ENCODED_NUL: Final = b"\\u0000"


def encodable(text: str) -> str:
    """Replace lone surrogates by U+FFFD, so that the text has a UTF-8 form."""
    return _SURROGATE.sub(_REPLACEMENT, text)


def storable(text: str) -> str:
    """Replace what cannot be stored: NUL by U+2400, lone surrogates by U+FFFD."""
    return encodable(text).replace("\0", _NUL_SYMBOL)


def json_bytes(value: Any) -> bytes:
    """Encode a JSON value, with lone surrogates in its strings and keys replaced by U+FFFD.

    Raises:
        TypeError, ValueError, RecursionError: if it is not a JSON value.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_replaced(msgspec.to_builtins(value, str_keys=True), encodable))


def storable_json(value: Any) -> Any:
    """Return a JSON value whose strings and keys can all be stored; the same object if nothing has to be replaced.

    Raises:
        TypeError, ValueError, RecursionError: if it is not a JSON value.
    """
    try:
        if _ENCODED_NUL not in msgspec.json.encode(value):
            return value
    except UnicodeEncodeError:
        pass
    return _replaced(msgspec.to_builtins(value, str_keys=True), storable)


def _replaced(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, dict):
        return {_replaced(key, replace): _replaced(member, replace) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(member, replace) for member in value]
    return value
