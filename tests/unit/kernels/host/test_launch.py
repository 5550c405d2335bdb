"""The program of a kernel: where it is found, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys

import psutil
import pytest
from kernels import wait_until

from colony_jupyter.errors import ExecutorError
from colony_jupyter.kernels.host.launch import Launched, Program, find_program, keeping_output

CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print('started', flush=True)
time.sleep(60)
"""


def program(code):
    return Program("test", [sys.executable, "-c", code, "{connection_file}"], {}, "Test", "python", False)


@pytest.fixture
def launched(tmp_path):
    return lambda code: Launched(program(code), tmp_path, "key", dict(os.environ))


def test_an_unknown_kernel_is_refused_with_the_names_of_those_installed():
    with pytest.raises(ExecutorError, match=r"no kernel 'ir' on the executor\. Installed are: .*python3"):
        find_program("ir")


async def test_its_end_is_noticed_before_closing_returns(launched):
    """A loop that is closed right after would leave a program whose end is never noted."""
    one = launched("import time; time.sleep(60)")
    await one.start()
    await one.aclose()
    assert not psutil.pid_exists(one.pid)
    del one
    gc.collect()  # a transport that does not know of the end warns, which fails the test


async def test_all_of_its_group_ends_with_it(launched):
    one = launched(CHILD)
    await one.start()
    await asyncio.to_thread(wait_until, lambda: one.last_words() == "started")
    children = psutil.Process(one.pid).children(recursive=True)
    assert children
    await one.aclose()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 5)
    assert (len(gone), alive) == (len(children), [])


async def test_what_has_not_started_or_has_ended_has_no_memory_and_needs_no_end(launched):
    """Its process is started in a few steps, between which the executor reports its memory."""
    one = launched("raise SystemExit(3)")
    assert one.memory() == 0
    one.signal(signal.SIGINT)
    await one.aclose()
    await one.start()
    assert await one.exited() == 3
    assert one.memory() == 0
    await one.aclose()
    await one.aclose()


async def test_it_has_the_variables_of_the_executor_and_above_them_its_own(tmp_path):
    code = "import os; print(os.environ['ONE'], os.environ['TWO'])"
    one = Launched(program(code)._replace(env={"TWO": "own"}), tmp_path, "key", {**os.environ, "ONE": "1", "TWO": "2"})
    await one.start()
    await one.exited()
    assert one.last_words() == "1 own"
    assert (tmp_path / "connection.json").stat().st_mode & 0o777 == 0o600
    await one.aclose()


async def test_its_last_words_are_those_outside_of_cells(launched):
    one = launched("print('a'); raise SystemExit('\\x1b[31mno memory\\x1b[0m')")
    await one.start()
    await one.exited()
    assert one.last_words() == "a / no memory"
    await one.aclose()


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "x"],
        ["python", "program.py", "-f", "x"],
        ["deno", "jupyter", "--kernel"],
        ["R", "-m", "bash_kernel"],
        [],
    ],
)
def test_other_command_lines_stay_as_they_are(argv):
    assert keeping_output(argv) == argv


MODULE = """
import json, sys
from ipykernel.kernelapp import IPKernelApp
print(json.dumps([sys.argv[1:], sys.argv[0].endswith("a_kernel.py"), __name__, IPKernelApp.init_iopub.__module__]))
"""


def test_a_module_of_another_language_runs_as_it_would_and_its_socket_is_set(tmp_path):
    (tmp_path / "a_kernel.py").write_text(MODULE, "utf-8")
    argv = keeping_output([sys.executable, "-m", "a_kernel", "-f", "file"])
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == '[["-f", "file"], true, "__main__", "__main__"]\n'


def test_a_python_without_ipykernel_runs_it_all_the_same(tmp_path):
    (tmp_path / "ipykernel.py").write_text("raise ImportError", "utf-8")
    (tmp_path / "a_kernel.py").write_text("print('ran')", "utf-8")
    argv = keeping_output([sys.executable, "-m", "a_kernel"])
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "ran\n"
