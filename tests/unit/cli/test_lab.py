"""JupyterLab on the tutorial: its command line, and the folder of the notebooks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from colony_jupyter import cli
from colony_jupyter.cli import lab
from colony_jupyter.errors import UsageError


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
    assert "pip install jupyterlab" in capsys.readouterr().err
