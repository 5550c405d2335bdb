"""Routes stdout, stderr and `logging` of each running function to the capture of its process.

A context variable holds the capture of the code that runs: tasks inherit it from asyncio, and threads from a hook in
`threading.Thread.start` (Python itself passes the context on from 3.14 on, where `sys.flags.thread_inherit_context` is
set). Everything is still written where it was written before, so a notebook shows it as well. The hooks are in place
only while a captured function runs. Output of child processes and of C code that bypasses `sys.stdout` is not seen.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from colony_jupyter.executor.logs.output_capture import OutputCapture

_Start = Callable[[threading.Thread], None]

_current: ContextVar[OutputCapture | None] = ContextVar("colony_jupyter_output_capture", default=None)

_OWN_LOGGERS: Final = ("colony_jupyter", "aiohttp", "websockets")
"""Loggers of the client itself: a log line about the call that sends a log line would never end."""

_LINE: Final = logging.Formatter("%(levelname)s:%(name)s:%(message)s")


class _Tee:
    """A text stream that writes to the stream it replaces and to the current capture."""

    def __init__(self, name: str, original: Any) -> None:
        self._name = name
        self.original = original

    def write(self, text: str) -> int:
        capture = _current.get()
        if capture is not None:
            capture.write(self._name, text)
        if self.original is None:  # a process without a console
            return len(text)
        return self.original.write(text)  # type: ignore[no-any-return]

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class _LogHandler(logging.Handler):
    """Root handler that sends records of captured code to its process.

    A record that another handler writes to a captured stream arrives through that stream, in the user's own format. A
    record that no other handler processes is also passed to `logging.lastResort`, as if this handler were not there.
    """

    def emit(self, record: logging.LogRecord) -> None:
        others = self._other_handlers(record)
        last_resort = logging.lastResort
        if not others and last_resort is not None and record.levelno >= last_resort.level:
            last_resort.handle(record)  # it writes to sys.stderr, which is captured
            return
        capture = _current.get()
        if capture is None or record.name.partition(".")[0] in _OWN_LOGGERS:
            return
        if any(isinstance(getattr(other, "stream", None), _Tee) for other in others):
            return
        try:
            capture.write("logging", f"{_LINE.format(record)}\n")
        except Exception:  # noqa: BLE001 - as every handler does: arguments that do not fit the message
            self.handleError(record)

    def _other_handlers(self, record: logging.LogRecord) -> list[logging.Handler]:
        found: list[logging.Handler] = []
        source: logging.Logger | None = logging.getLogger(record.name)
        while source is not None:
            found += [handler for handler in source.handlers if handler is not self and record.levelno >= handler.level]
            source = source.parent if source.propagate else None
        return found


class _Hooks:
    """The hooks, counted: the first user puts them in place, the last one removes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._handler = _LogHandler()
        self._tees: dict[str, _Tee] = {}
        self._starts: tuple[_Start, _Start] | None = None  # the method of threads that ours replaces, and ours

    def install(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            for name in ("stdout", "stderr"):
                self._tees[name] = _Tee(name, getattr(sys, name))
                setattr(sys, name, self._tees[name])
            logging.getLogger().addHandler(self._handler)
            original = threading.Thread.start

            def start(thread: threading.Thread) -> None:
                _pass_on(thread)
                original(thread)

            self._starts = original, start
            threading.Thread.start = start  # type: ignore[method-assign, assignment]

    def remove(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            # What other code replaced since holds ours as its original: ours then stays, without a capture.
            for name, tee in self._tees.items():
                if getattr(sys, name) is tee:
                    setattr(sys, name, tee.original)
            logging.getLogger().removeHandler(self._handler)
            if self._starts is not None and threading.Thread.start is self._starts[1]:
                threading.Thread.start = self._starts[0]  # type: ignore[method-assign, assignment]


def _pass_on(thread: threading.Thread) -> None:
    """Let a thread that captured code starts run under the same capture."""
    capture = _current.get()
    if capture is None:
        return
    run = thread.run

    def captured_run() -> None:
        _current.set(capture)
        run()

    thread.run = captured_run  # type: ignore[method-assign]


_hooks = _Hooks()


@contextlib.contextmanager
def captured(capture: OutputCapture | None) -> Iterator[None]:
    """Send the output of the code inside, its tasks and its threads to a capture; None changes nothing."""
    if capture is None:
        yield
        return
    _hooks.install()
    token = _current.set(capture)
    try:
        yield
    finally:
        _current.reset(token)
        _hooks.remove()
