"""Panes go with the run of the cell that opened them."""

import pytest

from colony_jupyter.notebook.session.cells import Cells


class Pane:
    closed = 0

    def close(self):
        self.closed += 1


def request(cell, run):
    return {"header": {"msg_id": run}, "metadata": {"cellId": cell}}


def test_a_run_that_opens_no_pane_closes_those_of_the_run_before():
    cells, pane, other = Cells(), Pane(), Pane()
    cells.adopt(pane, request("one", "1"))
    cells.adopt(other, request("two", "2"))
    cells.begin(request("one", "3"))
    cells.begin(request("one", "4"))
    assert (pane.closed, other.closed) == (1, 0)


def test_panes_of_one_run_stay_side_by_side():
    cells, panes = Cells(), [Pane(), Pane()]
    for pane in panes:
        cells.begin(request("one", "1"))
        cells.adopt(pane, request("one", "1"))
    assert [pane.closed for pane in panes] == [0, 0]
    last = Pane()
    cells.adopt(last, request("one", "2"))
    assert [pane.closed for pane in [*panes, last]] == [1, 1, 0]


def test_a_request_that_names_no_cell_closes_nothing():
    cells, pane = Cells(), Pane()
    cells.adopt(pane, request("one", "1"))
    cells.begin({"header": {"msg_id": "2"}, "metadata": {}})
    cells.begin({})
    assert pane.closed == 0


@pytest.mark.parametrize("cell", ["one", None])
def test_running_a_cell_again_closes_its_panes(cell):
    cells = Cells()
    first, second, third, other = Pane(), Pane(), Pane(), Pane()

    def request(run, name=cell):
        return {"header": {"msg_id": run}, "metadata": {"cellId": name} if name else {}}

    cells.adopt(first, request("1"))
    cells.adopt(second, request("1"))
    cells.adopt(other, request("2", "other"))
    assert not first.closed
    cells.adopt(third, request("3"))
    assert first.closed == second.closed == bool(cell)
    assert not third.closed
    assert not other.closed
