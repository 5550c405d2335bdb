"""Where calls go: a real server's fixed address, or the embedded colony, which may come back at another port."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from colony_jupyter.channels.backoff import RetryTimer
from colony_jupyter.descriptors import DESCRIPTORS_REMEDY, TOO_MANY, are_exhausted
from colony_jupyter.embedded import ensure, keys
from colony_jupyter.errors import EmbeddedError, ServerUnreachable, SettingsError
from colony_jupyter.network import authority

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colony_jupyter.settings import Settings
    from colony_jupyter.wire.identity import PrivateKey

T = TypeVar("T")

_DESCRIPTOR_SECONDS: Final = 20.0
"""Seconds to wait for a free file descriptor."""


@dataclass(frozen=True)
class ServerAddress:
    """A server's address at one moment."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return authority(self.host, self.port)

    @property
    def api(self) -> str:
        """URL of the RPC calls."""
        return f"http{'s' if self.tls else ''}://{self}/api"

    @property
    def pubsub(self) -> str:
        """URL of the subscriptions."""
        return f"ws{'s' if self.tls else ''}://{self}/pubsub"


class Endpoint:
    """Finds the server that settings name; for the embedded colony that may mean starting it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None  # made when first needed: it reads the system's certificates

    @property
    def settings(self) -> Settings:
        """The settings it was made of."""
        return self._settings

    async def server(self) -> ServerAddress:
        """Return the server's present address.

        Raises:
            EmbeddedError: if the embedded colony cannot be started.
            ServerUnreachable: if this process has no free file descriptor for that.
        """
        settings = self._settings
        if settings.data is None:
            return ServerAddress(settings.host, settings.port, settings.tls)
        return await wait_for_descriptor(self._find_embedded)

    async def _find_embedded(self) -> ServerAddress:
        given_up = threading.Event()  # a thread cannot be cancelled
        try:
            address = await asyncio.to_thread(ensure, self._settings.data, given_up=given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise
        except (EmbeddedError, OSError) as error:
            if are_exhausted(error):
                raise ServerUnreachable("the embedded colony", TOO_MANY, remedy=DESCRIPTORS_REMEDY) from error
            raise
        return ServerAddress(address.host, address.port, tls=False)

    def keys(self) -> tuple[PrivateKey, PrivateKey | None, PrivateKey | None]:
        """Return the caller's, the colony's and the server's key; the embedded colony's are there once it has run.

        Raises:
            SettingsError: if the settings hold no key to call with.
        """
        settings = self._settings
        if settings.data is not None:
            found = keys(settings.data)
            return found.prvkey, found.colony_prvkey, found.server_prvkey
        if settings.prvkey is None:
            raise SettingsError("There is no private key to call with: set COLONIES_PRVKEY.")
        return settings.prvkey, settings.colony_prvkey, settings.server_prvkey

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS context that HTTP and WebSocket connections share."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
            if self._settings.ca_file is not None:
                self._tls.load_verify_locations(self._settings.ca_file)
        return self._tls


async def wait_for_descriptor(attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat an attempt to connect while it fails because this process has no free file descriptor.

    Raises:
        ColonyError: the failure of the last attempt.
    """
    retry_timer = RetryTimer(random.random, time.monotonic(), _DESCRIPTOR_SECONDS)
    while True:
        try:
            return await attempt()
        except ServerUnreachable as error:
            delay = None if error.sent or not are_exhausted(error) else retry_timer.delay(time.monotonic())
            if delay is None:
                raise
        await asyncio.sleep(delay)
