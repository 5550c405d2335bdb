"""A Jupyter server extension that prints JupyterLab's URL as the last line of the start-up output."""

from __future__ import annotations

from typing import Any, Final

_AFTER: Final = 1.0
"""Seconds after the event loop has started: other extensions still write log lines then."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Print the URL once the server accepts requests; Jupyter's event loop starts after all extensions are loaded."""

    def print_url() -> None:
        print(f"Open JupyterLab in a browser: {server.local_url}", flush=True)  # noqa: T201 - the output of a command

    server.io_loop.add_callback(server.io_loop.call_later, _AFTER, print_url)
