"""What holds for every test: its own folders, no server of the user's, and nothing left behind."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from browsers import HOW_TO_GET_ONE, find_chromium, launch_options
from leaks import holdings, leaks, watch_loops

if TYPE_CHECKING:
    from collections.abc import Iterator

# The fixture that users get: `colony_server`, and `make_colony_server`.
pytest_plugins = ["colony_jupyter.testing"]

_FOLDERS = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR")
_server = pytest.StashKey[dict[str, str]]()
_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()

# Machines are noisy: the time limit of a test is enough of a deadline.
hypothesis.settings.register_profile("colony_jupyter", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)  # see tests/support/examples.py
hypothesis.settings.load_profile("colony_jupyter")


def _memory() -> str | None:
    """Return a folder in memory: on a disk, tests wait for what SQLite writes to be stored (24 s instead of 4 s).

    There is none where programs cannot be run from it, or where it is as small as a container's often is.
    """
    try:
        found = os.statvfs(folder := "/dev/shm")
    except (AttributeError, OSError):
        return None
    fits = found.f_bavail * found.f_frsize > 2 << 30
    return folder if fits and not found.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK) else None


def pytest_configure(config: pytest.Config) -> None:
    watch_loops()
    if memory := _memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)
    # Before any fixture runs, so that those of a whole session are as much apart from the user's things as a test is.
    # What starts workers, and runs no test, leaves it to them.
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    names = [name for name in os.environ if runs_tests and name.startswith("COLONIES_")]
    config.stash[_server] = {name: os.environ.pop(name) for name in names}
    folder = tempfile.TemporaryDirectory(prefix="colony-jupyter-tests-", ignore_cleanup_errors=True)
    config.stash[_folder] = folder
    for name in _FOLDERS:
        os.environ[name] = str(Path(folder.name) / name.lower())


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(_folder, None):
        folder.cleanup()


def pytest_collection_finish() -> None:
    """Have the garbage collector leave out what collection has made: it lasts, and each run would go through it."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Skipped from here, not by a mark: all of them then share one line of the summary.
    if item.get_closest_marker("live") and "COLONIES_SERVER_HOST" not in item.config.stash[_server]:
        pytest.skip("live: needs a real server, and COLONIES_SERVER_HOST names none")


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, task, socket or process.

    Autouse fixtures of a function come after those of wider scope and before all others, so what a session's fixture
    holds was there before, and what the test's own fixtures hold must be gone.
    """
    before = holdings()
    yield
    if left := leaks(before):
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def apart(
    nothing_left_behind: None,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Make user folders for each test; only a live one sees ColonyOS's variables."""
    home = tmp_path_factory.mktemp("home")
    for name in _FOLDERS:
        monkeypatch.setenv(name, str(home / name.lower()))
    if request.node.get_closest_marker("live"):
        for name, value in request.config.stash[_server].items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def real_server(request: pytest.FixtureRequest) -> dict[str, str]:
    """ColonyOS's variables as the tests were started with them; empty where no real server is named."""
    return request.config.stash[_server]


@pytest.fixture(scope="session")
def chromium() -> dict[str, object]:
    """Return the arguments of Playwright's ``chromium.launch``; without a browser the test is skipped, in CI failed."""
    path = find_chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(HOW_TO_GET_ONE, pytrace=False)
        pytest.skip(HOW_TO_GET_ONE)
    return launch_options(path)
