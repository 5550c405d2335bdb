"""Name and private key of an executor, both stored across restarts (docs/protocol.md traps 13, 18, 19).

The key lies in a file of mode 0600 whose name contains the id of its executor. A lock beside it is held while the
executor runs, since two copies with one name would throw each other out of the colony.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from colony_jupyter.datafolder.layout import PRIVATE_FILE, PRIVATE_FOLDER, user_folder, write_private
from colony_jupyter.datafolder.lock import Lock
from colony_jupyter.errors import ExecutorError, InvalidKey
from colony_jupyter.wire.identity import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ID_DIGITS: Final = 6
_LONGEST_HOST: Final = 32
_LONGEST_FILE: Final = 200
_ATTEMPTS: Final = 2


@dataclass(frozen=True)
class Identity:
    """An executor's name and key, and the lock by which they are ours.

    Attributes:
        executorname: its name in the colony.
        key: its private key.
        is_chosen: whether the user chose the name; a name of ours holds digits of the id, so no other executor has it.
        lock: held until `release`.
    """

    executorname: str
    key: PrivateKey
    is_chosen: bool
    lock: Lock

    def release(self) -> None:
        """Release the lock, so that another process can be this executor."""
        self.lock.release()


def default_folder() -> Path:
    """Return the folder of the user's executors' keys."""
    return user_folder() / "executors"


def origin(environ: Mapping[str, str] | None = None, argv: Sequence[str] | None = None, cwd: str | None = None) -> str:
    """Return where an executor is run from, the same each time the same notebook or program is.

    Args:
        environ: environment variables; a Jupyter server names the notebook there.
        argv: the program's arguments, of which the first names it.
        cwd: the working folder.
    """
    environ = os.environ if environ is None else environ
    argv = sys.argv if argv is None else argv
    return "\n".join((environ.get("JPY_SESSION_NAME", ""), cwd or str(Path.cwd()), argv[0] if argv else ""))


def claim(
    executortype: str,
    name: str | None = None,
    *,
    folder: Path | None = None,
    origin: str = "",
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Identity:
    """Claim the identity of an executor: find its key or make one, and acquire its lock.

    Args:
        executortype: its type.
        name: its name; by default one made of type, machine and id, another one for each copy that runs at a time.
        folder: where the keys are; the user's own folder by default.
        origin: what distinguishes executors without a name, see `origin`.
        random_bytes: source of randomness for a new key.

    Raises:
        ExecutorError: if another process of this machine is that executor now, or its key cannot be used.
    """
    folder = folder or default_folder()
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        if name is not None:
            lock = Lock(folder / f"{_file_name(name)}.lock")
            if not lock.acquire(attempts=_ATTEMPTS):
                raise ExecutorError(
                    f"Executor '{name}' runs already in another process on this machine. Stop it there, or choose "
                    "another name: two copies with one name would throw each other out of the colony."
                )
            return Identity(name, _key(folder, _file_name(name), lock, random_bytes), is_chosen=True, lock=lock)
        digest = hashlib.sha256(f"{executortype}\n{origin}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        for copy in itertools.count(1):
            file = f"{_file_name(executortype)}@{digest}-{copy}"
            lock = Lock(folder / f"{file}.lock")
            if lock.acquire(attempts=_ATTEMPTS):
                break
        key = _key(folder, file, lock, random_bytes)
    except OSError as error:
        raise ExecutorError(
            f"The keys of executors in {folder} cannot be used: {error.strerror or error}. Name another place with "
            "XDG_DATA_HOME."
        ) from None
    return Identity(f"{executortype}-{_host()}-{key.id[:_ID_DIGITS]}", key, is_chosen=False, lock=lock)


def _file_name(name: str) -> str:
    quoted = quote(name, safe=" ")
    if len(quoted) > _LONGEST_FILE:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{quoted[: _LONGEST_FILE - len(digest)]}{digest}"
    return quoted


def _host() -> str:
    host = re.sub(r"[^A-Za-z0-9-]+", "-", platform.node().partition(".")[0]).strip("-").lower()
    return host[:_LONGEST_HOST] or "host"


def _key(folder: Path, file: str, lock: Lock, random_bytes: Callable[[int], bytes]) -> PrivateKey:
    path = folder / f"{file}.key"
    try:
        if not path.exists():
            write_private(path, PrivateKey.generate(random_bytes).reveal() + "\n", replace=False)
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE_FILE)
        return PrivateKey(path.read_text("ascii", "replace"))
    except InvalidKey:
        lock.release()
        # `from None`: what could not be read may be most of a key.
        raise ExecutorError(
            f"The executor's key in {path} cannot be read: bring it back from a copy, or remove the file to become a "
            "new executor."
        ) from None
    except BaseException:
        lock.release()
        raise
