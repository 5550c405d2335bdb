"""The servers that tests of kernels run against: an embedded colony of their own, and the real server that is named."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from typing import TYPE_CHECKING

import pytest

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.errors import ColonyError
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = secrets.token_hex(3)
"""Part of the names of all that this run makes on a server that it shares."""

SERVERS = ["embedded", pytest.param("real", marks=pytest.mark.live)]
"""Parameters of a fixture."""


def own(name: str) -> str:
    """Make a type or name of this run."""
    return f"{name}-{RUN}-x"


def stored(server: ColonyServer | RealServer) -> bytes:
    """Return all that a server stores."""
    if isinstance(server, RealServer):
        return server.stored()
    return b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())


class RealServer:
    """A real server, as far as tests use it as they use a `ColonyServer`.

    Args:
        environ: ColonyOS's variables.
    """

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ
        self.port = int(environ["COLONIES_SERVER_PORT"])
        self.prvkey = PrivateKey(environ["COLONIES_PRVKEY"])
        self.colony_prvkey = PrivateKey(environ["COLONIES_COLONY_PRVKEY"])
        self.server_prvkey = PrivateKey(environ["COLONIES_SERVER_PRVKEY"])

    def environ(self) -> dict[str, str]:
        return dict(self._environ)

    def stored(self) -> bytes:
        """Return the server's whole database, as far as its variables are known."""
        if "COLONIES_DB_HOST" not in self._environ:
            return b""
        about = {name: self._environ[f"COLONIES_DB_{name}"] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")}
        command = ["pg_dump", "-h", about["HOST"], "-p", about["PORT"], "-U", about["USER"], about["NAME"]]
        environ = {**os.environ, "PGPASSWORD": about["PASSWORD"]}
        return subprocess.run(command, env=environ, capture_output=True, check=True, timeout=60).stdout

    def clean_up(self) -> None:
        """Cancel the processes of this run, and remove its executors and users."""
        with cj.Colony(settings_module.resolve(self._environ)) as colony:
            for state in ("running", "waiting"):
                for process in colony.processes(state, label="jupyter-kernel"):
                    if RUN in process.spec.conditions.executortype:
                        with contextlib.suppress(ColonyError):
                            process.cancel()
            for executor in colony.executors():
                if RUN in executor.executortype:
                    colony.remove_executor(executor.executorname)
            for user in colony.users():
                if RUN in user.name:
                    colony.remove_user(user.name)


@contextlib.contextmanager
def open_server(name: str, folder: Path, environ: dict[str, str]) -> Iterator[ColonyServer | RealServer]:
    """Open one of `SERVERS`.

    Args:
        name: the parameter.
        folder: for the data of an embedded colony.
        environ: ColonyOS's variables that the tests were started with.
    """
    if name == "embedded":
        with ColonyServer(folder) as running:
            yield running
    else:
        real = RealServer(environ)
        try:
            yield real
        finally:
            real.clean_up()
