"""A running JupyterLab, for tests with a browser."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from unused_port import unused_port

from tools.kernel_sockets import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lab:
    """A running JupyterLab."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.port = unused_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COLONIES_")}
        for name in (
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CONFIG_HOME",
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "IPYTHONDIR",
        ):
            environment[name] = str(folder / ".home" / name)
        self._runtime = tempfile.TemporaryDirectory(prefix="lab-", dir=SHORT)
        environment["JUPYTER_RUNTIME_DIR"] = self._runtime.name
        # Kernels are of this very environment.
        environment["JUPYTER_PATH"] = str(Path(sys.prefix) / "share" / "jupyter")
        self.log = (folder / "lab.log").open("w")
        (folder / "notebooks").mkdir()
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"),
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            *(f"--ServerApp.port={self.port}", f"--IdentityProvider.token={self.token}", "--ServerApp.port_retries=0"),
            *(
                f"--ServerApp.root_dir={folder / 'notebooks'}",
                "--LabApp.news_url=",
                "--KernelManager.transport=ipc",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.expose_app_in_browser=True",
            ),
        ]
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log, cwd=folder)
        self.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        for _ in range(600):
            try:
                self.call("GET", "api/status")
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise RuntimeError(Path(self.log.name).read_text()) from None
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(Path(self.log.name).read_text())

    def call(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx.request(method, f"{self.url}/{path}", headers=headers, json=body, timeout=20, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def add_kernel(self, name: str, spec: dict[str, object]) -> None:
        """Have it offer one more kernel, in notebooks that are opened from now on."""
        folder = self.folder / ".home" / "JUPYTER_DATA_DIR" / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(spec))

    @contextlib.contextmanager
    def without(self, *extensions: str) -> Iterator[None]:
        """Have pages that are loaded meanwhile lack these extensions, as where they are not installed."""
        config = self.folder / ".home" / "JUPYTER_CONFIG_DIR" / "labconfig" / "page_config.json"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps({"disabledExtensions": dict.fromkeys(extensions, True)}))
        try:
            yield
        finally:
            config.unlink()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self._runtime.cleanup()
