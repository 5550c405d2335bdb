"""The table of calls, and members of a message that must be there."""

from __future__ import annotations

import pytest

from colony_jupyter.server.calls import HANDLERS
from colony_jupyter.server.calls.registry import required
from colony_jupyter.server.errors import Refused


def test_a_member_that_is_there_is_given_back_also_when_it_is_empty():
    for value in ("", 0, [], "x"):
        assert required(value, Refused(400, "missing")) == value


def test_a_member_that_is_missing_is_refused():
    with pytest.raises(Refused) as refused:
        required(None, Refused(400, "missing"))
    assert (refused.value.status, refused.value.message) == (400, "missing")


def test_calls_are_answered_as_what_they_were_asked_but_for_the_pause_status():
    differing = {name: handler.replytype for name, handler in HANDLERS.items() if handler.replytype != name}
    assert differing == {"getpausestatusmsg": "pausestatusreplymsg"}


def test_only_version_and_build_need_no_signature():
    assert {name for name, handler in HANDLERS.items() if not handler.signed} == {"versionmsg", "getserverinfomsg"}
    assert {name for name, handler in HANDLERS.items() if not handler.read} == {"getserverinfomsg"}
