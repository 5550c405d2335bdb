from __future__ import annotations

import sys

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.executor.import_path import load

WORKER = """
import colony_jupyter as cj

executor = cj.Executor("loaded-x", "loaded")


@executor.function("double")
def double(context, number):
    return 2 * number
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "loaded_worker.py").write_text(WORKER)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("loaded")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["loaded_worker", ":executor", "loaded_worker:", ""])
def test_a_name_without_both_halves_gives_an_error_that_shows_the_form(folder, name):
    with pytest.raises(UsageError, match="MODULE:EXECUTOR"):
        load(name, folder)


def test_a_module_or_executor_that_is_not_there_is_named(folder):
    with pytest.raises(UsageError, match="no module 'nowhere'"):
        load("nowhere:executor", folder)
    with pytest.raises(UsageError, match=r"no executor 'exekutor'\. It has: executor\."):
        load("loaded_worker:exekutor", folder)


@pytest.mark.parametrize(
    "missing", ["a_missing_module", "loaded_bro", "load", "loaded_broken.part"], ids=["other", "prefix", "word", "part"]
)
def test_what_the_module_itself_lacks_is_not_hidden(folder, missing):
    (folder / "loaded_broken.py").write_text(f"import {missing}")
    with pytest.raises(ModuleNotFoundError, match=missing):
        load("loaded_broken:executor", folder)


@pytest.mark.parametrize("name", ["loaded/nowhere.py", "loaded.nowhere", "nowhere/worker.py"])
def test_a_module_that_is_not_in_its_package_is_named(folder, name):
    (folder / "loaded").mkdir()
    with pytest.raises(UsageError, match=f"no module '{name}'"):
        load(f"{name}:executor", folder)


@pytest.mark.parametrize("name", ["loaded_worker", "loaded_worker.py", "loaded/worker.py", "loaded.worker"])
def test_a_module_is_named_as_a_file_or_as_in_an_import(folder, name):
    (folder / "loaded").mkdir()
    (folder / "loaded" / "worker.py").write_text(WORKER)
    assert load(f"{name}:executor", folder).name == "loaded"
