"""The subcommands except `serve` and `demo`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from colony_jupyter import __version__, cli
from colony_jupyter.cli import lab, start_line
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics import commands


@pytest.fixture
def executed(monkeypatch):
    """The command lines that would start JupyterLab, as an ordinary user."""
    lines = []

    def record(program, line):
        lines.append((program, line))
        raise SystemExit(0)

    monkeypatch.setattr(lab.os, "execv", record)
    monkeypatch.setattr(lab.os, "geteuid", lambda: 1000)
    return lines


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package as a wheel installs it, with notebooks inside."""
    package = tmp_path / "site-packages" / "colony_jupyter"
    (package / "_notebooks" / "pictures").mkdir(parents=True)
    (package / "_notebooks" / "01-one.ipynb").write_text("one")
    (package / "_notebooks" / "pictures" / "a.png").write_bytes(b"\x89")
    monkeypatch.setattr(lab, "_PACKAGE", package)
    return package


def test_lab_passes_unknown_arguments_on(executed, capsys):
    with pytest.raises(SystemExit):
        cli.main(["lab", "--no-browser", "--port", "8890", "--ServerApp.token=x", "file.ipynb"])
    folder = Path(lab.__file__).parents[2] / "notebooks"
    assert executed == [
        (
            sys.executable,
            [
                sys.executable,
                "-m",
                "jupyterlab",
                f"--ServerApp.root_dir={folder}",
                "--ServerApp.jpserver_extensions=colony_jupyter.cli.start_line=True",
                "--no-browser",
                "--port",
                "8890",
                "--ServerApp.token=x",
                "file.ipynb",
            ],
        )
    ]
    out = capsys.readouterr().out
    assert str(folder) in out
    assert "root:" not in out


def test_lab_allows_root_and_prints_one_line_about_it(executed, monkeypatch, capsys):
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit):
        cli.main(["lab", "--no-browser"])
    assert executed[0][1][-2:] == ["--no-browser", "--allow-root"]
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if "root:" in line] == ["Running as root: JupyterLab is started with --allow-root."]


@pytest.mark.parametrize("word", ["--allow-root", "--ServerApp.allow_root=False"])
def test_lab_leaves_a_choice_about_root_to_the_user(word, executed, monkeypatch, capsys):
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit):
        cli.main(["lab", word])
    assert executed[0][1][-1] == word
    assert "root:" not in capsys.readouterr().out


def test_the_url_is_printed_after_the_event_loop_has_started(capsys):
    scheduled = []

    class Loop:
        def add_callback(self, callback, *args):
            scheduled.append(callback)
            scheduled.extend(args)

        def call_later(self, seconds, callback):
            raise AssertionError

    server = SimpleNamespace(io_loop=Loop(), local_url="http://127.0.0.1:8888/lab?token=x")
    assert start_line._jupyter_server_extension_points() == [{"module": "colony_jupyter.cli.start_line"}]
    start_line._load_jupyter_server_extension(server)
    assert capsys.readouterr().out == ""
    scheduled[-1]()
    assert capsys.readouterr().out == "Open JupyterLab in a browser: http://127.0.0.1:8888/lab?token=x\n"


def test_notebooks_of_an_installed_package_are_copied_to_a_writable_folder(installed):
    folder = lab.notebooks_folder()
    assert installed not in folder.parents
    assert (folder / "01-one.ipynb").read_text() == "one"
    assert (folder / "pictures" / "a.png").read_bytes() == b"\x89"
    (folder / "01-one.ipynb").write_text("changed by the user")
    (installed / "_notebooks" / "02-two.ipynb").write_text("two")
    assert lab.notebooks_folder() == folder
    assert (folder / "01-one.ipynb").read_text() == "changed by the user"
    assert (folder / "02-two.ipynb").read_text() == "two"


def test_missing_notebooks_are_reported(installed, capsys):
    for path in sorted(installed.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(UsageError, match="notebooks are missing"):
        lab.notebooks_folder()
    assert cli.main(["lab"]) == 1
    assert "notebooks are missing" in capsys.readouterr().err


def test_a_missing_jupyterlab_is_reported_with_the_way_to_install_it(monkeypatch, capsys):
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
        (["doctor", "me"], "unexpected argument 'me'"),
        (["docter"], "invalid choice: 'docter' (choose from"),
    ],
)
def test_an_unknown_argument_is_rejected_with_a_suggestion(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_no_command_and_no_magic_accepts_a_key():
    """An argument appears in the shell's history, the process list and the notebook."""
    taken = [name for command in [*commands.LINES.values(), commands.CHAT] for name in command.options]
    taken += [operand.name for command in [*commands.LINES.values(), commands.CHAT] for operand in command.operands]
    for name in ("demo", "serve", "lab", "executor", "doctor"):
        shown = subprocess.run(
            [sys.executable, "-m", "colony_jupyter", name, "--help"], capture_output=True, text=True, check=True
        )
        taken += [word for word in shown.stdout.split() if word.startswith("-")]
    assert len(taken) > 60
    assert [word for word in taken if "key" in word.casefold() or "prv" in word.casefold()] == []


def test_the_internal_flag_is_not_in_the_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    out = capsys.readouterr().out
    assert "--child" not in out
    assert "--insecure-bind" in out


def test_the_lock_is_taken_before_anything_is_imported(tmp_path):
    """A child process that does not get the lock has imported the standard library only."""
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
        *(f"colony_jupyter.cli.{name}" for name in ("arguments", "demo", "doctor", "executor", "lab", "serve")),
        "colony_jupyter.version",
        "colony_jupyter.errors",
        *(f"colony_jupyter.errors.{name}" for name in ("general", "processes", "refused")),
        "colony_jupyter.datafolder",
        "colony_jupyter.datafolder.layout",
        "colony_jupyter.datafolder.lock",
        "colony_jupyter.server",
        "colony_jupyter.server.process",
        "colony_jupyter.server.process.parent_watch",
    }
