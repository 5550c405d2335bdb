"""What a view is fed: one struct for each kind of change (pure).

`colony_jupyter.notebook.views.base.View.feed` receives them from any thread and
`colony_jupyter.notebook.model.pane_model.PaneModel.feed` applies them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from colony_jupyter.wire.models import Entry, Log, ProcessRecord, Workflow

Connection = Literal["open", "polling", "resuming", "ended", "broken"]
"""State of the link to the server; ``ended`` is the ordinary end of all streams."""


class ProcessChange(msgspec.Struct, frozen=True):
    """The process has changed.

    Attributes:
        record: the process as it is now.
        executorname: name of the executor it is assigned to; empty when that is not known.
        waiting_for: while it waits, for what, as a clause: ``waiting for an executor of type 'cli'``.
    """

    record: ProcessRecord
    executorname: str = ""
    waiting_for: str = ""


class NewEntries(msgspec.Struct, frozen=True):
    """Entries have been added to a channel.

    Attributes:
        channel: name of the channel.
        entries: the new ones, in their order.
        senders: names of senders by their ids; one that is missing is shown by the start of its id.
        me: id of the person at the notebook; empty when none is there.
    """

    channel: str
    entries: Sequence[Entry]
    senders: Mapping[str, str] = {}
    me: str = ""


class NewLogLines(msgspec.Struct, frozen=True):
    """Lines have been added to the process log.

    Attributes:
        lines: the new ones, in their order.
    """

    lines: Sequence[Log]


class WorkflowChange(msgspec.Struct, frozen=True):
    """The workflow has changed.

    Attributes:
        record: the workflow as it is now.
        members: its processes, each after those it depends on.
        executors: names of executors by their ids.
        waiting_for: while it waits, for what, as a clause.
    """

    record: Workflow
    members: Sequence[ProcessRecord]
    executors: Mapping[str, str]
    waiting_for: str = ""


class MemberPane(msgspec.Struct, frozen=True):
    """A member of the workflow is shown in a pane of its own.

    Attributes:
        processid: the member; empty when none is shown any more.
        widget: id of the widget of its pane.
    """

    processid: str = ""
    widget: str = ""


class ConnectionChange(msgspec.Struct, frozen=True):
    """The link to the server is in another state.

    Attributes:
        state: the state.
        detail: text for it; may be empty.
    """

    state: Connection
    detail: str = ""


class ReadChannels(msgspec.Struct, frozen=True):
    """Only entries of some channels are shown; the others have no counts.

    Attributes:
        channels: their names.
    """

    channels: Sequence[str]


class PlotChoice(msgspec.Struct, frozen=True):
    """The numbers of one channel are plotted alone.

    Attributes:
        channel: name of the channel.
        x: the axis: a key, or one of the names in `colony_jupyter.notebook.model.series`; empty for the default.
        keys: the lines to draw; empty for the default.
    """

    channel: str
    x: str = ""
    keys: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True):
    """A remark of ours is to be shown."""

    text: str


class Fault(msgspec.Struct, frozen=True):
    """An error of ours, of a callback or of the connection is to be shown."""

    text: str


class TextRefused(msgspec.Struct, frozen=True):
    """A typed text could not be sent: the reason is to be shown, and the text is to be had again where it was typed.

    Attributes:
        channel: name of the channel.
        text: what was typed.
        reason: why it was not sent.
    """

    channel: str
    text: str
    reason: str


class WriteAccess(msgspec.Struct, frozen=True):
    """Whether the person at the notebook may write on the channels: only a party of the process may."""

    allowed: bool


class ReplyDue(msgspec.Struct, frozen=True):
    """Whether a reply is awaited, where the entries alone do not show it."""

    due: bool


class Finished(msgspec.Struct, frozen=True):
    """No more input is accepted."""


Change = (
    ProcessChange
    | NewEntries
    | NewLogLines
    | WorkflowChange
    | MemberPane
    | ConnectionChange
    | ReadChannels
    | PlotChoice
    | Note
    | Fault
    | TextRefused
    | WriteAccess
    | ReplyDue
    | Finished
)
