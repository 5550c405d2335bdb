"""A colony's process from the moment it holds the lock of its data folder to its end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import platform
import secrets
import shlex
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from colony_jupyter.datafolder import environment, info, keys, log
from colony_jupyter.datafolder.layout import write_private
from colony_jupyter.datafolder.machine import this_machine
from colony_jupyter.descriptors import raise_limit
from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.api.app import create_app
from colony_jupyter.server.process.client_limits import ClientLimits
from colony_jupyter.server.process.http_server import HttpServer
from colony_jupyter.server.process.parent_watch import GRACE, end_within
from colony_jupyter.server.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from colony_jupyter.datafolder.layout import Layout
    from colony_jupyter.server.process.certificate import Certificate
    from colony_jupyter.server.process.parent_watch import ParentWatch

_FINISHING: Final = 1.0
"""Seconds for answers under way when the process ends."""

_FILES_WANTED: Final = 8192
_FILES_OF_OUR_OWN: Final = 100
_TRIM_SECONDS: Final = 5.0

# Of connections that wait for something to happen: a peer that vanished is noticed after about two minutes.
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
        host: name or address to listen at.
        port: 0 for any free one.
        tls: whether to speak TLS.
        keep_days: days that closed processes stay stored; None for ever.
        durability: ``full`` syncs every group of commits to the disk.
        limits: whether ColonyOS's rate and size limits hold.
        deaf: whether to be as silent as the real server during channel subscriptions.
        insecure_bind: whether to listen beyond this machine without TLS.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    keep_days: float | None = None
    durability: Literal["normal", "full"] = "normal"
    limits: bool = True
    deaf: bool = False
    insecure_bind: bool = False


def serve(
    layout: Layout, options: Options, *, parent_watch: ParentWatch | None, write_line: Callable[[str], None]
) -> None:
    """Run the colony of a data folder whose lock is held, until it is asked to end.

    Args:
        layout: the data folder.
        options: how.
        parent_watch: its end is ours; None for a server that stands on its own.
        write_line: prints a line in the terminal.

    Raises:
        EmbeddedError: if it cannot be done; the message contains the reason.
    """
    check(options)
    # uvloop where there is one: it halves the cost of a call.
    with contextlib.closing(_bind(options)) as bound, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(layout, options, bound, parent_watch, write_line))


def check(options: Options) -> None:
    """Refuse what would show the colony to a network unprotected.

    Raises:
        EmbeddedError: if so.
    """
    if not (options.tls or options.insecure_bind or _is_loopback(options.host)):
        raise EmbeddedError(
            f"Listening at {options.host} would let anyone on the network read and replay what is sent. Add --tls, "
            "or --insecure-bind if something else protects the connection."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False  # it cannot be listened at either, which is a sentence of its own
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _bind(options: Options) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            options.host or None, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        both = family == socket.AF_INET6 and _is_wildcard(options.host) and socket.has_dualstack_ipv6()
        bound = socket.create_server(address[:2], family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EmbeddedError(
            f"Nothing can listen at {options.host}:{options.port}: {reason}. Name another --port (0 for any free one) "
            "or --host."
        ) from None
    # Accepted connections inherit it.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            bound.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return bound


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _connections() -> int:
    """Raise the limit of open files of this process; returns how many connections fit in."""
    return max(1, min(ClientLimits.connections, raise_limit(_FILES_WANTED) - _FILES_OF_OUR_OWN))


async def _serve(
    layout: Layout,
    options: Options,
    bound: socket.socket,
    parent_watch: ParentWatch | None,
    write_line: Callable[[str], None],
) -> None:
    stopping = _stopping(parent_watch)
    who = keys.load_or_make(layout)
    server = Server(
        layout.path,
        serverid=who.server_prvkey.id,
        limits=options.limits,
        durability=options.durability,
        keep_days=options.keep_days,
    )
    await server.start()
    try:
        await server.ensure_colony(who.colonyname, who.colony_prvkey.id)
        await server.ensure_user(who.colonyname, who.prvkey.id, who.username)
        host = _host_to_call(options.host)
        certificate = _certificate(layout.tls, host) if options.tls else None
        running = info.Running(
            host=host,
            port=bound.getsockname()[1],
            tls=options.tls,
            pid=os.getpid(),
            machine=platform.node(),
            **asdict(this_machine()),
            child=parent_watch is not None,
            token=secrets.token_hex(16),
            id=secrets.token_hex(16),
        )
        http_server = HttpServer(
            answering(create_app(server), running),
            bound,
            secure=certificate.context() if certificate else None,
            deaf=options.deaf,
            limits=ClientLimits(connections=_connections()),
        )
        await http_server.start()
        trimming = asyncio.create_task(_trim_log()) if parent_watch is not None else None
        try:
            if parent_watch is None:
                found = environment.variables(who, host, running.port, certificate.authority if certificate else None)
                write_private(layout.environment, environment.as_exports(found))
                _print_address(layout, options, running, write_line)
            running.write(layout.info)
            await stopping.wait()
            running.remove(layout.info)
        finally:
            if trimming is not None:
                trimming.cancel()
            # Calls that wait for something end now. Before its first await `stop` accepts nothing more.
            server.stopping.set()
            server.waiters.wake_all()
            await http_server.stop(_FINISHING)
    finally:
        await server.stop()


def _stopping(parent_watch: ParentWatch | None) -> asyncio.Event:
    """Return an event that is set once this process is asked to end."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not stopping.is_set():
            end_within(GRACE)
            stopping.set()

    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop)
        except (NotImplementedError, ValueError):  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    if parent_watch is not None:
        parent_watch.attach(lambda: _call(loop, stop))
    return stopping


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended already, which is what is wanted
        loop.call_soon_threadsafe(callback)


def _host_to_call(host: str) -> str:
    """Return what clients call: an address to listen at everywhere is none to call."""
    if not _is_wildcard(host):
        return host
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return "127.0.0.1"
    return name


def _certificate(folder: Path, host: str) -> Certificate:
    from colony_jupyter.server.process import certificate  # noqa: PLC0415 - 40 ms that only --tls pays for

    return certificate.ensure(folder, {host, "localhost", "127.0.0.1", "::1"}, dt.datetime.now(dt.UTC))


def _print_address(layout: Layout, options: Options, running: info.Running, write_line: Callable[[str], None]) -> None:
    scheme = "https" if options.tls else "http"
    host = f"[{running.host}]" if ":" in running.host else running.host
    write_line(f"Colony '{keys.COLONY_NAME}' is served at {scheme}://{host}:{running.port} (data in {layout.path}).")
    if not options.tls and not _is_loopback(options.host):
        write_line("Without TLS: anyone on the network can read what is sent.")
    write_line("To use it from a shell:")
    write_line(f"    source {shlex.quote(str(layout.environment))}")


def answering(app: ASGIApp, running: info.Running) -> ASGIApp:
    """Put the answer to `info.ask` in front of an application; to others that path does not exist."""
    token = running.token.encode()
    header = info.TOKEN_HEADER.encode()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == info.ASK_PATH:
            shown = next((value for name, value in scope["headers"] if name == header), b"")
            if secrets.compare_digest(shown, token):
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"32")]})
                await send({"type": "http.response.body", "body": running.id.encode()})
                return
        await app(scope, receive, send)

    return answer


async def _trim_log() -> None:
    """Bound the size of a child's standard error, which is its log."""
    while True:
        await asyncio.sleep(_TRIM_SECONDS)
        with contextlib.suppress(OSError):
            log.trim(sys.stderr.fileno())
