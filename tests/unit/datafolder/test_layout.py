"""The data folder of a user without a home folder."""

from __future__ import annotations

import platformdirs
import pytest

from colony_jupyter.datafolder import layout
from colony_jupyter.errors import EmbeddedError


def test_a_user_without_home_and_name_gets_a_sentence(monkeypatch):
    def expanduser(path):
        return path  # as it is where HOME is unset and the user's number has no name

    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(platformdirs.unix.os.path, "expanduser", expanduser)
    with pytest.raises(EmbeddedError, match=r"no home folder.*Set HOME or XDG_DATA_HOME"):
        layout.user_folder()


def test_a_home_folder_is_used(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert layout.user_folder() == tmp_path / "colony_jupyter"
