"""What Tab offers."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.completion import Known, Offer, complete

A, B, C = "ab12" + "0" * 60, "cd34" + "0" * 60, "cd34" + "0" * 20 + "f" * 40
KNOWN = Known(
    functions=("long-task", "long run", "chat"),
    types=("cli", "gpu"),
    executors=("mine",),
    processes={A: ("progress", "sync"), B: ("chat",), C: ()},
)


@pytest.mark.parametrize(
    ("line", "fragment", "words"),
    [
        ("%colony su", "su", ["submit"]),
        ("p = %colony su", "su", ["submit"]),
        ("  %colony w", "w", ["workflows", "workflow", "watch"]),
        ("%%colony ", "", ["submit", "execute", "workflow", "run"]),
        ("%%colony execute ubuntu --executor m", "m", ["mine"]),
        ("%colony log --executor m", "m", ["mine"]),
        ("%colony ps --function lo", "lo", ["long-task"]),
        ("%colony submit lo", "lo", ["long-task"]),
        ("%colony submit ", "", ["long-task", "'long run'", "chat"]),
        ("%colony submit x --ty", "--ty", ["--type"]),
        ("%colony submit x --type ", "", ["cli", "gpu"]),
        ("%colony submit x --type cli --executor m", "m", ["mine"]),
        ("%colony submit --type cli lo", "lo", ["long-task"]),
        ("%colony submit x --channel progress s", "s", ["sync"]),
        ("%%colony submit --t", "--t", ["--type"]),
        ("%%colony workflow --w", "--w", ["--wait"]),
        ("%colony get p", "p", ["process"]),
        ("%colony get ", "", ["process", A[:12], B, C]),
        ("%colony read ab12 ", "", ["progress", "sync"]),
        ("%colony watch cd34 c", "c", ["chat"]),
        ("%%colony_chat ch", "ch", ["chat"]),
        ("%%colony_chat --pid ab12 --channel p", "p", ["progress"]),
        ("%colony submit x --kw ", "", []),
        ("%colony nonsense x", "x", []),
    ],
)
def test_offers(line, fragment, words):
    assert complete(line, KNOWN, ["process"]) == Offer(fragment, words)


@pytest.mark.parametrize(
    "line", ["", "colony ", "x = 1", "%colony", "print('%colony su", "%colony_chat x", "%colonyx y"]
)
def test_other_lines_are_not_ours(line):
    assert complete(line, KNOWN) is None


@pytest.mark.parametrize("name", commands.LINES)
def test_every_command_offers_its_options(name):
    offer = complete(f"%colony {name} -", Known())
    assert offer is not None
    assert offer.words == commands.LINES[name].options
    assert "--help" in offer.words


def test_after_all_operands_there_are_options():
    offer = complete("%colony doctor ", KNOWN)
    assert offer is not None
    assert offer.words == ["--help", "-h"]
