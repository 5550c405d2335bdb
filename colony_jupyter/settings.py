"""Server, colony and keys to use: from arguments, then ColonyOS's environment variables, else the embedded colony.

Settings chosen while the program runs, by ``%colony connect``, precede the environment; see `current` and `use`.

``COLONIES_SERVER_HOST`` decides: set, it names a real server, and colony and key must be set too; unset, the embedded
colony is used, and any other variable that is set is an error, since half a configuration is a mistake.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from colony_jupyter.embedded import COLONY_NAME, default_data_dir
from colony_jupyter.errors import InvalidKey, SettingsError
from colony_jupyter.network import (
    CA_FILE,
    MAX_PORT,
    Proxy,
    authority,
    check_tls,
    find_proxy,
    parse_address,
    port_number,
)
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

_DEPENDENT: Final = (PORT, TLS, TLS_OLD, COLONY, KEY, COLONY_KEY, SERVER_KEY)
_TLS_PORT: Final = 443
_PLAIN_PORT: Final = 80
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})

T = TypeVar("T")


class Variables(dict[str, str]):
    """Environment variables whose repr shows no keys: a traceback may show the local variables of a function."""

    def __repr__(self) -> str:
        return repr({name: "..." if value and name.endswith("PRVKEY") else value for name, value in self.items()})


@dataclass(frozen=True)
class Settings:
    """A server, a colony and the keys to call it with. A key is shown as the id that belongs to it.

    Attributes:
        host: name or IP address of the server; empty for the embedded colony, which is started when it is first used.
        port: its port; 0 for the embedded colony.
        tls: whether connections use TLS.
        colonyname: the colony.
        prvkey: key of a user or an executor; None for the embedded colony, whose keys are in the data folder.
        colony_prvkey: the colony owner's key, needed to add and approve executors.
        server_prvkey: the server owner's key.
        ca_file: PEM file of certificates to trust besides the system's.
        data: data folder of the embedded colony; None for a real server.
        proxy: proxy that connections to the server use; None to connect directly.
        sources: origin of each setting, for the doctor.
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
    proxy: Proxy | None = None
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_embedded(self) -> bool:
        """Whether this is the embedded colony."""
        return self.data is not None

    @property
    def address(self) -> str:
        """``host:port``, or a description of the embedded colony."""
        return f"the embedded colony in {self.data}" if self.is_embedded else authority(self.host, self.port)

    def describe(self) -> str:
        """Return one line about the server and colony that calls will go to."""
        if self.is_embedded:
            return f"embedded colony '{self.colonyname}' (data in {self.data}, started by the first call)"
        proxy = f", by the proxy {self.proxy.shown}" if self.proxy is not None else ""
        return f"colony '{self.colonyname}' at {self.address} ({'TLS' if self.tls else 'no TLS'}{proxy})"


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
    """Determine the settings; arguments precede the environment. Nothing is started or contacted.

    Args:
        environ: environment variables; those of this process by default.
        host: address of a real server: ``HOST``, ``HOST:PORT`` or a URL.
        port: its port; by default that of the address or of the environment, else 443 with TLS and 80 without.
        tls: whether to use TLS.
        colonyname: the colony.
        use_embedded: use the embedded colony even if the environment names a server.
        data: data folder of the embedded colony, instead of the user's own.

    Raises:
        SettingsError: if something is missing or invalid; it names the variable.
    """
    environ = os.environ if environ is None else environ
    values = Variables({name: environ.get(name, "").strip() for name in (HOST, *_DEPENDENT, CA_FILE)})
    if use_embedded or (not values[HOST] and host is None):
        if not use_embedded:
            _refuse_half_a_configuration(values)
        return _embedded(data, colonyname)
    settings = _real(values, host=host, port=port, tls=tls, colonyname=colonyname)
    found = find_proxy(settings.host, settings.port, tls=settings.tls, environ=environ)
    if settings.tls or (found is not None and found.is_tls):
        check_tls(environ)
        settings = replace(settings, ca_file=Path(values[CA_FILE]) if values[CA_FILE] else None)
    if found is None:
        return settings
    return replace(settings, proxy=found, sources={**settings.sources, "proxy": found.source})


_chosen: Settings | None = None  # for this process; None to use the environment


def use(settings: Settings | None) -> None:
    """Make these the settings of all colonies that this process creates from now on without settings of their own.

    Args:
        settings: the settings; None to use those of the environment again.
    """
    global _chosen  # noqa: PLW0603 - the kernel has one chosen connection
    _chosen = settings


def current() -> Settings:
    """Return the settings to use where none are given: those chosen by `use`, else the environment's (`resolve`).

    Raises:
        SettingsError: if none were chosen, and the environment holds only part of them.
    """
    return resolve() if _chosen is None else _chosen


def _refuse_half_a_configuration(values: Mapping[str, str]) -> None:
    present = [name for name in _DEPENDENT if values[name]]
    if present:
        raise SettingsError(
            f"{', '.join(present)} {'is' if len(present) == 1 else 'are'} set, but {HOST} is not: set it to use a real "
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

    def stated(name: str, argument: object, variable: str) -> tuple[str, str]:
        """Return a setting as text and what states it."""
        sources[name] = "argument" if argument is not None else variable if values[variable] else "default"
        return (str(argument), f"the argument {name}") if argument is not None else (values[variable], variable)

    text, source = stated("host", host, HOST)
    address = parse_address(text, HOST if host is None else "The address")
    port_text, port_source = stated("port", port, PORT)
    tls_text, tls_source = stated("tls", tls, TLS if values[TLS] else TLS_OLD)
    of_port, of_tls = _port(port_text, port_source), _flag(tls_text, tls_source)
    if host is not None:  # variables describe the server of the environment: what an argument states precedes them
        of_port = of_port if address.port is None or port is not None else None
        of_tls = of_tls if address.tls is None or tls is not None else None
    secure = _agreed("TLS", (source, address.tls), (tls_source, of_tls)) or False
    number = _agreed("the port", (source, address.port), (port_source, of_port)) or (
        _TLS_PORT if secure else _PLAIN_PORT
    )
    sources |= {name: sources["host"] for name in ("port", "tls") if getattr(address, name) is not None}
    colony, _ = stated("colony", colonyname, COLONY)
    if not colony:
        raise SettingsError(f"{COLONY} is not set: it names the colony to use on {address.host}.")
    if not values[KEY]:
        raise SettingsError(
            f"{KEY} is not set: it holds the private key of a user of colony '{colony}'. In a notebook, "
            "`%colony connect --ask` asks for it without showing it."
        )
    sources["keys"] = "environment"
    return Settings(
        host=address.host,
        port=number,
        tls=secure,
        colonyname=colony,
        prvkey=_key(values, KEY),
        colony_prvkey=_key(values, COLONY_KEY) if values[COLONY_KEY] else None,
        server_prvkey=_key(values, SERVER_KEY) if values[SERVER_KEY] else None,
        sources=sources,
    )


def _key(values: Mapping[str, str], name: str) -> PrivateKey:
    try:
        return PrivateKey(values[name])
    except InvalidKey:
        raise SettingsError(f"{name} is set, but not to a private key: 64 hex digits are needed.") from None


def _flag(text: str, name: str) -> bool | None:
    folded = text.casefold()
    if not folded:
        return None
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    raise SettingsError(f"{name} is '{text}': it must be true or false.")


def _port(text: str, name: str) -> int | None:
    if not text:
        return None
    if (number := port_number(text)) is None:
        raise SettingsError(f"{name} is '{text}': it must be a number from 1 to {MAX_PORT}.")
    return number


def _agreed(what: str, of_address: tuple[str, T | None], separate: tuple[str, T | None]) -> T | None:
    """Return what the address and a setting of its own state, each given with its name; either may state nothing."""
    (address, one), (setting, other) = of_address, separate
    if one is not None and other is not None and one != other:
        raise SettingsError(
            f"{address[0].upper()}{address[1:]} states {what} as {one}, {setting} as {other}: leave it out of one."
        )
    return other if one is None else one
