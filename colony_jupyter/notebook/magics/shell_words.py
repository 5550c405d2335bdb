"""How the lines of magics are read (pure): words by shell rules, values as JSON where they are JSON, variables by name.

Nothing is expanded inside of a word: braces and dollars stay as they were typed. Only a whole word ``$name`` or
``{name}`` that is not quoted stands for the object of that name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE: Final = re.compile(r"\$(?P<dollar>[^\W\d]\w*)|\{(?P<brace>[^\W\d]\w*)\}")
_ESCAPED: Final = '"\\$`\n'
"""What a backslash takes its meaning from within double quotes; before anything else it is an ordinary character."""


class Word(str):
    """A word of a line.

    Attributes:
        quoted: whether any of it was quoted or escaped, so that it means just what it says.
    """

    __slots__ = ("quoted",)

    quoted: bool

    @classmethod
    def of(cls, text: str, *, quoted: bool) -> Word:
        """Make a word."""
        word = cls(text)
        word.quoted = quoted
        return word


def split(line: str) -> list[Word]:
    """Split a line into words, by the shell's rules for quotes and backslashes.

    Raises:
        UsageError: if a quote is not closed, or a backslash ends the line.
    """
    words: list[Word] = []
    text: list[str] | None = None  # characters of the word that is being read; None between words
    quoted = False
    at = 0
    while at < len(line):
        character = line[at]
        at += 1
        if character.isspace():
            if text is not None:
                words.append(Word.of("".join(text), quoted=quoted))
            text, quoted = None, False
            continue
        text = [] if text is None else text
        if character in "'\"":
            quoted = True
            at = _quotation(line, at, character, text)
        elif character == "\\":
            if at == len(line):
                raise UsageError("The line ends with a backslash: remove it, or double it if you mean one.")
            quoted = True
            text.append(line[at])
            at += 1
        else:
            text.append(character)
    if text is not None:
        words.append(Word.of("".join(text), quoted=quoted))
    return words


def value(word: str, names: Mapping[str, Any]) -> Any:
    """Read a word as a value: the object of ``$name`` or ``{name}``, else strict JSON, else the text itself.

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
    try:
        return msgspec.json.decode(str(word))
    except (msgspec.DecodeError, ValueError):
        return str(word)


def variable(word: str) -> str | None:
    """Give the name if a word is ``$name`` or ``{name}`` as a whole and not quoted."""
    if getattr(word, "quoted", False):
        return None
    found = _VARIABLE.fullmatch(word)
    return None if found is None else found["dollar"] or found["brace"]


def _quotation(line: str, at: int, quote: str, text: list[str]) -> int:
    """Read up to the closing quote; give where to go on."""
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
