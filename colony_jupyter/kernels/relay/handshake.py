"""The first two entries of a session, on ``ctl``: each party shows its key for it, signed by its key of the colony.

Texts that are signed begin with a character outside the base64 alphabet, so that no signature of a session is one of a
call, and none of a call is one of a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from colony_jupyter.kernels.relay.sealing import SID_BYTES
from colony_jupyter.wire.identity import SignatureRefused, recover

if TYPE_CHECKING:
    from collections.abc import Collection

    from colony_jupyter.wire.identity import PrivateKey

HELLO: Final = "hello"
WELCOME: Final = "welcome"
SEALED: Final = "k"
_VERSION: Final = 1


class Refused(Exception):
    """A handshake that must not be accepted; the text is a clause."""


class Hello(msgspec.Struct, frozen=True):
    """The caller's entry.

    Attributes:
        sid: id of the session, in hex.
        pub: the caller's public key for it, in hex.
        resume: for each lane from the executor, the number of the last batch that was delivered.
        sig: the caller's signature.
        version: of the protocol.
    """

    sid: str
    pub: str
    resume: dict[str, int]
    sig: str = ""
    version: int = _VERSION

    def text(self, processid: str) -> str:
        """Return what is signed."""
        return _text(processid, HELLO, self.sid, self.pub, self.resume, str(self.version))


class Welcome(msgspec.Struct, frozen=True):
    """The executor's entry.

    Attributes:
        sid: id of the session, in hex.
        pub: the executor's public key for it, in hex.
        out: the channel on which what the kernel sends begins.
        resume: for each lane to the executor, the number of the last batch that was delivered.
        kernel: id of the kernel; empty if none runs.
        sig: the executor's signature.
        version: of the protocol.
    """

    sid: str
    pub: str
    out: str
    resume: dict[str, int]
    kernel: str
    sig: str = ""
    version: int = _VERSION

    def text(self, processid: str, hello: Hello) -> str:
        """Return what is signed."""
        about = (self.sid, hello.pub, self.pub, self.out, self.kernel, str(self.version))
        return _text(processid, WELCOME, *about[:3], self.resume, *about[3:])


def _text(processid: str, *parts: str | dict[str, int]) -> str:
    resumes = [
        each if isinstance(each, str) else ",".join(f"{k}={v}" for k, v in sorted(each.items())) for each in parts
    ]
    return "|".join(("|colony_jupyter kernel", processid, *resumes))


def signed_hello(hello: Hello, processid: str, key: PrivateKey) -> bytes:
    """Return the payload of a hello."""
    return msgspec.json.encode(msgspec.structs.replace(hello, sig=key.sign(hello.text(processid))))


def signed_welcome(welcome: Welcome, processid: str, hello: Hello, key: PrivateKey) -> bytes:
    """Return the payload of a welcome."""
    return msgspec.json.encode(msgspec.structs.replace(welcome, sig=key.sign(welcome.text(processid, hello))))


def read_hello(payload: bytes, processid: str, initiator: str) -> Hello:
    """Read a hello.

    Raises:
        Refused: if the process's initiator has not signed it.
    """
    try:
        hello = msgspec.json.decode(payload, type=Hello)
    except msgspec.MsgspecError as error:
        raise Refused(f"it cannot be read ({error})") from None
    _check(hello.sid, hello.version)
    if _signer(hello.text(processid), hello.sig) != initiator:
        raise Refused("it is not signed by the initiator of the process")
    return hello


def read_welcome(payload: bytes, processid: str, hello: Hello, executor: str, trusted: Collection[str]) -> Welcome:
    """Read a welcome.

    Args:
        payload: of the entry.
        processid: the process.
        hello: what it answers.
        executor: id of the executor that the process is assigned to.
        trusted: ids of the executors that may run the kernel; empty for any.

    Raises:
        Refused: if another executor has signed it.
    """
    try:
        welcome = msgspec.json.decode(payload, type=Welcome)
    except msgspec.MsgspecError as error:
        raise Refused(f"it cannot be read ({error})") from None
    _check(welcome.sid, welcome.version)
    signer = _signer(welcome.text(processid, hello), welcome.sig)
    if welcome.sid != hello.sid or signer != executor:
        raise Refused("it is not signed by the executor of the process")
    if trusted and signer not in trusted:
        raise Refused(f"executor {signer} is none of those that were trusted at the installation")
    return welcome


def _check(sid: str, version: int) -> None:
    try:
        is_id = len(bytes.fromhex(sid)) == SID_BYTES
    except ValueError:
        is_id = False
    if not is_id:
        raise Refused("the session has no id")
    if version != _VERSION:
        raise Refused(f"the other party speaks version {version} of the protocol, this one {_VERSION}")


def _signer(text: str, signature: str) -> str:
    try:
        return recover(text, signature)
    except SignatureRefused:
        return ""
