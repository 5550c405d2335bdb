"""``%colony log``, and the lines of process logs in panes, headless runs and terminals."""

from __future__ import annotations

import asyncio

import nbformat
import pytest
import terminal_scripts

from tools.transcripts import run

WIDGET = "application/vnd.jupyter.widget-view+json"

LOGGING = """
@executor.function("logs")
async def logs(context, *lines, pause=0.2):
    for line in lines:
        await context.log(line)
        await asyncio.sleep(pause)
    return "done"
"""


@pytest.fixture(scope="module")
def logging(notebook):
    assert notebook.run(LOGGING).status == "ok"
    return notebook


def rows(transcript):
    return [line.split("  ", 1)[1] for line in transcript.splitlines() if "  magics-test-" in line or "  line" in line]


def test_a_pane_shows_the_lines_while_they_come(logging):
    cell = logging.run("%colony submit logs one two three --type magics-test -o process")
    logging.until(lambda: "SUCCESS" in cell.transcript and "three" in cell.transcript)
    positions = [cell.transcript.index(f"  {word}\n") for word in ("one", "two", "three")]
    assert positions == sorted(positions)


def test_the_lines_of_a_process_are_listed(logging):
    logging.run("process = %colony submit logs one two --type magics-test --wait --quiet")
    cell = logging.run("%colony log process -o table")
    assert [line.split()[-1] for line in cell.value["text/plain"].splitlines()] == ["message", "one", "two"]
    assert logging.evaluate("[row['message'] for row in table.to_dicts()]") == ["one", "two"]


def test_a_log_is_followed_live(logging):
    logging.run("process = %colony submit logs one two three four --kw pause=0.4 --type magics-test --quiet")
    cell = logging.run("%colony log process --follow")
    assert cell.status == "ok", cell.error
    assert WIDGET in cell.shown[0]
    logging.until(lambda: "four" in cell.transcript)
    logging.until(lambda: "SUCCESS" in cell.transcript)


def test_lines_of_all_processes_are_searched(logging):
    logging.run("process = %colony submit logs 'a needle in it' 'needles and pins' --type magics-test --wait --quiet")
    logging.run("other = %colony submit logs 'no such thing' 'one needle more' --type magics-test --wait --quiet")
    cell = logging.run("%colony log --search needle --days 2")
    lines = cell.value["text/plain"].splitlines()
    assert lines[0].split() == ["time", "executor", "process", "message"]
    assert [line.split("  ")[-1] for line in lines[1:]] == ["a needle in it", "needles and pins", "one needle more"]
    assert logging.evaluate("process.processid")[:8] in lines[1]
    assert "No log line of the last day contains" in logging.run("%colony log --search hay").value["text/plain"]
    assert "No log line" in logging.run("%colony log --search needle --executor other").value["text/plain"]


def test_lines_of_an_executor_are_listed(logging):
    logging.run("process = %colony submit logs 'by this one' --type magics-test --wait --quiet")
    cell = logging.run(f"%colony log --executor {logging.evaluate('executor.name')}")
    assert cell.value["text/plain"].splitlines()[-1].endswith("by this one")
    cell = logging.run("%colony log --executor another-one")
    assert cell.status == "error"
    assert "The colony has no executor 'another-one'." in cell.error
    assert "Traceback" not in cell.error


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "What to list: `%colony log PID`"),
        ("process --search x", "A PID cannot be combined with --search and --executor."),
        ("--search x --follow", "--follow needs a PID"),
        ("process --days 3", "--days belongs to --search"),
        ("--search x --days 31", "--days must be from 1 to 30, not 31."),
        ("--search ''", "--search needs a text."),
    ],
)
def test_options_that_do_not_fit_together(logging, line, sentence):
    cell = logging.run(f"%colony log {line}")
    assert cell.status == "error"
    assert sentence in cell.error


HEADLESS = """
%load_ext colony_jupyter
import asyncio
import colony_jupyter as cj
executor = cj.Executor("headless-logs")
@executor.function("logs")
async def logs(context):
    for number in range(3):
        await context.log(f"line {number}")
        await asyncio.sleep(0.1)
executor.start()
"""


def test_a_headless_run_shows_the_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    sources = (HEADLESS, "process = %colony submit logs --type headless-logs", "%colony log process --follow")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    asyncio.run(run(book, seconds=60, folder=tmp_path))
    for cell in book.cells[1:]:
        plain = cell.outputs[0].data["text/plain"]
        assert "SUCCESS logs" in plain
        assert [line.split("  ")[-1] for line in plain.splitlines()[1:4]] == ["line 0", "line 1", "line 2"]


SCRIPT = (
    HEADLESS
    + """
process = get_ipython().run_line_magic("colony", "submit logs --type headless-logs --wait")
executor.stop()
"""
)


def test_a_terminal_prints_the_lines(tmp_path):
    output, errors = terminal_scripts.run(SCRIPT, tmp_path)
    printed = [line.split("  ")[-1] for line in output.splitlines()]
    assert [line for line in printed if line.startswith("line")] == ["line 0", "line 1", "line 2"], output
    assert errors == ""
