"""What a reader asks for, and the states of its stream."""

from __future__ import annotations

import pytest

from colony_jupyter.channels.effects import ReadLog, StreamState


def test_nothing_comes_any_more_once_a_stream_has_ended_or_is_broken():
    assert {state for state in StreamState if state.is_over} == {StreamState.ENDED, StreamState.BROKEN}


@pytest.mark.parametrize(("known", "afterseq"), [(0, 0), (1, 0), (2, 1), (500, 499)])
def test_the_log_is_read_from_one_entry_back(known, afterseq):
    assert ReadLog(known).afterseq == afterseq
