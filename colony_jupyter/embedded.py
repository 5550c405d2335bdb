"""Finds, starts and shares the process of the embedded colony.

One process per data folder. The process that starts it owns it: it ends when its owner does, because the
owner holds the other end of its standard input. A process that still needs it starts it again on the same data.

Nothing here knows how the colony works: it is started by its command line and asked over its port.
"""

from __future__ import annotations

import atexit
import os
import site
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.datafolder import info, layout, log
from colony_jupyter.datafolder.keys import COLONY_NAME, Keys, load_or_make
from colony_jupyter.datafolder.lock import LOST, Lock
from colony_jupyter.datafolder.machine import this_machine
from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "COLONY_NAME",
    "Address",
    "Child",
    "Keys",
    "await_child",
    "default_data_dir",
    "ensure",
    "keys",
    "start_child",
    "stop",
]

_POLL: Final = 0.02
"""Seconds between two checks of a process that starts."""
_FIRST_ASK: Final = 0.25
_ASK: Final = 1.0
"""Seconds for a running process to answer: first, and again if it is busy."""
_STOP_SECONDS: Final = 2.5
"""A child needs 2 s at most."""


@dataclass(frozen=True)
class Address:
    """Where the embedded colony listens, without TLS.

    Attributes:
        host: an address of this machine.
        port: its port; another one each time the process is started.
    """

    host: str
    port: int


def default_data_dir() -> Path:
    """Return the data folder of the user's own embedded colony.

    Raises:
        EmbeddedError: if the user has no home folder.
    """
    return layout.user_folder()


def keys(data: Path | None = None) -> Keys:
    """Read the keys of the embedded colony; those of a folder never used before are made.

    Args:
        data: the data folder; the user's own by default.

    Raises:
        EmbeddedError: if they cannot be read or made.
    """
    return load_or_make(layout.prepare(data or default_data_dir()))


def ensure(data: Path | None = None, *, timeout: float = 15.0, given_up: threading.Event | None = None) -> Address:
    """Find the embedded colony's process, or start it as a child of this one. Blocks; 1 ms when it runs already.

    Any number of threads and processes may call this at once: one process results. Call it again when nothing answers
    at the address any more: the process may have ended with its owner.

    Args:
        data: the data folder; the user's own by default.
        timeout: seconds to wait until it answers.
        given_up: set when the caller no longer waits; a process that was started goes on.

    Raises:
        EmbeddedError: if it cannot be found or started; the message contains the reason.
    """
    folder = (data or default_data_dir()).absolute()
    own = _owned.of(folder)
    # The usual case first: no folder to prepare, no lock to check.
    address = _ask(layout.Layout(folder), _FIRST_ASK) or _wait(
        layout.prepare(folder), own, timeout, given_up or threading.Event()
    )
    own.has_answered = True
    return address


def stop(data: Path | None = None) -> None:
    """End the child that this process started for a data folder, if it did; it gets to finish its answers.

    Args:
        data: the data folder; the user's own by default.
    """
    own = _owned.of((data or default_data_dir()).absolute())
    with own.lock:
        child, own.child = own.child, None
    if child is not None:
        child.stop()


class Child:
    """A colony's process that ends when this one does.

    Args:
        process: the process.
        place: its data folder.
        log_start: how long the log was when it was started.
    """

    def __init__(self, process: subprocess.Popen[bytes], place: layout.Layout, log_start: int) -> None:
        self.process = process
        self.place = place
        self._log_start = log_start
        _children.add(self)

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.process.poll()

    def complaint(self) -> str:
        """Return why it ended: its last sentence."""
        reason = log.last_line(self.place.log, self._log_start)
        return reason or f"it ended with status {self.status} and gave no reason; its log is {self.place.log}"

    def release(self) -> None:
        """Close the liveness pipe: the child ends within two seconds."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def stop(self) -> None:
        """End it and wait until it has; it gets to finish its answers."""
        self.release()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()
        self.release()

    def forget(self) -> None:
        """Drop it in a fork of this process, which inherited the liveness pipe but does not own the child."""
        self.release()
        # It is no child of the fork: there is nothing to wait for or to warn about.
        self.process.returncode = 0


def start_child(place: layout.Layout, arguments: Sequence[str] = ()) -> Child:
    """Start a colony's process on a prepared data folder, without waiting for it.

    Args:
        place: the data folder.
        arguments: further ones of ``colony-jupyter serve``.

    Raises:
        EmbeddedError: if the operating system does not start it.
    """
    if not sys.executable:
        raise EmbeddedError(
            "The embedded colony cannot be started, since this Python does not know its own program: start it by "
            "`colony-jupyter serve` in a shell."
        )
    # -P: a file of the user's named like a module of Python's, in the notebook's folder, must not break it.
    command = [sys.executable, "-P", "-m", "colony_jupyter", "serve", "--child", "--data", str(place.path), *arguments]
    options: dict[str, Any] = {"start_new_session": True}  # else an interrupt of the kernel would reach it
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    try:
        descriptor = log.open_log(place.log)
        try:
            start = os.fstat(descriptor).st_size
            process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                bufsize=0,  # nothing is ever written: no buffer, no lock that a fork could inherit
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=descriptor,
                cwd=place.path,
                env=_environment(),
                **options,
            )
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EmbeddedError(f"The embedded colony cannot be started: {error.strerror or error}.") from None
    return Child(process, place, start)


def await_child(child: Child, timeout: float = 15.0) -> Address:
    """Wait until a child that was started answers.

    Args:
        child: the child.
        timeout: seconds to wait.

    Raises:
        EmbeddedError: if it ends instead, or does neither in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        if (address := _ask(child.place)) is not None:
            return address
        if child.status is not None:
            raise EmbeddedError(f"The colony did not start: {child.complaint()}")
        if time.monotonic() >= deadline:
            raise EmbeddedError(_too_late(child.place, timeout))
        time.sleep(_POLL)


def _too_late(place: layout.Layout, timeout: float) -> str:
    running = info.read(place.info)
    hint = ""
    if running is not None:
        hint = (
            f" {place.info.name} names port {running.port} of process {running.pid} on {running.machine}: if that is "
            "another container or machine, its network namespace is separate from this one, and each needs a data "
            "folder of its own (XDG_DATA_HOME)."
        )
    return (
        f"The embedded colony in {place.path} did not answer within {timeout:g} s. Its messages are in {place.log}."
        f"{hint}"
    )


def _environment() -> dict[str, str]:
    """Return a child's environment: no keys, and this package wherever this process has it from."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("COLONIES_")}
    root = str(Path(__file__).absolute().parents[1])
    # An installed package is found anyway, and its folder must not come before the standard library.
    if root not in (*site.getsitepackages(), site.getusersitepackages()):
        before = found.get("PYTHONPATH")
        found["PYTHONPATH"] = f"{before}{os.pathsep}{root}" if before else root
    return found


@dataclass
class _Own:
    """What this process owns of one data folder.

    Attributes:
        lock: held by the one thread that checks, starts or stops.
        child: the child; None while there is none of ours.
        has_answered: whether a process has answered since the child was started: if it ends later, that is no failure
            to start.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    child: Child | None = None
    has_answered: bool = False


class _Owned:
    """What this process owns, by data folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_folder: dict[Path, _Own] = {}

    def of(self, folder: Path) -> _Own:
        with self._lock:
            return self._by_folder.setdefault(folder, _Own())

    def forget(self) -> None:
        # The locks may have been held by threads that a fork has not.
        self.__init__()  # type: ignore[misc]


_owned = _Owned()
_children: weakref.WeakSet[Child] = weakref.WeakSet()


def _ask(place: layout.Layout, timeout: float = _ASK) -> Address | None:
    running = info.read(place.info)
    if running is None or running.tls or not info.ask(running, timeout):
        return None
    return Address(running.host, running.port)


def _wait(
    place: layout.Layout,
    own: _Own,
    timeout: float,
    given_up: threading.Event,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Address:
    deadline = clock() + timeout
    lock = Lock(place.lock)
    while True:
        with own.lock:
            if own.child is not None and own.child.status is not None:
                ended, own.child = own.child, None
                ended.release()
                # A negative one is a signal: it was killed, so another is started.
                if not own.has_answered and ended.process.returncode > 0 and ended.process.returncode != LOST:
                    raise EmbeddedError(f"The embedded colony did not start: {ended.complaint()}")
            if own.child is None:
                if lock.acquire(attempts=1):
                    # No process holds the lock, so the record is stale: its port need not be probed.
                    place.info.unlink(missing_ok=True)
                    lock.release()
                    own.child = start_child(place)
                    own.has_answered = False
                else:
                    _refuse_unusable(place)
        if (address := _ask(place)) is not None:
            return address
        if given_up.is_set():
            raise EmbeddedError("The wait for the embedded colony was abandoned.")
        if clock() >= deadline:
            raise EmbeddedError(_too_late(place, timeout))
        sleep(_POLL)


def _refuse_unusable(place: layout.Layout) -> None:
    """Refuse a folder that is in use by a process which cannot be reached from here.

    Called only after the process has not answered at its port.

    Raises:
        EmbeddedError: naming the process and the remedy.
    """
    running = info.read(place.info)
    if running is None:
        return
    here = this_machine()
    if here.is_in_other_network(running.place):
        raise EmbeddedError(
            f"The data folder {place.path} is in use by a process of another container ({running.machine}, process "
            f"{running.pid}), whose network namespace is separate from this one: its port {running.port} cannot be "
            "reached from here. Give each container a data folder of its own (XDG_DATA_HOME), let them share a network "
            "namespace, or start `colony-jupyter serve` in one and name it by COLONIES_SERVER_HOST in the others."
        )
    if here.is_elsewhere(running.place):
        raise EmbeddedError(
            f"The data folder {place.path} is in use on another machine, {running.machine}. Use a folder on this one's "
            "own disk (XDG_DATA_HOME), or a server by COLONIES_SERVER_HOST."
        )
    if running.tls:
        raise EmbeddedError(
            f"The data folder {place.path} is in use by `colony-jupyter serve --tls` (process {running.pid}): use that "
            f"as a server by sourcing {place.environment} before Jupyter is started, or end it."
        )


def _in_fork() -> None:
    for child in list(_children):
        child.forget()
    _children.clear()
    _owned.forget()


def _at_exit() -> None:
    # They end by themselves, but `Popen` warns of processes that still run.
    children = list(_children)
    for child in children:
        child.release()
    for child in children:
        child.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_fork)
atexit.register(_at_exit)
