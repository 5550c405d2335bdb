"""Where to connect, and how the connection is described."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from colony_jupyter.errors import AccessDenied, ServerRefused, SettingsError, UsageError
from colony_jupyter.notebook.actions import connect
from colony_jupyter.notebook.actions.connect import Status, choose
from colony_jupyter.settings import COLONY, COLONY_KEY, HOST, KEY
from colony_jupyter.wire.models import Statistics

USER = "1" * 64


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv(HOST, "colony.example")
    monkeypatch.setenv(KEY, USER)
    monkeypatch.setenv(COLONY, "dev")


def test_the_embedded_colony_has_its_own_address_and_keys(environment):
    assert "embedded" in choose(None, embedded=True).describe()
    for words in ({"address": "host:1"}, {"address": None, "tls": True}, {"address": None, "ask": str}):
        with pytest.raises(UsageError, match="--embedded has its own address and keys"):
            choose(**words, embedded=True)


def test_without_arguments_it_is_the_server_of_the_environment(environment):
    assert choose(None).host == "colony.example"
    assert choose("other.example:77").port == 77


def test_keys_that_are_typed_replace_those_of_the_environment(environment):
    questions = []

    def ask(question):
        questions.append(question)
        return "2" * 64 if KEY in question else ""

    settings = choose(None, ask=ask)
    assert settings.prvkey.id != choose(None).prvkey.id
    assert [question.split()[0] for question in questions] == [KEY, COLONY_KEY]
    assert "typed" in settings.sources["keys"]
    assert "2" * 64 not in repr(settings)


def test_asking_for_keys_needs_a_server_and_a_key(environment, monkeypatch):
    with pytest.raises(SettingsError, match="No key was typed, so nothing was changed"):
        choose(None, ask=lambda _: " ")
    monkeypatch.delenv(HOST)
    with pytest.raises(UsageError, match="--ask asks for keys only"):
        choose(None, ask=str)


def test_a_status_is_text():
    counts = Statistics(waitingprocesses=1, runningprocesses=2, successfulprocesses=3)
    lines = repr(Status("the colony", "user 'ann'", counts, 4)).splitlines()
    assert lines == [
        "connected to  the colony",
        "as            user 'ann'",
        "executors     4 approved",
        "processes     1 waiting, 2 running, 3 successful, 0 failed, 0 cancelled",
    ]
    assert repr(Status("p", "c", counts, 4, "2 processes")).endswith("\nthis kernel   2 processes")


class Colony:
    """A colony that knows the caller as a user, as an executor or not at all."""

    userid = USER
    settings = SimpleNamespace(describe=lambda: "the embedded colony, started by the first call")

    def __init__(self, known, *, is_owner=False) -> None:
        self.known = known
        self.is_owner = is_owner

    async def connect(self):
        pass

    async def executors(self):
        return []

    async def statistics(self):
        return Statistics()

    async def get_user_by_id(self, _):
        if self.known != "user":
            raise ServerRefused(404, "no user")
        return SimpleNamespace(name="ann")

    async def get_executor_by_id(self, _):
        if self.known != "executor":
            raise AccessDenied(403, "no executor")
        return SimpleNamespace(executorname="robot")


@pytest.mark.parametrize(
    ("known", "is_owner", "caller"),
    [
        ("user", False, "user 'ann' 11111111…"),
        ("user", True, "user 'ann' 11111111… (and with the colony owner's key)"),
        ("executor", False, "executor 'robot' 11111111… (an executor's key; a user's is better here)"),
        ("nothing", False, "11111111…"),
    ],
)
async def test_the_caller_is_described_as_the_colony_knows_it(known, is_owner, caller):
    found = await connect.status(Colony(known, is_owner=is_owner), "1 process")
    assert (found.place, found.caller, found.kernel) == ("the embedded colony", caller, "1 process")
