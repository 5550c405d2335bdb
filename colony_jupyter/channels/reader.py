"""Reading one channel to its end: when to subscribe again, what to ask for, when everything has come.

The machine is fed with what happens (``start`` ... ``tick``) and the time it happened; it answers with `effects` to be
carried out, and with `delivered` entries. It has no access to sockets. It implements docs/protocol.md section 5 and
handles traps 2, 6, 7, 23 and 24.

* The channel is subscribed to in *windows*: the first from the beginning of the log, each further one from one entry
  back. Its first frame is that entry and what is newer: it confirms that the window stands and that nothing was missed
  (`Inbox.judge`).
* Before a window ends the next one is opened beside it; the older is closed once the newer is confirmed.
* When nothing came for a while the log is read, since a dead link is as silent as an idle channel.
* When the process has closed, nothing announces the end of the channel: the stream ends once a window that stood before
  is quiet. If none stood, entries may be lost, and it breaks instead.
* Where WebSockets fail and calls get through, the log is *polled* (`Polling`). What was appended after the latest read
  is gone when the process closes: the stream ends if the latest entry is a plain ``end``, and breaks otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from colony_jupyter.channels.backoff import delays
from colony_jupyter.channels.effects import AskProcess, Close, Effect, Open, Policy, ReadLog, Refused, StreamState
from colony_jupyter.channels.inbox import Inbox, Verdict
from colony_jupyter.channels.polling import SHORTEST, Polling
from colony_jupyter.wire.models import END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colony_jupyter.wire.models import Entry


@dataclass
class _Window:
    known: int  # entries that were here when it was asked for
    sent: float | None = None  # when the request went out; None while connecting
    stands: bool = False


@dataclass(frozen=True)
class _Doubt:
    """Something that breaks the stream, unless it follows from the process having closed: that is being asked for."""

    reason: str
    refusal: Refused | None = None
    is_loss: bool = False  # whether the server has lost the log


class Reader:
    """The machine. One use: `start`, then inputs until `state.is_over`.

    Args:
        ends: returns whether an ``end`` entry is the end of the stream.
        random: for the jitter of retries and renewals.
        policy: the times.
        inbox: entries that an earlier reader has received; reading resumes behind them.
        survives_loss: whether it continues with the new log after the server has lost the log; otherwise it breaks.
        shortest_poll: gives the seconds that must be between two reads of a log that is polled.
        shortest_silence: gives the seconds without a frame before which the log is not read.
    """

    def __init__(
        self,
        *,
        ends: Callable[[Entry], bool],
        random: Callable[[], float],
        policy: Policy | None = None,
        inbox: Inbox | None = None,
        survives_loss: bool = False,
        shortest_poll: Callable[[], float] = lambda: SHORTEST,
        shortest_silence: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.state = StreamState.OPEN
        self.reason = ""  # why it is broken, as a clause
        self.refusal: Refused | None = None  # set when it is broken because the server refused
        self.resumes = 0
        self.losses = 0  # how often the log was lost and reading continued with the new one
        self.inbox = Inbox() if inbox is None else inbox
        self._survives_loss = survives_loss
        self._ends = ends
        self._random = random
        self._policy = policy or Policy()
        self._effects: list[Effect] = []
        self._delivered: list[Entry] = []
        self._windows: dict[int, _Window] = {}
        self._opened = 0  # windows so far, for their numbers
        self._log: ReadLog | None = None  # the log is being read
        self._is_torn = False  # whether entries were inserted into the log meanwhile
        self._log_at: float | None = None  # when it is to be read (again)
        self._open_at: float | None = None  # when the next window is to be opened
        self._heard = 0.0  # when something came the last time
        self._closed: float | None = None  # when the process was known to have closed
        self._doubt: _Doubt | None = None
        self._polling = Polling(shortest_poll)
        self._shortest_silence = shortest_silence
        self._is_at_end = False  # whether the latest entry is a plain end
        self._retries = delays(random)

    # outputs

    def effects(self) -> list[Effect]:
        """Return what is to be done, once."""
        effects, self._effects = self._effects, []
        return effects

    def delivered(self) -> list[Entry]:
        """Return the entries that are new, in order, once."""
        entries, self._delivered = self._delivered, []
        return entries

    @property
    def listens(self) -> bool:
        """Whether what is appended while the process is open will come."""
        return self._polling.is_on or any(window.sent is not None for window in self._windows.values())

    @property
    def polling(self) -> str:
        """Why the log is polled, as a clause; empty while it is not."""
        return self._polling.reason if self._polling.is_on else ""

    def deadline(self) -> float | None:
        """Return when `tick` is wanted next; None while only events matter."""
        if self.state.is_over:
            return None
        policy = self._policy
        times = [at for at in (self._log_at, self._open_at) if at is not None]
        for window in self._windows.values():
            if window.sent is not None:
                times.append(window.sent + policy.window + policy.overdue)
                if not window.stands:
                    times.append(window.sent + (policy.confirm if window.known else policy.assume))
        if self._closed is not None:
            times.append(self._quiet_at() if self._is_sound() else self._closed + policy.give_up)
        elif self._log is None and self._log_at is None and self._stands():
            times.append(self._log_due())
        return min(times, default=None)

    # inputs

    def start(self, now: float) -> None:
        """Begin: a first window, from the beginning of the log."""
        self._heard = now
        self._open()

    def opened(self, window: int, now: float) -> None:
        """A window's connection is there and its request went out."""
        if window in self._windows:
            self._windows[window].sent = now

    def frame(self, window: int, entries: Sequence[Entry], now: float) -> None:
        """A frame of a window came; an empty one ends the window."""
        current = self._windows.get(window)
        if current is None or self.state.is_over:
            return
        if not entries:
            self._window_ended(window)
            return
        if any(entry.error and not entry.payload for entry in entries):  # "subscriber disconnected: buffer full"
            self._drop(window)
            self._without_window(now)
            return
        self._heard = now
        if not current.stands:
            if self._judge(entries, current.known):
                return
            self._confirm(window, now)
        self._polling.works()
        self._accept(entries)

    def not_opened(self, window: int, reason: str, now: float, *, is_refused: bool, wait: float = 0.0) -> None:
        """A window's connection could not be made; see `Polling.not_opened`. A gateway may ask to wait (seconds)."""
        if self._windows.pop(window, None) is not None:
            if self._polling.not_opened(reason, is_refused=is_refused) and not self._windows and self._log is None:
                self._log_at = now + wait  # it shows whether calls get through
            self._without_window(now, wait)

    def lost(self, window: int, now: float) -> None:
        """A window's connection was cut."""
        if self._windows.pop(window, None) is not None:
            self._without_window(now)

    def refused(self, window: int, status: int, message: str, now: float) -> None:
        """The server answered a window's request with an error."""
        if self._windows.pop(window, None) is not None:
            self._refused(Refused(status, message), now)

    def log(self, request: ReadLog, entries: Sequence[Entry], now: float) -> None:
        """Apply the whole answer to a `ReadLog`."""
        if request is not self._log or self.state.is_over:
            return
        self._log = None
        if not self._judge(entries, request.known):
            if self._is_torn:
                self._read_log(known=0)
            before = len(self.inbox)
            if not self._windows:
                self._resumed()
            if not self._accept(entries):
                self._log_was_read(now, arrived=len(self.inbox) > before)
        elif self._is_polled_out():  # a cancelled process's channel comes back empty
            self._gone()

    def log_lost(self, request: ReadLog, now: float, wait: float = 0.0) -> None:
        """The log could not be read for now. A gateway may ask to wait (seconds)."""
        if request is self._log and not self.state.is_over:
            self._log = None
            self._polling.log_lost()
            if self._is_polled_out():
                self._gone()
                return
            self._log_at = now + max(next(self._retries), wait)
            if not self._windows:
                self._resuming()

    def log_refused(self, request: ReadLog, status: int, message: str, now: float) -> None:
        """The server did not let the log be read."""
        if request is self._log and not self.state.is_over:
            self._log = None
            self._refused(Refused(status, message), now)

    def process_open(self, now: float) -> None:
        """The process was asked for, and it has not closed."""
        doubt, self._doubt = self._doubt, None
        if doubt is None or self.state.is_over:
            return
        if doubt.is_loss and self._survives_loss:
            self._start_over(now)
        elif doubt.refusal is not None and self._windows:  # an older window stands: the refusal was of a moment
            self._open_at = now + next(self._retries)
        else:
            self._break(doubt.reason, doubt.refusal)

    def process_closed(self, now: float) -> None:
        """The process has closed, or is not known any more: its channels are gone."""
        if self._closed is None and not self.state.is_over:
            self._closed = now
            self._log_at = None
        if (self._doubt is not None and not self._windows) or self._is_polled_out():
            self._gone()

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self.state.is_over:
            return
        self._check_windows(now)
        if self._log_at is not None and now >= self._log_at:
            self._read_log()
        if self._open_at is not None and now >= self._open_at:
            self._open()
        if self._closed is None:
            if self._log is None and self._log_at is None and self._stands() and now >= self._log_due():
                self._heard = now
                self._read_log()
        elif not self._is_sound():
            if now >= self._closed + self._policy.give_up:
                self._gone()
        elif now >= self._quiet_at():
            self._over(StreamState.ENDED)

    def _check_windows(self, now: float) -> None:
        policy = self._policy
        for number, window in list(self._windows.items()):
            if window.sent is None or number not in self._windows:
                continue
            # Compared as `deadline` adds up, or rounding would make the two disagree.
            if not window.stands and not window.known and now >= window.sent + policy.assume:
                self._confirm(number, now)
            elif not window.stands and window.known and now >= window.sent + policy.confirm:
                # A dead link, or a log that has become shorter than what was read of it: reading shows it.
                self._polling.silent()
                self._drop(number)
                if self._log is None:
                    self._log_at = now
                self._without_window(now)
            elif now >= window.sent + policy.window + policy.overdue:
                self._drop(number)
                self._without_window(now)

    def _log_due(self) -> float:
        """Time at which the log is read if nothing arrives until then."""
        return self._heard + max(self._policy.silence, self._shortest_silence())

    def _stands(self) -> bool:
        return any(window.stands for window in self._windows.values())

    def _quiet_at(self) -> float:
        return max(self._heard, self._closed or 0.0) + self._policy.quiet

    def _is_sound(self) -> bool:
        """Whether a window stands, or would be known to stand but for its being the first on an empty channel."""
        return self._log is None and any(
            window.stands or (window.sent is not None and not window.known) for window in self._windows.values()
        )

    def _read_log(self, known: int | None = None) -> None:
        self._log_at, self._is_torn = None, False
        self._log = ReadLog(len(self.inbox) if known is None else known)
        self._effects.append(self._log)

    def _open(self) -> None:
        self._open_at = None
        self._opened += 1
        self._windows[self._opened] = _Window(known=len(self.inbox))
        self._effects.append(Open(self._opened, self.inbox.resume_at, self._policy.window))

    def _confirm(self, window: int, now: float) -> None:
        self._windows[window].stands = True
        for other in list(self._windows):
            if other < window:
                self._drop(other)
        self._retries = delays(self._random)
        self._open_at = now + self._policy.renew - self._policy.spread * (1.0 - self._random())
        if self._polling.is_on:
            self._polling.works()
            self._log_at = None
        self._resumed()

    def _window_ended(self, window: int) -> None:
        ended = self._windows[window]
        self._drop(window)
        if self._closed is not None and not self._windows:
            self._break("the subscription ended before everything had come, and the process has closed")
        elif not ended.stands and ended.known:
            # It ended without the entry that was there before: the log shows why.
            if self._log is None:
                self._read_log()
        elif not self._windows:
            self._open()

    def _without_window(self, now: float, wait: float = 0.0) -> None:
        """A window went otherwise than by its own end."""
        if self._is_polled_out():
            self._gone()
        elif self._polling.is_on:
            self._open_at = now + self._polling.retry()
        else:
            if not self._stands():
                self._resuming()
            if self._log is None and self._log_at is None:
                self._open_at = now + max(next(self._retries), wait)

    def _resuming(self) -> None:
        if self.state is StreamState.OPEN:
            self.state = StreamState.RESUMING

    def _resumed(self) -> None:
        if self.state is StreamState.RESUMING:
            self.state = StreamState.OPEN
            self.resumes += 1

    def _log_was_read(self, now: float, *, arrived: bool) -> None:
        self._heard = now
        if not self._windows and self._polling.log_read():
            self._open_at = now + self._polling.retry()
        if self._is_polled_out():
            self._gone()
        elif self._polling.is_on:
            self._retries = delays(self._random)
            if self._log is None and self._closed is None:
                self._log_at = now + self._polling.pause(arrived=arrived)
        elif not self._windows:
            self._open()
        elif arrived or (self._open_at is None and all(window.stands for window in self._windows.values())):
            # The log had what no window brought: the links may be dead. Or the next window was lost while it was read.
            self._open_at = now

    def _is_polled_out(self) -> bool:
        """Whether the process has closed while its log was polled, so that nothing more can be read."""
        return self._polling.is_on and self._closed is not None and self._log is None and not self._windows

    def _refused(self, refusal: Refused, now: float) -> None:
        if refusal.status == HTTPStatus.FORBIDDEN:
            self._break("", refusal)
        elif refusal.status != HTTPStatus.NOT_FOUND:
            self._without_window(now)
        elif self._closed is None:
            self._ask(_Doubt("", refusal))
        elif not self._windows:
            self._gone()

    def _judge(self, tail: Sequence[Entry], known: int) -> bool:
        """Process a tail of the log; return whether it is of no use."""
        verdict = self.inbox.judge(tail, known)
        if verdict is Verdict.REPLACED:
            # A cancelled process's channels come back empty when they are asked for, all others do not.
            self._ask(_Doubt("the server lost the channel's log, as it does when it is restarted", is_loss=True))
            return True
        if verdict is Verdict.INSERTED:
            self._is_torn = True
            if self._log is None:
                self._read_log(known=0)
        return False

    def _start_over(self, now: float) -> None:
        """Continue with the log that has replaced the lost one, from its beginning."""
        self.losses += 1
        self.inbox = Inbox(repeats=self.inbox.repeats)
        self._log, self._log_at, self._is_at_end = None, None, False
        for window in list(self._windows):
            self._drop(window)
        if self._polling.is_on:
            self._log_at = now
        else:
            self._resuming()
            self._open()

    def _ask(self, doubt: _Doubt) -> None:
        if self._closed is None:
            self._doubt = doubt
            self._effects.append(AskProcess())

    def _accept(self, entries: Sequence[Entry]) -> bool:
        """Deliver what is new; returns whether that was the end."""
        new = self.inbox.add(entries)
        last = next((at for at, entry in enumerate(new, 1) if entry.type == END and self._ends(entry)), None)
        self._delivered += new[:last]
        if last is not None:
            self._over(StreamState.ENDED)
        elif new:
            self._is_at_end = new[-1].is_end and not new[-1].inreplyto
        return last is not None

    def _gone(self) -> None:
        if not self._polling.is_on:
            self._break("the process ended while the connection to its channel was down, and its entries went with it")
        elif self._is_at_end:
            self._over(StreamState.ENDED)
        else:
            self._break(f"{self._polling.reason}, so that the log was polled, and the process ended between two reads")

    def _break(self, reason: str, refusal: Refused | None = None) -> None:
        self.reason = reason
        self.refusal = refusal
        self._over(StreamState.BROKEN)

    def _over(self, state: StreamState) -> None:
        self.state = state
        self._log = self._log_at = self._open_at = None
        for window in list(self._windows):
            self._drop(window)

    def _drop(self, window: int) -> None:
        del self._windows[window]
        self._effects.append(Close(window))
