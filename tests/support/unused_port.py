"""A port for a program that gets the number of its port as an argument."""

from __future__ import annotations

import errno
import random
import socket


def unused_port() -> int:
    """Choose a port that no program has, from those that no system gives to outgoing connections.

    Another program could get one of the others before the one that it is for.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
