"""Starts the program of a kernel: found by name, with sockets in a private folder, and ended with this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from colony_jupyter.errors import ExecutorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT: Final = str(Path(__file__).parents[3])
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from colony_jupyter.supervisor import supervise; import os; "
    "supervise(int(sys.argv[2])); os.environ['JPY_PARENT_PID'] = str(os.getppid()); "
    "os.execvpe(sys.argv[3], sys.argv[3:], os.environ)"
)
_KEEPING: Final = """
import runpy, sys
module = sys.argv.pop(1)
try:
    from ipykernel.kernelapp import IPKernelApp
except ImportError:
    pass
else:
    init = IPKernelApp.init_iopub
    def init_iopub(self, context):
        context.sndhwm = 0  # of its sockets; after `bind` it would be too late
        init(self, context)
        del context.sndhwm
    IPKernelApp.init_iopub = init_iopub
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
"""Runs a module as a kernel whose output socket holds output for a busy receiver; see `keeping_output`."""
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINES: Final = 5
"""Lines that a report of a kernel's end has."""
_KILLED: Final = 5.0
"""Seconds for a killed program to end; one that the system has stopped in a call to a driver may take longer."""
_PORTS: Final = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}


class Program(NamedTuple):
    """An installed kernel.

    Attributes:
        name: its name.
        argv: its command line, with a place for the connection file.
        env: variables that it asks for.
        display_name: its name in menus.
        language: its language.
        interrupt_by_message: whether it is interrupted by a message instead of a signal.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    display_name: str
    language: str
    interrupt_by_message: bool


def find_program(name: str) -> Program:
    """Find an installed kernel.

    Raises:
        ExecutorError: if there is none of that name.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415 - imports much

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise ExecutorError(f"There is no kernel '{name}' on the executor. Installed are: {known}.") from None
    argv = [sys.executable if word in ("python", "python3") else word for word in spec.argv]
    return Program(name, argv, dict(spec.env), spec.display_name, spec.language, spec.interrupt_mode == "message")


def keeping_output(argv: Sequence[str]) -> list[str]:
    """Return the command line of a kernel that loses no output, for a kernel of another language in Python.

    Such kernels, as of Bash and Octave, are built on ipykernel, whose socket drops what is beyond 1,000 messages. That
    of ipykernel itself is set by a request of `KernelSockets`; kernels that are no Python programs stay as they are.
    """
    match list(argv):
        case [program, "-m", module, *rest] if Path(program).name.startswith("python") and "ipykernel" not in module:
            return [program, "-c", _KEEPING, module, *rest]
        case given:
            return given


class Launched:
    """A running kernel program, in a session and process group of its own.

    Its supervisor ends the group when this process ends.

    Args:
        program: what runs.
        folder: a folder of mode 0700 for the connection file, the sockets and the output.
        key: key of the connection file.
        environ: the environment, without keys.
    """

    def __init__(self, program: Program, folder: Path, key: str, environ: Mapping[str, str]) -> None:
        self._program = program
        self._folder = folder
        self._key = key
        self._environ = {**environ, **program.env}
        self._process: asyncio.subprocess.Process | None = None
        self._liveness = -1
        self.log = folder / "output"
        """The file of what it prints outside of cells."""

    @property
    def is_ipykernel(self) -> bool:
        """Whether it is IPython's kernel."""
        return any("ipykernel" in word for word in self._program.argv)

    @property
    def pid(self) -> int:
        """Process id of its supervisor, which is also the id of the group."""
        assert self._process is not None  # noqa: S101 - it was started
        return self._process.pid

    def address(self, socket: str) -> str:
        """Return the address of one of its sockets."""
        return f"ipc://{self._folder}/s-{_PORTS[socket]}"

    async def start(self) -> None:
        """Start it.

        Raises:
            ExecutorError: if its program cannot be started.
        """
        connection = self._folder / "connection.json"
        about = {
            "transport": "ipc",
            "ip": str(self._folder / "s"),
            "signature_scheme": "hmac-sha256",
            "key": self._key,
            "kernel_name": self._program.name,
            **{f"{name}_port": port for name, port in _PORTS.items()},
        }
        connection.touch(0o600)
        connection.write_text(json.dumps(about), "utf-8")
        argv = keeping_output([word.replace("{connection_file}", str(connection)) for word in self._program.argv])
        there, self._liveness = os.pipe()
        try:
            with self.log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    _PROGRAM,
                    _ROOT,
                    str(there),
                    *argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[there],
                    start_new_session=True,
                    env=self._environ,
                )
        except OSError as error:
            raise ExecutorError(f"The kernel '{self._program.name}' cannot be started: {error}.") from None
        finally:
            os.close(there)

    async def exited(self) -> int:
        """Wait for its end, and return its exit code."""
        assert self._process is not None  # noqa: S101 - it was started
        return await self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to its group; without one, do nothing."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def aclose(self) -> None:
        """Kill what is left of its group, and wait for its end: a loop that closes before has an exit left to note."""
        self.signal(signal.SIGKILL)
        if self._liveness >= 0:
            os.close(self._liveness)
            self._liveness = -1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILLED):
                if self._process is not None:
                    await self._process.wait()

    def last_words(self) -> str:
        """Return the end of what it printed outside of cells."""
        with contextlib.suppress(OSError):
            lines = _COLOURS.sub("", self.log.read_text("utf-8", "replace")).strip().splitlines()
            return " / ".join(lines[-_LINES:])
        return ""

    def memory(self) -> int:
        """Return the bytes of memory that its group holds; 0 before its start, and if that cannot be found out."""
        import psutil  # noqa: PLC0415 - a dependency of ipykernel's, needed rarely

        if self._process is None:
            return 0
        try:
            children = psutil.Process(self.pid).children(recursive=True)
            return sum(child.memory_info().rss for child in children)
        except psutil.Error:
            return 0
