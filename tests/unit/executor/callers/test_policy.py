"""Who may send functions to an executor."""

from __future__ import annotations

import secrets

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.executor.callers.policy import ANYONE, read_allowed


def touch(path):
    from pathlib import Path

    Path(path).write_text("ran")
    return "ran"


@pytest.fixture
def member(settings, colony):
    """Return another member of the colony, with its name and id."""
    made = []

    def make(name):
        key = cj.PrivateKey(secrets.token_hex(32))
        colony.add_user(name, key.id)
        made.append(cj.Colony(settings, prvkey=key))
        made[-1].connect()
        return made[-1]

    yield make
    for each in made:
        each.disconnect()


def failure(process):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=20)
    return raised.value.errors


def test_a_member_that_is_not_allowed_is_refused_with_a_sentence(serving, send, member, tmp_path):
    mallory = member("mallory")
    path = tmp_path / "touched"
    (error,) = failure(send(touch, str(path), colony=mallory))
    assert error == (
        f"Executor '{serving.name}' does not run functions that 'mallory' sends: it runs those of its own user. "
        "Its owner allows more with executor.functions_from_callers(allow=[...])."
    )
    assert not path.exists()
    assert send(touch, str(path)).result(timeout=20) == "ran"


def test_names_and_ids_may_be_allowed(make_executor, send, member, tmp_path):
    alice, bob, mallory = member("alice"), member("bob"), member("mallory2")
    executor = make_executor("python-executor")
    executor.functions_from_callers(allow=["alice", bob.userid])
    executor.start()
    for colony in (alice, bob):
        assert send(touch, str(tmp_path / "touched"), colony=colony).result(timeout=20) == "ran"
    (tmp_path / "touched").unlink()
    (error,) = failure(send(touch, str(tmp_path / "touched"), colony=mallory))
    assert "it runs those of its own user and alice." in error
    assert not (tmp_path / "touched").exists()


def test_an_executor_that_has_the_name_of_a_user_is_not_that_user(make_executor, send, member, colony, settings):
    """`initiatorname` is the name of an executor if the submitter is one anywhere (docs/protocol.md section 3)."""
    member("carol")
    key = cj.PrivateKey(secrets.token_hex(32))
    colony.add_executor("carol", key.id, "other")
    colony.approve_executor("carol")
    executor = make_executor("python-executor")
    executor.functions_from_callers(allow=["carol"])
    executor.start()
    with cj.Colony(settings, prvkey=key) as impostor:
        assert "does not run functions that 'carol' sends" in failure(send(touch, "never", colony=impostor))[0]


def test_anyone_may_be_allowed_with_a_warning(make_executor, send, member, tmp_path, capsys):
    executor = make_executor("python-executor")
    executor.functions_from_callers(allow="anyone")
    assert "Every member of the colony may now run any code on this machine" in capsys.readouterr().out
    executor.start()
    assert send(touch, str(tmp_path / "touched"), colony=member("dave")).result(timeout=20) == "ran"


def test_a_single_name_is_refused_since_it_would_be_a_list_of_letters():
    with pytest.raises(InvalidSpec, match=r"allow=\['alice'\]"):
        read_allowed("alice")
    with pytest.raises(UsageError, match="a list of names of users is needed"):
        read_allowed([3])  # type: ignore[list-item]
    assert read_allowed(ANYONE) == ANYONE
    assert read_allowed(None) == frozenset()
