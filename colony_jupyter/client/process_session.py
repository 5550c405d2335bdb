"""Everything that the handles of one client to one process share."""

from __future__ import annotations

import asyncio
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from colony_jupyter.channels.outbox import AppendLimiter
from colony_jupyter.client.process_watcher import Followed, ProcessWatcher
from colony_jupyter.client.streams.acknowledgement import ACK, Readers
from colony_jupyter.client.streams.request_reply import RequestReply
from colony_jupyter.client.streams.subscription import Subscription
from colony_jupyter.client.writer import ChannelWriter
from colony_jupyter.errors import ProcessRemoved
from colony_jupyter.wire.models import SYNC

if TYPE_CHECKING:
    from colony_jupyter.channels.inbox import Inbox
    from colony_jupyter.client.connection import Connection
    from colony_jupyter.wire.models import ProcessRecord


class ProcessSession:
    """One process of one client: its watcher and readers, and the one writer and the questions of each channel.

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
        self.continues = False
        """Whether entries that this client's key has written before are expected."""
        self.writers: dict[str, ChannelWriter] = {}
        self._request_replies: dict[str, RequestReply] = {}
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self.connection = connection
        self._limiter = AppendLimiter(time.monotonic())

    def learn(self, record: ProcessRecord, *, asked: float | None = None, fresh: bool = False) -> None:
        """Accept the process as a reply shows it; see `ProcessWatcher.learn`."""
        self.fresh = self.fresh or fresh
        self.watch.learn(record, asked)

    async def refresh(self) -> ProcessRecord:
        """Ask the server for the process now.

        Raises:
            ProcessRemoved: if it is not known any more.
        """
        await self.watch.refresh()
        if self.watch.removed or self.watch.record is None:
            raise ProcessRemoved(self.processid)
        return self.watch.record

    def subscription(self, channel: str, **options: Any) -> Subscription:
        """Return a new reading of a channel; the options are those of `Subscription`."""
        subscription = Subscription(self.connection, self.watch, channel, **options)
        self._subscriptions.add(subscription)
        return subscription

    def writer(self, channel: str) -> ChannelWriter:
        """Return the one writer of a channel."""
        writer = self.writers.get(channel)
        if writer is None:
            record = self.watch.record
            writer = self.writers[channel] = ChannelWriter(
                self.connection,
                self.watch,
                channel,
                initiator=record is None or record.initiatorid == self.connection.key.id,
                fresh=self.fresh,
                limiter=self._limiter,
                keep=self,
                continues=self.continues,
            )
        return writer

    def request_reply(self, channel: str) -> RequestReply:
        """Return what sends the questions of a channel and matches their answers."""
        request_reply = self._request_replies.get(channel)
        if request_reply is None:
            request_reply = self._request_replies[channel] = RequestReply(
                self.processid,
                channel,
                self.connection.key.id,
                send=self.writer(channel).send,
                reading=partial(self._reading, channel),
            )
        return request_reply

    async def aclose(self) -> None:
        """Close subscriptions, writers and questions, and wake what waits for the process."""
        subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.client_closed()
        self.watch.wake()
        await asyncio.gather(*(subscription.aclose() for subscription in subscriptions))
        for request_reply in list(self._request_replies.values()):
            await request_reply.aclose()
        for writer in list(self.writers.values()):
            await writer.aclose()

    def _reading(self, channel: str, inbox: Inbox | None) -> tuple[Subscription, bool]:
        """Return a reading of a channel that runs, or else a new one, and whether it is new."""
        readings = [each for each in self._subscriptions if each.channel == channel]
        for reading in readings:
            if reading.is_running:
                return reading, False
        # A reading that is over has received more than the inbox, if it was used in the meantime.
        inboxes = [each.inbox for each in readings if each.is_over]
        inbox = max((*inboxes, *([] if inbox is None else [inbox])), key=len, default=None)
        return self.subscription(channel, to_end=False, survives_loss=True, inbox=inbox), True

    async def _acknowledge(self) -> None:
        record = self.watch.record
        if record is None or SYNC not in record.spec.channels or record.initiatorid != self.connection.key.id:
            return
        await self.writer(SYNC).send(ACK)
        self.watch.expect_end()
