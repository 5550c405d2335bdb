"""Private keys, ids and signatures (docs/protocol.md section 1).

libsecp256k1 does the arithmetic, through wallycore: it is the one binding with wheels for every current Python.
"""

from __future__ import annotations

import atexit
import hashlib
import warnings
from typing import TYPE_CHECKING, Final, NoReturn

from colony_jupyter.errors import InvalidKey

# SWIG's own types bring warnings along, one of them made as late as the interpreter's end. Where warnings are errors
# SWIG does not see that making a type failed, and the interpreter crashes.
_SWIG_WARNING: Final = ("ignore", "builtin type .* has no __module__ attribute", DeprecationWarning)
atexit.register(warnings.filterwarnings, *_SWIG_WARNING)
with warnings.catch_warnings():
    warnings.filterwarnings(*_SWIG_WARNING)
    import wallycore

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY_BYTES: Final = 32
_SIGNATURE_DIGITS: Final = 130
_RECOVERABLE: Final = wallycore.EC_FLAG_ECDSA | wallycore.EC_FLAG_RECOVERABLE
# Bitcoin's compact form has a header in front (31 and up: compressed key), ColonyOS the bare recovery id at the end.
_COMPACT_HEADER: Final = 31
_RECOVERY_IDS: Final = 4
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class SignatureRefused(ValueError):
    """A signature no server accepts; ``str()`` is the text of the 403 (docs/protocol.md section 1)."""


class PrivateKey:
    """A private key that cannot be printed, pickled or copied by accident.

    Args:
        text: 64 hex digits, a number in 1 .. n-1 of secp256k1; letter case does not matter.

    Raises:
        InvalidKey: for anything else. The text is not repeated in the message.
    """

    __slots__ = ("_secret", "id", "public_key")

    id: str
    """SHA3-256 of the text of the public key, 64 lower-case hex digits: the identity of the holder to a server."""

    public_key: str
    """The uncompressed point as 130 lower-case hex digits."""

    def __init__(self, text: str) -> None:
        raw = _key_bytes(text.strip())
        if raw is None:
            raise InvalidKey(
                "That is not a private key: 64 hex digits (32 bytes) are needed, as ColonyOS's own tools write them."
            )
        self._secret = _hidden(raw)
        compressed = wallycore.ec_public_key_from_private_key(raw)
        self.public_key = bytes(wallycore.ec_public_key_decompress(compressed)).hex()
        self.id = sha3_hex(self.public_key)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> PrivateKey:
        """Make a fresh key from a source of randomness such as ``secrets.token_bytes``."""
        while True:
            candidate = random_bytes(_KEY_BYTES)
            try:
                return cls(candidate.hex())
            except InvalidKey:  # 0, n or above: about one in 2**128
                continue

    def sign(self, payload: str) -> str:
        """Sign the base64 text of an envelope's payload; 130 hex digits: r, s, recovery id."""
        hashed = _sha3(payload)  # raises for what is no text, in a frame without the key
        compact = bytes(wallycore.ec_sig_from_bytes(self._secret(), hashed, _RECOVERABLE))
        return compact[1:].hex() + f"{compact[0] - _COMPACT_HEADER:02x}"

    def reveal(self) -> str:
        """Return the 64 hex digits, for the one place that stores keys: a file of mode 0600."""
        return self._secret().hex()

    def __repr__(self) -> str:
        return f"<PrivateKey of {self.id[:8]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key is not pickled: that would store it.")


def _key_bytes(text: str) -> bytes | None:
    """Read the bytes of a key; None if the text is no key.

    It does not raise: the text may be a real key with a typing error, and tracebacks show what they chain.
    """
    try:
        raw = bytes.fromhex(text)
        wallycore.ec_private_key_verify(raw)
    except ValueError:
        return None
    return raw if len(text) == 2 * _KEY_BYTES else None  # fromhex skips blanks


def _hidden(raw: bytes) -> Callable[[], bytes]:
    """Return a function that returns the bytes: a verbose traceback shows values of attributes, and calls nothing."""
    return lambda: raw


def recover(payload: str, signature: str) -> str:
    """Return the id of the signer of a payload text.

    A wrong signature of the right shape is the right one of another key, so most wrong signatures do not raise.

    Raises:
        SignatureRefused: if it has not the right shape or no key can have made it.
    """
    if len(signature) % 2:
        raise SignatureRefused("encoding/hex: odd length hex string")
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        raise SignatureRefused("encoding/hex: invalid byte") from None
    # fromhex skips blanks, so the digits are counted too.
    if len(signature) != _SIGNATURE_DIGITS or len(raw) * 2 != _SIGNATURE_DIGITS:
        raise SignatureRefused("Invalid signature length")
    # v and v+4 mean the same: 4 is the library's flag for a compressed key.
    recovery_id = raw[-1] if raw[-1] < _RECOVERY_IDS else raw[-1] - _RECOVERY_IDS
    if not 0 <= recovery_id < _RECOVERY_IDS:
        raise SignatureRefused("Failed to recover public key: invalid signature: recovery id out of range")
    if int.from_bytes(raw[32:64], "big") > _HALF_ORDER:
        raise SignatureRefused("Failed verify signature: Signature s value is over half the order")
    try:
        compressed = wallycore.ec_sig_to_public_key(_sha3(payload), bytes([_COMPACT_HEADER + recovery_id]) + raw[:64])
    except ValueError:
        raise SignatureRefused("Failed to recover public key: invalid signature") from None
    return sha3_hex(bytes(wallycore.ec_public_key_decompress(compressed)).hex())


def sha3_hex(text: str) -> str:
    """Return the SHA3-256 of a text in UTF-8, as hex digits; of a public key it is the id of its holder."""
    return _sha3(text).hex()


def _sha3(text: str) -> bytes:
    return hashlib.sha3_256(text.encode("utf-8", "surrogatepass")).digest()
