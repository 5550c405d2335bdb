"""Commands about kernels on executors: what is asked of the actions, and what is printed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook import actions
from colony_jupyter.notebook.magics import commands, kernel_commands
from colony_jupyter.notebook.magics.kernel_commands import KernelCommands


class Session:
    """A session whose actions run at once."""

    colony = "colony"

    def __init__(self) -> None:
        self.closers = []
        self.started = []

    def run(self, action, *args):
        return asyncio.run(action(*args))

    def begin(self, outcome, action, *args):
        try:
            outcome.set_result(asyncio.run(action(*args)))
        except Exception as error:  # noqa: BLE001 - the future has it
            outcome.set_exception(error)

    def start(self, action, *args):
        self.started.append((action, args))


class Values:
    def __init__(self) -> None:
        self.there = {"model": [1, 2]}

    async def push(self, name, value, progress):
        progress(10, 10)
        self.there[name] = value

    async def pull(self, name, progress):
        progress(10, 10)
        return self.there[name]


class Cells:
    """Kernels on executors."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []
        self.ran: list[str] = []
        self.error: Exception | None = None
        self.interrupts = 0
        kernel = SimpleNamespace(processid="ab" * 32, interrupt=self._interrupt)
        self.chosen = SimpleNamespace(kernel=kernel, executorname="node-1", values=Values())

    async def choose(self, colony, executortype, executors, waiting, *, new, attach):
        self.asked.append((executortype, list(executors), new, attach))
        waiting("Waiting for an executor of type 'hpc'.")
        return self.chosen

    async def run(self, place, cell, output, ask):
        self.ran.append(cell)
        self.ask = ask
        output("a message")
        if self.error is not None:
            raise self.error

    async def stop(self, colony, processid):
        return f"The kernel of process {processid} was ended."

    async def complete(self, code, position):
        return [code[:position]], position

    async def inspect(self, code, position, detail):
        return {"found": code}

    async def aclose(self):
        pass

    def _interrupt(self):
        self.interrupts += 1


class Display:
    def __init__(self, shell) -> None:
        self.begun = 0
        self.shown: list[tuple] = []
        self.comms: list[tuple] = []

    def begin(self):
        self.begun += 1

    def show(self, place, message):
        self.shown.append((place, message))

    def comm(self, place, message):
        self.comms.append((place, message))


class Commands(KernelCommands):
    def __init__(self) -> None:
        self.shell = SimpleNamespace(user_ns={"x": 5})
        self.session: Any = Session()
        self.goes_on = ""


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(actions.remote_cells, "RemoteCells", Cells)
    monkeypatch.setattr(actions.remote_output, "Display", Display)
    monkeypatch.setattr(kernel_commands, "is_headless", lambda: False)
    return Commands()


def read(name, line):
    return (commands.CELLS if name == "run" else commands.LINES)[name].read(line)


def test_a_cell_runs_in_the_kernel_and_its_output_is_shown(made):
    made._run(read("run", "--type hpc --executor node-1"), {}, "print(1)")
    assert made._cells.asked == [("hpc", ["node-1"], False, "")]
    assert made._cells.ran == ["print(1)"]
    assert made._display.shown == [(made._cells.chosen, "a message")]
    assert made._display.begun == 1
    assert made.goes_on == ""
    assert len(made.session.closers) == 1
    made._run(read("run", ""), {}, "print(2)")
    assert len(made.session.closers) == 1


def test_an_empty_cell_runs_nowhere(made):
    with pytest.raises(UsageError, match="The cell is empty"):
        made._run(read("run", ""), {}, " \n")
    assert made._cells is None


def test_what_the_cell_raises_reaches_the_notebook(made):
    made._remote().error = UsageError("no")
    with pytest.raises(UsageError, match="no"):
        made._run(read("run", ""), {}, "x")


@pytest.mark.parametrize("headless", [True, False])
def test_a_cell_may_ask_only_where_a_person_is(made, monkeypatch, headless):
    monkeypatch.setattr(kernel_commands, "is_headless", lambda: headless)
    made._run(read("run", ""), {}, "input()")
    assert (made._cells.ask is None) is headless


def test_an_interrupt_is_passed_to_the_kernel(made, monkeypatch):
    asked = []

    def show_until(done, begin, news, interrupt):
        begin()
        asked.append(interrupt())

    monkeypatch.setattr(actions.remote_output, "show_until", show_until)
    made._run(read("run", ""), {}, "x")
    assert asked == [False, True]  # not while it is looked for
    ((action, args),) = made.session.started
    asyncio.run(action(*args))
    assert made._cells.interrupts == 1


def test_messages_of_widgets_outside_of_cells_are_shown(made):
    cells = made._remote()
    for kind in ("comm_msg", "stream"):
        cells.on_message("place", SimpleNamespace(msg_type=kind))
    assert [message.msg_type for _, message in made._shown().comms] == ["comm_msg"]


def test_variables_are_moved_there_and_back(made):
    made._push(read("push", "$x"), {"x": 5})
    assert made._cells.chosen.values.there["x"] == 5
    made._pull(read("pull", "model x"), {})
    assert made.shell.user_ns["model"] == [1, 2]


def test_nothing_is_started_for_names_that_do_not_fit(made):
    with pytest.raises(UsageError, match="There is no variable 'y'"):
        made._push(read("push", "x y"), {"x": 5})
    with pytest.raises(UsageError, match="is no name of a variable"):
        made._pull(read("pull", "a.b"), {})
    assert made._cells is None


def test_kernels_are_listed_stopped_attached_to_and_started(made, capsys, monkeypatch):
    async def table(colony):
        return f"table of {colony}"

    monkeypatch.setattr(actions.remote_cells, "table", table)
    assert made._kernels(read("kernels", ""), {}) == "table of colony"
    assert made._kernels(read("kernels", "--stop 12"), {}) is None
    assert capsys.readouterr().out == "The kernel of process 12 was ended.\n"
    made._kernels(read("kernels", "--attach abab"), {})
    made._kernels(read("kernels", "--new"), {})
    assert [(new, attach) for _, _, new, attach in made._cells.asked] == [(False, "abab"), (True, "")]
    sentence = "%%colony run uses the kernel of process abababab on 'node-1' now.\n"
    assert capsys.readouterr().out == sentence * 2


def test_code_is_completed_once_there_is_a_kernel(made):
    assert made.complete_remotely("imp", 3) == ([], 0)
    made._remote()
    assert made.complete_remotely("imp", 2) == (["im"], 2)


def test_objects_are_described_once_there_is_a_kernel(made):
    assert made.inspect_remotely("n", 1, 0)["found"] is False
    made._remote()
    assert made.inspect_remotely("n", 1, 0) == {"found": "n"}


def test_a_large_variable_shows_a_bar(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, **how) -> None:
            self.n, self.how, self.closed = 0, how, False
            bars.append(self)

        def update(self, count):
            self.n += count

        def close(self):
            self.closed = True

    import tqdm.auto

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    small = kernel_commands._bar("x")
    small(5, 10)
    assert bars == []
    progress = kernel_commands._bar("model to node-1")
    for received in (1_000_000, 1_500_000, 3_000_000):
        progress(received, 3_000_000)
    ((bar),) = bars
    assert (bar.n, bar.closed, bar.how["total"], bar.how["desc"]) == (3_000_000, True, 3_000_000, "model to node-1")
