"""Magics without a server and a kernel."""

from __future__ import annotations

import pytest
from simulated_magics import Place


@pytest.fixture
def place(monkeypatch):
    return Place(monkeypatch)
