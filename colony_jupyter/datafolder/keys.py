"""The private keys of a colony of ours: made at its first run, stored in one file, never shown."""

from __future__ import annotations

import getpass
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.datafolder.layout import PRIVATE_FILE, write_private
from colony_jupyter.errors import EmbeddedError, InvalidKey
from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.datafolder.layout import Layout

COLONY_NAME: Final = "dev"
"""The colony of a data folder."""

_LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Keys:
    """Keys and names of an embedded colony. The keys show as the ids they belong to.

    Attributes:
        colonyname: the colony.
        username: its one user to begin with.
        prvkey: that user's key.
        colony_prvkey: the colony owner's key.
        server_prvkey: the server owner's key.
    """

    colonyname: str
    username: str
    prvkey: PrivateKey
    colony_prvkey: PrivateKey
    server_prvkey: PrivateKey


def load_or_make(layout: Layout, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> Keys:
    """Read the keys of a data folder; the first run makes them. Of several processes that make them at once one wins.

    Raises:
        EmbeddedError: if the file cannot be read, written or understood. It is never overwritten.
    """
    try:
        if not layout.keys.exists():
            write_private(layout.keys, _as_text(_make(random_bytes)), replace=False)
        return _read(layout)
    except OSError as error:
        raise EmbeddedError(f"The keys in {layout.keys} cannot be used: {error.strerror or error}.") from None


def _make(random_bytes: Callable[[int], bytes]) -> Keys:
    return Keys(
        colonyname=COLONY_NAME,
        username=_login_name(),
        prvkey=PrivateKey.generate(random_bytes),
        colony_prvkey=PrivateKey.generate(random_bytes),
        server_prvkey=PrivateKey.generate(random_bytes),
    )


def _login_name() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that has no name
        name = ""
    # A colon would ruin the colony's lists on a real server (docs/protocol.md trap 13).
    name = "".join(character for character in name if character.isprintable() and character != ":").strip()
    return name[:_LONGEST_NAME] or "user"


def _as_text(keys: Keys) -> str:
    return json.dumps(
        {
            "colonyname": keys.colonyname,
            "username": keys.username,
            "prvkey": keys.prvkey.reveal(),
            "colony_prvkey": keys.colony_prvkey.reveal(),
            "server_prvkey": keys.server_prvkey.reveal(),
        },
        indent=2,
    )


def _read(layout: Layout) -> Keys:
    if layout.keys.stat().st_mode & 0o077:
        layout.keys.chmod(PRIVATE_FILE)
    try:
        found: Any = json.loads(layout.keys.read_text("utf-8"))
        return Keys(
            colonyname=str(found["colonyname"]),
            username=str(found["username"]),
            prvkey=PrivateKey(found["prvkey"]),
            colony_prvkey=PrivateKey(found["colony_prvkey"]),
            server_prvkey=PrivateKey(found["server_prvkey"]),
        )
    except (InvalidKey, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        # `from None`: what could not be read may be most of a key.
        raise EmbeddedError(
            f"The keys in {layout.keys} cannot be read. Bring the file back from a copy; without it the colony's data "
            "has no owner, so only a new data folder helps."
        ) from None
