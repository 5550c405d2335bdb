"""A real JupyterLab and a real Chromium, in light and in dark.

`lab` is the server, `notebook` opens a new notebook in a page of its own. Screenshots go to `test-output/`.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path

import pytest
from feeding import FEED
from lab_server import Lab
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "test-output"
# A closed network refuses, slowly, what Chromium would look up of its own accord.
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    # Last of all: Playwright's loop runs in this thread until the session ends, and no test could run one of its own.
    items[:] = [item for item in items if here not in item.path.parents] + mine
    for item in mine:
        # A server, a kernel and a browser start within the first test's time.
        item.add_marker(pytest.mark.timeout(180))
        # Playwright and its pipes belong to the session, not to a test.
        item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


# Of the package, not of the session: playwright runs an event loop in the main thread, and tests of other folders need
# their own there.
@pytest.fixture(scope="package")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**{**chromium, "args": [*chromium["args"], *QUIET]})
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


# What comes of these is waited for by what is seen of it. On a busy machine JupyterLab now and then drops a promise of
# its own, and Chromium then reports that the one of the whole script "was garbage collected".
THEME = """
theme => {
  if (document.body.dataset.jpThemeName !== theme)
    jupyterapp.commands.execute('apputils:change-theme', { theme });
}
"""
HAS_THEME = "theme => document.body.dataset.jpThemeName === theme"
OPEN = """
async path => {
  const { commands, serviceManager, shell } = jupyterapp;
  shell.expandLeft();  // the side bar
  await serviceManager.kernelspecs.refreshSpecs();
  commands.execute('docmanager:open', { path, factory: 'Notebook' });
}
"""
IS_OPEN = """
path => {
  const { shell } = jupyterapp;
  const opened = [...shell.widgets('main')].find(({ context }) => context?.path === path && context.isReady);
  if (opened) shell.activateById(opened.id);
  return opened !== undefined;
}
"""
# Without a question about what is not saved. JupyterLab opens its launcher where nothing else is open: one that came
# later would be in front of the next notebook.
CLOSE = """
async () => {
  const { shell } = jupyterapp;
  for (const area of ['main', 'down'])
    for (const widget of [...shell.widgets(area)])
      widget.dispose();
  for (let tries = 0; tries < 100 && [...shell.widgets('main')].length === 0; tries++)
    await new Promise((done) => setTimeout(done, 50));
  return document.querySelector('.jp-Dialog') === null;
}
"""


def _full(theme: str) -> str:
    """Return JupyterLab's name of a theme."""
    return f"JupyterLab {theme.title()}"


class Notebook:
    """A notebook that is open in a page.

    Args:
        lab: the server.
        browser: makes the page.
        cells: sources of the cells.
        theme: ``light`` or ``dark``.
        width: of the page, in pixels.
        height: of the page, in pixels.
        kernel: name of the kernel.
        page: a page of JupyterLab in which no notebook is open; None for one of its own.
    """

    def __init__(
        self,
        lab: Lab,
        browser,
        cells: list[str],
        *,
        theme: str,
        width: int,
        height: int,
        kernel: str = "python3",
        page=None,
    ) -> None:
        self.lab = lab
        self.name = f"test-{secrets.token_hex(4)}.ipynb"
        self.path = lab.folder / "notebooks" / self.name
        document = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
            "cells": [
                {
                    "id": f"cell{at}",
                    "cell_type": "code",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for at, source in enumerate(cells)
            ],
        }
        self.path.write_text(json.dumps(document))
        self.errors: list[str] = []
        if page is None:
            self.set_theme(theme)
            context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.url)
            page = context.new_page()
            page.set_default_timeout(20_000)
            self._use(page)
            self.open()
        else:
            self._use(page)
            page.set_viewport_size({"width": width, "height": height})
            self.open_in_page(theme)
            self.wait_idle()

    def _use(self, page) -> None:
        self.page, self.context = page, page.context
        page.on("pageerror", self._note_error)

    def _note_error(self, error) -> None:
        self.errors.append(f"{error}\n{error.stack}")

    @staticmethod
    def minds(error: str) -> bool:
        """Whether an error of the page is one that may not be."""
        return "Canceled future" not in error  # Lab itself raises this one when a kernel goes

    def set_theme(self, theme: str) -> None:
        quiet = {"raw": json.dumps({"fetchNews": "false", "checkForUpdates": False})}
        self.lab.call("PUT", "lab/api/settings/@jupyterlab/apputils-extension:notification", quiet)
        settings = {"raw": json.dumps({"theme": _full(theme)})}
        self.lab.call("PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", settings)

    def open_in_page(self, theme: str) -> None:
        """Open it in a page of JupyterLab that is loaded; load the page again if that comes to nothing."""
        try:
            self.change_theme(theme)
            self.page.evaluate(OPEN, self.name)
            self.page.wait_for_function(IS_OPEN, arg=self.name)
        except PlaywrightError:
            self.set_theme(theme)
            self.load()

    def change_theme(self, theme: str) -> None:
        """Have the page that is loaded show another theme."""
        self.page.evaluate(THEME, _full(theme))
        self.page.wait_for_function(HAS_THEME, arg=_full(theme))
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page meanwhile

    def open(self) -> None:
        self.load()
        self.wait_idle()

    def load(self) -> None:
        """Load the page, with this notebook alone: what JupyterLab restores may be others that the page has had."""
        self.page.goto(
            f"{self.lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{self.name}?token={self.lab.token}&reset"
        )
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)

    def wait_idle(self) -> None:
        self.wait_kernel()
        self.page.wait_for_selector(".jp-StatusBar-Widget :text('| Idle')", timeout=60_000)

    def wait_kernel(self) -> None:
        """Wait until the server reports a connected, idle kernel: the page shows "Idle" before it has a kernel."""
        for _ in range(600):
            kernels = [each["kernel"] for each in self.lab.call("GET", "api/sessions") if each["path"] == self.name]
            if kernels and kernels[0]["connections"] and kernels[0]["execution_state"] == "idle":
                return
            self.page.wait_for_timeout(100)

    def cell(self, number: int):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def run(self, number: int, *, wait: bool = True) -> None:
        prompt = self.cell(number).locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        prompt.click()
        self.page.keyboard.press("Control+Enter")
        if wait:
            changed = "([cell, before]) => { const now = cell.innerText; return now !== before && now !== '[*]:'; }"
            arg = [prompt.element_handle(), before]
            try:
                self.page.wait_for_function(changed, arg=arg, timeout=5_000)
            except PlaywrightTimeoutError:
                self.connect_once_more()
                self.page.wait_for_function(changed, arg=arg)

    def connect_once_more(self) -> None:
        """Open and close a connection to the kernel.

        A kernel of ipykernel 7 may leave the first request of a connection unread until the next connection is made
        (issue 1554 of ipykernel). It does so once in some hundred starts on a busy machine.
        """
        [kernel] = [each["kernel"]["id"] for each in self.lab.call("GET", "api/sessions") if each["path"] == self.name]
        url = f"{self.lab.url.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?token={self.lab.token}"
        self.page.evaluate(
            "url => new Promise(done => { const made = new WebSocket(url);"
            " made.onopen = () => { made.close(); done(); }; made.onerror = done; })",
            url,
        )

    def output(self, number: int) -> str:
        return self.cell(number).locator(".jp-Cell-outputArea").inner_text()

    def copied(self) -> str:
        """Wait for the button that confirms a copy; the text of the clipboard.

        The page is asked in each of its frames: it shows the confirmation for a moment only.
        """
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.cj button')].some(each => each.textContent === 'Copied')",
            timeout=20_000,
        )
        return self.page.evaluate("navigator.clipboard.readText()")

    def save(self) -> dict:
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        for _ in range(100):
            self.page.wait_for_timeout(100)
            if self.path.stat().st_mtime_ns != before:
                # It may still be being written.
                with contextlib.suppress(ValueError):
                    return json.loads(self.path.read_text())
        raise TimeoutError(self.name)

    def shot(self, name: str, number: int | None = None) -> None:
        SHOTS.mkdir(exist_ok=True)
        target = self.page if number is None else self.cell(number)
        target.screenshot(path=SHOTS / f"{name}.png")

    def close(self) -> None:
        self.context.close()
        self.end_kernel()

    def leave(self) -> bool:
        """Close the notebook only; returns whether another one can be opened in its page."""
        usable = self.page.evaluate(CLOSE)
        self.end_kernel()
        self.page.remove_listener("pageerror", self._note_error)
        self.page.emulate_media(reduced_motion="no-preference")
        if not usable:
            self.context.close()
        return usable

    def end_kernel(self) -> None:
        for session in self.lab.call("GET", "api/sessions"):
            if session["path"] == self.name:
                self.lab.call("DELETE", f"api/sessions/{session['id']}")


class Notebook7(Notebook):
    """A notebook that is open in Notebook 7, which the same server has."""

    @staticmethod
    def minds(error: str) -> bool:
        # Notebook 7 has errors of its own whenever it opens a notebook; the pane's script is the one from a blob.
        return "blob:" in error

    def load(self) -> None:
        self.page.goto(f"{self.lab.url}/notebooks/{self.name}?token={self.lab.token}")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)

    def wait_idle(self) -> None:
        self.wait_kernel()
        idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.page.wait_for_selector(idle, state="attached", timeout=60_000)


@pytest.fixture(scope="package")
def spare_pages():
    """Pages of JupyterLab in which no notebook is open: to load one takes some seconds of a processor."""
    return []


@pytest.fixture
def notebook(lab, browser, spare_pages):
    """Return a function that opens notebooks; they are closed after the test, which fails on an error of the page."""
    opened: list[tuple[Notebook, bool]] = []

    def make(
        *cells: str, theme: str = "light", width: int = 1400, height: int = 900, own_page: bool = False, **how
    ) -> Notebook:
        page = spare_pages.pop() if spare_pages and not own_page else None
        book = Notebook(lab, browser, [FEED, *cells], theme=theme, width=width, height=height, page=page, **how)
        opened.append((book, own_page))
        book.run(0)
        return book

    yield make
    for book, own_page in opened:
        if own_page:
            book.close()
        elif book.leave():
            spare_pages.append(book.page)
    assert not [error for book, _ in opened for error in book.errors if book.minds(error)]


@pytest.fixture
def notebook7(lab, browser):
    """Return a function that opens notebooks in Notebook 7, each in a page of its own."""
    opened = []

    def make(*cells: str, theme: str = "light", width: int = 1400, height: int = 900) -> Notebook7:
        opened.append(Notebook7(lab, browser, [FEED, *cells], theme=theme, width=width, height=height))
        opened[-1].run(0)
        return opened[-1]

    yield make
    for book in opened:
        book.close()
    assert not [error for book in opened for error in book.errors if book.minds(error)]
