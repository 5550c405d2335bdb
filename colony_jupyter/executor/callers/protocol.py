"""Messages between an executor and the process of a caller's function, over a pair of pipes (pure).

A message is its length, four bytes, and as many bytes of MessagePack. The executor checks what it receives: the process
runs code of others.
"""

from __future__ import annotations

import struct
from typing import Any, Final, Literal

import msgspec

from colony_jupyter.functions.packing import Segment
from colony_jupyter.wire.models import ProcessRecord

MAX_MESSAGE: Final = 256 << 20
"""Bytes of a message at the most. An entry has 10 MiB at the most, an output what the server accepts."""
LENGTH: Final = struct.Struct(">I")


class Start(msgspec.Struct, tag="start"):
    """First message of the executor: what to run.

    Attributes:
        funcname: name of the function.
        text: the code that defines it.
        segments: the places its lines are from.
        python: version of Python that it was written with; empty if that is not known.
        process: the process.
        executorname: name of the executor.
        executortype: its type.
        memory: bytes of address space that the process may have; None for no limit.
    """

    funcname: str
    text: str
    segments: list[Segment]
    python: str
    process: ProcessRecord
    executorname: str
    executortype: str
    memory: int | None = None


class Reply(msgspec.Struct, tag="reply"):
    """Answer to a request.

    Attributes:
        number: of the request.
        value: what the call returned.
        error: class and text of the error that it raised, None if it raised none.
    """

    number: int
    value: Any = None
    error: tuple[str, str] | None = None


Verb = Literal["send", "write", "flush", "ask", "read", "open", "next", "close", "log"]


class Request(msgspec.Struct, tag="request", forbid_unknown_fields=True):
    """A call that the executor is asked to make.

    Attributes:
        number: returned in the reply.
        verb: which call.
        channel: name of the channel; empty for a call that has none.
        stream: number of the stream, for ``next`` and ``close``.
        payload: bytes of an entry, or the text of ``write`` and ``log`` in UTF-8.
        kind: type of an entry.
        inreplyto: sequence of the entry that this one answers.
        start: entries to leave out.
        limit: how many entries at most; 0 for all.
        timeout: seconds; None for no limit.
        idle_timeout: seconds without an entry; None for no limit.
        errors: what an ``error`` entry does.
        to_end: whether an ``end`` entry ends a stream.
    """

    number: int
    verb: Verb
    channel: str = ""
    stream: int = 0
    payload: bytes = b""
    kind: str = "data"
    inreplyto: int = 0
    start: int = 0
    limit: int = 0
    timeout: float | None = None
    idle_timeout: float | None = None
    errors: Literal["raise", "yield"] = "raise"
    to_end: bool = True


class Returned(msgspec.Struct, tag="returned", forbid_unknown_fields=True):
    """Last message of the process: the function has returned.

    Attributes:
        output: the output of the process, a list in JSON.
        notes: what the conversion to JSON has changed, a sentence each.
    """

    output: bytes
    notes: list[str]


class Raised(msgspec.Struct, tag="raised", forbid_unknown_fields=True):
    """Last message of the process: the function has raised an error, or could not be called.

    Attributes:
        errors: texts for the submitter.
    """

    errors: list[str]


class PassedEntry(msgspec.Struct, array_like=True):
    """An entry, as it is passed to the process."""

    sequence: int
    inreplyto: int
    timestamp: str
    senderid: str
    payload: bytes
    type: str
    former: bool


FromChild = Request | Returned | Raised
ToChild = Start | Reply

_encoder = msgspec.msgpack.Encoder()
_from_child = msgspec.msgpack.Decoder(FromChild)
_to_child = msgspec.msgpack.Decoder(ToChild)


def encode(message: FromChild | ToChild) -> bytes:
    """Return a message with its length in front."""
    data = _encoder.encode(message)
    return LENGTH.pack(len(data)) + data


def decode_from_child(data: bytes) -> FromChild:
    """Read a message of the process.

    Raises:
        ValueError: if it is none.
    """
    message: FromChild = _from_child.decode(data)
    return message


def decode_to_child(data: bytes) -> ToChild:
    """Read a message of the executor.

    Raises:
        ValueError: if it is none.
    """
    message: ToChild = _to_child.decode(data)
    return message
