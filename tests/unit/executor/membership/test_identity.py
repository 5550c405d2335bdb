"""An executor has the same identity after a restart, and no two have one identity."""

from __future__ import annotations

import itertools
import stat
import subprocess
import sys
import warnings

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import ExecutorError, InvalidSpec, UsageError
from colony_jupyter.executor.membership import identity


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "executors"


@pytest.fixture
def claim(folder):
    claimed = []

    def claim(*args, **kwargs):
        claimed.append(identity.claim(*args, folder=folder, **kwargs))
        return claimed[-1]

    yield claim
    for each in claimed:
        each.release()


def test_a_restart_is_the_same_executor(claim):
    first = claim("tutorial", origin="notebook")
    first.release()
    again = claim("tutorial", origin="notebook")
    assert (again.executorname, again.key) == (first.executorname, first.key)
    assert first.executorname.startswith("tutorial-")
    assert first.executorname.endswith(first.key.id[:6])
    assert ":" not in first.executorname


def test_two_copies_at_a_time_are_two_executors_and_stay_them(claim):
    first, second = claim("tutorial", origin="notebook"), claim("tutorial", origin="notebook")
    assert first.executorname != second.executorname
    assert first.key != second.key
    second.release()
    assert claim("tutorial", origin="notebook").key == second.key


def test_notebooks_and_types_are_apart(claim):
    assert len({claim(kind, origin=where).key for kind in ("a", "b") for where in ("one", "two")}) == 4


def test_a_chosen_name_remains_and_is_unique(claim):
    first = claim("tutorial", "mine")
    assert (first.executorname, first.is_chosen) == ("mine", True)
    with pytest.raises(ExecutorError, match="'mine' runs already in another process on this machine"):
        claim("tutorial", "mine")
    first.release()
    assert claim("another", "mine").key == first.key


@pytest.mark.parametrize("name", ["../up", "a/b", "ä ö", "x" * 500, "x" * 500 + "y", ".", "a@b"])
def test_any_name_is_a_file_inside_the_folder(claim, folder, name):
    key = claim("tutorial", name).key
    assert [path.parent for path in folder.rglob("*.key")] == [folder]
    assert key


def test_names_that_differ_have_keys_that_differ(claim):
    names = ["a/b", "a%2Fb", "a b", "a+b", "A", "x" * 500, "x" * 501]
    assert len({claim("tutorial", name).key for name in names}) == len(names)


def test_keys_are_the_users_own(claim, folder):
    claim("tutorial", "mine")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (path,) = folder.glob("*.key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_others_could_read_is_shut(claim, folder):
    claim("tutorial", "mine").release()
    (path,) = folder.glob("*.key")
    path.chmod(0o644)
    claim("tutorial", "mine")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_spoilt_key_is_named_and_not_shown_and_the_name_is_free_again(claim, folder):
    claim("tutorial", "mine").release()
    (path,) = folder.glob("*.key")
    path.write_text("ab" * 31)
    for _ in range(2):
        with pytest.raises(ExecutorError) as raised:
            claim("tutorial", "mine")
        assert str(path) in str(raised.value)
        assert "abab" not in str(raised.value)


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExecutorError, match="XDG_DATA_HOME"):
        identity.claim("tutorial", folder=tmp_path / "file" / "executors")


def test_another_process_has_the_name_until_it_dies(folder, claim):
    program = (
        "import sys, pathlib\nfrom colony_jupyter.executor.membership import identity\n"
        f"identity.claim('tutorial', 'mine', folder=pathlib.Path({str(folder)!r}))\n"
        "print('claimed', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"claimed\n"
        with pytest.raises(ExecutorError):
            claim("tutorial", "mine")
        other.kill()
        other.wait()
    claim("tutorial", "mine")


def test_origin_is_that_of_the_notebook():
    says = [
        identity.origin({"JPY_SESSION_NAME": "/a.ipynb"}, ["ipykernel_launcher.py"], "/work"),
        identity.origin({"JPY_SESSION_NAME": "/b.ipynb"}, ["ipykernel_launcher.py"], "/work"),
        identity.origin({}, ["script.py"], "/work"),
        identity.origin({}, ["script.py"], "/elsewhere"),
        identity.origin({}, [], "/work"),
    ]
    assert all(one != another for one, another in itertools.combinations(says, 2))
    assert identity.origin({}, ["script.py"], "/work") == says[2]


@pytest.mark.parametrize(("executortype", "name"), [("a:b", None), ("a", "b:c"), ("", None), ("a", "")])
def test_names_that_would_ruin_the_colony_are_refused(executortype, name):
    with pytest.raises(InvalidSpec, match="must not be empty or contain a colon"):
        cj.Executor(executortype, name)


def test_types_that_collide_are_warned_about():
    with pytest.warns(UserWarning, match="end 'gpu2' with a letter"):
        cj.Executor("gpu2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cj.Executor("gpu2x")


def test_an_executor_of_no_place_is_refused():
    with pytest.raises(UsageError, match="at least 1"):
        cj.Executor("x", concurrency=0)
