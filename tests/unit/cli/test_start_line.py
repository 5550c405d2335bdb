"""The last line that JupyterLab prints at its start."""

from __future__ import annotations

from types import SimpleNamespace

from colony_jupyter.cli import start_line


def test_the_url_is_printed_after_the_event_loop_has_started(capsys):
    scheduled = []

    class Loop:
        def add_callback(self, callback, *args):
            scheduled.append(callback)
            scheduled.extend(args)

        def call_later(self, seconds, callback):
            raise AssertionError

    server = SimpleNamespace(io_loop=Loop(), local_url="http://127.0.0.1:8888/lab?token=x")
    assert start_line._jupyter_server_extension_points() == [{"module": "colony_jupyter.cli.start_line"}]
    start_line._load_jupyter_server_extension(server)
    assert capsys.readouterr().out == ""
    scheduled[-1]()
    assert capsys.readouterr().out == "Open JupyterLab in a browser: http://127.0.0.1:8888/lab?token=x\n"
