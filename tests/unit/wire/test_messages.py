"""The calls of the protocol, held against the recorded ones."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from colony_jupyter.wire.decoding import decode
from colony_jupyter.wire.messages import CALLS, AssignProcess, Message, SubmitFunctionSpec, msgtype
from colony_jupyter.wire.models import FunctionSpec

RECORDINGS = sorted((Path(__file__).parents[2] / "contract" / "transcripts").glob("*.json"))
# Sent by the recordings for what it does not do: padding that is to be ignored.
STRANGE = {"pad"}


def recorded_requests():
    for path in RECORDINGS:
        for step in json.loads(path.read_text("utf-8"))["steps"]:
            request = step.get("request")
            if request and "$raw_json" not in request and step["msgtype"] in CALLS:
                yield step["msgtype"], request


REQUESTS = list(recorded_requests())


def fields_of(shape):
    return {field.encode_name for field in msgspec.structs.fields(shape)}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_recorded_members_are_known(name):
    sent = {member for kind, request in REQUESTS if kind == name for member in request}
    assert sent - fields_of(CALLS[name]) - {"msgtype"} <= STRANGE


def test_nearly_every_call_is_recorded():
    """But for those about a whole server, those without members, and those that were not recorded."""
    missing = CALLS.keys() - {name for name, _ in REQUESTS}
    whole_server = {"getcoloniesmsg", "getstatisticsmsg", "versionmsg", "getserverinfomsg", "getclustermsg"}
    assert missing <= whole_server | {"pauseassignmentsmsg", "resumeassignmentsmsg"}


def test_every_call_is_listed_under_its_name():
    assert {msgtype(call): call for call in Message.__subclasses__()} == CALLS


@pytest.mark.parametrize("call", CALLS.values(), ids=lambda call: call.__name__)
def test_all_fields_are_sent_and_read_back(call):
    message = call()
    sent = json.loads(msgspec.json.encode(message))
    assert set(sent) == fields_of(call) | {"msgtype"}
    assert sent["msgtype"] == msgtype(message) == msgtype(call)
    assert decode(json.dumps(sent), call) == message


def test_a_spec_sends_its_limits():
    """Trap 1: what is not sent is 0, and 0 is a deadline long past."""
    sent = json.loads(msgspec.json.encode(SubmitFunctionSpec(spec=FunctionSpec(funcname="f"))))["spec"]
    assert (sent["maxwaittime"], sent["maxexectime"], sent["maxretries"]) == (-1, -1, 0)


def test_integers_are_bounded_when_read():
    with pytest.raises(ValueError, match="Expected"):
        decode(f'{{"timeout":{2**63}}}', AssignProcess)
