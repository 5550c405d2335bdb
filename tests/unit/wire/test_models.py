"""The objects of the protocol, held against the recorded ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from colony_jupyter.wire.decoding import convert
from colony_jupyter.wire.models import (
    NO_TIME,
    Attribute,
    Colony,
    Conditions,
    Entry,
    ExecutorRecord,
    Function,
    FunctionSpec,
    Log,
    ProcessRecord,
    ProcessState,
    Statistics,
    User,
    Workflow,
    moment,
)

RECORDINGS = sorted((Path(__file__).parents[2] / "contract" / "transcripts").glob("*.json"))

# What the reply to a call holds, one object or a list of them.
REPLIES = {
    "addcolonymsg": Colony,
    "getcolonymsg": Colony,
    "getcolonystatsmsg": Statistics,
    "addusermsg": User,
    "getusersmsg": User,
    "getusermsg": User,
    "getuserbyidmsg": User,
    "addexecutormsg": ExecutorRecord,
    "getexecutorsmsg": ExecutorRecord,
    "getexecutormsg": ExecutorRecord,
    "addfunctionmsg": Function,
    "getfunctionsmsg": Function,
    "submitfuncspecmsg": ProcessRecord,
    "assignprocessmsg": ProcessRecord,
    "getprocessmsg": ProcessRecord,
    "getprocessesmsg": ProcessRecord,
    "getprocesshistmsg": ProcessRecord,
    "addchildmsg": ProcessRecord,
    "subscribeprocessmsg": ProcessRecord,
    "addattributemsg": Attribute,
    "getlogsmsg": Log,
    "searchlogsmsg": Log,
    "submitworkflowspecmsg": Workflow,
    "getprocessgraphmsg": Workflow,
    "getprocessgraphsmsg": Workflow,
    "channelreadmsg": Entry,
    "subscribechannelmsg": Entry,
}
STAND_INS = {"$time": "2026-01-02T03:04:05Z", "$int": 7, "$num": 0.5, "$bool": True, "$list": [], "$any": []}


def real(value):
    """Put values of the right type in the place of placeholders."""
    if isinstance(value, dict):
        return {name: real(member) for name, member in value.items()}
    if isinstance(value, list):
        return [real(item) for item in value]
    return STAND_INS.get(value, value) if isinstance(value, str) else value


def recorded_objects():
    for path in RECORDINGS:
        for step in json.loads(path.read_text("utf-8"))["steps"]:
            reply = step.get("reply") or {}
            for answer in reply.get("frames", [reply]):
                shape = REPLIES.get(answer.get("payloadtype"))
                payload = answer.get("payload")
                if shape and isinstance(payload, (dict, list)):
                    for found in payload if isinstance(payload, list) else [payload]:
                        yield path.stem, step["name"], shape, found


OBJECTS = list(recorded_objects())


def unknown_members(found, back, where=""):
    """Members of a recorded object that are not in what was read of it."""
    if isinstance(found, dict) and isinstance(back, dict):
        for name in found:
            if name not in back:
                yield f"{where}.{name}"
            else:
                yield from unknown_members(found[name], back[name], f"{where}.{name}")
    elif isinstance(found, list) and isinstance(back, list):
        for one, other in zip(found, back, strict=True):
            yield from unknown_members(one, other, where)
    elif found != back and not (where.endswith("payload") and found is None):
        yield f"{where} ({found!r} became {back!r})"


def test_there_are_recordings_of_every_kind():
    assert {shape for _, _, shape, _ in OBJECTS} == set(REPLIES.values())
    assert len(OBJECTS) > 150


@pytest.mark.parametrize("theme", sorted({theme for theme, _, _, _ in OBJECTS}))
def test_recorded_objects_are_read_with_nothing_lost(theme):
    lost = []
    for of, name, shape, found in OBJECTS:
        if of == theme:
            value = real(found)
            back = json.loads(msgspec.json.encode(convert(value, shape)))
            lost += [f"{name}: {shape.__name__}{member}" for member in unknown_members(value, back)]
    assert lost == []


class TestEntry:
    def test_text_and_json(self):
        assert Entry(sequence=1, payload="ü".encode()).text == "ü"
        assert Entry(sequence=1, payload=b"\xff").text == "\N{REPLACEMENT CHARACTER}"
        assert Entry(sequence=1, payload=b'{"a":1}').json() == {"a": 1}
        with pytest.raises(ValueError, match="malformed"):
            Entry(sequence=1, payload=b"hello").json()

    def test_its_kind(self):
        kinds = {
            kind: (Entry(sequence=1, type=kind).is_end, Entry(sequence=1, type=kind).is_error)
            for kind in ("data", "end", "error", "turn", "")
        }
        assert kinds == {
            "data": (False, False),
            "end": (True, False),
            "error": (False, True),
            "turn": (False, False),
            "": (False, False),
        }

    def test_its_key_distinguishes_repeats_from_reuse(self):
        one = Entry(sequence=1, senderid="a", timestamp="2026-01-02T03:04:05Z")
        assert one.key == msgspec.structs.replace(one, payload=b"x", former=True).key
        for other in ({"sequence": 2}, {"senderid": "b"}, {"timestamp": "2026-01-02T03:04:06Z"}):
            assert one.key != msgspec.structs.replace(one, **other).key

    def test_it_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            Entry(sequence=1).sequence = 2  # type: ignore[misc]


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            ("2026-01-02T03:04:05.1Z", datetime(2026, 1, 2, 3, 4, 5, 100_000, tzinfo=UTC)),
            ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
            ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ],
    )
    def test_times(self, text, read):
        assert moment(text) == read

    @pytest.mark.parametrize("text", [NO_TIME, "", "0001-01-01T00:00:00+00:00"])
    def test_a_time_that_is_not_set(self, text):
        assert moment(text) is None

    def test_what_is_no_time(self):
        with pytest.raises(ValueError, match="yesterday"):
            moment("yesterday")


def test_closed_states():
    assert [state.name for state in ProcessState if state.is_closed] == ["SUCCESS", "FAILED", "CANCELLED"]


def test_makers_share_no_lists():
    one, other = FunctionSpec(), FunctionSpec()
    one.channels.append("chat")
    one.conditions.dependencies.append("a")
    assert other.channels == other.conditions.dependencies == []


def test_a_spec_accepts_function_type_and_colony_as_other_sdks_do():
    spec = FunctionSpec("stream-data", "cli", "dev")
    spec.channels = ["output", "progress"]
    assert (spec.funcname, spec.conditions.executortype, spec.conditions.colonyname) == ("stream-data", "cli", "dev")
    assert (spec.maxexectime, spec.channels) == (-1, ["output", "progress"])
    assert FunctionSpec("f").conditions == Conditions() == FunctionSpec(funcname="f").conditions
    conditions = Conditions(executornames=["one"])
    assert FunctionSpec("f", executortype="cli", conditions=conditions).conditions == Conditions(
        executortype="cli", executornames=["one"]
    )
    assert conditions == Conditions(executornames=["one"])
    assert msgspec.json.decode(msgspec.json.encode(spec), type=FunctionSpec) == spec
    with pytest.raises(TypeError):
        FunctionSpec("f", "cli", "dev", "more")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="functname"):
        FunctionSpec(functname="f")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("msgtype", "An entry has no 'msgtype': use `type`."),
        ("payload_as_string", "An entry has no 'payload_as_string': use `text`, without parentheses."),
        ("color", "'Entry' object has no attribute 'color'"),
    ],
)
def test_names_of_other_sdks_are_answered_with_ours(name, hint):
    entry = Entry(sequence=1, payload=b"x")
    with pytest.raises(AttributeError) as caught:
        getattr(entry, name)
    assert str(caught.value) == hint
    assert not hasattr(entry, name)
