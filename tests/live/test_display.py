"""Displayed and returned pictures go through a real server unchanged."""

from __future__ import annotations

import base64
import os
import uuid

import pytest

import colony_jupyter as cj
from colony_jupyter.values.mime import MimeBundle

pytestmark = pytest.mark.live


class Picture:
    """A picture with random bytes after its signature."""

    def __init__(self, size: int) -> None:
        self.data = b"\x89PNG\r\n\x1a\n" + os.urandom(size)

    def _repr_png_(self) -> bytes:
        return self.data


def test_a_displayed_and_a_returned_picture_arrive():
    shown, returned = Picture(3_000_000), Picture(200_000)
    executor = cj.Executor(f"display-{uuid.uuid4().hex[:10]}-x")

    @executor.function("plot")
    def plot(context):
        context.display(shown)
        return returned

    executor.start()
    with cj.Colony() as colony:
        try:
            process = colony.submit("plot", channels=["plots", "sync"], executortype=executor.executortype)
            (entry,) = list(process.channel("plots"))
            assert entry.type == "display"
            assert base64.b64decode(entry.json()["image/png"]) == shown.data
            result = process.result(timeout=30)
            assert isinstance(result, MimeBundle)
            assert base64.b64decode(result["image/png"]) == returned.data
        finally:
            name = executor.name
            executor.stop()
            colony.remove_executor(name)
