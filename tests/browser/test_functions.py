"""A function of the notebook that runs in another process: its pane, its picture, and an error that names its cell."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

START = """
%load_ext colony_jupyter
import subprocess, sys
import colony_jupyter as cj

program = '''
import asyncio
import colony_jupyter as cj

executor = cj.Executor("browser-functions")
executor.functions_from_callers()
asyncio.run(executor.serve())
'''
other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
STEPS = 5
"""
WORK = """
def draw(context, label):
    from matplotlib.figure import Figure

    for step in context.progress(range(STEPS)):
        context.channel("notes").send(f"{label} {step}")
    figure = Figure(figsize=(3, 1.5))
    figure.subplots().plot([1, 3, 2])
    context.display(figure, channel="notes")
    return {"steps": STEPS}

colony = cj.Colony()
channels = ["progress", "notes", "sync"]
process = colony.submit(draw, "step", channels=channels, executortype="browser-functions")
%colony watch process
"""
FAIL = """\
@cj.remote(executortype="browser-functions")
def divide(a, b):
    rate = a / b
    return rate

try:
    divide(1, 0)
except cj.ProcessFailed as error:
    print(*error.errors, sep="\\n")
other.terminate()
_ = other.wait()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_function_that_runs_elsewhere(notebook, theme):
    book = notebook(START, WORK, FAIL, theme=theme)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane).to_contain_text("SUCCESS", timeout=30_000)
    expect(pane.locator(".cj-row img.cj-picture")).to_be_visible()
    expect(pane).to_contain_text("step 4")
    book.shot(f"function-{theme}", 2)
    book.run(3)
    assert "ZeroDivisionError: division by zero\nCell In[4], line 3, in divide: rate = a / b" in book.output(3)
    book.shot(f"function-error-{theme}", 3)
