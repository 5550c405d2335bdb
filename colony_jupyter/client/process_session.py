"""Everything that the handles of one client to one process share."""

from __future__ import annotations

import asyncio
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from colony_jupyter.channels.outbox import Bucket
from colony_jupyter.client.acknowledgement import ACK, Readers
from colony_jupyter.client.process_watcher import Followed, ProcessWatcher
from colony_jupyter.client.request_reply import Asker
from colony_jupyter.client.stream import AsyncStream
from colony_jupyter.client.subscription import Subscription
from colony_jupyter.client.writer import ChannelWriter
from colony_jupyter.wire.models import SYNC

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.channels.inbox import Inbox
    from colony_jupyter.client.connection import Connection
    from colony_jupyter.wire.models import ProcessRecord


class ProcessSession:
    """One process of one client: its watcher, readers and askers, and the one writer of each channel.

    It exists as long as one of its handles, or as text waits in one of its writers.

    Args:
        connection: the client.
        processid: the process.
        followed: the processes that the client follows.
    """

    def __init__(self, connection: Connection, processid: str, followed: Followed) -> None:
        self.scope = connection.scope
        self.processid = processid
        self.watch = ProcessWatcher(connection, processid, followed)
        self.readers = Readers(self._acknowledge)
        self.fresh = False
        """Whether nothing can have been written with this client's key before it had the process."""
        self.writers: dict[str, ChannelWriter] = {}
        self._askers: dict[str, Asker] = {}
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._connection = connection
        self._bucket = Bucket(time.monotonic())

    def learn(self, record: ProcessRecord, *, asked: float | None = None, fresh: bool = False) -> None:
        """Accept the process as a reply shows it; see `ProcessWatcher.learn`."""
        self.fresh = self.fresh or fresh
        self.watch.learn(record, asked)

    def subscription(self, channel: str, **options: Any) -> Subscription:
        """Return a new reading of a channel; the options are those of `Subscription`."""
        subscription = Subscription(self._connection, self.watch, channel, **options)
        self._subscriptions.add(subscription)
        return subscription

    def writer(self, channel: str) -> ChannelWriter:
        """Return the one writer of a channel."""
        writer = self.writers.get(channel)
        if writer is None:
            record = self.watch.record
            writer = self.writers[channel] = ChannelWriter(
                self._connection,
                self.watch,
                channel,
                initiator=record is None or record.initiatorid == self._connection.key.id,
                fresh=self.fresh,
                bucket=self._bucket,
                keep=self,
            )
        return writer

    def asker(self, channel: str) -> Asker:
        """Return the one asker of a channel."""
        asker = self._askers.get(channel)
        if asker is None:
            asker = self._askers[channel] = Asker(
                self.processid,
                channel,
                self._connection.key.id,
                send=self.writer(channel).send,
                open_stream=partial(self._open_stream, channel),
            )
        return asker

    async def aclose(self) -> None:
        """Close the subscriptions, writers and askers, and wake what waits for the process."""
        subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.client_closed()
        self.watch.wake()
        await asyncio.gather(*(subscription.aclose() for subscription in subscriptions))
        for asker in list(self._askers.values()):
            await asker.aclose()
        for writer in list(self.writers.values()):
            await writer.aclose()

    def _open_stream(
        self, channel: str, inbox: Inbox | None, on_loss: Callable[[int], None]
    ) -> tuple[Subscription, AsyncStream]:
        reading = self.subscription(channel, to_end=False, survives_loss=True, inbox=inbox)
        return reading, AsyncStream(reading, errors="yield", everything=True, on_loss=on_loss)

    async def _acknowledge(self) -> None:
        record = self.watch.record
        if record is None or SYNC not in record.spec.channels or record.initiatorid != self._connection.key.id:
            return
        await self.writer(SYNC).send(ACK)
        self.watch.expect_end()
