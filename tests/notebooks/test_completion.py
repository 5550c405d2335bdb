"""Tab, in a live kernel."""

from __future__ import annotations

import time


def test_names_of_the_colony(notebook):
    notebook.run("process = %colony submit steps 1 --channel progress --quiet --wait")
    assert notebook.complete("%colony subm") == ["submit"]
    assert "steps" in notebook.complete("%colony submit st")
    assert notebook.complete("%colony submit steps --type mag") == ["magics-test"]
    assert notebook.complete("x = 1\n%colony read process pro") == ["progress"]
    assert "process" in notebook.complete("%colony get ")
    assert notebook.complete("%%colony_chat simple --ti") == ["--timeout"]
    assert notebook.complete("%colony get nothing-like-it") == ["nothing-like-it"]


def test_it_is_quick_and_other_completions_go_on(notebook):
    notebook.complete("%colony submit ")
    times = []
    while not times or (times[-1] >= 0.3 and len(times) < 3):  # a noisy machine may need several attempts
        begun = time.monotonic()
        notebook.complete("%colony submit ")
        times.append(time.monotonic() - begun)
    assert times[-1] < 0.3, times
    notebook.run("%config IPCompleter.use_jedi = False")  # its first answer alone takes many seconds of a busy machine
    assert "import" in notebook.complete("impor")
