"""The tutorial's notebooks, run by a program from the first cell to the last."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PROGRESS = NOTEBOOKS / "01-streaming-progress.ipynb"
CHAT = NOTEBOOKS / "02-chat.ipynb"


async def run(path: Path) -> list[Any]:
    """Execute a notebook; its code cells."""
    notebook = nbformat.read(path, as_version=4)
    await NotebookClient(notebook, timeout=50, kernel_name="python3").async_execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> str:
    """What a reader of the saved file sees, as text."""
    return "\n".join(
        output.text if output.output_type == "stream" else output.data.get("text/plain", "") for output in cell.outputs
    )


def find(cells: list[Any], source: str) -> Any:
    return next(cell for cell in cells if source in cell.source)


def check_progress(cells: list[Any]) -> None:
    submitted = shown(find(cells, "%colony submit"))
    assert submitted.startswith("SUCCESS long-task")
    steps = [f"Processing step {step}/10" for step in range(1, 11)]
    assert [submitted.count(f"{step}\n") for step in steps] == [1] * 10
    assert 'Output: "Task completed!"' in submitted
    blocking = shown(find(cells, "with cj.Colony() as colony"))
    lines = [line.partition(" ")[2] for line in blocking.splitlines() if "step" in line]
    assert lines == steps
    assert "Task completed!" in blocking
    waited = shown(find(cells, "async with cj.AsyncColony()"))
    assert [f"step {step}/3" in waited for step in (1, 2, 3)] == [True] * 3
    assert "Task completed!" in waited


def check_chat(cells: list[Any]) -> None:
    talk = [cell for cell in cells if cell.source.startswith("%%colony_chat")]
    answers = ["Hello! How can I help you?", "I received your message!", "Goodbye! Have a great day!"]
    assert [answer in shown(cell) for cell, answer in zip(talk, answers, strict=True)] == [True] * 3
    assert "'Goodbye! Have a great day!'" in shown(next(cell for cell in cells if cell.source == "answer"))


async def test_streaming_progress():
    check_progress(await run(PROGRESS))


async def test_chat():
    check_chat(await run(CHAT))


@pytest.mark.live
async def test_both_at_once_on_a_real_server():
    progress, chat = await asyncio.gather(run(PROGRESS), run(CHAT))
    check_progress(progress)
    check_chat(chat)


async def test_both_at_once():
    progress, chat = await asyncio.gather(run(PROGRESS), run(CHAT))
    check_progress(progress)
    check_chat(chat)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_valid_and_name_no_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(cell.id for cell in notebook.cells)
