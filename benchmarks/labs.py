"""A JupyterLab and a Chromium of one's own."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsers import find_chromium, launch_options
from conftest import QUIET
from lab_server import Lab
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def lab_and_browser() -> Iterator[tuple[Lab, Any]]:
    """Start both, and end them; not on a thread that has an event loop."""
    path = find_chromium()
    if path is None:
        raise RuntimeError("no Chromium found")
    options: Any = launch_options(path)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(**{**options, "args": [*options["args"], *QUIET]})
        try:
            yield lab, browser
        finally:
            browser.close()
            lab.stop()
