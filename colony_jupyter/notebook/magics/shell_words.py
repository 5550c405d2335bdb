r"""Reads the lines of magics (pure): words by shell rules, values as JSON where they are JSON, variables by name.

Two rules differ from a shell. A word that begins with a brace or bracket is JSON up to its end, with its quotes and
blanks. A backslash before a letter, a digit, a dot or an underscore is an ordinary character, as in ``D:\data``.

Nothing is expanded inside of a word: braces and dollars stay as they were typed. Only a whole word ``$name`` or
``{name}`` that is not quoted stands for the object of that name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.json_words import json_end
from colony_jupyter.notebook.magics.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_VARIABLE: Final = re.compile(r"\$(?P<dollar>[^\W\d]\w*)|\{(?P<brace>[^\W\d]\w*)\}")
_ESCAPED: Final = '"\\$`\n'
"""What a backslash takes its meaning from within double quotes; before anything else it is an ordinary character."""

_LITERAL: Final = "._"
"""Characters, besides letters and digits, before which a backslash outside of quotes is an ordinary character."""

_KEY: Final = re.compile(r"(?:--kw=)?[^\s='\"\\{\[]+=")
_PYTHON: Final = {"True": True, "False": False, "None": None}


class Word(str):
    """A word of a line.

    Attributes:
        quoted: whether any of it was quoted or escaped, so that it is no option and no variable.
    """

    __slots__ = ("quoted",)

    quoted: bool

    @classmethod
    def of(cls, text: str, *, quoted: bool) -> Word:
        """Make a word."""
        word = cls(text)
        word.quoted = quoted
        return word


def split(line: str, *, text_follows: Callable[[str], bool] = lambda _: False) -> list[Word]:
    """Split a line into words, by the shell's rules for quotes and backslashes, except that JSON is one word.

    Args:
        line: the line.
        text_follows: whether the word after an option is text, never JSON, as in ``--label [nightly]``.

    Raises:
        UsageError: if a quote is not closed, a backslash ends the line, or JSON is malformed.
    """
    words: list[Word] = []
    option = ""  # the latest word that begins with two dashes
    at = 0
    while True:
        while at < len(line) and line[at].isspace():
            at += 1
        if at == len(line):
            return words
        json_at = None if words and words[-1] == option and text_follows(option) else _json_start(line, at, option)
        if json_at is None:
            word, at = _shell_word(line, at)
        else:
            end = json_end(line, json_at)
            word, at = Word.of(line[at:end], quoted=False), end
        words.append(word)
        if word.startswith("--") and not word.quoted:
            option = word.partition("=")[0]


def value(word: str, names: Mapping[str, Any], *, note: Callable[[str], None] = lambda _: None) -> Any:
    """Read a word as a value: the object of ``$name`` or ``{name}``, else strict JSON, else the text itself.

    ``True``, ``False`` and ``None`` are read as Python reads them, unless they are quoted.

    Args:
        word: the word.
        names: the variables.
        note: receives a sentence if the word is one of Python's three constants.

    Raises:
        UsageError: if there is no object of that name.
    """
    if (name := variable(word)) is not None:
        try:
            return names[name]
        except KeyError:
            near = did_you_mean(name, (known for known in names if not known.startswith("_")))
            raise UsageError(
                f"There is no variable '{name}' in this notebook.{near} For the text itself write '{word}' in quotes."
            ) from None
    if word in _PYTHON and not getattr(word, "quoted", False):
        constant = _PYTHON[word]
        shown = msgspec.json.encode(constant).decode()
        note(f"{word} was passed as the JSON value {shown}, not as text. Write '{word}' in quotes for text.")
        return constant
    try:
        return msgspec.json.decode(str(word))
    except (msgspec.DecodeError, ValueError):
        return str(word)


def variable(word: str) -> str | None:
    """Return the name if a word is ``$name`` or ``{name}`` as a whole and not quoted."""
    if getattr(word, "quoted", False):
        return None
    found = _VARIABLE.fullmatch(word)
    return None if found is None else found["dollar"] or found["brace"]


def _json_start(line: str, at: int, option: str) -> int | None:
    """Return the position of the brace or bracket if the word at a position is JSON, or ``KEY=`` followed by JSON."""
    if (option == "--kw" or line.startswith("--kw=", at)) and (key := _KEY.match(line, at)):
        at = key.end()
    return at if line.startswith(("{", "["), at) and not _VARIABLE.match(line, at) else None


def _shell_word(line: str, at: int) -> tuple[Word, int]:
    """Read one word by the shell's rules; return it and the position after it."""
    text: list[str] = []
    quoted = False
    while at < len(line) and not line[at].isspace():
        character = line[at]
        at += 1
        if character in "'\"":
            quoted = True
            at = _quotation(line, at, character, text)
        elif character == "\\" and at == len(line):
            raise UsageError("The line ends with a backslash: remove it, or double it if you mean one.")
        elif character == "\\" and not (line[at].isalnum() or line[at] in _LITERAL):
            quoted = True
            text.append(line[at])
            at += 1
        else:
            text.append(character)
    return Word.of("".join(text), quoted=quoted), at


def _quotation(line: str, at: int, quote: str, text: list[str]) -> int:
    """Read up to the closing quote; return the position after it."""
    while at < len(line):
        character = line[at]
        at += 1
        if character == quote:
            return at
        if character == "\\" and quote == '"' and at < len(line) and line[at] in _ESCAPED:
            character = line[at]
            at += 1
        text.append(character)
    raise UsageError(f"A quotation mark ({quote}) is not closed: close it, or put a backslash before it.")
