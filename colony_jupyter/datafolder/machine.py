"""Identifies the machine, its boot and the network namespace of this process. Standard library only.

A host name changes with the network, and containers on one machine have different ones; these do not.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

_MACHINE_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
_NETWORK_FILE = Path("/proc/self/ns/net")


@dataclass(frozen=True)
class Machine:
    """Where a process runs. Each member is empty where the operating system does not provide it.

    Attributes:
        machineid: id of the installation of the operating system; a container may have one of its own.
        bootid: id of the boot; containers share that of their host.
        network: network namespace; ports of another one are not reachable as addresses of this machine.
    """

    machineid: str = ""
    bootid: str = ""
    network: str = ""

    def is_elsewhere(self, other: Machine) -> bool:
        """Return True only if the other process certainly runs on another machine.

        A different boot id alone is not proof: the record may be older than the last boot of this machine.
        """
        return _differ(self.machineid, other.machineid) and _differ(self.bootid, other.bootid)

    def is_in_other_network(self, other: Machine) -> bool:
        """Return True if the other process runs under this kernel, in a different network namespace."""
        return bool(self.bootid) and self.bootid == other.bootid and _differ(self.network, other.network)


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def this_machine() -> Machine:
    """Return the identity of this process's machine. It needs well below a millisecond."""
    if sys.platform == "darwin":
        return Machine(bootid=_boot_session())
    network = ""
    with contextlib.suppress(OSError):
        network = str(_NETWORK_FILE.readlink())
    machineids = filter(None, map(_line_of, _MACHINE_FILES))
    return Machine(machineid=next(machineids, ""), bootid=_line_of(_BOOT_FILE), network=network)


def _line_of(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _boot_session() -> str:
    import ctypes  # noqa: PLC0415 - costs milliseconds, and only macOS needs it

    size = ctypes.c_size_t(64)
    text = ctypes.create_string_buffer(size.value)
    try:
        status = ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0)
    except (OSError, AttributeError):
        return ""
    return text.value.decode("ascii", "replace") if status == 0 else ""
