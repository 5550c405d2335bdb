"""Looks for private keys, whole or in part, in whatever form they could have got into something."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from colony_jupyter.wire.identity import PrivateKey

SIGNIFICANT = 10
"""Hex digits that nothing but a key begins with: in a hundred megabytes of others it happens once in ten thousand."""

KEPT_IN = ("keys.json", "*.key", "colonies.env")
"""The files that are there to hold keys."""


def forms(key: str) -> dict[str, bytes]:
    """Return how a key, or its beginning, would look in bytes.

    Args:
        key: hex digits; a key with a typing error has another number of them.
    """
    raw = bytes.fromhex(key[: len(key) // 2 * 2])
    return {
        "hex": key[:SIGNIFICANT].lower().encode(),
        "hex, in capitals": key[:SIGNIFICANT].upper().encode(),
        "bytes": raw[:6],
        "bytes as text": raw[:6].decode("latin-1").encode(),
        "bytes as Python shows them": repr(raw[:6])[2:-1].encode(),
        "bytes as Python shows them, in JSON": json.dumps(repr(raw[:6])[2:-1])[1:-1].encode(),
        "base64": base64.b64encode(raw[:6]),
        **{f"base64 of the hex at {place}": base64.b64encode(key.lower().encode()[place:][:9]) for place in range(3)},
        "decimal": str(int.from_bytes(raw, "big"))[:12].encode(),
    }


class Hunt:
    """Keys to look for.

    Args:
        keys: keys, or what was typed for one.
    """

    def __init__(self, *keys: PrivateKey | str) -> None:
        self._forms: dict[str, bytes] = {}
        self.add(*keys)

    def add(self, *keys: PrivateKey | str) -> None:
        """Look for these, too."""
        for key in keys:
            text = key if isinstance(key, str) else key.reveal()
            self._forms |= {f"{len(self._forms)}: {name}": form for name, form in forms(text).items()}

    @property
    def count(self) -> int:
        """Of how many keys there are forms."""
        return len(self._forms) // len(forms("00" * 32))

    def found(self, *where: str | bytes) -> list[str]:
        """Report which keys are there, and in which form; the keys themselves are not repeated."""
        texts = [each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each for each in where]
        return [name for name, form in self._forms.items() if any(form in text for text in texts)]

    def in_files(self, *folders: Path) -> dict[str, list[str]]:
        """Report which files hold keys, and are not there to hold them or may be read by others."""
        held: dict[str, list[str]] = {}
        for path in self._files(folders):
            found = self.found(path.read_bytes())
            is_theirs = any(path.match(pattern) for pattern in KEPT_IN) and not path.stat().st_mode & 0o077
            if found and not is_theirs:
                held[str(path)] = found
        return held

    def learn(self, *folders: Path) -> None:
        """Look for the keys that lie in these folders, too."""
        import re

        for path in self._files(folders):
            if any(path.match(pattern) for pattern in KEPT_IN):
                self.add(*re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", path.read_text("utf-8")))

    @staticmethod
    def _files(folders: Iterable[Path]) -> list[Path]:
        return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
