"""Folders of kernels: private, and removed at the next start if the executor was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from colony_jupyter.kernels.host import folders
from colony_jupyter.kernels.host.folders import Folder, remove_stale


@pytest.fixture(autouse=True)
def around(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_LONGEST", 1000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_private_and_is_removed(around):
    folder = Folder()
    assert folder.path.parent == around
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "connection.json").write_text("{}")
    remove_stale()
    assert folder.path.exists()  # its executor lives
    folder.remove()
    assert list(around.iterdir()) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(folder._lock)


def test_the_folder_of_an_executor_that_was_killed_is_removed(around):
    program = (
        "import sys, tempfile\nfrom colony_jupyter.kernels.host import folders\n"
        "tempfile.tempdir, folders._LONGEST = sys.argv[1], 1000\nprint(folders.Folder().path, flush=True)\n"
        "import time; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(around)], stdout=subprocess.PIPE, text=True) as executor:
        assert executor.stdout is not None
        left = Path(executor.stdout.readline().strip())
        remove_stale()
        assert left.exists()
        executor.send_signal(signal.SIGKILL)
    remove_stale()
    assert not left.exists()


def test_what_is_no_folder_of_a_killed_executor_stays(around):
    elsewhere = around / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (around / "cj-kernel-link").symlink_to(elsewhere)
    misled = around / "cj-kernel-misled"
    misled.mkdir()
    (misled / "lock").symlink_to(elsewhere / "lock")
    new, old = around / "cj-kernel-new", around / "cj-kernel-old"
    for each in (new, old):
        each.mkdir()
    os.utime(old, (0, 0))
    remove_stale()
    assert (elsewhere / "lock").exists()
    assert misled.exists()
    assert new.exists()  # its executor is about to lock it
    assert not old.exists()


def test_folders_of_other_users_stay(around, monkeypatch):
    other = around / "cj-kernel-other"
    other.mkdir()
    (other / "lock").touch()
    monkeypatch.setattr(os, "getuid", lambda: other.stat().st_uid + 1)
    remove_stale()
    assert other.exists()
    monkeypatch.undo()


@pytest.mark.parametrize(("name", "is_used"), [("a" * 20, True), ("a" * 21, False), ("ä" * 11, False)])
def test_a_path_that_is_too_long_for_sockets_is_not_used(around, monkeypatch, name, is_used):
    place = around / name
    place.mkdir()
    monkeypatch.setattr(folders, "_LONGEST", len(bytes(around)) + 21)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    folder = Folder()
    folder.remove()
    assert folder.path.parent == (place if is_used else Path("/tmp"))
