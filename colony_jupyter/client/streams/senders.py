"""Who wrote an entry: the reader itself, the other party, or an executor that the process was taken from (trap 22)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from colony_jupyter.errors import ColonyError

if TYPE_CHECKING:
    from colony_jupyter.client.process_watcher import ProcessWatcher
    from colony_jupyter.wire.models import Entry


class Senders:
    """The roles of the senders of a channel, by what is known of its process.

    Args:
        me: id of the reader.
        watcher: the watcher of the process.
    """

    def __init__(self, me: str, watcher: ProcessWatcher) -> None:
        self._me = me
        self._watcher = watcher
        self._examined: set[tuple[str, str]] = set()  # unknown senders, each with the executor known at that time

    def is_mine(self, entry: Entry) -> bool:
        """Whether the reader wrote an entry itself."""
        return entry.senderid == self._me

    def is_former(self, entry: Entry) -> bool:
        """Whether an entry is by an executor that the process was taken from."""
        record = self._watcher.record
        if record is None or entry.senderid == self._me:
            return False
        return entry.senderid not in (record.initiatorid, record.assignedexecutorid) and bool(record.assignedexecutorid)

    def is_other(self, entry: Entry) -> bool:
        """Whether an entry is by the other party."""
        return entry.senderid != self._me and not self.is_former(entry)

    def is_known(self, entry: Entry) -> bool:
        """Whether the role of the sender is known, or asking the server again would not change that."""
        sender, record = entry.senderid, self._watcher.record
        if sender == self._me:
            return True
        if record is not None and sender in (record.assignedexecutorid, record.initiatorid):
            return True
        return self._watcher.is_over or self._key(entry) in self._examined

    async def identify(self, entry: Entry) -> None:
        """Ask the server for the process, so that its executor can be distinguished from a former one."""
        sender = self._key(entry)
        with contextlib.suppress(ColonyError):
            await self._watcher.refresh()
        self._examined.add(sender)

    def _key(self, entry: Entry) -> tuple[str, str]:
        record = self._watcher.record
        return (entry.senderid, "" if record is None else record.assignedexecutorid)


def former(entry: Entry) -> Entry:
    """Return an entry marked as one of an executor that the process was taken from."""
    return msgspec.structs.replace(entry, former=True)
