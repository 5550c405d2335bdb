"""Versions of installed packages: too old ones, and those that do not work together."""

from __future__ import annotations

import asyncio
import importlib.metadata
import sys

import pytest

from colony_jupyter.doctor import Mark
from colony_jupyter.doctor.installed import installed, pairs, versions

GOOD = {"ipykernel": "7.4.0", "ipywidgets": "8.1.9", "anywidget": "0.11.0", "jupyterlab": "4.6.6"}


@pytest.mark.parametrize(
    ("changed", "mark", "words"),
    [
        ({}, Mark.FINE, "ipykernel 7.4.0"),
        ({"ipykernel": "6.29.5"}, Mark.WARNING, "ipykernel 6.29.5 is older than 6.30"),
        ({"anywidget": None}, Mark.FAILURE, "anywidget is not installed: pip install"),
        ({"jupyterlab": None}, Mark.FINE, "jupyterlab is not installed here, which is fine"),
        ({"jupyterlab_widgets": "1.1.0"}, Mark.WARNING, "jupyterlab_widgets 1.1.0 is older than 3"),
    ],
)
def test_versions(changed, mark, words):
    found = versions({**GOOD, **changed})
    assert any(finding.mark is mark and words in finding.text for finding in found)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"jupyterlab_widgets": "3.0.17", "widgetsnbextension": "4.0.16"}, ""),
        (
            {"jupyterlab_widgets": "1.1.7"},
            "ipywidgets 8.1.9 and jupyterlab_widgets 1.1.7 do not work together: pip install",
        ),
        ({"ipywidgets": "7.8.5", "jupyterlab_widgets": "3.0.1"}, "pip install -U ipywidgets."),
        ({"widgetsnbextension": "3.6.6"}, "pip install -U widgetsnbextension."),
        ({"anywidget": "0.8.1"}, "jupyterlab 4.6.6 and anywidget 0.8.1 do not work together"),
        ({"python": "3.13.1", "nest_asyncio_in_use": "1.6.0"}, ""),
        ({"python": "3.14.0", "nest_asyncio_in_use": "1.6.0"}, "restart the kernel"),
        ({"python": "3.14.0", "nest_asyncio_in_use": "(a copy)"}, "python 3.14.0 and nest_asyncio in use (a copy) do"),
        ({"python": "3.14.0rc1+", "nest_asyncio_in_use": "1.6.0"}, ""),  # Python built from a checkout: no version
    ],
)
def test_pairs_that_do_not_work_together(changed, words):
    found = pairs({**GOOD, **changed})
    assert [finding.mark for finding in found] == ([Mark.WARNING] if words else [])
    assert all(words in finding.text for finding in found)


def test_a_patch_of_asyncio_by_a_copy_of_the_package_is_found_without_its_version(monkeypatch):
    """Programs ship copies of nest_asyncio."""

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(asyncio, "_nest_patched", True, raising=False)
    monkeypatch.delitem(sys.modules, "nest_asyncio2", raising=False)
    assert installed()["nest_asyncio_in_use"] == "(a copy)"
