"""`colony-jupyter demo` as a process of its own, with a terminal and without one."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

DEMO = (sys.executable, "-m", "colony_jupyter", "demo")
ANSWERS = ["Hello! How can I help you?", "I received your message!", "Goodbye! Have a great day!"]
SECONDS = 20.0
"""About ten are promised; a shared machine takes longer."""


@pytest.fixture
def played(request):
    """The output and the exit status of one run, its time being bounded."""
    begun = time.monotonic()
    result = request.param()
    assert time.monotonic() - begun < SECONDS
    return result


def in_pipe():
    run = subprocess.run(DEMO, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout, run.returncode


def in_terminal():
    """Run in a pseudo-terminal that reports a size of 0 by 0, as those of many containers do."""
    leader, follower = pty.openpty()
    with subprocess.Popen(DEMO, stdin=follower, stdout=follower, stderr=follower) as run:
        os.close(follower)
        output = b""
        with os.fdopen(leader, "rb", buffering=0) as terminal:
            try:
                while piece := terminal.read(65536):
                    output += piece
            except OSError:  # Linux reports the end of a terminal as an error
                pass
    return output.decode().replace("\r\n", "\n"), run.returncode


@pytest.mark.parametrize("played", [in_pipe, in_terminal], indirect=True, ids=["pipe", "terminal"])
def test_it_plays_both_examples_and_names_the_next_steps(played):
    output, status = played
    assert status == 0, output
    positions = [output.index(text) for text in ("1. Streaming", "Task completed!", "2. Chat", *ANSWERS, "Next:")]
    assert positions == sorted(positions)
    assert output.count("SUCCESS") == 2
    assert "colony-jupyter lab" in output[positions[-1] :]
    assert "Traceback" not in output


@pytest.mark.parametrize("played", [in_terminal], indirect=True)
def test_a_terminal_shows_one_progress_bar_that_is_rewritten(played):
    output, _ = played
    (line,) = [line for line in output.split("\n") if "100%|" in line]
    assert re.findall(r"\r +(\d+)%\|[^|]+\| Processing step (\d+)/10", line)[-1] == ("100", "10")
    assert line.count("\r") >= 10


@pytest.mark.parametrize("played", [in_pipe], indirect=True)
def test_a_pipe_gets_a_line_per_step(played):
    output, _ = played
    assert "\r" not in output
    assert re.findall(r"^ +\d+%\|[# ]{30}\| Processing step (\d+)/10$", output, re.MULTILINE) == [
        str(step) for step in range(1, 11)
    ]


def test_an_interrupt_ends_it_without_a_traceback():
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        while "step 2/10" not in run.stdout.readline():
            assert run.poll() is None
        time.sleep(0.05)  # until it waits: Python ignores what is raised within a finalizer, here once in 100 runs
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate()
    assert run.returncode == 130
    assert "Traceback" not in errors


def test_an_entry_that_does_not_arrive_fails_it():
    script = (
        "import sys\n"
        "from colony_jupyter import cli\n"
        "async def silent(context, steps):\n"
        "    await context.channel('progress').end()\n"
        "cli.demo._long_task = silent\n"
        "sys.exit(cli.main(['demo']))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("The demo failed: the entries should be ['Processing step 1/10', ")
    assert "Everything works" not in run.stdout


def test_an_unusable_setting_fails_it_with_one_sentence():
    run = subprocess.run(
        DEMO, capture_output=True, text=True, check=False, env=os.environ | {"COLONIES_SERVER_PORT": "80"}
    )
    assert run.returncode == 1
    assert run.stderr.startswith("COLONIES_SERVER_PORT is set, but COLONIES_SERVER_HOST is not")


@pytest.mark.live
def test_it_plays_on_a_real_server():
    output, status = in_pipe()
    assert status == 0
    assert "Everything works" in output
