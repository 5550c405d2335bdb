"""Boards: how much is done, and what the page is sent."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.model.board import Action, Bar, Board, Cell, Count, Row, Section


@pytest.mark.parametrize(("done", "total", "fraction"), [(0, 4, 0.0), (1, 4, 0.25), (4, 4, 1.0), (0, 0, 1.0)])
def test_a_bar_of_nothing_is_full(done, total, fraction):
    assert Bar(done, total).fraction == fraction


def test_the_page_is_sent_what_differs_from_an_empty_board():
    assert Board("train").wire() == {"board": {"title": "train"}}


def test_the_page_is_sent_tables_counts_and_buttons_as_plain_data():
    section = Section("slowest", ["id"], [Row([Cell("424d", exact="424d6828", pid="p")], cancel="p")])
    board = Board(
        "train",
        bar=Bar(1, 2, "1/s"),
        counts=[Count("RUNNING", 1, "1/s")],
        sections=[section],
        actions=[Action("cancel", "Cancel", "Sure?")],
    )
    sent = board.wire()["board"]
    assert sent["bar"] == {"done": 1, "total": 2, "x": "1/s"}
    assert sent["counts"] == [{"state": "RUNNING", "count": 1, "rate": "1/s"}]
    assert sent["sections"] == [
        {
            "name": "slowest",
            "columns": ["id"],
            "rows": [{"cells": [{"x": "424d", "exact": "424d6828", "pid": "p"}], "cancel": "p"}],
        }
    ]
    assert sent["actions"] == [{"name": "cancel", "label": "Cancel", "confirm": "Sure?"}]
