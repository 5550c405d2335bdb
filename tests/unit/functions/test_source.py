"""Functions of a notebook: the newest cell is read, and named as IPython names it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import base64, json, msgspec
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
{kernel}
cells = {cells!r}
for cell in cells:
    shell.run_cell(cell, store_history=True).raise_error()
from colony_jupyter.functions.packing import pack
packed = pack(shell.user_ns["train"])
origin = json.loads(packed.env["colony_jupyter"])
print(json.dumps([base64.b64decode(packed.env["code"]).decode(), origin["segments"]]))
"""
# As ipykernel names the files of its cells.
KERNEL = "shell.compile.get_code_name = lambda raw, code, number: f'/tmp/ipykernel_1/{abs(hash(code))}.py'"


@pytest.fixture(params=["", KERNEL], ids=["terminal", "kernel"])
def pack_cells(request):
    def pack(*cells):
        program = PROGRAM.format(cells=cells, kernel=request.param)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return pack


def test_the_newest_cell_of_a_function_and_its_helper_is_sent(pack_cells):
    code, segments = pack_cells(
        "def helper(x):\n    return x",
        "import math\n\n\ndef train(x):\n    return helper(x)",
        "y = !echo 1",
        "def helper(x):\n    return x + math.pi",
        "class Point:\n    x = 1",
        "class Point:\n    x = 2",
        "def train(x):\n    return helper(x), Point",
    )
    assert "x + math.pi" in code
    assert "x = 2" in code
    assert "x = 1" not in code
    assert [(place, line) for _, _, place, line in segments] == [
        ("Cell In[6]", 1),
        ("Cell In[4]", 1),
        ("Cell In[7]", 1),
    ]


def test_decorators_of_ours_are_no_lines_of_the_cell(pack_cells):
    code, segments = pack_cells(
        "import colony_jupyter as cj\nexecutor = cj.Executor('t')",
        "x = 1\n@executor.function(\n    'train',\n)\ndef train(context, x):\n    return x",
    )
    assert code.startswith("global train\n\n\ndef train(context, x):\n    return x\n")
    assert segments == [[4, 2, "Cell In[2]", 5]]
