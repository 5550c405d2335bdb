"""Containers in a real JupyterLab: their output in the log, and what a waiting one lacks."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

START = r"""
%load_ext colony_jupyter
import subprocess
import colony_jupyter as cj

executor = cj.Executor("container-executor")

@executor.function("execute")
def execute(context, cmd, args=(), **kwargs):
    context.log(f"Pulling from {kwargs['docker-image']}\n")
    line = ["sh", "-c", " ".join([cmd, *args])]
    with subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        for text in child.stdout:
            context.log(text)

executor.start()
"""
JSON = """%%colony submit
{
    "conditions": {
        "executortype": "container-executor",
        "nodes": 1,
        "processespernode": 1,
        "mem": "10Gi",
        "cpu": "1000m",
        "gpu": {"count": 0},
        "walltime": 60
    },
    "funcname": "execute",
    "kwargs": {"cmd": "echo hello world", "docker-image": "ubuntu:20.04"},
    "maxexectime": 55,
    "maxretries": 3
}"""
SCRIPT = r"""%%colony execute ubuntu:24.04
for step in 1 2 3 4 5; do
  echo "step $step/5"
  sleep 0.3
done
printf '\033[32mall done\033[0m\n'"""
WAITING = """process = %colony submit execute --type container-executor --location Kiruna --gpu 2
process"""
STOP = "process.cancel()\nexecutor.stop()"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_containers(notebook, theme):
    book = notebook(START, JSON, SCRIPT, WAITING, STOP, theme=theme)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane).to_contain_text("SUCCESS", timeout=30_000)
    expect(pane.locator(".cj-tab")).to_have_text(["log2"])
    expect(pane.locator(".cj-row .cj-text")).to_have_text(["Pulling from ubuntu:20.04", "hello world"])
    book.shot(f"container-json-{theme}", 2)
    book.run(3)
    script = book.cell(3).locator(".cj")
    script.scroll_into_view_if_needed()
    expect(script).to_contain_text("step 2/5", timeout=30_000)  # while it runs
    expect(script.get_by_role("progressbar")).to_be_visible()
    expect(script).to_contain_text("all done", timeout=30_000)
    book.shot(f"container-script-{theme}", 3)
    book.run(4)
    waiting = book.cell(4).locator(".cj")
    waiting.scroll_into_view_if_needed()
    sentence = "no executor of type 'container-executor' is at location 'Kiruna'"
    expect(waiting).to_contain_text(sentence, timeout=30_000)
    book.shot(f"container-waiting-{theme}", 4)
    book.run(5)
