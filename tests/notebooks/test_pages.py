"""The examples of README.md and of docs/functions.md, typed in the cells of a live kernel."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    """Return the Python of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_the_examples_of_the_readme(notebook):
    start, executor, magic, script = blocks("README.md")
    assert notebook.run(start).status == "ok"
    assert notebook.run(executor).status == "ok"
    cell = notebook.run(magic)
    assert cell.status == "ok", cell.error
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    assert 'Output: "Hello, World!"' in cell.transcript
    cell = notebook.run(script)
    assert cell.status == "ok", cell.error
    assert cell.text.splitlines() == ["2 step 1/3", "4 step 2/3", "6 step 3/3", "Hello, World!"]
    assert notebook.run("executor.stop()").status == "ok"


def test_the_examples_of_functions(notebook):
    here, there = blocks("docs/functions.md")
    assert notebook.run(there).status == "ok"
    cell = notebook.run(here.replace("        ...\n", "        pass\n").replace("range(100)", "range(3)"))
    assert cell.status == "ok", cell.error
    assert notebook.evaluate("process.result()") == 0.1
    assert notebook.evaluate("long_training.map([0.1, 0.2]).results()") == [0.1, 0.2]
    assert notebook.run("executor.stop()").status == "ok"
