"""A kernel on an executor in a real JupyterLab: menu, plot, slider, interrupt, restart; and a cell that runs on one."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from kernels import wait_until
from playwright.sync_api import expect
from remote_kernel import Serving, install
from servers import SERVERS, open_server, own

import colony_jupyter as cj
from colony_jupyter import settings as settings_module

TYPE = own("browser")
NAME = f"colony-{TYPE}"
PLOT = """
%matplotlib inline
from matplotlib import pyplot
pyplot.plot([1, 3, 2])
print("drawn")
"""
SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(3, description="steps")
seen = ipywidgets.Label("at 3")
slider.observe(lambda change: setattr(seen, "value", f"at {change.new}"), "value")
display(slider, seen)
"""
COUNTER = """
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = '''
    function render({ model, el }) {
      const button = document.createElement("button");
      const show = () => { button.textContent = `count ${model.get("value")}`; };
      button.onclick = () => { model.set("value", model.get("value") + 1); model.save_changes(); };
      model.on("change:value", show);
      show();
      el.appendChild(button);
    }
    export default { render };
    '''
    value = traitlets.Int(0).tag(sync=True)
counter = Counter()
counter
"""
LINES = "import time\nfor number in range(100):\n    print(number, flush=True)\n    time.sleep(0.1)"
DESCRIBED = "def described(a, b=2):\n    'It is described there.'\nremote_only_name = 1"
LOOP = "print('on', flush=True)\nwhile True: pass"
RUN = f"%%colony run --type {TYPE}\n"


@pytest.fixture(scope="module", params=SERVERS)
def environ(request, tmp_path_factory, real_server):
    with open_server(request.param, tmp_path_factory.mktemp("colony"), real_server) as server:
        yield server.environ()


@pytest.fixture(scope="module")
def serving(environ, lab, tmp_path_factory):
    serving = Serving(environ, TYPE, tmp_path_factory.mktemp("serving")).start()
    folder = tmp_path_factory.mktemp("jupyter")
    install({**environ, "JUPYTER_DATA_DIR": str(folder)}, TYPE)
    spec = json.loads((Path(folder) / "kernels" / NAME / "kernel.json").read_text("utf-8"))
    # The server of the tests has no variables of a colony; a user's has.
    lab.add_kernel(NAME, {**spec, "env": environ})
    local = [*("python", "-m", "ipykernel_launcher", "-f"), "{connection_file}"]
    lab.add_kernel("local-x", {"argv": local, "display_name": "local", "language": "python", "env": environ})
    yield serving
    serving.stop()


@pytest.fixture(autouse=True)
def no_kernel_stays(environ, serving):
    """End the kernels of cells, which are kept when their notebook has gone."""
    yield
    with cj.Colony(settings_module.resolve(environ)) as colony:
        for process in colony.processes("running", executortype=TYPE):
            process.cancel()
    wait_until(lambda: not serving.children, 20)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_plot_a_slider_an_interrupt_and_a_restart(notebook, serving, theme):
    book = notebook(PLOT, SLIDER, LOOP, "slider.value", theme=theme, kernel=NAME)
    book.run(1)
    expect(book.cell(1).locator("img")).to_be_visible(timeout=40_000)
    book.run(2)
    slider = book.cell(2).locator(".noUi-handle")
    expect(slider).to_be_visible()
    slider.focus()
    for _ in range(4):
        book.page.keyboard.press("ArrowRight")
    expect(book.cell(2).get_by_text("at 7")).to_be_visible()
    book.shot(f"remote-kernel-{theme}")
    book.run(3, wait=False)
    expect(book.cell(3).get_by_text("on", exact=True)).to_be_visible()
    book.page.get_by_role("button", name="Interrupt the kernel").click()
    expect(book.cell(3).get_by_text("KeyboardInterrupt").first).to_be_visible()
    book.run(4)
    assert book.output(4).split()[-1] == "7"
    book.shot(f"remote-kernel-interrupted-{theme}")
    book.page.get_by_role("button", name="Restart the kernel", exact=True).click()
    book.page.get_by_role("button", name="Confirm Kernel Restart").click()
    book.wait_idle()
    book.run(4)
    assert "NameError" in book.output(4)


def reload(book):
    """Save the notebook and load its page again."""
    book.save()
    book.load()


def test_a_page_that_is_reloaded_in_a_cell_finds_the_kernel_at_work(notebook, serving):
    book = notebook(LINES, "print('then', number)", kernel=NAME)
    book.run(1, wait=False)
    expect(book.cell(1).get_by_text("20", exact=False).first).to_be_visible(timeout=40_000)
    reload(book)
    book.run(2, wait=False)  # it waits for the cell that runs, as with a local kernel
    expect(book.cell(2).get_by_text("then 99")).to_be_visible(timeout=40_000)
    book.shot("remote-kernel-reloaded")


@pytest.mark.parametrize("kernel", ["of the notebook", "of the cells"])
def test_widgets_are_back_after_a_reload_with_what_they_were_set_to(notebook, serving, kernel):
    first, *name = ("1", NAME) if kernel == "of the notebook" else ("%load_ext colony_jupyter", "local-x")
    run = "" if kernel == "of the notebook" else RUN
    cells = [first, run + SLIDER.lstrip(), run + COUNTER.lstrip(), run + "print(counter.value, slider.value)"]
    book = notebook(*cells, kernel=name[0])
    book.run(1)
    book.run(2)
    slider = book.cell(2).locator(".noUi-handle")
    expect(slider).to_be_visible(timeout=40_000)
    slider.focus()
    for _ in range(4):
        book.page.keyboard.press("ArrowRight")
    expect(book.cell(2).get_by_text("at 7")).to_be_visible()
    book.run(3)
    for count in range(3):
        book.cell(3).get_by_role("button", name=f"count {count}").click()
    expect(book.cell(3).get_by_role("button", name="count 3")).to_be_visible()
    reload(book)
    expect(book.cell(2).get_by_text("at 7")).to_be_visible(timeout=40_000)
    book.cell(3).get_by_role("button", name="count 3").click(timeout=40_000)
    expect(book.cell(3).get_by_role("button", name="count 4")).to_be_visible()
    book.run(4)
    assert book.output(4).split()[-2:] == ["4", "7"]
    book.shot(f"remote-widgets-reloaded-{kernel.replace(' ', '-')}")


def test_tab_and_shift_tab_in_a_remote_cell_ask_its_kernel(notebook, serving):
    book = notebook(
        "%load_ext colony_jupyter", RUN + DESCRIBED, RUN + "remote_onl", RUN + "described", kernel="local-x"
    )
    book.run(1)
    book.run(2)
    shown = {3: book.cell(3).locator(".cm-content"), 4: book.page.locator(".jp-Tooltip")}
    for number, keys, text in ((3, "Tab", "remote_only_name"), (4, "Shift+Tab", "It is described there.")):
        book.cell(number).locator(".cm-content").click()
        book.page.keyboard.press("Control+End")
        for _ in range(20):  # JupyterLab waits a second; the first completion imports jedi there
            book.page.keyboard.press(keys)
            with contextlib.suppress(AssertionError):
                expect(shown[number]).to_contain_text(text, timeout=2_000)
                break
        expect(shown[number]).to_contain_text(text)
    book.shot("remote-cell-tooltip")


def test_a_cell_of_an_ordinary_notebook_runs_there(notebook, serving):
    book = notebook(
        "%load_ext colony_jupyter", RUN + PLOT.lstrip(), RUN + SLIDER, "'slider' in dir()", kernel="local-x"
    )
    book.run(1)
    book.run(2)
    expect(book.cell(2).locator("img")).to_be_visible(timeout=40_000)
    book.run(3)
    slider = book.cell(3).locator(".noUi-handle")
    expect(slider).to_be_visible()
    slider.focus()
    for _ in range(4):
        book.page.keyboard.press("ArrowRight")
    expect(book.cell(3).get_by_text("at 7")).to_be_visible()
    book.run(4)
    assert book.output(4).split()[-1] == "False"
    book.shot("remote-cell")
