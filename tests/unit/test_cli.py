"""The command's other parts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from colony_jupyter import __version__, cli
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics import commands


@pytest.fixture
def executed(monkeypatch):
    """The command line that JupyterLab would be started with."""
    lines = []

    def note(program, line):
        lines.append((program, line))
        raise SystemExit(0)

    monkeypatch.setattr(cli.os, "execv", note)
    return lines


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package as a wheel brings it, with notebooks inside."""
    package = tmp_path / "site-packages" / "colony_jupyter"
    (package / "_notebooks" / "pictures").mkdir(parents=True)
    (package / "_notebooks" / "01-one.ipynb").write_text("one")
    (package / "_notebooks" / "pictures" / "a.png").write_bytes(b"\x89")
    monkeypatch.setattr(cli, "__file__", str(package / "cli.py"))
    return package


def test_lab_passes_everything_on(executed, capsys):
    with pytest.raises(SystemExit):
        cli.main(["lab", "--no-browser", "--port", "8890", "--ServerApp.token=x", "file.ipynb"])
    folder = Path(cli.__file__).parents[1] / "notebooks"
    assert executed == [
        (
            sys.executable,
            [
                sys.executable,
                "-m",
                "jupyterlab",
                f"--ServerApp.root_dir={folder}",
                "--no-browser",
                "--port",
                "8890",
                "--ServerApp.token=x",
                "file.ipynb",
            ],
        )
    ]
    assert str(folder) in capsys.readouterr().out


def test_notebooks_of_an_installed_package_are_copied_to_where_they_can_be_changed(installed):
    folder = cli.notebooks_folder()
    assert installed not in folder.parents
    assert (folder / "01-one.ipynb").read_text() == "one"
    assert (folder / "pictures" / "a.png").read_bytes() == b"\x89"
    (folder / "01-one.ipynb").write_text("changed by the user")
    (installed / "_notebooks" / "02-two.ipynb").write_text("two")
    assert cli.notebooks_folder() == folder
    assert (folder / "01-one.ipynb").read_text() == "changed by the user"
    assert (folder / "02-two.ipynb").read_text() == "two"


def test_missing_notebooks_are_said(installed, capsys):
    for path in sorted(installed.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(UsageError, match="notebooks are missing"):
        cli.notebooks_folder()
    assert cli.main(["lab"]) == 1
    assert "notebooks are missing" in capsys.readouterr().err


def test_without_jupyterlab_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["lab"]) == 1
    assert "pip install 'colony-jupyter[lab]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["python", "-m", "colony_jupyter"], ["colony-jupyter"]])
def test_both_names_are_the_same_command(command):
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    assert (
        subprocess.run([*program, "--version"], capture_output=True, text=True, check=False).stdout
        == f"{__version__}\n"
    )
    run = subprocess.run(program, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "usage: colony-jupyter" in run.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctor", "--verbos"], "colony-jupyter doctor: error: there is no option --verbos\n"),
        (["executor", "a:b", "--verbos"], "there is no option --verbos; did you mean --verbose?"),
        (["executor", "a:b", "--finnish=3"], "there is no option --finnish; did you mean --finish?"),
        (["serve", "--insecure"], "there is no option --insecure; did you mean --insecure-bind?"),
        (["doctor", "me"], "'me' is one word too many"),
        (["docter"], "invalid choice: 'docter' (choose from"),
    ],
)
def test_what_is_not_known_suggests_what_is(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_no_command_and_no_magic_takes_a_key():
    """It would be in the shell's history, the process list, the notebook."""
    taken = [name for command in [*commands.LINES.values(), commands.CHAT] for name in command.options]
    taken += [operand.name for command in [*commands.LINES.values(), commands.CHAT] for operand in command.operands]
    for name in ("serve", "lab", "executor", "doctor"):
        shown = subprocess.run(
            [sys.executable, "-m", "colony_jupyter", name, "--help"], capture_output=True, text=True, check=True
        )
        taken += [word for word in shown.stdout.split() if word.startswith("-")]
    assert len(taken) > 60
    assert [word for word in taken if "key" in word.casefold() or "prv" in word.casefold()] == []


def test_the_childs_flag_is_nobodys_business(capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    out = capsys.readouterr().out
    assert "--child" not in out
    assert "--insecure-bind" in out


def test_the_lock_is_taken_before_anything_is_imported(tmp_path):
    """What a child that loses the race has cost: the standard library."""
    script = (
        "import sys\n"
        "from colony_jupyter.datafolder.lock import Lock\n"
        "import colony_jupyter.cli, colony_jupyter.server.process.parent_watch\n"
        "Lock.take = lambda self: print(*sorted(sys.modules)) or False\n"
        "sys.stdin = open('/dev/zero')\n"
        "sys.exit(colony_jupyter.cli.main(['serve', '--child', '--data', sys.argv[1]]))\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 75, run.stderr
    modules = {name.partition(".")[0] for name in run.stdout.split()}
    ours = {name for name in run.stdout.split() if name.startswith("colony_jupyter")}
    assert not modules & {"msgspec", "wallycore", "uvicorn", "starlette", "asyncio", "sqlite3", "platformdirs"}
    assert ours <= {
        "colony_jupyter",
        "colony_jupyter.cli",
        "colony_jupyter.errors",
        "colony_jupyter.datafolder",
        "colony_jupyter.datafolder.layout",
        "colony_jupyter.datafolder.lock",
        "colony_jupyter.server",
        "colony_jupyter.server.process",
        "colony_jupyter.server.process.parent_watch",
    }
