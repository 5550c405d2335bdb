"""Tools of Jupyter on a kernel on an executor: papermill, several front ends at once, the debugger, an anywidget."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import nbformat
from kernels import wait_until
from remote_kernel import without_colonies
from servers import own

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.wire.models import ProcessState

TYPE = own("tools")
NAME = f"colony-{TYPE}"


def write(cells, file):
    about = {"kernelspec": {"name": NAME, "display_name": NAME, "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=about), file)


def papermill(folder, environ, *arguments):
    """Run the notebook of a folder by papermill."""
    command = [sys.executable, "-m", "papermill", "-k", NAME, *arguments, "in.ipynb", "out.ipynb", "--no-progress-bar"]
    variables = {**without_colonies(os.environ), **environ}
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_papermill_runs_a_notebook_with_parameters(environ, serving, tmp_path):
    cells = [
        nbformat.v4.new_code_cell("rate = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import os\nprint(rate * 2)\n{'rate': rate}"),
    ]
    write(cells, tmp_path / "in.ipynb")
    done = papermill(tmp_path, environ, "-p", "rate", "21")
    assert done.returncode == 0, done.stderr
    outputs = nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs
    assert [each.get("text") or each.data["text/plain"] for each in outputs] == ["42\n", "{'rate': 21}"]


def test_papermill_stops_at_the_cell_that_fails(environ, serving, tmp_path):
    cells = [nbformat.v4.new_code_cell("1 / 0"), nbformat.v4.new_code_cell("print('on')")]
    write(cells, tmp_path / "in.ipynb")
    done = papermill(tmp_path, environ)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert all(not cell.outputs for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells[-1:])


def test_a_jupyter_server_that_is_stopped_leaves_no_process_and_no_child(environ, serving, server, tmp_path):
    """What Ctrl-C in the terminal of JupyterLab does, which is this server."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "RUNTIME")}
    arguments = ["--ServerApp.token=t", f"--port={port}", "--no-browser", "--allow-root", f"--notebook-dir={tmp_path}"]
    with (tmp_path / "log").open("wb") as log:
        jupyter = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *arguments],
            env={**without_colonies(os.environ), **environ, **folders},
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}/api"

    def is_up():
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except urllib.error.URLError:
            return False

    with cj.Colony(settings_module.resolve(server.environ())) as colony:

        def running():
            return list(colony.processes(ProcessState.RUNNING, executortype=TYPE, label="jupyter-kernel"))

        try:
            wait_until(is_up, 40)
            wanted = json.dumps({"name": NAME}).encode()
            request = urllib.request.Request(f"{address}/kernels", wanted, {"Authorization": "token t"})
            with urllib.request.urlopen(request, timeout=40) as answer:
                assert json.load(answer)["name"] == NAME
            wait_until(lambda: running() and serving.children, 30)
            jupyter.send_signal(signal.SIGTERM)
            assert jupyter.wait(30) == 0
            wait_until(lambda: not running() and not serving.children, 10)
        finally:
            if jupyter.poll() is None:
                jupyter.kill()
                jupyter.wait(10)


def test_several_front_ends_use_one_kernel_and_each_gets_its_replies(front):
    """As a notebook and a console on it do; each also hears the output of the others."""
    others = [front.another() for _ in range(2)]
    try:
        clients = [front, *others]
        for number, each in enumerate(clients):
            assert each.run(f"value_{number} = {number}; print('from', {number})") == f"from {number}\n"
        cells = [(each, each.begin(f"print({number} * 10 + value_{number})")) for number, each in enumerate(clients)]
        assert [each.finish(cell)[0] for each, cell in cells] == ["0\n", "11\n", "22\n"]
        # The order of cells of different front ends is not given: the output may come after the own cell.
        if "0\n" not in [each["content"].get("text") for each in others[0].heard]:
            others[0].hear_any(lambda message: message["content"].get("text") == "0\n")
        assert others[1].run("print(value_0, value_1)") == "0 1\n"
    finally:
        for each in others:
            each.client.stop_channels()
    assert front.run("print(value_2)") == "2\n"


def test_the_debugger_stops_at_a_breakpoint_and_shows_variables(front):
    """What JupyterLab's debugger does, by the messages it sends on the control socket."""
    sequence = iter(range(1, 100))

    def debug(command, **arguments):
        content = {"type": "request", "seq": next(sequence), "command": command, "arguments": arguments}
        message = front.client.session.msg("debug_request", content)
        front.client.control_channel.send(message)
        while True:
            reply = front.client.control_channel.get_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                assert reply["content"].get("success", True), reply["content"]
                return reply["content"].get("body", {})

    def event(name):
        return front.hear_any(
            lambda message: message["msg_type"] == "debug_event" and message["content"].get("event") == name
        )

    front.run("1")
    assert debug("debugInfo")["isStarted"] is False
    debug("initialize", clientID="test", adapterID="", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
    debug("attach")
    code = "def f(a):\n    b = a * 2\n    return b\nresult = f(21)"
    path = debug("dumpCell", code=code)["sourcePath"]
    debug("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}], sourceModified=False)
    debug("configurationDone")
    cell = front.begin(code)
    event("stopped")
    thread = next(each["id"] for each in debug("threads")["threads"] if each["name"] == "MainThread")
    frames = debug("stackTrace", threadId=thread)["stackFrames"]
    assert (frames[0]["name"], frames[0]["line"]) == ("f", 3)
    scope = debug("scopes", frameId=frames[0]["id"])["scopes"][0]
    values = debug("variables", variablesReference=scope["variablesReference"])["variables"]
    assert {each["name"]: each["value"] for each in values}["b"] == "42"
    debug("continue", threadId=thread)
    assert front.finish(cell)[1]["status"] == "ok"
    debug("disconnect", restart=False, terminateDebuggee=False)
    assert front.run("print(result)") == "42\n"


ANYWIDGET = """
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = "export default { render() {} }"
    value = traitlets.Int(0).tag(sync=True)
counter = Counter()
counter
"""


def test_an_anywidget_opens_its_comm_and_takes_the_values_of_the_page(front):
    cell = front.begin(ANYWIDGET)
    output = front.hear(cell, lambda message: message["content"].get("execution_state") == "idle")
    opened = [each["content"] for each in output if each["msg_type"] == "comm_open"]
    counter = next(each for each in opened if each["data"]["state"].get("_model_name") == "AnyModel")
    assert "render" in counter["data"]["state"]["_esm"]
    data = {"method": "update", "state": {"value": 5}, "buffer_paths": []}
    front.client.shell_channel.send(front.client.session.msg("comm_msg", {"comm_id": counter["comm_id"], "data": data}))
    assert front.run("print(counter.value)") == "5\n"
    json.dumps(opened)
