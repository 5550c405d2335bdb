"""What is stated where a pane cannot be shown: once, and again when its cell is run again."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.views.missing import NO_EXTENSION, NO_MODULE, NO_WIDGETS, NOTHING, Statements


def request(cell, run):
    return {"header": {"msg_id": run}, "metadata": {"cellId": cell}}


@pytest.mark.parametrize("reason", [NO_WIDGETS, NO_EXTENSION, NO_MODULE])
def test_the_reason_names_what_to_install_and_what_works_meanwhile(reason):
    data = Statements().bundle(reason, "chat", request("a", "1"))
    assert data["text/plain"] == f"{reason} Another `%%colony_chat` cell sends a reply without it."
    assert "pip install" in data["text/plain"]
    assert "<code>%%colony_chat</code>" in data["text/html"]
    assert "`" not in data["text/html"]


def test_a_kind_without_controls_that_magics_have_gets_the_reason_alone():
    assert Statements().bundle(NO_MODULE, "plot", request("a", "1"))["text/plain"] == NO_MODULE


def test_a_text_is_stated_in_one_cell_and_once_in_each_run_of_it():
    statements = Statements()
    first = statements.bundle(NO_WIDGETS, "log", request("a", "1"))
    assert first != NOTHING
    assert statements.bundle(NO_WIDGETS, "log", request("a", "1")) == NOTHING  # a second pane of the cell
    assert statements.bundle(NO_WIDGETS, "log", request("b", "2")) == NOTHING
    assert statements.bundle(NO_WIDGETS, "log", request("a", "3")) == first
    assert statements.bundle(NO_WIDGETS, "log", request("a", "3")) == NOTHING


def test_another_text_is_stated_by_itself():
    statements = Statements()
    texts = [
        statements.bundle(reason, kind, request("a", "1"))["text/plain"]
        for reason, kind in ((NO_WIDGETS, "log"), (NO_WIDGETS, "chat"), (NO_EXTENSION, "log"))
    ]
    assert len(set(texts)) == 3
    assert "" not in texts
