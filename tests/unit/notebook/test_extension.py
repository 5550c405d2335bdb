"""Loading the extension into IPython and unloading it again."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook import extension


@pytest.fixture
def shell():
    made = InteractiveShell()
    yield made
    extension.unload_ipython_extension(made)
    made.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_loading_prints_where_it_connects_to_and_contacts_nothing(shell, capsys):
    extension.load_ipython_extension(shell)
    assert "embedded colony" in capsys.readouterr().out
    assert "colony" in shell.magics_manager.magics["line"]
    assert "colony_chat" in shell.magics_manager.magics["cell"]


def test_loading_with_bad_settings_names_what_is_wrong(shell, capsys, monkeypatch):
    monkeypatch.setenv("COLONIES_SERVER_HOST", "colony.example")
    monkeypatch.setenv("COLONIES_PRVKEY", "no key")
    extension.load_ipython_extension(shell)
    assert "not connected: " in capsys.readouterr().out


def test_unloading_removes_everything_and_twice_is_once(shell):
    before = {kind: set(names) for kind, names in shell.magics_manager.magics.items()}
    matchers = list(shell.Completer.custom_matchers)
    extension.load_ipython_extension(shell)
    assert hasattr(ColonyError, "_render_traceback_")
    for _ in range(2):
        extension.unload_ipython_extension(shell)
    assert {kind: set(names) for kind, names in shell.magics_manager.magics.items()} == before
    assert list(shell.Completer.custom_matchers) == matchers
    assert not hasattr(ColonyError, "_render_traceback_")


def test_nested_loops_need_a_package_that_is_named(monkeypatch):
    for name in ("nest_asyncio2", "nest_asyncio"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="pip install nest-asyncio"):
        extension.allow_nested_asyncio()
    applied = []
    monkeypatch.setitem(sys.modules, "nest_asyncio", SimpleNamespace(apply=lambda: applied.append(1)))
    extension.allow_nested_asyncio()
    assert applied == [1]
