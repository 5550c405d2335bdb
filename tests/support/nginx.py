"""A real nginx with the configuration of docs/nginx.conf."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from colony_jupyter.server.process.certificate import Certificate

CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"
HOW_TO_GET_ONE = "no nginx found: `apt install nginx` brings the tests behind it"
_STARTS = 10.0
_SURROUNDINGS = """\
{user}daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    {temporary}
    {server}
}}
"""
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def find_nginx() -> str | None:
    """Return the path of nginx, which is not on the PATH of every user; None without one."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Nginx:
    """Runs nginx in front of a server on this machine; a context manager.

    Args:
        program: path of nginx.
        folder: a folder of its own.
        upstream: port of the server.
        certificate: certificate for TLS.
        limit: value of ``client_max_body_size``; None for that of the documented configuration.
        upgrade: whether WebSockets are passed on.
    """

    def __init__(
        self,
        program: str,
        folder: Path,
        upstream: int,
        certificate: Certificate,
        *,
        limit: str | None = None,
        upgrade: bool = True,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        text = CONFIGURATION.read_text("utf-8")
        changes = {
            r"listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            r"server_name colony\.example;": "server_name 127.0.0.1;",
            r"ssl_certificate +\S+;": f"ssl_certificate {certificate.server};",
            r"ssl_certificate_key \S+;": f"ssl_certificate_key {certificate.server};",
            r"proxy_pass http://127\.0\.0\.1:50080;": f"proxy_pass http://127.0.0.1:{upstream};",
        }
        if limit is not None:
            changes[r"client_max_body_size \S+;"] = f"client_max_body_size {limit};"
        if not upgrade:
            changes[r"(?s)proxy_http_version.*\$colonyos_connection;"] = ""
        for pattern, replacement in changes.items():
            text, count = re.subn(pattern, replacement, text)
            assert count == 1, f"docs/nginx.conf has no line {pattern}"
        temporary = "\n    ".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY)
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        path = folder / "nginx.conf"
        path.write_text(
            _SURROUNDINGS.format(
                user="user root;\n" if is_root else "", folder=folder, temporary=temporary, server=text
            ),
            "utf-8",
        )
        self._command = [program, "-p", str(folder), "-e", "stderr", "-c", str(path)]
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "error.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + _STARTS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)  # nginx announces nothing
                    continue
                self.__exit__()
                raise AssertionError(f"nginx does not start:\n{self._log.read_text()}") from None
            return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
