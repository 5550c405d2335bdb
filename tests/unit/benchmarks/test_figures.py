"""Figures in texts: they are those of the last whole run."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks import figures
from benchmarks.report import Run
from benchmarks.tables import Claim, Spread, Table


def run_with(*tables, **claims):
    claimed = Table("claims", {}, claims=[Claim(text, Spread(found, 0, 9), 1) for text, found in claims.items()])
    return Run(
        date="2026-11-28T18:00:00+00:00",
        machine={"cores": "2"},
        versions={"colony-jupyter": "0.2.0"},
        rounds=1,
        tables=[claimed, *tables],
        failures={},
    )


def test_the_texts_show_the_figures_of_the_last_whole_run():
    assert list(figures.outdated()) == [], "`make figures` writes them"


def test_other_figures_than_those_of_the_run_are_found(monkeypatch, tmp_path):
    run = msgspec.json.decode(figures.RESULTS.read_bytes())
    for table in run["tables"]:
        for claim in table["claims"]:
            claim["found"]["median"] += 1
    changed = tmp_path / "results.json"
    changed.write_bytes(msgspec.json.encode(run))
    monkeypatch.setattr(figures, "RESULTS", changed)
    assert figures.ROOT / "README.md" in figures.outdated()


def test_a_sentence_is_shown_if_the_run_has_all_of_its_figures():
    some = {"embedded, beside the real server": 5.346, "ours, async, beside pycolonies, embedded, p50": 0.15}
    assert figures.sentences(run_with(**some)).splitlines() == [
        "Measured on 2 cores on 2026-11-28, with version 0.2.0; medians:",
        "",
        "* The embedded colony accepts 5.35 times as many entries a second as a real server with PostgreSQL.",
    ]


def test_the_table_of_kernels_has_a_column_for_each_place():
    tables = {title: Table(title, {}) for _, title, _ in figures._KERNEL_ROWS}
    for _, title, names in figures._KERNEL_ROWS:
        for name in names:
            tables[title].units[name] = ""
            for value in (1.0, 3.0):
                tables[title].add("local", **{name: value})
    lines = figures.kernels(run_with(*tables.values())).splitlines()
    assert lines[:3] == ["| | local |", "|---|---|", "| `pass` | 2.00 |"]
    assert "| picture of 5 / 25 MB, s | 2.00 / 2.00 |" in lines


def test_a_run_without_kernels_leaves_their_page_as_it_is():
    assert figures.updated("docs/kernels.md", "as it was", run_with()) == "as it was"


def test_a_text_without_a_place_for_figures_is_refused():
    with pytest.raises(ValueError, match=r"README.md must have one line '<!-- figures -->'"):
        figures.updated("README.md", "<!-- figures -->", run_with())
