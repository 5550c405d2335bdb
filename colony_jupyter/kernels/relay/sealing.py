"""Encryption of entries: one pair of keys for each session, agreed on by X25519, and a counter for each channel.

A server stores the entries and must not be able to read, change, repeat or reorder them. An entry is
``session id (8 bytes), counter (8 bytes), ChaCha20-Poly1305 of the plain text``. The nonce is the channel's number and
the counter; process, channel, session and counter are authenticated with the text.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from colony_jupyter.kernels.relay.layout import channel_number

KEY_BYTES: Final = 32
SID_BYTES: Final = 8
_COUNTER_BYTES: Final = 8
_HEAD: Final = SID_BYTES + _COUNTER_BYTES


class Gap(Exception):
    """Entries of a channel are missing: the server lost them, or kept them back."""


class Keys(NamedTuple):
    """The keys of one session, and what they are bound to.

    Attributes:
        processid: the process.
        sid: the session's id.
        to_kernel: key of what the caller sends.
        from_kernel: key of what the executor sends.
    """

    processid: str
    sid: bytes
    to_kernel: bytes
    from_kernel: bytes

    def __repr__(self) -> str:
        return f"<Keys of session {self.sid.hex()}>"


class Exchange:
    """One party's half of an agreement on keys; used once.

    Args:
        private: 32 random bytes.
    """

    def __init__(self, private: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw().hex()
        """The public key, in hex."""

    def keys(self, processid: str, sid: bytes, peer: str, *, caller: str, host: str) -> Keys:
        """Return the keys of a session.

        Args:
            processid: the process.
            sid: the session's id.
            peer: the other party's public key, in hex.
            caller: public key of the caller, in hex: this party's or the other's.
            host: likewise that of the executor.

        Raises:
            ValueError: if the other party's key is none.
        """
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(peer)))
        info = f"colony_jupyter kernel|{processid}|{caller}|{host}".encode()
        made = HKDF(SHA256(), 2 * KEY_BYTES, salt=sid, info=info).derive(shared)
        return Keys(processid, sid, made[:KEY_BYTES], made[KEY_BYTES:])


class Sealer:
    """Encrypts what one party sends in one session.

    Args:
        keys: the session's.
        key: the one of this direction.
    """

    def __init__(self, keys: Keys, key: bytes) -> None:
        self._keys = keys
        self._cipher = ChaCha20Poly1305(key)
        self._counters: dict[str, int] = {}

    def seal(self, channel: str, plain: bytes) -> bytes:
        """Return the payload of the next entry of a channel."""
        counter = self._counters.get(channel, 0)
        self._counters[channel] = counter + 1
        head = self._keys.sid + counter.to_bytes(_COUNTER_BYTES)
        nonce, data = _bound(self._keys, channel, head)
        return head + self._cipher.encrypt(nonce, plain, data)


class Opener:
    """Decrypts what the other party sends in one session: each entry once, in order.

    Args:
        keys: the session's.
        key: the one of this direction.
    """

    def __init__(self, keys: Keys, key: bytes) -> None:
        self._keys = keys
        self._cipher = ChaCha20Poly1305(key)
        self._expected: dict[str, int] = {}

    def open(self, channel: str, payload: bytes) -> bytes | None:
        """Return the plain text of an entry; None for one that is repeated, forged or of another session.

        Raises:
            Gap: if entries before it are missing.
        """
        head = payload[:_HEAD]
        if len(head) < _HEAD or head[:SID_BYTES] != self._keys.sid:
            return None
        counter = int.from_bytes(head[SID_BYTES:])
        expected = self._expected.get(channel, 0)
        if counter < expected:
            return None
        nonce, data = _bound(self._keys, channel, head)
        try:
            plain = self._cipher.decrypt(nonce, payload[_HEAD:], data)
        except InvalidTag:
            return None
        if counter > expected:
            raise Gap(f"{counter - expected} entries of channel '{channel}' are missing")
        self._expected[channel] = counter + 1
        return plain


def _bound(keys: Keys, channel: str, head: bytes) -> tuple[bytes, bytes]:
    """Return the nonce of an entry, and what is authenticated with it."""
    nonce = channel_number(channel).to_bytes(4) + head[SID_BYTES:]
    return nonce, f"{keys.processid}|{channel}|".encode() + head
