"""Where the colony is, and who is calling: arguments, then ColonyOS's environment variables, else the embedded colony.

What somebody chose while the program runs, by ``%colony connect``, comes before the environment for whoever names no
place of its own; see `current` and `use`.

``COLONIES_SERVER_HOST`` decides: set, it names a real server and everything else must be said too; unset, the embedded
colony is used, and any other variable that is set is an error, since half a configuration is a mistake somebody made.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.embedded import COLONY_NAME, default_data_dir
from colony_jupyter.errors import InvalidKey, SettingsError
from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST: Final = "COLONIES_SERVER_HOST"
PORT: Final = "COLONIES_SERVER_PORT"
TLS: Final = "COLONIES_TLS"
TLS_OLD: Final = "COLONIES_SERVER_TLS"
COLONY: Final = "COLONIES_COLONY_NAME"
KEY: Final = "COLONIES_PRVKEY"
COLONY_KEY: Final = "COLONIES_COLONY_PRVKEY"
SERVER_KEY: Final = "COLONIES_SERVER_PRVKEY"
CA_FILE: Final = "SSL_CERT_FILE"

_DEPENDENT: Final = (PORT, TLS, TLS_OLD, COLONY, KEY, COLONY_KEY, SERVER_KEY)
_TLS_PORT: Final = 443
_PLAIN_PORT: Final = 80
_MAX_PORT: Final = 65535
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})


class Variables(dict[str, str]):
    """Environment variables that show no keys: a traceback may show what is in the variables of a function."""

    def __repr__(self) -> str:
        return repr({name: "..." if value and name.endswith("PRVKEY") else value for name, value in self.items()})


@dataclass(frozen=True)
class Settings:
    """A place and an identity. Keys show as the id they belong to, never as themselves.

    Attributes:
        host: name or address of the server; empty for the embedded colony, which is found when it is first needed.
        port: its port; 0 for the embedded colony.
        tls: whether it is spoken to by TLS.
        colonyname: the colony.
        prvkey: a user's or an executor's key; None for the embedded colony until it is found.
        colony_prvkey: the colony owner's key, needed to add and approve executors.
        server_prvkey: the server owner's key.
        ca_file: PEM file of certificates to trust besides the system's.
        data: data folder of the embedded colony; None for a real server.
        sources: where each setting came from, for the doctor.
    """

    host: str
    port: int
    tls: bool
    colonyname: str
    prvkey: PrivateKey | None
    colony_prvkey: PrivateKey | None = None
    server_prvkey: PrivateKey | None = None
    ca_file: Path | None = None
    data: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_embedded(self) -> bool:
        """Whether this is the embedded colony."""
        return self.data is not None

    @property
    def address(self) -> str:
        """``host:port``, or words for the embedded colony."""
        return f"the embedded colony in {self.data}" if self.is_embedded else f"{self.host}:{self.port}"

    def describe(self) -> str:
        """Say in one line where calls will go."""
        if self.is_embedded:
            return f"embedded colony '{self.colonyname}' (data in {self.data}, started by the first call)"
        return f"colony '{self.colonyname}' at {self.host}:{self.port} ({'TLS' if self.tls else 'no TLS'})"


def resolve(
    environ: Mapping[str, str] | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    tls: bool | None = None,
    colonyname: str | None = None,
    use_embedded: bool = False,
    data: Path | None = None,
) -> Settings:
    """Work out the settings; arguments come before the environment. Nothing is started or contacted.

    Args:
        environ: environment variables; those of this process by default.
        host: a real server's name or address.
        port: its port; 443 with TLS and 80 without by default.
        tls: whether to speak TLS.
        colonyname: the colony.
        use_embedded: use the embedded colony whatever the environment says.
        data: data folder of the embedded colony, instead of the user's own.

    Raises:
        SettingsError: if something is missing or cannot be read; it names the variable.
    """
    environ = os.environ if environ is None else environ
    values = Variables({name: environ.get(name, "").strip() for name in (HOST, *_DEPENDENT, CA_FILE)})
    if use_embedded or (not values[HOST] and host is None):
        if not use_embedded:
            _refuse_half_a_configuration(values)
        return _embedded(data, colonyname)
    return _real(values, host=host, port=port, tls=tls, colonyname=colonyname)


_chosen: Settings | None = None  # of this process; None while nobody chose


def use(settings: Settings | None) -> None:
    """Have these settings used by everything in this process that is made without any from now on.

    Args:
        settings: those that somebody chose; None to go by the environment again.
    """
    global _chosen  # noqa: PLW0603 - the connection that people chose is one for the whole kernel
    _chosen = settings


def current() -> Settings:
    """Give the settings of whoever names none: those that were chosen, else the environment's (`resolve`).

    Raises:
        SettingsError: if nobody chose, and the environment says it only in part.
    """
    return resolve() if _chosen is None else _chosen


def _refuse_half_a_configuration(values: Mapping[str, str]) -> None:
    said = [name for name in _DEPENDENT if values[name]]
    if said:
        raise SettingsError(
            f"{', '.join(said)} {'is' if len(said) == 1 else 'are'} set, but {HOST} is not: set it to use a real "
            "server, or unset the others to use the embedded colony."
        )


def _embedded(data: Path | None, colonyname: str | None) -> Settings:
    if colonyname not in (None, COLONY_NAME):
        raise SettingsError(
            f"The embedded colony is named '{COLONY_NAME}', not '{colonyname}': leave the name out, or name a server."
        )
    folder = data or default_data_dir()
    return Settings(
        host="",
        port=0,
        tls=False,
        colonyname=COLONY_NAME,
        prvkey=None,
        data=folder,
        sources={"place": f"{HOST} is not set: the embedded colony", "keys": f"files in {folder}"},
    )


def _real(
    values: Mapping[str, str], *, host: str | None, port: int | None, tls: bool | None, colonyname: str | None
) -> Settings:
    sources: dict[str, str] = {}

    def said(name: str, argument: object, variable: str) -> str:
        sources[name] = "argument" if argument is not None else variable if values[variable] else "default"
        return str(argument) if argument is not None else values[variable]

    server = said("host", host, HOST)
    colony = said("colony", colonyname, COLONY)
    secure_by = TLS if values[TLS] or not values[TLS_OLD] else TLS_OLD
    secure = _flag(said("tls", tls, secure_by), secure_by)
    number = _port(said("port", port, PORT), secure=secure)
    if not colony:
        raise SettingsError(f"{COLONY} is not set: it names the colony to use on {server}.")
    if not values[KEY]:
        raise SettingsError(
            f"{KEY} is not set: it holds the private key of a user of colony '{colony}'. In a notebook, "
            "`%colony connect --ask` asks for it without showing it."
        )
    ca_file = Path(values[CA_FILE]) if values[CA_FILE] else None
    if secure and ca_file is not None and not ca_file.is_file():
        raise SettingsError(f"{CA_FILE} names {ca_file}, which is no file.")
    sources["keys"] = "environment"
    return Settings(
        host=server,
        port=number,
        tls=secure,
        colonyname=colony,
        prvkey=_key(values, KEY),
        colony_prvkey=_key(values, COLONY_KEY) if values[COLONY_KEY] else None,
        server_prvkey=_key(values, SERVER_KEY) if values[SERVER_KEY] else None,
        ca_file=ca_file if secure else None,
        sources=sources,
    )


def _key(values: Mapping[str, str], name: str) -> PrivateKey:
    try:
        return PrivateKey(values[name])
    except InvalidKey:
        raise SettingsError(f"{name} is set, but not to a private key: 64 hex digits are needed.") from None


def _flag(text: str, name: str) -> bool:
    folded = text.casefold()
    if folded in _TRUE:
        return True
    if folded in _FALSE or not folded:
        return False
    raise SettingsError(f"{name} is '{text}': it must be true or false.")


def _port(text: str, *, secure: bool) -> int:
    if not text:
        return _TLS_PORT if secure else _PLAIN_PORT
    if not text.isdecimal() or not 0 < int(text) <= _MAX_PORT:
        raise SettingsError(f"{PORT} is '{text}': it must be a number from 1 to {_MAX_PORT}.")
    return int(text)
