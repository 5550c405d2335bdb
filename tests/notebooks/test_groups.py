"""Groups of processes as the value of a cell, in a kernel and in a terminal."""

from __future__ import annotations

import terminal_scripts

MAP = """
import colony_jupyter as cj
colony = cj.Colony()
group = colony.map("gives-back", range(40), executortype="magics-test")
group
"""
SCRIPT = """
%load_ext colony_jupyter
import colony_jupyter as cj
executor = cj.Executor("terminal-groups")
@executor.function("double")
async def double(context, value):
    return 2 * value

executor.start()
colony = cj.Colony()
group = colony.map("double", range(30), executortype="terminal-groups")
print(group.results(timeout=30)[:3])
get_ipython().run_cell("group")
get_ipython().run_cell("[group]")
import sys
print("WIDGETS", "ipywidgets" in sys.modules)
"""


def test_a_group_shows_a_board_and_a_transcript(notebook):
    cell = notebook.run(MAP)
    assert cell.status == "ok", cell.error
    notebook.until(lambda: "40 SUCCESS" in cell.transcript)
    assert "SUCCESS gives-back 40 processes · label gives-back-" in cell.transcript
    assert "40/40 ▕██████████████████████████████▏ 100 %" in cell.transcript
    assert cell.value is None, "the board is all that is shown"
    assert "application/vnd.jupyter.widget-view+json" in cell.shown[0]


def test_a_headless_run_waits_for_the_end(notebook):
    cell = notebook.run(MAP, headless=True)
    assert cell.status == "ok", cell.error
    [shown] = cell.shown
    assert sorted(shown) == ["text/html", "text/plain"]
    assert "40 SUCCESS" in cell.transcript


LONG = """
import threading, time
import colony_jupyter as cj
colony = cj.Colony()

def notice():
    while not colony.processes("waiting", label="long", count=1):
        time.sleep(0.05)
    print("begun")

threading.Thread(target=notice).start()
long = colony.map("gives-back", range(20_000), executortype="absent-groups", label="long")
"""


def test_an_interrupt_reports_what_was_submitted(notebook):
    cell = notebook.start(LONG)
    notebook.until(lambda: "begun" in cell.text)
    notebook.interrupt()
    notebook.finish(cell)
    assert cell.status == "error"
    assert "of 20000 processes of gives-back were submitted" in cell.error
    assert "they go on, under the label 'long'. colony_jupyter.interrupted_group() holds them." in cell.error
    assert notebook.evaluate("0 < len(cj.interrupted_group()) < 20_000")
    done = notebook.run("cj.interrupted_group().cancel(); print(cj.interrupted_group().counts())", timeout=60)
    assert done.text.startswith("{'CANCELLED': "), done.error


def test_in_a_terminal_it_is_text(tmp_path):
    printed, errors = terminal_scripts.run(SCRIPT, tmp_path)
    output = f"{printed}\n{errors}"
    assert "[0, 2, 4]" in printed, output
    assert "30/30 ▕██████████████████████████████▏ 100 %\n30 SUCCESS" in printed, output
    assert "[<ProcessGroup double: 30 processes, 30 SUCCESS>]" in printed, output
    assert "WIDGETS False" in printed, output
    assert errors == "", output
