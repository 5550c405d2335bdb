"""Kernels on an executor, as a front end has them: `kernel serve`, `kernel install`, and a client of the proxy."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from queue import Empty
from typing import TYPE_CHECKING, Any, Self

import psutil
from jupyter_client.manager import KernelManager

from tools.kernel_sockets import kernel_sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

READY = 40.0


def without_colonies(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("COLONIES_")}


class Serving:
    """``colony-jupyter kernel serve`` as a process of its own.

    Args:
        environ: variables that name the server and hold the keys.
        executortype: type of the executor.
        folder: where it keeps the executor's key and writes its log.
    """

    def __init__(self, environ: Mapping[str, str], executortype: str, folder: Path, *arguments: str) -> None:
        self.environ = {**without_colonies(os.environ), **environ, "XDG_DATA_HOME": str(folder)}
        self.executortype = executortype
        self._arguments = arguments
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        command = [sys.executable, "-m", "colony_jupyter", "kernel", "serve", "--type", self.executortype]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--verbose", *self._arguments], env=self.environ, stdout=log, stderr=log
            )
        return self

    @property
    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def colony_jupyter(environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "colony_jupyter", *words],
        env={**without_colonies(os.environ), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def install(environ: Mapping[str, str], executortype: str, *arguments: str, seconds: float = 40.0) -> str:
    """Install a kernel once its executor is a member; what the command wrote."""
    deadline = time.monotonic() + seconds
    while True:
        done = colony_jupyter(environ, "kernel", "install", "--type", executortype, *arguments)
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)


class Front:
    """A front end of the kernel that `kernel install` has made."""

    def __init__(self, environ: Mapping[str, str], kernel_name: str) -> None:
        self._environ = {**without_colonies(os.environ), **environ}
        self._folder = contextlib.ExitStack()
        self.manager = KernelManager(kernel_name=kernel_name, **self._folder.enter_context(kernel_sockets()))
        self.heard: list[dict[str, Any]] = []

    def start(self) -> Self:
        self.manager.start_kernel(env=self._environ)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=READY)
        return self

    def another(self) -> Front:
        """Connect another front end to the same kernel."""
        other = Front.__new__(Front)
        other._environ, other.manager, other.heard = self._environ, self.manager, []
        other.client = self.manager.client_factory()
        other.client.load_connection_file(self.manager.connection_file)
        other.client.start_channels()
        other.client.wait_for_ready(timeout=READY)
        return other

    def restart_proxy(self) -> None:
        """Kill the proxy and start it again on the same connection file, as Jupyter's restarter does."""
        os.kill(self.pid, signal.SIGKILL)
        self.manager.restart_kernel(now=True, env=self._environ)

    def restart(self) -> None:
        """Restart as a user does."""
        self.manager.restart_kernel(now=False, env=self._environ)
        self.client.wait_for_ready(timeout=READY)

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid  # type: ignore[attr-defined]  # a local provisioner has it

    @property
    def processid(self) -> str:
        """The process that carries the kernel, as the proxy has noted it."""
        from pathlib import Path

        return Path(self.manager.connection_file).with_suffix(".colony").read_bytes()[:64].decode()

    def begin(self, code: str, *, allow_stdin: bool = False) -> str:
        return self.client.execute(code, allow_stdin=allow_stdin)

    def hear(self, message_id: str, until: Callable[[dict[str, Any]], bool], timeout: float = 30.0) -> list[dict]:
        """Collect output of a cell until one message fulfils a condition."""
        return self.hear_any(until, timeout, message_id)

    def hear_any(
        self, until: Callable[[dict[str, Any]], bool], timeout: float = 30.0, message_id: str | None = None
    ) -> list[dict]:
        """Collect output until one message fulfils a condition.

        Args:
            until: the condition.
            timeout: seconds.
            message_id: the request that the output belongs to; None for any.
        """
        deadline = time.monotonic() + timeout
        found: list[dict[str, Any]] = []
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"not within {timeout} s: {[str(each['content'])[:200] for each in self.heard[-5:]]}"
            try:
                message = self.client.get_iopub_msg(timeout=min(left, 0.5))
            except Empty:
                continue
            self.heard.append(message)
            if message_id is None or message["parent_header"].get("msg_id") == message_id:
                found.append(message)
                if until(message):
                    return found

    def finish(self, message_id: str, timeout: float = 30.0) -> tuple[str, dict[str, Any]]:
        """Wait for the end of a cell: its text, and the reply."""
        output, reply = self._finish(message_id, timeout)
        return text_of(output), reply

    def _finish(self, message_id: str, timeout: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        output = self.hear(message_id, is_idle, timeout)
        deadline = time.monotonic() + timeout
        while True:
            reply = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if reply["parent_header"].get("msg_id") == message_id:
                break
        return output, reply["content"]

    def run(self, code: str, timeout: float = 30.0) -> str:
        """Run a cell; what it printed, without what the proxy writes to stderr while it waits for an executor."""
        output, reply = self._finish(self.begin(code), timeout)
        assert reply["status"] == "ok", reply
        return text_of([each for each in output if each["content"].get("name") != "stderr"])

    def stop(self) -> None:
        client = getattr(self, "client", None)
        if client is not None:
            client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()
        self.manager.cleanup_resources()
        self.manager.context.destroy(linger=0)
        self._folder.close()


def is_idle(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


def text_of(messages: list[dict[str, Any]]) -> str:
    return re.sub("\r\n", "\n", "".join(each["content"].get("text", "") for each in messages))
