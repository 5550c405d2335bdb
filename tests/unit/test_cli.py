"""The command itself: its two names, its keys, its help, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from colony_jupyter import __version__, cli
from colony_jupyter.notebook.magics import commands


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


def test_the_lock_is_acquired_before_anything_is_imported(tmp_path):
    """A child process that does not get the lock has imported the standard library only."""
    script = (
        "import sys\n"
        "from colony_jupyter.datafolder.lock import Lock\n"
        "import colony_jupyter.cli, colony_jupyter.server.process.parent_watch\n"
        "Lock.acquire = lambda self: print(*sorted(sys.modules)) or False\n"
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
        *(
            f"colony_jupyter.cli.{name}"
            for name in ("arguments", "demo", "doctor", "executor", "kernel", "lab", "serve")
        ),
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
