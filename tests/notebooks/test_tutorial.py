"""The tutorial's notebooks, run by a program from the first cell to the last, and what they show kept up to date."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from notebook_kernel import Notebook

from tools.transcripts import (
    NOTEBOOKS,
    VARIES,
    KeyShown,
    check_keys,
    comparable,
    execute,
    keys,
    shown,
    tidy,
)

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
PROGRESS, CHAT = PATHS[:2]

HOW = "`make notebooks` runs it again and keeps what it shows"

LONGEST_NOTEBOOK = 1300
"""Words of one notebook, code included: five minutes of reading at 260 a minute."""


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def types(notebook: Any) -> list[str]:
    text = "\n".join(cell.source for cell in code(notebook))
    return re.findall(r'(?:cj\.Executor\("|kernel serve --type )([\w-]+)', text)


by_name = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@by_name
@pytest.mark.timeout(180)
async def test_shows_what_is_stored(path):
    made = comparable(await execute(path))
    assert keys(Path(os.environ["XDG_DATA_HOME"])) != set()  # so that `execute` had something to look for
    kept = comparable(read(path))
    assert made == kept, f"{path.name} shows something else now: {HOW}"


@pytest.mark.timeout(120)
async def test_two_at_once_on_one_colony():
    """Each has an executor type of its own, so neither takes the other's work."""
    progress, chat = await asyncio.gather(execute(PROGRESS), execute(CHAT))
    assert "Processing step 10/10" in shown(code(progress)[2])
    assert "Goodbye! Have a great day!" in shown(code(chat)[4])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", [PATHS[3], PATHS[8], PATHS[9]], ids=lambda path: path.stem)
def test_runs_for_a_person_and_again(path, tmp_path):
    """With a person at the keyboard panes are live, and cells do not wait for processes as they do for a program."""
    with Notebook({"XDG_DATA_HOME": str(tmp_path)}) as notebook:
        for cell in code(read(path)) * 2:
            ran = notebook.run(cell.source, timeout=50)
            expected = "error" if "raises-exception" in cell.metadata.get("tags", ()) else "ok"
            assert ran.status == expected, f"{cell.source}\n{ran.error}"


def test_their_numbers_are_in_order():
    numbers = [int(path.name[:2]) for path in PATHS]
    assert numbers == sorted(set(numbers))


@by_name
def test_is_a_valid_notebook_with_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == [f"cell-{number:02}" for number in range(len(notebook.cells))]
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1)), f"{path.name} was not run in order: {HOW}"


@by_name
def test_holds_nothing_of_the_machine_it_was_run_on(path):
    """Beside what `tests/unit/test_repository.py` looks for in every file."""
    text = path.read_text("utf-8")
    assert re.findall(r"/tmp/[\w.-]+|ipykernel_\d+|File \S+\.py", text) == []
    assert re.findall(r"tutorial-[a-z]+-(?!laptop-)[\w-]+-[0-9a-f]{6}\b", text) == []
    assert "application/vnd.jupyter.widget" not in text


@by_name
def test_can_be_read_in_five_minutes(path):
    notebook = read(path)
    assert sum(len(cell.source.split()) for cell in notebook.cells) < LONGEST_NOTEBOOK


def test_each_has_an_executor_type_of_its_own():
    found = [name for path in PATHS for name in types(read(path))]
    assert len(found) == len(set(found)) == len(PATHS)
    assert all(name.startswith("tutorial-") and name[-1].isalpha() for name in found)  # trap 5


def test_the_way_through_leads_to_all_of_them_and_back():
    links = re.findall(r"\]\(([\w.-]+\.ipynb)\)", (NOTEBOOKS / "README.md").read_text("utf-8"))
    assert links == [path.name for path in PATHS]
    for path in PATHS:
        for cell in read(path).cells:
            for name in re.findall(r"\]\(([\w.-]+\.ipynb)\)", cell.source if cell.cell_type == "markdown" else ""):
                assert (NOTEBOOKS / name).exists(), f"{path.name} leads to {name}, which is not there"


def notebook_of(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> Any:
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.from_dict(output) for output in outputs])
    if tags:
        cell.metadata["tags"] = list(tags)
    cell.metadata["execution"] = {"started": "now"}
    return nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"a": 1}})


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def test_what_is_stored_names_no_machine():
    text = "data in /somewhere/data/colony_jupyter, taken by tutorial-chat-my-host.lan-12ab34 of user 'root' 0a1b2c3d…"
    notebook = tidy(notebook_of(stream(text)), "/somewhere/data")
    assert shown(notebook.cells[0]) == (
        "data in ~/.local/share/colony_jupyter, taken by tutorial-chat-laptop-12ab34 of user 'ada' 0a1b2c3d…"
    )
    assert notebook.cells[0].metadata == {}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_a_key_in_what_is_shown_is_found(tmp_path, monkeypatch):
    """Of those in the data folder, of executors too, and of the environment; the error does not repeat it."""
    (tmp_path / "executors").mkdir()
    (tmp_path / "executors" / "some@0-1.key").write_text("ab" * 32 + "\n", "utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"prvkey": "cd" * 32}), "utf-8")
    monkeypatch.setenv("COLONIES_PRVKEY", "ef" * 32)
    known = keys(tmp_path)
    assert known == {"ab" * 32, "cd" * 32, "ef" * 32}
    check_keys(notebook_of(stream("ab" * 5)), known)
    for key in known:
        with pytest.raises(KeyShown) as caught:
            check_keys(notebook_of(stream(f"the key {key[:16]}...")), known)
        assert key[:8] not in str(caught.value)


def test_pieces_of_a_stream_are_one_output():
    notebook = tidy(notebook_of(stream("a\n"), stream("b\n")))
    assert [output.text for output in notebook.cells[0].outputs] == ["a\nb\n"]


def test_what_varies_is_not_stored():
    notebook = tidy(notebook_of(stream("Python 3.11"), tags=(VARIES,)))
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].metadata == {"tags": [VARIES]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("process 0a1b2c3d ended", "process ffffffff ended"),
        ("process " + "ab" * 32, "process " + "cd" * 32),
        ("17:05:33  you  Hello", "00:00:00  you  Hello"),
        ("17:05:33.524  you", "23:59:59.001  you"),
        ("written 2026-11-23 17:05:38 +0000", "written 2027-01-01 00:00:00 -0530"),
        ("at 2026-11-23T17:05:38.123456789Z", "at 2027-01-01T00:00:00Z"),
        ("took  0:04", "took  0:05"),
        (
            "RUNNING chat 0a1b2c3d with tutorial-chat-laptop-12ab34",
            "SUCCESS chat ffffffff with tutorial-chat-laptop-ffffff",
        ),
        (
            '<b style="color:#1e88e5">RUNNING</b> <bdi>a 0a1b2c3d with ',
            '<b style="color:#388e3c">SUCCESS</b> <bdi>a 0a1b2c3d with ',
        ),
        ("Waiting for 1 executor of type 'a', not heard from yet.\n3 of 5\n", "3 of 5\n"),
        ("by tutorial-chat-laptop-12ab34    RUNNING", "by tutorial-chat-laptop-ffffff RUNNING"),
    ],
)
def test_two_runs_may_differ_in(one, other):
    assert comparable(notebook_of(stream(one))) == comparable(notebook_of(stream(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SUCCESS", "FAILED"),
        ("RUNNING long-task 0a1b2c3d on laptop", "SUCCESS long-task 0a1b2c3d on laptop"),
        ("seq=1", "seq=3"),
        ("3 of 5\nWaited 1 s for tick.\n", "3 of 5\n"),
        ("1 2 3", "1 3 2"),
        ("line 1\nline 2", "line 1"),
        ("tutorial-chat-laptop-12ab34", "tutorial-sync-laptop"),
    ],
)
def test_two_runs_may_not_differ_in(one, other):
    assert comparable(notebook_of(stream(one))) != comparable(notebook_of(stream(other)))
    assert json.dumps(comparable(notebook_of(stream(one)))) == json.dumps(comparable(notebook_of(stream(one))))
