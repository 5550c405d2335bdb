"""The magics in IPython in a terminal: plain text, and no widgets."""

from __future__ import annotations

import terminal_scripts

SCRIPT = """
%load_ext colony_jupyter
import asyncio
import colony_jupyter as cj
executor = cj.Executor("terminal-type")
@executor.function("steps")
async def steps(context, count):
    async for step in context.progress(range(count), channel="progress"):
        await context.channel("log").send(f"step {step}")
    return "all done"

@executor.chat("chat")
async def chat(context, message):
    yield "You printed "
    yield message.text

@executor.function("train")
async def train(context):
    for step in range(8):
        await context.channel("metrics").send({"step": step, "loss": 8.0 - step})
        await asyncio.sleep(0.05)
    await context.channel("metrics").end()
    return [{"loss": 1.0}]

executor.start()
%colony submit steps 2 --channel progress log sync --type terminal-type -o process
print("RESULT", process.result(5))
get_ipython().run_cell_magic("colony_chat", "chat --type terminal-type -o answer", "hello")
print("ANSWER", answer)
print(get_ipython().run_line_magic("colony", "ps"))
for line in ("submit steps --type terminal-type", "nothing", "read --help"):
    try:
        get_ipython().run_line_magic("colony", line)
    except cj.ColonyError as error:
        get_ipython().showtraceback()
train = cj.Colony().submit("train", channels=["metrics"], executortype="terminal-type")
get_ipython().run_line_magic("colony", f"plot {train.processid} metrics --y loss")
import sys
print("WIDGETS", "ipywidgets" in sys.modules)
"""


def test_everything_is_plain_text(tmp_path):
    printed, errors = terminal_scripts.run(SCRIPT, tmp_path)
    output = f"{printed}\n{errors}"
    assert "embedded colony 'dev'" in printed, output
    for word in (
        "step 0",
        "step 1",
        "SUCCESS",
        "all done",
        "RESULT all done",
        "8 to 1 (lowest 1, highest 8, 8 points)",
        "ANSWER You printed hello",
    ):
        assert word in printed, output
    assert "usage: %colony read PID CHANNEL" in printed, output
    assert "ProcessFailed: steps (" in output
    assert "missing a required argument: 'count'" in output
    assert "%colony has no command 'nothing'" in output
    assert "Traceback (most recent call last)" not in output, output
    assert errors == "", output  # a conversation that goes on at the end is no fault
    assert "\x1b[31m" not in printed  # no colours were asked for
    assert "<" not in printed.replace("<Process", ""), printed
    assert "WIDGETS False" in printed
