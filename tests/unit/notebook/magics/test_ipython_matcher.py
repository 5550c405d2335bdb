"""What IPython is handed at Tab, and how fresh the names of the colony are."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from IPython.core.completer import CompletionContext

from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.magics import ipython_matcher
from colony_jupyter.notebook.magics.completion import Known
from colony_jupyter.notebook.magics.ipython_matcher import NameCache, make_matcher
from colony_jupyter.wire.models import (
    ExecutorRecord,
    ExecutorState,
    Function,
    FunctionSpec,
    ProcessRecord,
    ProcessState,
)


class Cache:
    def __init__(self) -> None:
        self.asked = 0

    def known(self):
        self.asked += 1
        return Known(
            functions=("train", "test"), types=("cli",), executors=("laptop",), processes={"ab" * 32: ("out",)}
        )


@pytest.fixture
def cache():
    return Cache()


@pytest.fixture
def remote():
    """Record what the remote kernel is asked, and return what it answers."""
    return SimpleNamespace(asked=[], answer=([], 0))


@pytest.fixture
def press_tab(cache, remote):
    process = object.__new__(AsyncProcess)
    shell = SimpleNamespace(user_ns={"p": process, "_hidden": process, "n": 3})

    def complete(code, position):
        remote.asked.append((code, position))
        return remote.answer

    matcher = make_matcher(cache, shell, complete)

    def press(text):
        lines = text.split("\n")
        context = CompletionContext(
            token="",
            full_text=text,
            cursor_position=len(lines[-1]),
            cursor_line=len(lines) - 1,
            limit=None,
        )
        found = matcher(context)
        return [each.text for each in found["completions"]], found.get("matched_fragment"), found.get("suppress", False)

    return press


def test_names_of_the_colony_take_the_place_of_other_guesses(press_tab):
    assert press_tab("%colony submit t") == (["train", "test"], "t", True)
    for before in ("x = 1", "%%time"):
        assert press_tab(f"{before}\n%colony submit tr") == (["train"], "tr", True)


def test_variables_that_hold_processes_are_offered(press_tab, monkeypatch):
    monkeypatch.setattr(
        ipython_matcher.ipython_formatters, "is_one_of", lambda held, kinds: isinstance(held, AsyncProcess)
    )
    words, _, _ = press_tab("%colony get ")
    assert "p" in words
    assert not {"_hidden", "n"} & set(words)


def test_where_nothing_fits_what_was_typed_stands_for_itself(press_tab):
    assert press_tab("%colony submit zz") == (["zz"], "zz", True)


@pytest.mark.parametrize(
    "text", ["import os; os.pa", "x = colo", "%%colony submit train\nsome te", "%%colony_chat\nwhat does colony mean"]
)
def test_elsewhere_it_offers_nothing_and_asks_for_nothing(press_tab, cache, text):
    assert press_tab(text) == ([], None, False)
    assert cache.asked == 0


def test_code_of_a_remote_cell_is_completed_there(press_tab, remote, cache):
    remote.answer = (["numpy", "numbers"], 3)
    assert press_tab("%%colony run\nimport os\nimport num") == (["numpy", "numbers"], "num", True)
    assert remote.asked == [("import os\nimport num", 20)]
    assert cache.asked == 0


def test_a_remote_kernel_without_an_answer_leaves_the_word_as_it_is(press_tab):
    assert press_tab("%%colony run\nimport num") == (["num"], "num", True)
    assert press_tab("%%colony run\nimport ") == ([], "", True)


def test_the_first_line_of_a_remote_cell_is_completed_here(press_tab, remote):
    words, _, _ = press_tab("%%colony run --ty")
    assert words == ["--type"]
    assert remote.asked == []


# names of the colony


class Colony:
    """A client that answers from lists."""

    def __init__(self) -> None:
        self.calls = 0
        self.refusal: Exception | None = None

    async def executors(self):
        self.calls += 1
        if self.refusal is not None:
            raise self.refusal
        states = (("mine", "cli", ExecutorState.APPROVED), ("new", "gpu", ExecutorState.PENDING))
        return [
            ExecutorRecord(executorid=name, executorname=name, executortype=kind, colonyname="dev", state=state)
            for name, kind, state in states
        ]

    async def functions(self):
        return [Function(executorname="mine", funcname=name) for name in ("train", "chat", "train")]

    async def list_processes(self, state, count):
        number = f"{int(state):x}" * 64
        spec = FunctionSpec(funcname="f", channels=["sync", "out"])
        return [ProcessRecord(processid=number, submissiontime=f"2026-01-0{5 - state}T00:00:00Z", spec=spec)]


class Session:
    """A session whose actions run at once."""

    is_connected = True

    def __init__(self) -> None:
        self.colony = Colony()
        self.processes: dict[str, SimpleNamespace] = {}

    def start(self, action, *args):
        asyncio.run(action(*args))


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(ipython_matcher.time, "monotonic", lambda: clock.now)
    return clock


def test_names_are_those_of_the_colony_the_latest_processes_first(session, clock):
    known = NameCache(session).known()
    assert known.functions == ("chat", "train")
    assert known.types == ("cli",)
    assert known.executors == ("mine",)
    assert list(known.processes) == [f"{int(state):x}" * 64 for state in ProcessState]
    assert set(known.processes.values()) == {("out",)}


def test_names_are_asked_for_again_after_a_while_and_a_failure_leaves_the_old_ones(session, clock):
    cache = NameCache(session)
    for seconds, calls in ((0, 1), (4, 1), (2, 2)):
        clock.now += seconds
        assert cache.known().functions == ("chat", "train")
        assert session.colony.calls == calls
    session.colony.refusal = ColonyError("no connection")
    clock.now += 10
    assert cache.known().functions == ("chat", "train")


def test_before_anything_was_connected_nothing_is_asked(session, clock):
    session.is_connected = False
    assert NameCache(session).known() == Known()
    assert session.colony.calls == 0


def test_processes_of_this_kernel_are_known_without_the_server(session, clock):
    session.colony.refusal = ColonyError("no connection")
    spec = FunctionSpec(funcname="f", channels=["sync", "loss"])
    session.processes = {number * 64: SimpleNamespace(spec=spec) for number in ("a", "b")}
    assert NameCache(session).known().processes == {"b" * 64: ("loss",), "a" * 64: ("loss",)}


def test_tab_waits_only_for_a_moment_for_the_first_names(session, clock, monkeypatch):
    started = []
    session.start = lambda action, *args: started.append(action)
    monkeypatch.setattr(ipython_matcher, "_FIRST_NAMES", 0.001)
    assert NameCache(session).known() == Known()
    assert len(started) == 1
