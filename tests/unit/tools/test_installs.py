"""What finds the Pythons of a machine and uses the package in clean environments."""

import sys

import pytest

from tools import installs
from tools.installs import Failed, main, pythons, run


def executable(path):
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_pythons_of_the_path_come_before_those_of_pyenv(tmp_path, monkeypatch):
    on_path = executable(tmp_path / "bin" / "python3.11")
    executable(tmp_path / "shims" / "python3.12")
    older, newer = (
        executable(tmp_path / ".pyenv" / "versions" / name / "bin" / "python3") for name in ("3.12.1", "3.12.4")
    )
    assert older < newer
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tmp_path / 'shims'}")
    assert list(pythons((11, 12, 13), tmp_path)) == [("3.11", on_path), ("3.12", newer)]


def test_a_command_sees_nothing_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("COLONIES_PRVKEY", "0" * 64)
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    program = "import os; assert not [name for name in os.environ if name.startswith(('COLONIES', 'PYTHON'))]"
    assert run([sys.executable, "-c", program], tmp_path) > 0


def test_a_failed_command_is_quoted(tmp_path):
    with pytest.raises(Failed, match=r"(?s)exit status 3.*what it printed"):
        run([sys.executable, "-c", "print('what it printed'); raise SystemExit(3)"], tmp_path)


def test_nothing_to_try_is_a_failure(tmp_path, capsys):
    assert main(str(tmp_path)) == 1
    assert "nothing to try" in capsys.readouterr().err


def test_each_python_tries_each_file_and_one_failure_fails_all(tmp_path, monkeypatch, capsys):
    for name in ("colony_jupyter-1.tar.gz", "colony_jupyter-1.whl"):
        (tmp_path / name).touch()

    def uses(python, built, folder):
        assert folder.is_dir()
        yield "install", 1.0
        if python == "b" and built.suffix == ".whl":
            raise Failed("broken")

    monkeypatch.setattr(installs, "pythons", lambda: [("3.11", "a"), ("3.12", "b")])
    monkeypatch.setattr(installs, "uses", uses)
    assert main(str(tmp_path)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.endswith("install (1.0 s)")]) == 4
    assert lines[-2:] == ["Python 3.12, colony_jupyter-1.whl: FAILED", "broken"]
