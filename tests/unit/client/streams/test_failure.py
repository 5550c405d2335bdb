"""The error of a stream fits what became of its process."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_colony import PID, SimulatedColony

from colony_jupyter.channels.effects import Refused
from colony_jupyter.client.streams.failure import process_errors, stream_failure
from colony_jupyter.errors import AccessDenied, ChannelNotFound, StreamBroken
from colony_jupyter.wire.models import ProcessState


def failure(state=ProcessState.RUNNING, *, received=3, refusal=None, known=True, **outcome):
    """Return the error of a stream whose process is in this state."""

    async def scenario():
        server = SimulatedColony()
        session = server.session()
        if state.is_closed:
            server.close(state, **outcome)
            session.learn(server.record)
        if not known:
            session.watch.record = None
        return stream_failure(session.watch, "c", received, reason="the connection was lost", refusal=refusal)

    return virtual_time.run(scenario())


def test_while_the_process_runs_the_reason_stands_alone():
    error = failure()
    assert isinstance(error, StreamBroken)
    assert (error.delivered, error.ended, error.errors, error.avoidable) == (3, False, (), False)
    assert "may be incomplete: the connection was lost. 3 entries were delivered" in str(error)


def test_after_a_success_the_channel_sync_is_recommended():
    error = failure(ProcessState.SUCCESS)
    assert (error.ended, error.avoidable) == (True, True)
    assert "Declare a channel named 'sync'" in str(error)


def test_after_a_failure_the_errors_of_the_process_are_quoted():
    error = failure(ProcessState.FAILED, errors=["disk full"])
    assert error.errors == ("disk full",)
    assert "disk full" in str(error)
    assert not error.avoidable


def test_a_cancellation_is_named():
    assert "the connection was lost (it was cancelled)" in str(failure(ProcessState.CANCELLED))


def test_a_process_that_ended_before_anything_arrived_has_no_channel_any_more():
    error = failure(ProcessState.FAILED, received=0, errors=["disk full"])
    assert isinstance(error, ChannelNotFound)
    assert (error.processid, error.channel, error.declared, error.closed) == (PID, "c", ("c",), True)
    assert "is gone: process" in str(error)
    assert "disk full" in str(error)


def test_a_refusal_of_the_server_is_raised_as_what_it_is():
    assert isinstance(failure(refusal=Refused(403, "Access denied")), AccessDenied)


@pytest.mark.parametrize(("known", "declared"), [(True, ("c",)), (False, None)])
def test_a_channel_that_is_not_found_names_those_that_were_declared_as_far_as_they_are_known(known, declared):
    error = failure(refusal=Refused(404, "Channel not found"), known=known)
    assert isinstance(error, ChannelNotFound)
    assert (error.declared, error.closed) == (declared, False)


@pytest.mark.parametrize("state", list(ProcessState))
def test_only_a_failed_process_has_errors(state):
    async def scenario():
        await asyncio.sleep(0)
        server = SimulatedColony()
        server.close(state, errors=["text"])
        return process_errors(server.record)

    assert list(virtual_time.run(scenario())) == (["text"] if state is ProcessState.FAILED else [])


def test_a_failure_without_errors_has_none():
    assert list(process_errors(None)) == []
    assert failure(ProcessState.FAILED, errors=None).errors == ()
