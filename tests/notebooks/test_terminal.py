"""The magics in IPython in a terminal: plain text, and no widgets."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
%load_ext colony_jupyter
import colony_jupyter as cj
executor = cj.Executor("terminal-type")
@executor.function("steps")
async def steps(context, count):
    async for step in context.progress(range(count), channel="progress"):
        await context.channel("log").send(f"step {step}")
    return "all done"

@executor.chat("chat")
async def chat(context, message):
    yield "You said "
    yield message.text

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
import sys
print("WIDGETS", "ipywidgets" in sys.modules)
"""


def test_everything_is_plain_text(tmp_path):
    (tmp_path / "script.ipy").write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "script.ipy"],
        cwd=tmp_path,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    said = run.stdout
    told = f"{said}\n{run.stderr}"
    assert "embedded colony 'dev'" in said, told
    for word in ("step 0", "step 1", "SUCCESS", "all done", "RESULT all done", "ANSWER You said hello"):
        assert word in said, told
    assert "usage: %colony read PID CHANNEL" in said, told
    assert "ProcessFailed: steps (" in told
    assert "missing a required argument: 'count'" in told
    assert "%colony has no command 'nothing'" in told
    assert "Traceback (most recent call last)" not in told, told
    assert run.stderr == "", told  # a conversation that goes on at the end is no fault
    assert "\x1b[31m" not in said  # no colours were asked for
    assert "<" not in said.replace("<Process", ""), said
    assert "WIDGETS False" in said
