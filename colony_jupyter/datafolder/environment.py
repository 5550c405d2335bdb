"""ColonyOS's variables for a colony of ours, and the file a shell sources."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from colony_jupyter.datafolder.keys import Keys


def variables(keys: Keys, host: str, port: int, ca_file: Path | None = None) -> dict[str, str]:
    """Return the variables that make ColonyOS's clients, ours among them, users of this colony. They hold the keys.

    Args:
        keys: keys and names of the colony.
        host: name or address at which clients call the server.
        port: its port.
        ca_file: certificates to trust if it speaks TLS; None if it does not.
    """
    tls = "false" if ca_file is None else "true"
    found = {
        "COLONIES_SERVER_HOST": host,
        "COLONIES_SERVER_PORT": str(port),
        "COLONIES_TLS": tls,
        "COLONIES_SERVER_TLS": tls,
        "COLONIES_COLONY_NAME": keys.colonyname,
        "COLONIES_PRVKEY": keys.prvkey.reveal(),
        "COLONIES_COLONY_PRVKEY": keys.colony_prvkey.reveal(),
        "COLONIES_SERVER_PRVKEY": keys.server_prvkey.reveal(),
    }
    return found if ca_file is None else {**found, "SSL_CERT_FILE": str(ca_file)}


def as_exports(found: Mapping[str, str]) -> str:
    """Write variables as lines for a shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())
