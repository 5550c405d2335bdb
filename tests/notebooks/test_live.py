"""The magics on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from notebook_kernel import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

EXECUTOR = """
import asyncio
import colony_jupyter as cj
executor = cj.Executor("magics-live")

@executor.function("steps-live")
async def steps(context, count=3):
    for step in range(1, count + 1):
        await context.channel("progress").send(f"Processing step {step}/{count}")
        await asyncio.sleep(0.3)
    await context.channel("progress").end()
    return "Task completed!"

@executor.function("bot-live")
async def bot(context):
    async for message in context.channel("chat"):
        if message.sequence % 2:
            await context.channel("chat").send(f"You said {message.text}", inreplyto=message.sequence)

executor.start()
"""


@pytest.fixture(scope="module")
def live(real_server: dict[str, str]) -> Iterator[Notebook]:
    with Notebook(real_server) as notebook:
        assert notebook.run("%load_ext colony_jupyter").status == "ok"
        made = notebook.run(EXECUTOR)
        assert made.status == "ok", made.error
        yield notebook
        notebook.run("executor.stop()")


def test_a_pane(live):
    cell = live.run("%colony submit steps-live --channel progress -o p")
    live.until(lambda: "SUCCESS" in cell.transcript)
    assert [f"step {step}/3" in cell.transcript for step in (1, 2, 3)] == [True] * 3
    assert 'Output: "Task completed!"' in cell.transcript


def test_a_conversation(live):
    cell = live.run("%%colony_chat bot-live -o answer\nHello")
    assert cell.status == "ok", cell.error
    assert live.evaluate("answer") == "You said Hello"
    assert live.run("%%colony_chat -o answer\nand more").status == "ok"
    assert live.evaluate("answer") == "You said and more"
    for line in live.run("%colony").value["text/plain"].splitlines():
        if line.startswith("this kernel") and "bot-live (" in line:
            running = line.partition("bot-live (")[2][:8]
            assert "is cancelled" in live.run(f"%colony cancel {running}").text


@pytest.mark.parametrize("name", ["status", "ps", "executors", "functions", "workflows", "get p", "log p", "doctor"])
def test_what_looks(live, name):
    live.run("p = %colony submit steps-live 1 --channel progress --quiet --wait")
    cell = live.run(f"%colony {name}")
    assert cell.status == "ok", cell.error
    assert "FAILURE" not in cell.value["text/plain"]


def test_a_process_that_waits(live):
    cell = live.run("%colony submit x --type absent-live --channel talk -o w")
    live.until(lambda: "none is registered" in cell.transcript)
    assert "as entry 1" in live.run("%colony send w talk hello $5").text
    live.until(lambda: "hello $5" in cell.transcript)
    assert "hello $5" in live.run("%colony read w talk").value["text/plain"]
    assert "This process has: talk." in live.run("%colony read w tlak").error
    assert "is cancelled" in live.run("%colony cancel w").text
    live.until(lambda: "CANCELLED" in cell.transcript)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"COLONIES_PRVKEY": "ab" * 32}, "not a member"),
        ({"COLONIES_PRVKEY": "ab" * 31}, "COLONIES_PRVKEY is set, but not to a private key"),
        ({"COLONIES_COLONY_NAME": "no-such-colony"}, "does not exist: check COLONIES_COLONY_NAME"),
        ({"COLONIES_SERVER_PORT": "1"}, "No ColonyOS server answers at"),
    ],
)
@pytest.mark.parametrize(
    "line", ["%colony", "%colony submit steps-live --type magics-live", "%%colony_chat a --type b\nx"]
)
def test_wrong_settings_are_one_sentence(live, change, sentence, line):
    live.run(f"import os; saved = dict(os.environ); os.environ.update({change!r})")
    live.run("%reload_ext colony_jupyter")
    cell = live.run(line)
    live.run("os.environ.update(saved)")
    live.run("%reload_ext colony_jupyter")
    assert cell.status == "error"
    assert sentence in cell.error
    assert "\n" not in cell.error
    assert "abab" not in cell.error
