"""A kernel with a person at the keyboard, on an embedded colony of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from notebook_kernel import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

EXECUTOR = """
import asyncio, time
import colony_jupyter as cj

executor = cj.Executor("magics-test")

@executor.function("steps")
async def steps(context, count=3, pause=0.02):
    for step in range(1, count + 1):
        await context.channel("progress").send(f"Processing step {step}/{count}")
        await asyncio.sleep(pause)
    await context.channel("progress").end()
    return "Task completed!"

@executor.function("at-once")
async def at_once(context):
    for step in range(50):
        await context.channel("progress").send(f"entry {step}.")
    await context.channel("progress").end()

@executor.function("trains")
async def trains(context):
    channel = context.channel("losses")
    for step in range(5):
        await channel.send({"step": 10 * step, "loss": 2.0 - step / 4})
    async for entry in channel:
        if entry.text == "enough":
            break

@executor.function("breaks")
def breaks(context):
    raise ValueError("the disk is full")

@executor.function("gives-back")
def gives_back(context, *args, **kwargs):
    return [list(args), kwargs]

@executor.function("simple-bot")
async def simple_bot(context):
    channel = context.channel("chat")
    async for message in channel:
        if message.sequence % 2 == 0 or message.text == "silence":
            continue
        if message.text == "error":
            await channel.error("I do not understand", inreplyto=message.sequence)
            continue
        await channel.send(f"You said {message.text}", inreplyto=message.sequence)
        if message.text == "bye":
            await channel.end()
            break

@executor.function("closing-bot")
async def closing_bot(context):
    channel = context.channel("chat")
    async for message in channel:
        if message.sequence % 2 == 0:
            continue
        for word, pause in (("one ", 0.1), ("two ", 0.6), ("three", 0.1)):
            await channel.send(word, inreplyto=message.sequence)
            await asyncio.sleep(pause)
        await channel.end(inreplyto=message.sequence)

executor.start()
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """Return a kernel with the extension loaded and an executor of type ``magics-test``."""
    with Notebook({"XDG_DATA_HOME": str(tmp_path_factory.mktemp("data"))}) as notebook:
        loaded = notebook.run("%load_ext colony_jupyter")
        assert loaded.status == "ok", loaded.error
        made = notebook.run(EXECUTOR)
        assert made.status == "ok", made.error
        yield notebook
