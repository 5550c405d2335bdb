"""JSON objects and lists in the lines of magics, which may hold quotes and blanks (pure)."""

from __future__ import annotations

import json
from typing import Final, NoReturn

import msgspec

from colony_jupyter.errors import UsageError

_BEFORE: Final = 20
_AFTER: Final = 12
_REMEDY: Final = "Correct it, or put single quotes around the word to pass text."


def json_end(line: str, start: int) -> int:
    """Find the end of the JSON object or list that begins at a position.

    Args:
        line: the whole line.
        start: position of the opening brace or bracket.

    Returns:
        The position after its closing brace or bracket.

    Raises:
        UsageError: if it is malformed or followed by more characters. The message marks the position.
    """
    try:
        _, end = _DECODER.raw_decode(line, start)
        msgspec.json.decode(line[start:end].encode())  # the standard library accepts lone surrogates
    except json.JSONDecodeError as error:
        raise _malformed(line, start, error.pos, error.msg) from None
    except RecursionError:
        raise _malformed(line, start, start, "Nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError):
        raise _malformed(line, start, start, "Text that is not valid Unicode") from None
    except _NotANumber as error:
        at = line.find(str(error), start)
        raise _malformed(line, start, at, "JSON has no NaN or infinity") from None
    if end < len(line) and not line[end].isspace():
        raise _malformed(line, start, end, "Unexpected character after the end")
    return end


def _malformed(line: str, start: int, at: int, problem: str) -> UsageError:
    """Describe malformed JSON, with ▸ before the first wrong character."""
    before, after = line[max(start, at - _BEFORE) : at], line[at : at + _AFTER]
    excerpt = f"{'…' if at - start > _BEFORE else ''}{before}▸{after}{'…' if len(line) > at + _AFTER else ''}"
    return UsageError(f"Malformed JSON at character {at - start + 1}, marked ▸: {excerpt} ({problem}). {_REMEDY}")


class _NotANumber(Exception):
    """NaN or infinity, which Python's decoder accepts; ``str()`` is the word."""


def _refuse(word: str) -> NoReturn:
    raise _NotANumber(word)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
