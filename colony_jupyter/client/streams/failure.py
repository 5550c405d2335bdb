"""The errors of streams, in words that fit what became of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.channels.effects import Refused
from colony_jupyter.client.transport.http import refusal_error
from colony_jupyter.errors import ChannelNotFound, StreamBroken
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.client.process_watcher import ProcessWatcher
    from colony_jupyter.errors import ColonyError
    from colony_jupyter.wire.models import ProcessRecord


def stream_failure(
    watcher: ProcessWatcher, channel: str, received: int, *, reason: str, refusal: Refused | None = None
) -> ColonyError:
    """Return the error for a stream that is broken.

    Args:
        watcher: the process, as it is known.
        channel: the channel's name.
        received: number of entries that were received.
        reason: what happened, as a clause.
        refusal: the server's refusal, where that is the reason.
    """
    record = watcher.record
    if refusal is None and received == 0 and watcher.is_over:
        refusal = Refused(404, "Channel not found")
    if refusal is None:
        if record is not None and record.state is ProcessState.CANCELLED:
            reason += " (it was cancelled)"
        return StreamBroken(
            watcher.processid,
            channel,
            received,
            reason,
            ended=watcher.is_over,
            errors=process_errors(record),
            avoidable=record is not None and record.state is ProcessState.SUCCESS,
        )
    error = refusal_error(refusal.status, refusal.message, "")
    if not isinstance(error, ChannelNotFound):
        return error
    return ChannelNotFound(
        refusal.status,
        refusal.message,
        processid=watcher.processid,
        channel=channel,
        declared=None if record is None else record.spec.channels,
        closed=watcher.is_over,
        errors=process_errors(record),
    )


def process_errors(record: ProcessRecord | None) -> Sequence[str]:
    """Return the errors of a process, if it has failed."""
    return () if record is None or record.state is not ProcessState.FAILED else record.errors or ()
