"""Which browser the browser tests drive."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

HOW_TO_GET_ONE = (
    "no Chromium found: `apt install chromium`, or `.venv/bin/playwright install chromium`, brings the browser tests"
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of the system's Chromium or Chrome, else of the one Playwright has downloaded, else None."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    downloaded = sorted(root.glob("chromium-*/chrome-*/chrome"))
    return str(downloaded[-1]) if downloaded else None


def launch_options(path: str) -> dict[str, object]:
    """What Playwright's ``launch`` needs for it; the sandbox is off where Chromium refuses to have it, for root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return {"executable_path": path, "args": ["--no-sandbox"] if root else []}
