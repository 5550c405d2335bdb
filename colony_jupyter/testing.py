"""A ColonyOS server for the tests of your own program, in one line.

In ``conftest.py``::

    pytest_plugins = ["colony_jupyter.testing"]

and in a test, for a server with a data folder, a colony and keys of its own::

    def test_my_executor(colony_server):
        client = Client(colony_server.host, colony_server.port, ...)

It is the embedded colony as notebooks use it: a real process, a real port, wire-compatible with ColonyOS, so clients
of any language can be tested with it (``environ()`` gives a program's variables). It is gone when the test is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pytest

from colony_jupyter import embedded
from colony_jupyter.datafolder import environment, layout
from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from colony_jupyter.wire.identity import PrivateKey

__all__ = ["ColonyServer", "colony_server", "make_colony_server"]


class ColonyServer:
    """A server as a child process; also a context manager, which starts and stops it.

    Args:
        data: its data folder; the server continues with what is there.
        limits: whether ColonyOS's limits hold (100 appends a second and process, 10,000 entries a channel ...).
        deaf: whether it answers no pings during channel subscriptions, as ColonyOS does not.
        arguments: further ones of ``colony-jupyter serve``.

    Attributes:
        data: its data folder.
        host: the address it listens at.
        port: its port, the same after a restart; 0 before the first start.
    """

    def __init__(self, data: Path, *, limits: bool = True, deaf: bool = False, arguments: Sequence[str] = ()) -> None:
        self.data = data
        self.host = "127.0.0.1"
        self.port = 0
        self._place = layout.prepare(data)
        self._arguments = [*arguments, *([] if limits else ["--no-limits"]), *(["--deaf"] if deaf else [])]
        # The keys are read when they are first used; the child runs between `start` and `stop`.
        self._keys: embedded.Keys | None = None
        self._child: embedded.Child | None = None

    @property
    def keys(self) -> embedded.Keys:
        """All keys and names."""
        if self._keys is None:
            self._keys = embedded.keys(self.data)
        return self._keys

    @property
    def colonyname(self) -> str:
        """The name of its colony."""
        return self.keys.colonyname

    @property
    def prvkey(self) -> PrivateKey:
        """The key of the colony's user; ``.reveal()`` gives its 64 hex digits."""
        return self.keys.prvkey

    @property
    def colony_prvkey(self) -> PrivateKey:
        """The key of the colony's owner."""
        return self.keys.colony_prvkey

    @property
    def server_prvkey(self) -> PrivateKey:
        """The key of the server's owner."""
        return self.keys.server_prvkey

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return None if self._child is None else self._child.process.pid

    @property
    def log(self) -> str:
        """Its standard error so far."""
        return self._place.log.read_text("utf-8", "replace") if self._place.log.exists() else ""

    def environ(self) -> dict[str, str]:
        """Return ColonyOS's variables for a user of it; they hold the keys."""
        return environment.variables(self.keys, self.host, self.port)

    def start(self, timeout: float = 15.0) -> Self:
        """Start it, at the port it had before if it ran before; returns once it answers.

        Args:
            timeout: seconds to wait for that.

        Raises:
            EmbeddedError: if it does not start, or runs already.
        """
        if self._child is not None:
            raise EmbeddedError(f"The server on {self.data} runs already: stop(), kill() or restart() it.")
        self._child = embedded.start_child(self._place, ["--port", str(self.port), *self._arguments])
        try:
            address = embedded.await_child(self._child, timeout)
        except BaseException:
            self.kill()
            raise
        self.host, self.port = address.host, address.port
        return self

    def stop(self) -> None:
        """End it in good order; nothing happens if it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL); nothing happens if it does not run."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self) -> Self:
        """End it in good order, if it runs, and start it on the same data at the same port."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ColonyServer {self.host}:{self.port} on {self.data}>"


@pytest.fixture
def make_colony_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., ColonyServer]]:
    """Return a function that starts a `ColonyServer`, with the arguments of the class; ``data`` is optional."""
    made: list[ColonyServer] = []

    def make(
        data: Path | None = None, *, limits: bool = True, deaf: bool = False, arguments: Sequence[str] = ()
    ) -> ColonyServer:
        folder = tmp_path_factory.mktemp("colony") if data is None else data
        made.append(ColonyServer(folder, limits=limits, deaf=deaf, arguments=arguments))
        return made[-1].start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def colony_server(make_colony_server: Callable[..., ColonyServer]) -> ColonyServer:
    """Return a running `ColonyServer` with the limits ColonyOS has; it is stopped when the test is over."""
    return make_colony_server()
