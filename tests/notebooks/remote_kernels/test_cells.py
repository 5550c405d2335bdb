"""Cells of an ordinary notebook that run in a kernel on an executor."""

from __future__ import annotations

import platform
import time

import psutil
import pytest
from notebook_kernel import Notebook
from remote_kernel import Serving, colony_jupyter
from servers import own

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.wire.models import ProcessState

TYPE = own("cells")


@pytest.fixture(scope="module")
def serving(environ, tmp_path_factory):
    serving = Serving(environ, TYPE, tmp_path_factory.mktemp("serving")).start()
    deadline = time.monotonic() + 20
    while "Start one there" in colony_jupyter(environ, "kernel", "install", "--type", TYPE).stderr:
        assert time.monotonic() < deadline
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def notebook(environ, serving):
    with Notebook(environ) as notebook:
        assert notebook.run("%load_ext colony_jupyter").status == "ok"
        assert notebook.run(f"%%colony run --type {TYPE}\nstarted = 1", timeout=40).status == "ok"
        yield notebook


@pytest.fixture
def colony(server):
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        yield colony


def ok(cell):
    assert cell.status == "ok", cell.error
    return cell


def kernels(colony):
    return list(colony.processes(ProcessState.RUNNING, executortype=TYPE, label="jupyter-kernel"))


def test_variables_persist_from_cell_to_cell_and_stay_there(notebook, serving):
    ok(notebook.run(f"%%colony run --type {TYPE}\nimport os\nkept = 6 * 7\nprint('pid', os.getpid())", timeout=40))
    cell = ok(notebook.run("%%colony run\nprint(kept, os.getpid())"))
    value, pid = cell.text.split()
    assert value == "42"
    assert int(pid) in {child.pid for child in serving.children}
    assert notebook.run("kept").status == "error"


def test_output_appears_as_if_the_cell_ran_here(notebook):
    cell = ok(
        notebook.run(
            f"%%colony run --type {TYPE}\n"
            "import sys\nfrom IPython.display import HTML, display\n"
            "print('out'); print('err', file=sys.stderr); display(HTML('<b>bold</b>'))\n"
            "handle = display('first', display_id=True); handle.update('second')\n"
            "[1, 2]",
            timeout=40,
        )
    )
    types = [each["msg_type"] for each in cell.outputs]
    assert types[0] == "stream"
    assert {each["content"]["name"] for each in cell.outputs if each["msg_type"] == "stream"} == {"stdout", "stderr"}
    data = [each["content"]["data"] for each in cell.outputs if each["msg_type"] == "display_data"]
    assert "<b>bold</b>" in [each.get("text/html") for each in data]
    assert data[-1]["text/plain"] == "[1, 2]"


def test_an_error_shows_the_traceback_of_the_remote_cell_and_stops_the_queue(notebook):
    cell = notebook.run(f"%%colony run --type {TYPE}\ndef f():\n    1 / 0\nf()", timeout=40)
    assert cell.status == "error"
    assert f"On executor '{TYPE}" in cell.error
    assert "ZeroDivisionError" in cell.error
    assert "remote_cells.py" not in cell.error


def test_an_interrupt_stops_the_remote_cell_and_the_queued_cells(notebook):
    ok(notebook.run(f"%%colony run --type {TYPE}\nstate = 'before'", timeout=40))
    cell = notebook.start(
        "%%colony run\nimport time\nprint('on', flush=True)\ntime.sleep(60)\nstate = 'after'", stop_on_error=True
    )
    queued = notebook.start("queued = 1")
    notebook.until(lambda: "on" in cell.text)
    begun = time.monotonic()
    psutil.Process(notebook.pid).send_signal(2)
    notebook.finish(cell)
    assert time.monotonic() - begun < 3
    assert cell.status == "error"
    assert "Interrupted" in cell.error
    assert notebook.finish(queued).status == "aborted"
    assert ok(notebook.run("%%colony run\nprint(state)")).text == "before\n"


def test_variables_are_pushed_and_pulled(notebook):
    ok(
        notebook.run(
            "import numpy, pandas\n"
            "table = pandas.DataFrame({'a': [1, 2, None], 'when': pandas.to_datetime(['2026-01-01'] * 3)})\n"
            "array = numpy.arange(300_000.0).reshape(3, -1)\n"
            "facts = {'name': 'x', 'list': [1, 2.5, None, True]}"
        )
    )
    pushed = ok(notebook.run(f"%colony push table array facts --type {TYPE}", timeout=40))
    assert f"array to {TYPE}" in "".join(str(each["content"]) for each in pushed.outputs)
    ok(
        notebook.run(
            "%%colony run\n"
            "assert str(table.dtypes['when']).startswith('datetime64'), table.dtypes\n"
            "assert array.shape == (3, 100_000) and facts == {'name': 'x', 'list': [1, 2.5, None, True]}\n"
            "table, array, scores = table * 1 if False else table.assign(b=1), array * 2, [1.5, 2.5]"
        )
    )
    ok(notebook.run("%colony pull table array scores", timeout=40))
    checked = "print(list(table.columns), array[0, :3], scores, type(table).__name__)"
    assert ok(notebook.run(checked)).text == "['a', 'when', 'b'] [0. 2. 4.] [1.5, 2.5] DataFrame\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%colony pull missing", "'missing' cannot be moved: there is no variable 'missing' in the kernel"),
        ("%colony push missing", "There is no variable 'missing' in this notebook"),
        ("%colony push unfit", "'unfit' is a set"),
        ("get_ipython().run_cell_magic('colony', 'run', ' ')", "The cell is empty"),
        ("%colony kernels --stop ffffffff", "names no kernel"),
    ],
)
def test_mistakes_are_sentences(notebook, line, sentence):
    ok(notebook.run(f"unfit = {{1}}\nget_ipython().run_cell_magic('colony', 'run --type {TYPE}', 'x = 1')", timeout=40))
    cell = notebook.run(line, timeout=40)
    assert cell.status == "error"
    assert sentence in cell.error


def test_a_question_is_asked_here(notebook):
    cell = notebook.start(f"%%colony run --type {TYPE}\nprint('Hello', input('name? '))")
    assert notebook.answer("Ada", timeout=30) is not None
    assert "Hello Ada" in ok(notebook.finish(cell, 40)).text


def test_tab_asks_the_remote_kernel(notebook):
    ok(notebook.run(f"%%colony run --type {TYPE}\nremote_only_name = 1", timeout=40))
    code = "%%colony run\nx = 1\nprint(remote_on"
    # The first completion imports jedi there, which takes longer than Tab waits on a machine under load.
    assert any(notebook.complete(code) == ["remote_only_name"] for _ in range(5))


def test_shift_tab_asks_the_remote_kernel(notebook):
    define = "def described(a, b=2):\n    'It is described there.'"
    ok(notebook.run(f"%%colony run --type {TYPE}\n{define}", timeout=40))
    ok(notebook.run("def local_one():\n    'It is described here.'"))
    assert "It is described there." in notebook.inspect("%%colony run\nx = 1\ndescribed")
    assert notebook.inspect("%%colony run\nlocal_one") == ""
    assert "It is described here." in notebook.inspect("local_one")
    assert notebook.inspect("described") == ""


def test_a_slider_of_the_remote_kernel_has_a_comm_here(notebook):
    cell = ok(
        notebook.run(
            f"%%colony run --type {TYPE}\nimport ipywidgets\nslider = ipywidgets.IntSlider(3)\ndisplay(slider)",
            timeout=40,
        )
    )
    data = [each["content"]["data"] for each in cell.outputs if each["msg_type"] == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in each for each in data)
    assert any("IntSliderModel" in heard for heard in notebook.heard)


def test_a_kernel_is_shared_by_notebooks_and_stays(notebook, environ, colony, serving):
    ok(notebook.run(f"%%colony run --type {TYPE}\nshared = 5", timeout=40))
    listed = ok(notebook.run("%colony kernels"))
    (process,) = kernels(colony)
    assert process.processid[:8] in str(listed.value)
    assert f"{platform.node()} / {TYPE}" in str(listed.value)
    with Notebook(environ) as other:
        ok(other.run("%load_ext colony_jupyter"))
        assert ok(other.run(f"%%colony run --type {TYPE}\nshared += 1\nprint(shared)", timeout=40)).text == "6\n"
    assert ok(notebook.run("%%colony run\nprint(shared)", timeout=40)).text == "6\n"
    assert [each.processid for each in kernels(colony)] == [process.processid]
    ok(notebook.run(f"%colony kernels --stop {process.processid[:8]}", timeout=40))
    assert kernels(colony) == []
    assert notebook.run("%%colony run\nprint(shared)", timeout=40).status == "error"
    (process,) = kernels(colony)
    ok(notebook.run(f"%colony kernels --stop {process.processid[:8]}", timeout=40))
