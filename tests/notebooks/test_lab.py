"""`make lab` and `colony-jupyter lab`, started as a user starts them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from unused_port import unused_port

ROOT = Path(__file__).parents[2]
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
ROOT_LINE = "Running as root: JupyterLab is started with --allow-root."
NODES = ("node", "nodejs")


@pytest.fixture
def port():
    return unused_port()


@pytest.fixture(params=["with Node", "without Node"])
def path(request, tmp_path):
    """A PATH with Node on it, or one without."""
    if request.param == "with Node":
        if shutil.which("node") is None:
            pytest.skip("Node is not installed")
        return os.environ["PATH"]
    # A folder may hold Node and everything else: link the rest.
    kept = tmp_path / "bin"
    kept.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            link = kept / program.name
            if program.name not in NODES and not link.is_symlink():
                link.symlink_to(program)
    return str(kept)


def start(port: int, token: str, way: str) -> list[str]:
    arguments = f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    if way == "make":
        # The stamp's prerequisites are older than the environment that runs this test.
        return ["make", "-C", str(ROOT), "-o", f"{ROOT}/.venv/.lab", "-o", ".venv/.lab", "lab", f"LAB_ARGS={arguments}"]
    return [sys.executable, "-m", "colony_jupyter", "lab", *arguments.split()]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["make", "colony-jupyter"])
def test_it_opens_jupyterlab_on_the_tutorial(way, path, port, tmp_path):
    token = secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            start(port, token, way),
            stdout=output,
            stderr=output,
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            start_new_session=True,
        ) as lab,
    ):
        try:
            found = answered(lab, f"{url}/api/contents", token)
            url_line = f"Open JupyterLab in a browser: {url}/lab?token=..."  # Jupyter hides a token that it was given
            written = wait_for(url_line, lab, log)
        except BaseException as error:
            error.add_note(log.read_text())
            raise
        finally:
            os.killpg(lab.pid, signal.SIGTERM)  # `make` does not pass the signal on
    names = {each["name"] for each in found["content"]}
    assert {"01-streaming-progress.ipynb", "10-porting-a-script.ipynb", "README.md"} <= names
    assert written.splitlines().count(ROOT_LINE) == int(AS_ROOT)
    assert written.splitlines()[-1] == url_line
    assert not re.search(r"yarn|Dynamic require|Running as root is not recommended|Traceback", written), written


def answered(lab: subprocess.Popen, address: str, token: str) -> dict:
    """Ask until the server answers."""
    while True:
        assert lab.poll() is None
        try:
            answer = httpx.get(address, headers={"Authorization": f"token {token}"}, timeout=20, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return answer.raise_for_status().json()


def wait_for(line: str, lab: subprocess.Popen, log: Path) -> str:
    """Wait for a line of the log, and return all that was written up to then."""
    while line not in (written := log.read_text()):
        assert lab.poll() is None
        time.sleep(0.1)
    return written
