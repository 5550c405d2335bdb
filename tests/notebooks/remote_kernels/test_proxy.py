"""Kernels on an executor, through the proxy, as Jupyter's own tools use them."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from kernels import wait_until
from remote_kernel import Front, colony_jupyter, without_colonies
from servers import own

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.wire.models import ProcessState

TYPE = own("remote")
NAME = f"colony-{TYPE}"


@pytest.fixture
def colony(server):
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        yield colony


def execute(environ, folder, *cells):
    """Run a notebook with ``jupyter execute``."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    file = folder / "demo.ipynb"
    nbformat.write(notebook, file)
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--inplace", f"--kernel_name={NAME}", str(file)],
        env={**without_colonies(os.environ), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, nbformat.read(file, 4)


PICTURE = """
%matplotlib inline
from matplotlib import pyplot
pyplot.plot([1, 3, 2]);
"""
WIDGET = """
import ipywidgets
slider = ipywidgets.IntSlider(3)
slider
"""


def test_a_notebook_runs_with_pictures_html_and_widgets(environ, serving, tmp_path, colony):
    done, notebook = execute(
        environ,
        tmp_path,
        "print('over there', 6 * 7)",
        PICTURE,
        "from IPython.display import HTML; HTML('<b>x</b>')",
        WIDGET,
    )
    assert done.returncode == 0, done.stderr
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert outputs[0]["text"] == "over there 42\n"
    types = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html", "application/vnd.jupyter.widget-view+json"} <= types
    running = colony.processes(ProcessState.RUNNING, executortype=TYPE, label="jupyter-kernel")
    assert list(running) == []


def test_an_error_arrives_with_its_traceback(environ, serving, tmp_path):
    done, _ = execute(environ, tmp_path, "1/0")
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stderr
    assert "division by zero" in done.stderr


def test_the_kernelspec_is_listed_and_holds_no_key(environ, serving, server):
    listed = json.loads(
        subprocess.run(
            [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
    )["kernelspecs"]
    assert listed[NAME]["spec"]["display_name"] == f"Python 3 ({TYPE}, ColonyOS)"
    text = (Path(listed[NAME]["resource_dir"]) / "kernel.json").read_text("utf-8")
    keys = (server.prvkey, server.colony_prvkey, server.server_prvkey)
    assert [key.id for key in keys if key.reveal() in text] == []


def test_the_kernel_has_no_keys_and_listens_on_loopback_only(front, serving, server):
    shown = json.loads(
        front.run(
            "import os, json, sys; from pathlib import Path\n"
            "print(json.dumps([dict(os.environ), Path('/proc/self/environ').read_bytes().decode('latin1'), os.getpid(),"
            " Path(f'/proc/{os.getppid()}/environ').read_bytes().decode('latin1')]))"
        )
    )
    keys = (server.prvkey, server.colony_prvkey, server.server_prvkey)
    for text in (str(shown[0]), shown[1], shown[3]):
        assert "PRVKEY" not in text
        assert [key.id for key in keys if key.reveal() in text] == []
    family = [psutil.Process(shown[2]), psutil.Process(front.pid)]
    listening = [each.laddr for process in family for each in process.net_connections() if each.status == "LISTEN"]
    assert {address.ip for address in listening} <= {"127.0.0.1"}
    folders = [Path(each) for each in map(str, Path("/tmp").glob("cj-kernel-*"))]
    assert {oct(each.stat().st_mode & 0o777) for each in folders} == {"0o700"}


def test_an_interrupt_stops_the_cell_and_the_variables_stay(front):
    front.run("kept = 17")
    for code in ("import time; print('on'); time.sleep(60)", "print('on')\nwhile True: pass"):
        cell = front.begin(code)
        front.hear(cell, lambda message: "on" in message["content"].get("text", ""))
        front.manager.interrupt_kernel()
        begun = time.monotonic()
        _, reply = front.finish(cell)
        assert time.monotonic() - begun < 2.0
        assert reply["ename"] == "KeyboardInterrupt"
    assert front.run("print(kept)") == "17\n"


def test_after_a_restart_the_process_is_the_same_and_the_variables_are_gone(front):
    front.run("lost = 1")
    before = front.processid
    front.restart()
    assert front.processid == before
    _, reply = front.finish(front.begin("lost"))
    assert reply["ename"] == "NameError"


def test_input_is_asked_for_at_the_front_end(front):
    cell = front.begin("print('Hello', input('name? '))", allow_stdin=True)
    question = front.client.get_stdin_msg(timeout=20)
    assert question["content"]["prompt"] == "name? "
    front.client.input("Ada")
    text, _ = front.finish(cell)
    assert text == "Hello Ada\n"


LINES = "import time\nfor number in range({count}):\n    print(number, flush=True)\n    time.sleep({pause})"


def test_a_proxy_that_is_killed_in_a_cell_loses_and_repeats_nothing(front):
    cell = front.begin(LINES.format(count=100, pause=0.03))
    heard = front.hear(cell, lambda message: "20" in message["content"].get("text", ""))
    front.restart_proxy()
    text = "".join(each["content"].get("text", "") for each in heard) + front.finish(cell)[0]
    assert text.split() == [str(number) for number in range(100)]
    front.run("number += 1")


def test_a_kernel_that_dies_is_noticed_and_started_again_on_the_same_process(front):
    before = front.processid
    front.begin("import os; os._exit(9)")
    wait_until(lambda: not front.manager.is_alive(), 3)
    front.manager.restart_kernel(now=True, env=front._environ)
    front.client.wait_for_ready(timeout=30)
    assert front.run("print('anew')") == "anew\n"
    assert front.processid == before


def test_shutting_down_leaves_no_process_and_no_child(environ, serving, colony):
    front = Front(environ, NAME).start()
    pid = int(front.run("import os; print(os.getpid())"))
    processid = front.processid
    front.stop()
    assert colony.get_process(processid).state is ProcessState.SUCCESS
    wait_until(lambda: not psutil.pid_exists(pid), 10)
    assert not serving.children


def test_kernels_are_listed_attached_to_and_stopped(front, environ, colony, serving):
    front.run("kept = 41")
    front.hear(front.begin("print('missed?')"), lambda message: "missed" in message["content"].get("text", ""))
    processid = front.processid
    wait_until(lambda: "yes" in colony_jupyter(environ, "kernel", "list").stdout, 20)
    listed = colony_jupyter(environ, "kernel", "list").stdout
    assert processid[:8] in listed
    assert "python3" in listed
    assert f"{platform.node()} / {TYPE}" in listed
    assert " MB" in listed
    command = [sys.executable, "-m", "colony_jupyter", "kernel", "attach", processid[:8]]
    attached = subprocess.Popen(
        command, env={**without_colonies(os.environ), **environ}, stdout=subprocess.PIPE, text=True
    )
    try:
        file = attached.stdout.readline().split()[-1]
        console = Front(environ, NAME)
        console.client = console.manager.client_factory(connection_file=file)
        console.client.load_connection_file(file)
        console.client.start_channels()
        console.client.wait_for_ready(timeout=30)
        assert console.run("print(kept + 1)") == "42\n"
        console.client.stop_channels()
        attached.send_signal(signal.SIGINT)
        assert attached.wait(20) == 0
        assert not Path(file).exists()
        assert colony.get_process(processid).state is ProcessState.RUNNING
    finally:
        with contextlib.suppress(ProcessLookupError):
            attached.kill()
        attached.wait(20)
        attached.stdout.close()
    assert colony_jupyter(environ, "kernel", "stop", processid[:8]).returncode == 0
    wait_until(lambda: not serving.children, 10)
    assert colony.get_process(processid).state is ProcessState.CANCELLED


def test_a_front_end_whose_kernel_was_attached_elsewhere_takes_it_back_with_the_next_cell(front, environ, colony):
    front.run("kept = 41")
    processid = front.processid
    command = [sys.executable, "-m", "colony_jupyter", "kernel", "attach", processid[:8]]
    attached = subprocess.Popen(
        command, env={**without_colonies(os.environ), **environ}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert attached.stdout.readline().split()
        _, reply = front.finish(front.begin("kept"))
        assert "attached from elsewhere" in reply["evalue"]
        wait_until(lambda: not front.manager.is_alive(), 10)
        assert colony.get_process(processid).state is ProcessState.RUNNING
        front.manager.restart_kernel(now=True, env=front._environ)
        front.client.wait_for_ready(timeout=30)
        assert front.run("print(kept + 1)") == "42\n"
        assert front.processid == processid
    finally:
        attached.kill()
        attached.wait(20)
        attached.stdout.close()
