"""Stands in for ColonyOS's executor for Docker: it runs the command as a subprocess, without any container.

It uses pycolonies only, takes the same function and keyword arguments, refuses the same specs, and reports as that
executor does: a line for each step of the pull, then each line of output with a line feed at its end, in the process
log. ``python container_executor.py TYPE [NAME]`` serves until it is ended; the environment names server and keys.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pycolonies
from crypto import Crypto

FUNCTION = "execute"


def refusal(spec: Any) -> str:
    """Return why Docker's executor would not run a spec; empty if it would."""
    conditions = spec.conditions
    for name in ("processespernode", "nodes", "walltime"):
        if not getattr(conditions, name):
            return f"Invalid funcspec, {name} cannot be 0"
    if spec.maxexectime <= 0 or spec.maxretries <= 0:
        return "Invalid funcspec, maxexectime and maxretries must be set to a larger value than 0"
    if conditions.walltime < spec.maxexectime:
        return "Invalid funcspec, walltime must be > maxexectime"
    if len(conditions.cpu) <= len("0m"):
        return "CPU must be specified in the following format: {value}m, e.g. 1000m"
    return ""


class ContainerExecutor:
    """The executor.

    Args:
        sdk: the client for the server.
        colonyname: the colony.
        colony_prvkey: key of the colony's owner.
        executortype: its type.
        executorname: its name.
    """

    def __init__(
        self, sdk: Any, colonyname: str, colony_prvkey: str, executortype: str, executorname: str = "docker-1"
    ) -> None:
        self._sdk = sdk
        self._colonyname = colonyname
        self._prvkey = Crypto().prvkey()
        executor = {
            "executorname": executorname,
            "executorid": Crypto().id(self._prvkey),
            "colonyname": colonyname,
            "executortype": executortype,
            "capabilities": {
                "hardware": [{"cpu": "4000m", "mem": "16Gi", "nodes": 1, "gpu": {"name": "A100", "count": 1}}],
                "software": [{"name": "docker", "type": "container", "version": "27.0"}],
            },
        }
        sdk.add_executor(executor, colony_prvkey)
        sdk.approve_executor(colonyname, executorname, colony_prvkey)
        sdk.add_function(colonyname, executorname, FUNCTION, self._prvkey)

    def serve_one(self, timeout: int = 10) -> bool:
        """Wait for a process and run it; False if none came."""
        try:
            process = self._sdk.assign(self._colonyname, timeout, self._prvkey)
        except pycolonies.ColoniesConnectionError as error:  # the SDK raises it for every refusal
            if "No process available" not in str(error):
                raise
            return False
        if process.spec.funcname != FUNCTION:
            self._sdk.fail(process.processid, ["Unsupported funcname"], self._prvkey)
        elif reason := refusal(process.spec):
            self._sdk.fail(process.processid, [f"Failed to validate funcspec: {reason}"], self._prvkey)
        else:
            self._run(process)
        return True

    def _log(self, process: Any, text: str) -> None:
        self._sdk.add_log(process.processid, text, self._prvkey)

    def _run(self, process: Any) -> None:
        kwargs = process.spec.kwargs
        image = kwargs["docker-image"]
        for step in (f"Pulling from {image}", f"Status: Image is up to date for {image}"):
            self._log(process, f"{step}\n")
        line = " ".join([kwargs["cmd"], *map(str, kwargs.get("args") or [])])
        child = subprocess.Popen(
            ["sh", "-c", line],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONUNBUFFERED": "1",
                **(process.spec.env or {}),
                "COLONIES_PROCESS_ID": process.processid,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.stdout is not None
        with child:
            for output in child.stdout:
                self._log(process, output.decode("utf-8", "replace").rstrip("\r\n") + "\n")
        self._log(process, "\n")
        if child.returncode:
            error = f"Exit with an error, exit code = {child.returncode}"
            self._sdk.fail(process.processid, [error], self._prvkey)
        else:
            self._sdk.close(process.processid, [], self._prvkey)


def main() -> None:
    """Serve until the process is ended."""
    host, port = os.environ["COLONIES_SERVER_HOST"], int(os.environ["COLONIES_SERVER_PORT"])
    sdk = pycolonies.Colonies(host, port, os.environ.get("COLONIES_TLS", "false") == "true")
    name = os.environ["COLONIES_COLONY_NAME"], os.environ["COLONIES_COLONY_PRVKEY"]
    executor = ContainerExecutor(sdk, *name, *sys.argv[1:])
    print("serving", flush=True)  # noqa: T201 - a test waits for this line
    while True:
        executor.serve_one()


if __name__ == "__main__":
    main()
