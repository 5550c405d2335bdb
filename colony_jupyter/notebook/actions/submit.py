"""Function specs as they are typed, in JSON or as ``KEY=VALUE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.notebook.magics.shell_words import Word, value
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.limits import MAX_CHANNELS
from colony_jupyter.wire.models import SYNC, Conditions, FunctionSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SLIP: Final = 0.8
"""From what likeness on an unknown field is taken for a slip."""


def spec_of_json(text: str) -> FunctionSpec:
    """Read a function spec as ColonyOS's own command line takes it; what it leaves out gets safe values (trap 1).

    Raises:
        InvalidSpec: if it is none; the sentence says where.
    """
    try:
        read = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidSpec(f"The function spec is no JSON: {error}.") from None
    if not isinstance(read, dict):
        raise InvalidSpec("The function spec must be a JSON object, in braces.")
    spec = _known(read, FunctionSpec)
    if isinstance(spec.get("conditions"), dict):
        spec["conditions"] = _known(spec["conditions"], Conditions)
    try:
        return msgspec.convert(spec, FunctionSpec)
    except msgspec.ValidationError as error:
        raise InvalidSpec(f"The function spec is not as it must be: {error}.") from None


def with_acknowledgement(channels: Sequence[str]) -> list[str]:
    """Return the channels of a submission that a pane reads, with `sync` in first place.

    The executor then waits, bounded, until the pane has everything, however short the process is. Nothing is added
    where there is nothing to read, where the user declared `sync`, and where no further channel fits.
    """
    if not channels or SYNC in channels or len(channels) >= MAX_CHANNELS:
        return list(channels)
    return [SYNC, *channels]


def pairs(words: Sequence[str] | None, option: str) -> list[tuple[str, Word]]:
    """Part ``KEY=VALUE`` words.

    Raises:
        UsageError: if one has no ``=``.
    """
    found = []
    for word in words or ():
        key, equals, rest = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} takes KEY=VALUE, not '{word}'.")
        found.append((key, Word.of(rest, quoted=getattr(word, "quoted", False))))
    return found


def named_values(
    words: Sequence[str] | None,
    option: str,
    names: Mapping[str, Any],
    *,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Read ``KEY=VALUE`` words into values, each as `colony_jupyter.notebook.magics.shell_words.value` reads it."""
    return {key: value(rest, names, note=note) for key, rest in pairs(words, option)}


def _known(read: dict[str, Any], shape: type[FunctionSpec | Conditions]) -> dict[str, Any]:
    """Give the members that are fields, whatever case their names are in; null means left out, as for the server."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    found: dict[str, Any] = {}
    for key, member in read.items():
        name = key.casefold()
        if name not in fields:
            # The command line ignores what it does not know; what looks like a slip is not ignored here.
            if near := did_you_mean(key, fields, _SLIP):
                raise InvalidSpec(f"A function spec has no field '{key}'.{near}")
            continue
        if member is not None:
            found[name] = member
    return found
