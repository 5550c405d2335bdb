"""Text that a ColonyOS server can store: UTF-8 without NUL.

PostgreSQL refuses NUL in text, and a lone surrogate has no UTF-8 form. Both reach programs through file names, binary
headers and undecodable output, so they are replaced before a text is sent.
"""

from __future__ import annotations

import re
from typing import Final

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NUL_SYMBOL: Final = "\N{SYMBOL FOR NULL}"
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def encodable(text: str) -> str:
    """Replace lone surrogates by U+FFFD, so that the text has a UTF-8 form."""
    return _SURROGATE.sub(_REPLACEMENT, text)


def storable(text: str) -> str:
    """Replace what cannot be stored: NUL by U+2400, lone surrogates by U+FFFD."""
    return encodable(text).replace("\0", _NUL_SYMBOL)
