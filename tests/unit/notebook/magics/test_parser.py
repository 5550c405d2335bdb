"""The one parser of all magics."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics import commands
from colony_jupyter.notebook.magics.parser import HelpAsked

SUBMIT = commands.SUBMIT


def test_operands_and_options_in_any_order():
    found = SUBMIT.read("--type cli long-task 10 --channel progress sync --kw a=1 --wait --channel log -- --x")
    assert found.funcname == "long-task"
    assert found.arg == ["10", "--x"]
    assert found.channel == ["progress", "sync", "log"]
    assert (found.type, found.kw, found.wait, found.quiet) == ("cli", ["a=1"], True, False)


def test_a_negative_number_is_an_argument():
    assert SUBMIT.read("f -5 -1.5e3").arg == ["-5", "-1.5e3"]


def test_options_are_not_abbreviated():
    with pytest.raises(UsageError, match="no option --chan"):
        SUBMIT.read("f --chan progress")


def test_several_share_nothing_between_lines():
    assert SUBMIT.read("f --channel a").channel == ["a"]
    assert SUBMIT.read("f --channel b").channel == ["b"]
    assert SUBMIT.read("f").channel is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "FUNCNAME is missing"),
        ("f --chanel x", r"no option --chanel\. Did you mean '--channel'\?"),
        ("f --executortype cli", r"no option --executortype\. Did you mean '--type'\?"),
        ("f --executornames a", r"Did you mean '--executor'\?"),
        ("f --kwargs a=1", r"Did you mean '--kw'\?"),
        ("f --xyzzy", r"no option --xyzzy\. A word that begins with a dash"),
        ("f --priority high", "--priority needs a whole number, not 'high'"),
        ("f --type", "--type needs a value"),
        ("f --channel", "--channel needs at least one value"),
        ("f --wait=yes", "--wait has no value, so 'yes' cannot follow it"),
        ("f --unknown", r"no option --unknown\. A word that begins with a dash"),
        ("f 'x", "not closed"),
        ("f -o 1x", "-o: '1x' cannot be the name of a variable"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_usage(line, sentence):
    with pytest.raises(UsageError, match=sentence):
        SUBMIT.read(line)


def test_too_many_words():
    with pytest.raises(UsageError, match=r"'x' is an unexpected argument.*%colony ps \[options\]"):
        commands.LINES["ps"].read("x")


@pytest.mark.parametrize("line", ["--help", "f -h", "f --type x --help"])
def test_help_is_asked_for(line):
    with pytest.raises(HelpAsked) as asked:
        SUBMIT.read(line)
    assert "usage: %colony submit FUNCNAME [ARG ...] [options]" in str(asked.value)
    for option in SUBMIT.options:
        assert option in str(asked.value)


def test_help_after_the_end_of_options_is_an_argument():
    assert SUBMIT.read("f -- --help").arg == ["--help"]


SEND = commands.LINES["send"]


def test_the_rest_of_the_line_stays_as_it_was_typed():
    found = SEND.read("""  ab12  chat  it's {x} "$5"  --wait # \\ """.rstrip("\n"))
    assert (found.pid, found.channel) == ("ab12", "chat")
    assert found.text == """it's {x} "$5"  --wait # \\"""


@pytest.mark.parametrize("line", ["a", "a b", ""])
def test_the_rest_may_not_be_missing(line):
    with pytest.raises(UsageError, match="missing"):
        SEND.read(line)


def test_help_of_a_command_with_text():
    with pytest.raises(HelpAsked, match="PID CHANNEL TEXT"):
        SEND.read("--help")


def test_json_needs_no_quotes():
    found = SUBMIT.read(r'show {"lr": 0.1} ["a", "b"] D:\data\new.csv --kw a={"b": [1, 2]} c=3 --label [x --wait')
    assert found.arg == ['{"lr": 0.1}', '["a", "b"]', r"D:\data\new.csv"]
    assert found.kw == ['a={"b": [1, 2]}', "c=3"]
    assert (found.label, found.wait) == ("[x", True)
