"""Processes and entries as the value of a cell, through IPython's own formatter."""

import pytest
from IPython.core.formatters import DisplayFormatter

from colony_jupyter.client.process_facts import ProcessFacts
from colony_jupyter.notebook.formats import ipython_formatters
from colony_jupyter.values.datatable import DataTable
from colony_jupyter.values.frames import MARK
from colony_jupyter.wire.models import ProcessState, Workflow


class Held(ProcessFacts):
    def __init__(self, record) -> None:
        self._record = record

    record = property(lambda self: self._record)


@pytest.fixture
def formatter():
    formatter = DisplayFormatter()
    ipython_formatters.register(formatter)
    yield formatter
    ipython_formatters.unregister(formatter)


def shown(formatter, value):
    data, _ = formatter.format(value)
    return data


def test_a_process_is_a_table(formatter, make):
    data = shown(formatter, Held(make.record(ProcessState.RUNNING)))
    assert data["text/html"].startswith("<table")
    assert "RUNNING" in data["text/html"]
    assert any(line.split() == ["function", "long-task"] for line in data["text/plain"].splitlines())


def test_lists_are_one_table(formatter, make):
    data = shown(formatter, [Held(make.record(ProcessState.FAILED)), Held(make.record(ProcessState.WAITING))])
    assert data["text/html"].count("<tr>") == 3
    assert [line.split()[1] for line in data["text/plain"].splitlines()] == ["state", "FAILED", "WAITING"]
    data = shown(formatter, [make.entry("one"), make.entry("two")])
    assert data["text/html"].count("<tr>") == 3
    assert [line.split()[-1] for line in data["text/plain"].splitlines()] == ["text", "one", "two"]


def test_a_workflow_is_a_graph(formatter):
    data = shown(formatter, Workflow(processgraphid="f" * 64, processids=["a" * 64]))
    assert "<svg" in data["text/html"]
    assert data["text/plain"].splitlines() == ["Workflow ffffffff: WAITING, processes: 1", "  aaaaaaaa"]


def test_a_result_that_is_a_table(formatter):
    columns = [{"name": "loss", "dtype": "float64", "values": [0.5 + at for at in range(60)]}]
    data = shown(formatter, DataTable({MARK: 1, "kind": "dataframe", "columns": columns}))
    assert data["text/html"].count("<tr>") == 51
    assert "10 more rows: .to_pandas()" in data["text/html"]
    assert data["text/plain"].splitlines()[:2] == ["loss", "0.5"]


def test_a_malformed_table_shows_as_the_dict_it_is(formatter):
    data = shown(formatter, DataTable({MARK: 1, "columns": [7]}))
    assert data == {"text/plain": f"{{'{MARK}': 1, 'columns': [7]}}"}


def test_an_entry_cannot_break_out(formatter, make):
    data = shown(formatter, make.entry("<script>x</script>\x1b[2J"))
    assert "<script" not in data["text/html"]
    assert "\x1b" not in data["text/plain"]


@pytest.mark.parametrize("value", [[], [1, 2], ["a", [3]], {"a": [1]}])
def test_other_values_show_as_ever(formatter, value):
    assert shown(formatter, value) == shown(DisplayFormatter(), value)


def test_within_something_else_they_are_one_line(formatter, make):
    entry = make.entry("one")
    assert shown(formatter, {"a": entry})["text/plain"] == f"{{'a': {entry!r}}}"


def test_unregistering_leaves_nothing(make):
    formatter = DisplayFormatter()
    ipython_formatters.register(formatter)
    ipython_formatters.unregister(formatter)
    for value in ([make.entry("one")], Held(make.record(ProcessState.RUNNING))):
        assert shown(formatter, value) == shown(DisplayFormatter(), value)
