"""The roles of senders, by what is known of the process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from colony_jupyter.client.streams.senders import Senders
from colony_jupyter.errors import ServerUnreachable
from colony_jupyter.wire.models import Entry, ProcessRecord

ME, EXECUTOR, OTHER = "me", "executor", "other"


def entry(sender):
    return Entry(sequence=1, senderid=sender)


class Watcher(SimpleNamespace):
    """What is known of a process, and what the server answers next."""

    async def refresh(self):
        self.refreshed += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        self.record = self.answer


def senders(record, answer=None, *, is_over=False):
    watcher = Watcher(record=record, answer=answer, is_over=is_over, refreshed=0)
    return Senders(ME, watcher), watcher


def running_on(executor):
    return ProcessRecord(processid="p", initiatorid=ME, assignedexecutorid=executor)


@pytest.mark.parametrize(
    ("record", "sender", "role"),
    [
        (running_on(EXECUTOR), ME, "mine"),
        (running_on(EXECUTOR), EXECUTOR, "other"),
        (running_on(EXECUTOR), OTHER, "former"),
        (running_on(""), OTHER, "other"),  # it waits again: nothing distinguishes the two
        (None, OTHER, "other"),
    ],
)
def test_an_entry_is_mine_of_the_other_party_or_of_a_former_executor(record, sender, role):
    found, _ = senders(record)
    given = entry(sender)
    roles = {"mine": found.is_mine(given), "other": found.is_other(given), "former": found.is_former(given)}
    assert [name for name, holds in roles.items() if holds] == [role]


async def test_an_unknown_sender_is_asked_for_once_for_each_executor_of_the_process():
    found, watcher = senders(running_on(EXECUTOR), running_on(EXECUTOR))
    assert found.is_known(entry(ME))
    assert found.is_known(entry(EXECUTOR))
    assert not found.is_known(entry(OTHER))
    await found.identify(entry(OTHER))
    assert watcher.refreshed == 1
    assert found.is_known(entry(OTHER))
    watcher.record = running_on("a third")
    assert not found.is_known(entry(OTHER))


async def test_a_server_that_does_not_answer_does_not_hold_entries_up():
    found, _ = senders(None, ServerUnreachable("x:1", "cut"))
    await found.identify(entry(OTHER))
    assert found.is_known(entry(OTHER))


def test_nothing_changes_once_the_process_has_closed():
    found, _ = senders(running_on(EXECUTOR), is_over=True)
    assert found.is_known(entry(OTHER))
