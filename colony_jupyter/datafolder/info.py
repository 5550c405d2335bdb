"""The record of the process that runs a colony, and the check whether it is true.

The file may be stale or torn: a process was killed, the port went to another process. So it is always verified. The
reader sends the token to the port, which proves to the server that the reader can read the user's files; the server
answers with its id, which proves the same about the server.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, fields
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.datafolder.layout import write_private
from colony_jupyter.datafolder.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

ASK_PATH: Final = "/colony-jupyter/running"
"""Path of the question, with the token in the header `TOKEN_HEADER`."""

TOKEN_HEADER: Final = "x-colony-jupyter-token"  # noqa: S105 - the name of a header

_LONGEST_ANSWER: Final = 4096
_MAX_PORT: Final = 65535


@dataclass(frozen=True)
class Running:
    """A process that runs a colony.

    Attributes:
        host: the address to call it at.
        port: its port.
        tls: whether it speaks TLS.
        pid: its process id, for sentences; it is never signalled.
        machine: the host name of its machine, for messages; it identifies nothing, since it changes.
        child: whether it belongs to a notebook and ends with it.
        token: what a reader of the file shows to be answered.
        id: what the process answers.
        machineid: see `Machine`, as the two below; empty in a record of version 0.1.
        bootid: see there.
        network: see there.
    """

    host: str
    port: int
    tls: bool
    pid: int
    machine: str
    child: bool
    token: str
    id: str
    machineid: str = ""
    bootid: str = ""
    network: str = ""

    def __repr__(self) -> str:
        return f"<Running {self.host}:{self.port} pid {self.pid}>"

    @property
    def place(self) -> Machine:
        """The machine, boot and network namespace it runs in."""
        return Machine(self.machineid, self.bootid, self.network)

    def write(self, path: Path) -> None:
        """Write the record, at once and whole."""
        write_private(path, json.dumps(asdict(self)))

    def remove(self, path: Path) -> None:
        """Remove the record, unless another process has written one since."""
        if read(path) == self:
            path.unlink(missing_ok=True)


_FIELDS: Final = frozenset(field.name for field in fields(Running))


def read(path: Path) -> Running | None:
    """Read the file; None if it is missing, incomplete or invalid. Fields of newer versions are ignored."""
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    try:
        running = Running(**{name: value for name, value in found.items() if name in _FIELDS})
    except TypeError:
        return None
    kinds = {"str": str, "int": int, "bool": bool}
    whole = all(type(getattr(running, field.name)) is kinds[str(field.type)] for field in fields(running))
    return running if whole and 0 < running.port <= _MAX_PORT and running.token.isalnum() else None


def ask(running: Running, timeout: float = 1.0) -> bool:
    """Ask the port whether it is the process that wrote the file; plain TCP only, 1 ms when it is.

    Args:
        running: content of the file.
        timeout: seconds for each step.
    """
    # By hand, since `http.client` costs 20 ms to import and this is the first thing a notebook does.
    request = (
        f"GET {ASK_PATH} HTTP/1.1\r\nhost: {running.host}\r\nconnection: close\r\n"
        f"{TOKEN_HEADER}: {running.token}\r\n\r\n"
    )
    answer = b""
    try:
        with socket.create_connection((running.host, running.port), timeout) as connection:
            connection.sendall(request.encode("latin-1"))
            while len(answer) < _LONGEST_ANSWER and (piece := connection.recv(_LONGEST_ANSWER)):
                answer += piece
    except (OSError, UnicodeError):
        return False
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 %d " % HTTPStatus.OK) and body == running.id.encode()
