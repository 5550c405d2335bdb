"""Settings that are no options: ``%config ColonyMagics``."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(autouse=True)
def as_before(notebook):
    yield
    for setting in ("history = None", "settle = 1.5", "theme = 'auto'"):
        assert notebook.run(f"%config ColonyMagics.{setting}").text == ""


@pytest.fixture
def filled(notebook):
    """Have a process with six entries on its channel, named ``process`` in the kernel."""
    notebook.run("process = %colony submit nothing --type absent-type --channel talk --quiet")
    for number in range(6):
        assert notebook.run(f"%colony send process talk number {number}").status == "ok"
    yield
    notebook.run("%colony cancel process")


def shown(cell):
    return [number for number in range(8) if f"number {number}" in cell.transcript]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("history", "numbers", "note"),
    [
        ("None", [0, 1, 2, 3, 4, 5, 6], ""),
        ("6", [0, 1, 2, 3, 4, 5, 6], ""),
        ("5", [1, 2, 3, 4, 5, 6], "1 earlier entry is not shown"),
        ("2", [4, 5, 6], "4 earlier entries are not shown, since `%config ColonyMagics.history` is 2"),
        ("0", [6], "6 earlier entries are not shown"),
    ],
)
def test_a_pane_shows_the_newest_of_what_was_there_and_all_that_comes(notebook, history, numbers, note):
    notebook.run(f"%config ColonyMagics.history = {history}")
    cell = notebook.run("%colony watch process")
    notebook.until(lambda: shown(cell) == numbers[:-1] and note in cell.transcript)
    notebook.run("%colony send process talk number 6")
    notebook.until(lambda: 6 in shown(cell))
    assert shown(cell) == numbers
    assert ("not shown" in cell.transcript) == bool(note)
    assert "number 0" in notebook.run("%colony read process talk").value["text/plain"]


@pytest.mark.parametrize(
    "setting",
    ["history = -1", "history = 'all'", "history = 1.5", "settle = -1", "settle = 'x'", "theme = 'blue'", "theme = 1"],
)
def test_what_is_no_value_is_refused_and_changes_nothing(notebook, setting):
    cell = notebook.run(f"%config ColonyMagics.{setting}")
    name = setting.partition(" ")[0]
    assert f"'{name}' trait" in cell.text  # IPython reports it, and runs the rest of the cell
    now = notebook.evaluate(f"get_ipython().magics_manager.registry['ColonyMagics'].{name}")
    assert now == {"history": None, "settle": 1.5, "theme": "auto"}[name]


def test_they_explain_themselves(notebook):
    text = notebook.run("%config ColonyMagics").text
    assert "the newest ones; None for all" in " ".join(text.split())
    assert "Seconds without a new entry" in text
    assert "Colours of new panes" in text


@pytest.mark.parametrize("theme", ["dark", "auto", "light"])
def test_panes_have_the_theme_that_was_set_when_they_were_opened(notebook, theme):
    notebook.run(f"%config ColonyMagics.theme = {theme!r}")
    heard = len(notebook.heard)
    notebook.run("%colony submit steps 1 --channel progress --type magics-test --wait")
    notebook.run("%%colony_chat simple-bot --new\nbye")
    opened = [json.loads(each) for each in notebook.heard[heard:] if '"comm_open"' in each]
    states = [content["data"]["state"] for _, content, *_ in opened]
    assert [state["theme"] for state in states if "theme" in state] == [theme, theme]


def test_settle_ends_the_turn_of_a_one_answer_bot(notebook):
    notebook.run("%config ColonyMagics.settle = 2.5")
    assert notebook.run("import time; begun = time.monotonic()").status == "ok"
    notebook.run("%%colony_chat simple-bot --new\nhello")
    assert notebook.evaluate("time.monotonic() - begun") > 2.5
    notebook.run("%config ColonyMagics.settle = 0.1\nbegun = time.monotonic()")
    notebook.run("%%colony_chat simple-bot\nhello")
    assert notebook.evaluate("time.monotonic() - begun") < 1.5
    notebook.run("%%colony_chat simple-bot\nbye")
