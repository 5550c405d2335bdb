"""The child's end of the pipes: calls that wait for their reply, from any thread."""

from __future__ import annotations

import itertools
import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO

from colony_jupyter import errors
from colony_jupyter.executor.callers.protocol import LENGTH, Reply, Request, Start, decode_to_child, encode

if TYPE_CHECKING:
    from colony_jupyter.executor.callers.protocol import FromChild, ToChild


class Link:
    """Sends requests to the executor and hands each reply to the thread that waits for it.

    Args:
        incoming: the pipe that the executor writes to.
        outgoing: the pipe that it reads.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, SimpleQueue[Reply]] = {}

    def start(self) -> Start:
        """Wait for the first message, then deliver replies in a thread of its own."""
        message = self._receive()
        if not isinstance(message, Start):
            os._exit(1)  # the executor has ended
        threading.Thread(target=self._deliver, name="colony-jupyter replies", daemon=True).start()
        return message

    def send(self, message: FromChild) -> None:
        """Send a message."""
        data = encode(message)
        with self._lock:
            self._outgoing.write(data)
            self._outgoing.flush()

    def call(self, verb: Any, channel: str = "", **values: Any) -> Any:
        """Ask the executor for a call and wait for what it returns.

        Raises:
            ColonyError: the error that the call raised.
        """
        number = next(self._numbers)
        replies = self._waiting[number] = SimpleQueue()
        self.send(Request(number, verb, channel, **values))
        reply = replies.get()
        if reply.error is not None:
            raise rebuilt(*reply.error)
        return reply.value

    def _receive(self) -> ToChild | None:
        head = self._incoming.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        return decode_to_child(self._incoming.read(*LENGTH.unpack(head)))

    def _deliver(self) -> None:
        while isinstance(message := self._receive(), Reply):
            waiting = self._waiting.pop(message.number, None)
            if waiting is not None:
                waiting.put(message)


def rebuilt(name: str, text: str) -> errors.ColonyError:
    """Make an error of a class of this package again, from its name and its text."""
    kind = getattr(errors, name, errors.ColonyError)
    made = type(
        name,
        (kind,),
        {"__init__": Exception.__init__, "__str__": Exception.__str__},
    )
    error: errors.ColonyError = made(text)
    return error
