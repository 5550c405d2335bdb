"""What all handles of a client to one process have in common, for as long as there is one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from colony_jupyter.channels.outbox import Bucket
from colony_jupyter.client.process_watcher import ProcessWatch
from colony_jupyter.client.request_reply import Asker
from colony_jupyter.client.writer import ChannelWriter

if TYPE_CHECKING:
    from colony_jupyter.client.colony import AsyncColony


@dataclass
class Readers:
    """Which channels of a process are read here, and which of those have ended and been handed over."""

    opened: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    acknowledged: bool = False


class Shared:
    """One process to one client: its watch, the one writer of each channel, who reads and who asks.

    Args:
        colony: the client.
        processid: the process.
    """

    def __init__(self, colony: AsyncColony, processid: str) -> None:
        self.watch = ProcessWatch(
            processid, endpoint=colony.endpoint, key=colony.key, look=lambda: colony.look(processid)
        )
        self.readers = Readers()
        self.fresh = False  # whether nothing can have been written with this client's key before it had the process
        self.writers: dict[str, ChannelWriter] = {}
        self._askers: dict[str, Asker] = {}
        self._colony = colony
        self._processid = processid
        self._bucket = Bucket(time.monotonic())

    def writer(self, channel: str) -> ChannelWriter:
        """Give the one writer of a channel."""
        writer = self.writers.get(channel)
        if writer is None:
            record = self.watch.record
            writer = self.writers[channel] = ChannelWriter(
                self._colony,
                self._processid,
                channel,
                initiator=record is None or record.initiatorid == self._colony.key.id,
                fresh=self.fresh,
                bucket=self._bucket,
                # Text may wait in it after the last handle has gone: with the writer all that it shares stays.
                keep=self,
            )
        return writer

    def asker(self, channel: str) -> Asker:
        """Give the one who asks on a channel."""
        asker = self._askers.get(channel)
        if asker is None:
            asker = self._askers[channel] = Asker(self._colony.handle(self._processid).channel(channel))
        return asker
