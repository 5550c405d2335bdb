"""A caller's function finds no key: not in its environment, its files, /proc, or among its descriptors."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys

import psutil
import pytest
from colony_fixtures import send
from kernels import wait_until
from key_hunt import Hunt

__all__ = ["send"]

PROGRAM = """
import asyncio
import sys
import colony_jupyter as cj

executor = cj.Executor("python-executor", sys.argv[1])
executor.functions_from_callers()

@executor.function("own-variables")
def own_variables(context):
    import os, subprocess, sys
    program = "import os; print(os.environ['COLONIES_PRVKEY'])"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [os.environ["COLONIES_PRVKEY"] == child.stdout.strip() != ""]

asyncio.run(executor.serve())
"""


@pytest.fixture
def remote(server, colony):
    """Run an executor in a process of its own, whose environment holds keys."""
    variables = {**server.environ(), "MY_API_TOKEN": "token-of-mine", "HARMLESS": "yes"}
    name = f"remote-{secrets.token_hex(4)}"  # another one's key would be another
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, name], env={**os.environ, **variables})
    wait_until(lambda: any(each.executorname == name and each.state for each in colony.executors()), 20)
    yield process
    process.terminate()
    process.wait(20)


def looks_around(executor):
    import os
    from pathlib import Path

    descriptors, files = [], []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            descriptors.append([int(name), str(Path(f"/proc/self/fd/{name}").readlink())])
        except OSError:
            continue  # that of the listing
    for pid in ("self", os.getppid(), executor):
        names = [f"/proc/{pid}/{name}" for name in ("environ", "cmdline")]
        files += [[name, Path(name).read_text("latin-1")] for name in names]
    return {"environment": dict(os.environ), "descriptors": descriptors, "files": files}


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_no_key_reaches_the_process(remote, send, server):
    result = send(looks_around, remote.pid).result(timeout=20)
    hunt = Hunt(server.environ()["COLONIES_PRVKEY"], server.environ()["COLONIES_COLONY_PRVKEY"])
    assert hunt.found(json.dumps(result)) == []
    assert result["environment"]["HARMLESS"] == "yes"
    assert not any(name.startswith("COLONIES") for name in result["environment"])
    assert "token-of-mine" not in json.dumps(result)
    beyond = [link for number, link in result["descriptors"] if number > 2]
    assert len(beyond) == 2
    assert all(link.startswith("pipe:") for link in beyond)
    texts = dict(result["files"])
    assert "HARMLESS=yes" in texts[f"/proc/{remote.pid}/environ"]
    assert "COLONIES_PRVKEY=" in texts[f"/proc/{remote.pid}/environ"]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_executor_has_its_variables_still(remote, colony):
    assert colony.submit("own-variables", executortype="python-executor").result(timeout=20) is True


def waits(path):
    import os
    import subprocess
    import sys
    import time
    from pathlib import Path

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(f"{path}.tmp").write_text(f"{os.getpid()} {child.pid}")
    Path(f"{path}.tmp").rename(path)
    time.sleep(600)


def test_a_function_ends_with_its_executor(remote, send, tmp_path):
    send(waits, str(tmp_path / "pids"))
    wait_until((tmp_path / "pids").exists, 20)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(map(psutil.pid_exists, pids))
    remote.send_signal(signal.SIGKILL)

    def alive(pid):
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    wait_until(lambda: not any(map(alive, pids)))
