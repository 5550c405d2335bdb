"""Other times for executors that are started in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.executor import worker

if TYPE_CHECKING:
    import pytest


def set_times(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
    """Have executors that are started go by other times."""
    usual = {"poll": worker.POLL, "heartbeat": worker.HEARTBEAT, "chat_idle": worker.CHAT_IDLE}
    monkeypatch.setattr(worker.Worker.__init__, "__kwdefaults__", {**usual, **seconds})
