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
    begun = time.monotonic()
    notebook.complete("%colony submit ")
    assert time.monotonic() - begun < 0.3
    assert "import" in notebook.complete("impor")
