"""%colony top in a kernel and in a terminal."""

from __future__ import annotations

import re
import signal
import time

import terminal_scripts

VIEW = "application/vnd.jupyter.widget-view+json"
SCRIPT = """
%load_ext colony_jupyter
import colony_jupyter as cj
colony = cj.Colony()
waiting = colony.submit("resize", executortype="absent-top")
%colony top
import sys
print("WIDGETS", "ipywidgets" in sys.modules)
sys.stdout.flush()
get_ipython().run_line_magic("colony", "top --follow")
print("AFTER")
"""


def test_it_shows_the_colony_and_is_refreshed_when_it_is_visible(notebook):
    cell = notebook.run("import colony_jupyter as cj\nw = cj.Colony().submit('resize', executortype='absent-top')")
    assert cell.status == "ok", cell.error
    notebook.run("import time\nwhile len(cj.Colony().functions()) < 7: time.sleep(0.1)")
    cell = notebook.run("%colony top")
    assert cell.status == "ok", cell.error
    assert "colony dev" in cell.transcript
    functions = "at-once, breaks, closing-bot, gives-back and 3 more"
    assert re.search(rf"magics-test +{functions} +(\d+ s ago|never)", cell.transcript)
    assert re.search(r"waiting longest:\n.*\n +\w{8} +resize +absent-top", cell.transcript)
    shown = next(data for data in cell.shown if VIEW in data)
    before = cell.transcript
    notebook.run("w.cancel()")
    time.sleep(1.2)
    assert cell.transcript == before, "nothing is asked while the board is not looked at"
    notebook.message(shown[VIEW]["model_id"], {"do": "visible", "ref": "1"})
    notebook.until(lambda: "waiting longest" not in cell.transcript)


def test_a_headless_run_shows_it_once(notebook):
    cell = notebook.run("%colony top", headless=True)
    [shown] = cell.shown
    assert sorted(shown) == ["text/html", "text/plain"]
    assert "executors:" in cell.transcript


def test_in_a_terminal_once_and_until_an_interrupt(tmp_path):
    with terminal_scripts.started(SCRIPT, tmp_path, "-u") as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if sum(each.startswith("colony dev") for each in lines) == 4:
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=30)
    shown = "".join(lines) + rest
    assert "No executor is registered." in shown
    assert re.search(r"waiting longest:\n.*\n +\w{8} +resize +absent-top +0:0\d", shown)
    assert "WIDGETS False" in shown
    assert shown.rstrip().endswith("AFTER"), shown + errors
    assert "\x1b" not in shown
    assert errors == ""
