"""Arguments of the subcommands: what is read, and what is refused with a suggestion."""

from __future__ import annotations

import argparse

import pytest

from colony_jupyter import cli
from colony_jupyter.cli.arguments import days, port, seconds


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctor", "--verbos"], "colony-jupyter doctor: error: there is no option --verbos\n"),
        (["executor", "a:b", "--verbos"], "there is no option --verbos; did you mean --verbose?"),
        (["executor", "a:b", "--finnish=3"], "there is no option --finnish; did you mean --finish?"),
        (["serve", "--insecure"], "there is no option --insecure; did you mean --insecure-bind?"),
        (["doctor", "me"], "unexpected argument 'me'"),
        (["docter"], "invalid choice: 'docter' (choose from"),
    ],
)
def test_an_unknown_argument_is_rejected_with_a_suggestion(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("8080", 8080), ("65535", 65535)])
def test_a_port_is_read(text, number):
    assert port(text) == number


@pytest.mark.parametrize("text", ["65536", "-1", "", "http", "80.0", "٨٠"])
def test_other_texts_are_no_port(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port: use a number from 0 to 65535"):
        port(text)


@pytest.mark.parametrize(("read", "unit"), [(days, "days"), (seconds, "seconds")])
def test_a_time_is_a_finite_number(read, unit):
    assert (read("1.5"), read("0")) == (1.5, 0.0)
    for text in ("-1", "inf", "nan", "soon", ""):
        with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' is not a number of {unit}"):
            read(text)
