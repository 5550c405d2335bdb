"""``colony-jupyter kernel``: its words and mistakes."""

from __future__ import annotations

import argparse

import pytest

from colony_jupyter import cli
from colony_jupyter.cli.kernel import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("12h", 43_200), ("90m", 5_400), ("1.5d", 129_600), ("30", 30), ("0s", 0)]
)
def test_a_time_span_is_read(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "12x", "infh", "nan"])
def test_other_texts_are_no_time_span(text):
    with pytest.raises(argparse.ArgumentTypeError, match="12h"):
        duration(text)


def test_an_unknown_kernel_is_named_with_those_that_are_installed(capsys):
    assert cli.main(["kernel", "serve", "--type", "hpc-x", "--kernel", "fortran"]) == 1
    assert "There is no kernel 'fortran' on the executor. Installed are:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["kernel"], ["kernel", "serve"], ["kernel", "attach"], ["kernel", "serve", "--tipe"]]
)
def test_missing_arguments_are_mistakes(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: colony-jupyter kernel" in capsys.readouterr().err


def test_what_anyone_means_is_printed(capsys, monkeypatch):
    from colony_jupyter.executor import command_line

    monkeypatch.setattr(command_line, "run_until_signalled", lambda *_, **__: None)
    assert cli.main(["kernel", "serve", "--type", "hpc-x", "--allow-anyone"]) == 0
    assert "Every member of the colony may now run any code on this machine" in capsys.readouterr().out
