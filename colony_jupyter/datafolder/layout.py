"""The names of the files in a data folder, and writing them so that only the user can read them."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


@dataclass(frozen=True)
class Layout:
    """Paths of the files in the data folder at ``path``."""

    path: Path

    @property
    def keys(self) -> Path:
        """The private keys."""
        return self.path / "keys.json"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the colony."""
        return self.path / "lock"

    @property
    def info(self) -> Path:
        """Where that process listens."""
        return self.path / "running.json"

    @property
    def log(self) -> Path:
        """The standard error of a process that was started for a notebook."""
        return self.path / "server.log"

    @property
    def environment(self) -> Path:
        """ColonyOS's variables as a shell reads them."""
        return self.path / "colonies.env"

    @property
    def tls(self) -> Path:
        """The folder of the certificate."""
        return self.path / "tls"


def user_folder() -> Path:
    """Return the data folder of this user, without creating it.

    Raises:
        EmbeddedError: if the user has no home folder.
    """
    import platformdirs  # noqa: PLC0415 - not needed where a folder is named

    try:
        folder = platformdirs.user_data_path("colony_jupyter", appauthor=False)
    except (RuntimeError, KeyError):
        folder = None
    # Where the home folder is unknown the path still begins with a tilde: it would be created in the working folder.
    if folder is None or not folder.is_absolute():
        raise EmbeddedError(
            "This user has no home folder: HOME is not set, and the user's number has no entry in the list of users. "
            "Set HOME or XDG_DATA_HOME to a folder that can be written to, or name one with --data."
        )
    return folder


def prepare(path: Path) -> Layout:
    """Make the data folder, unless it is there, and deny other users access to it.

    A folder that already holds other things than ours keeps its mode; our files in it are private by their own.

    Raises:
        EmbeddedError: if it cannot be made or written to.
    """
    layout = Layout(path.absolute())
    try:
        layout.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        if layout.path.stat().st_mode & 0o077 and _is_ours(layout):
            layout.path.chmod(PRIVATE_FOLDER)
    except FileExistsError:
        raise EmbeddedError(f"The data folder {layout.path} is a file: name a folder.") from None
    except OSError as error:
        raise EmbeddedError(
            f"The data folder {layout.path} cannot be used: {error.strerror or error}. Name another one with --data, "
            "or with XDG_DATA_HOME for notebooks."
        ) from None
    if not os.access(layout.path, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"The data folder {layout.path} cannot be written to: name another one.")
    return layout


def _is_ours(layout: Layout) -> bool:
    # With real servers only, the folder has keys of executors and nothing else.
    return layout.keys.exists() or {entry.name for entry in layout.path.iterdir()} <= {"executors"}


def write_private(path: Path, text: str, *, replace: bool = True) -> bool:
    """Write a whole file, readable by the user only, so that no reader ever sees half of it.

    Args:
        path: the file.
        text: its content.
        replace: whether a file that is there already is replaced; otherwise it is left as it is.

    Returns:
        Whether ``text`` is what the file now holds.

    Raises:
        OSError: if it cannot be written, for instance on a full disk.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
            return True
        try:
            os.link(fresh, path)  # unlike a rename this fails if another process was faster
        except FileExistsError:
            return False
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
