"""Who and what a replay is about: keys of the roles, names made for the run, values bound on the way."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Mapping

GIVEN_ROLES = {
    "server": "COLONIES_SERVER_PRVKEY",
    "preset-colony": "COLONIES_COLONY_PRVKEY",
    "preset-user": "COLONIES_PRVKEY",
}
PLACEHOLDER = re.compile(r"\$(id:[a-z-]+|[A-Za-z][A-Za-z0-9]*)")


class Unbound(LookupError):
    """A placeholder that nothing has given a value."""


@dataclass(frozen=True)
class Place:
    """A server to be judged, by ColonyOS's own names."""

    host: str
    port: int
    tls: bool = False
    colonyname: str = ""
    keys: Mapping[str, PrivateKey] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Place:
        keys = {role: PrivateKey(environ[name]) for role, name in GIVEN_ROLES.items() if environ.get(name)}
        tls = (environ.get("COLONIES_TLS") or environ.get("COLONIES_SERVER_TLS") or "false").lower() in ("true", "1")
        port = int(environ.get("COLONIES_SERVER_PORT") or (443 if tls else 80))
        return cls(environ["COLONIES_SERVER_HOST"], port, tls, environ.get("COLONIES_COLONY_NAME", ""), keys)


class Cast:
    """Roles and placeholders of one run of one transcript."""

    def __init__(self, place: Place) -> None:
        self._keys = dict(place.keys)
        # Ends with a letter: type names that differ by trailing digits collide in a real server (trap 5).
        run = secrets.token_hex(6)
        self._values: dict[str, Any] = {
            "colony": f"contract-{run}",
            "othercolony": f"contract-other-{run}",
            "presetcolony": place.colonyname,
            "type": f"contract-{run}-t",
            "unknownid": secrets.token_hex(32),
        }

    def key(self, role: str) -> PrivateKey:
        """Return a role's key; the roles of the server's own keys have none unless the place has."""
        if role not in self._keys:
            if role in GIVEN_ROLES:
                raise Unbound(f"no key for {role}: {GIVEN_ROLES[role]} is not set")
            self._keys[role] = PrivateKey.generate(secrets.token_bytes)
        return self._keys[role]

    def bind(self, name: str, value: Any) -> Any:
        """Give a placeholder its value, unless it has one: a later step that binds it again is held to the first.

        Returns:
            The value it has.
        """
        return self._values.setdefault(name.removeprefix("$"), value)

    def value(self, name: str) -> Any:
        """Look a placeholder up, written without its dollar."""
        if name.startswith("id:"):
            return self.key(name[3:]).id
        if name not in self._values:
            raise Unbound(f"${name} is bound by no step before")
        return self._values[name]

    def fill_text(self, text: str) -> str:
        """Put values in the place of placeholders in a text."""
        return PLACEHOLDER.sub(lambda found: str(self.value(found[1])), text)

    def fill(self, value: Any) -> Any:
        """Put values in the place of placeholders, anywhere in a JSON value."""
        if isinstance(value, str):
            return self.fill_text(value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        return value
