"""`colony-jupyter lab`, started for real."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time

import httpx
import pytest


@pytest.mark.timeout(120)
def test_it_opens_jupyterlab_on_the_tutorial(tmp_path):
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "colony_jupyter", "lab", "--no-browser", f"--ServerApp.port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path) as lab:
        try:
            found = answered(lab, f"http://127.0.0.1:{port}/api/contents", token)
        except BaseException as error:
            error.add_note((tmp_path / "log").read_text())
            raise
        finally:
            lab.terminate()
    names = {each["name"] for each in found["content"]}
    assert {"01-streaming-progress.ipynb", "10-porting-a-script.ipynb", "README.md"} <= names


def answered(lab: subprocess.Popen, address: str, token: str) -> dict:
    """Ask until it answers."""
    while True:
        assert lab.poll() is None
        try:
            answer = httpx.get(address, headers={"Authorization": f"token {token}"}, timeout=20, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return answer.raise_for_status().json()
