"""Versions of installed packages: too old ones, and those that do not work together."""

from __future__ import annotations

import pytest

from colony_jupyter.doctor import Mark
from colony_jupyter.doctor.installed import pairs, versions

GOOD = {"ipykernel": "7.4.0", "ipywidgets": "8.1.9", "anywidget": "0.11.0", "jupyterlab": "4.6.6"}


@pytest.mark.parametrize(
    ("installed", "mark", "words"),
    [
        ({}, Mark.FINE, "ipykernel 7.4.0"),
        ({"ipykernel": "6.29.5"}, Mark.WARNING, "ipykernel 6.29.5 is older than 6.30"),
        ({"anywidget": None}, Mark.FAILURE, "anywidget is not installed: pip install"),
        ({"jupyterlab": None}, Mark.FINE, "jupyterlab is not installed here, which is fine"),
        ({"jupyterlab_widgets": "1.1.0"}, Mark.WARNING, "jupyterlab_widgets 1.1.0 is older than 3"),
    ],
)
def test_versions(installed, mark, words):
    found = versions({**GOOD, **installed})
    assert any(finding.mark is mark and words in finding.text for finding in found)


@pytest.mark.parametrize(
    ("installed", "words"),
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
    ],
)
def test_pairs_that_do_not_work_together(installed, words):
    found = pairs({**GOOD, **installed})
    assert [finding.mark for finding in found] == ([Mark.WARNING] if words else [])
    assert all(words in finding.text for finding in found)
