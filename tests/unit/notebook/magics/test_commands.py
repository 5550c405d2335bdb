"""Operands and options of the magics."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.parser import HelpAsked

CELLS = [commands.SUBMIT_CELL, commands.WORKFLOW_CELL, commands.EXECUTE, commands.RUN_CELL, commands.CHAT]


@pytest.mark.parametrize("command", [*commands.LINES.values(), *CELLS], ids=lambda command: command.name)
def test_every_magic_has_a_help_that_begins_with_its_usage(command):
    with pytest.raises(HelpAsked) as asked:
        command.read("--help")
    assert command.name in str(asked.value).splitlines()[0]


@pytest.mark.parametrize("name", ["ps", "executors", "functions", "workflows", "get", "log", "read"])
def test_a_magic_that_lists_can_assign_its_table(name):
    words = {"get": "p ", "log": "p ", "read": "p c "}.get(name, "")
    assert commands.LINES[name].read(f"{words}-o rows").table == "rows"


@pytest.mark.parametrize("word", ["class", "1a", "a-b", '""'])
def test_what_cannot_be_a_variable_is_refused(word):
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        commands.SUBMIT.read(f"f -o {word}")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("-1", "must not be negative"),
        *((word, f"needs a number of seconds, not '{word}'") for word in ("soon", "nan", "inf")),
    ],
)
def test_what_is_no_time_is_refused(word, sentence):
    with pytest.raises(UsageError, match=sentence):
        commands.CHAT.read(f"chat --timeout={word}")


def test_conditions_are_the_same_for_a_submission_and_a_chat():
    words = "f --nodes 2 --processes 4 --processes-per-node 2 --cpu 500m --mem 1Gi --gpu 1 --gpu-name a --walltime 60"
    for command in (commands.SUBMIT, commands.CHAT):
        found = command.read(f"{words} --location here --kw a=1 --executor one two")
        assert (found.nodes, found.processes, found.cpu, found.gpu, found.walltime) == (2, 4, "500m", 1, 60)
        assert (found.kw, found.executor) == (["a=1"], ["one", "two"])


def test_a_text_to_send_is_exactly_as_it_was_typed():
    found = commands.LINES["send"].read('p chat  "two  blanks" --x')
    assert (found.pid, found.channel, found.text) == ("p", "chat", '"two  blanks" --x')
