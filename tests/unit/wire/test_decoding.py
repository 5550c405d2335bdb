"""JSON as the server reads it (docs/protocol.md section 2, "Decoding is lenient")."""

from __future__ import annotations

import msgspec
import pytest

from colony_jupyter.wire.decoding import Undecodable, convert, decode
from colony_jupyter.wire.messages import AddUser, ChannelAppend, GetColony, GetLogs, SetOutput, SubmitFunctionSpec
from colony_jupyter.wire.models import Entry, ExecutorRecord, ExecutorState, FunctionSpec, ProcessRecord


class TestLeniency:
    @pytest.mark.parametrize(
        "text",
        [
            '{"colonyname":"dev","msgtype":"getcolonymsg"}',
            '{"ColonyName":"dev","MSGTYPE":"getcolonymsg"}',
            '{"colonyname":"dev","unknown":{"deep":[1]}}',
            '{"colonyname":"other","colonyname":"dev"}',
            '{"colonyname":"other","COLONYNAME":"dev"}',
            ' {"colonyname" : "dev"}\n',
        ],
    )
    def test_member_names(self, text):
        assert decode(text, GetColony).colonyname == "dev"

    @pytest.mark.parametrize("text", ["{}", '{"colonyname":null}'])
    def test_null_and_absent_are_zero(self, text):
        assert decode(text, GetColony) == GetColony(colonyname="")

    def test_zero_of_every_kind(self):
        read = decode('{"count":null,"latest":null,"processid":null}', GetLogs)
        assert (read.count, read.latest, read.processid) == (0, False, "")
        assert decode('{"payload":null}', Entry).payload == b""
        assert decode('{"out":null}', SetOutput).output == []
        assert decode('{"user":null}', AddUser).user is None

    def test_absent_is_zero_and_not_what_a_maker_would_choose(self):
        """Trap 1: on the wire an absent maxexectime is 0."""
        spec = decode('{"spec":{"funcname":"f"}}', SubmitFunctionSpec).spec
        assert spec is not None
        assert (spec.maxexectime, spec.maxwaittime, spec.fs.mount, spec.conditions.cpu) == (0, 0, "", "")
        assert FunctionSpec().maxexectime == FunctionSpec().maxwaittime == -1

    @pytest.mark.parametrize(
        "text",
        [
            '[{"sequence":1},{"sequence":2,"type":"end"}]',
            '[{"sequence":1,"senderid":"\\"type\\":"},{"sequence":2,"type":"end"}]',
            '[{"sequence":1},{"sequence":2,"TYPE":"end"}]',
        ],
    )
    def test_an_entry_without_a_type_has_none_also_beside_one_that_has(self, text):
        assert [entry.type for entry in decode(text, list[Entry])] == ["", "end"]
        assert [entry.type for entry in decode(text.encode(), list[Entry])] == ["", "end"]

    def test_members_inside_members_and_lists(self):
        text = '[{"ProcessId":"p","SPEC":{"Conditions":{"ExecutorNames":["a"]}},"attributes":[{"KEY":"k"}],"state":3}]'
        (process,) = decode(text, list[ProcessRecord])
        assert process.spec.conditions.executornames == ["a"]
        assert process.attributes[0].key == "k"
        assert process.state.name == "FAILED"

    def test_an_empty_list_of_objects_may_be_null(self):
        """Trap 9."""
        assert decode("null", list[ProcessRecord]) == []

    @pytest.mark.parametrize(
        ("text", "items"), [("null", []), ("[]", []), ('[{"a": null}, 1]', [b'{"a": null}', b"1"])]
    )
    def test_items_may_stay_json_until_later(self, text, items):
        assert [bytes(item) for item in decode(text, list[msgspec.Raw])] == items

    def test_free_values_stay_as_they_are(self):
        spec = decode('{"args":[null,1.5,{"A":1}],"kwargs":{"Key":null},"env":{"A":"b"}}', FunctionSpec)
        assert spec.args == [None, 1.5, {"A": 1}]
        assert spec.kwargs == {"Key": None}
        assert spec.env == {"A": "b"}

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ('"aGk="', b"hi"),
            ('"aG\\r\\nk="', b"hi"),
            ('"/+8="', b"\xff\xef"),
            ('""', b""),
            ("[104,105]", b"hi"),
            ("[null,255]", b"\x00\xff"),
            ("[]", b""),
        ],
    )
    def test_payloads_are_base64_or_a_list_of_bytes(self, written, read):
        assert decode(f'{{"payload":{written}}}', ChannelAppend).payload == read
        assert decode(f'{{"sequence":1,"payload":{written}}}', Entry).payload == read

    def test_an_append_may_have_no_payload_at_all(self):
        """It becomes null, with a warning for the reader."""
        assert decode('{"payload":null}', ChannelAppend).payload is None

    @pytest.mark.parametrize(
        "written",
        ['"aGk"', '"_-8="', '"aGk=x"', '"a b="', '"é"', "[256]", "[-1]", "[1.0]", "[true]", '["a"]', "5", "{}"],
    )
    def test_payloads_that_are_neither(self, written):
        with pytest.raises(Undecodable):
            decode(f'{{"payload":{written}}}', ChannelAppend)

    def test_names_of_the_wire_that_are_keywords_here(self):
        process = decode('{"processid":"p","in":[1],"out":[2]}', ProcessRecord)
        assert (process.input, process.output) == ([1], [2])


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "hello",
            "[]",
            "5",
            '"text"',
            "null",
            '{"count":1.5}',
            '{"count":"1"}',
            '{"count":true}',
            '{"count":9223372036854775808}',
            '{"count":1e400}',
            '{"latest":1}',
            '{"processid":5}',
            '{"processid":["x"]}',
            '{"count":1}x',
            '{"count":NaN}',
        ],
    )
    def test_another_shape(self, text):
        with pytest.raises(Undecodable):
            decode(text, GetLogs)

    def test_objects_are_not_lists(self):
        for text in ('{"args":{}}', '{"kwargs":[]}', '{"conditions":[]}', '{"channels":"chat"}', '{"env":{"A":1}}'):
            with pytest.raises(Undecodable):
                decode(text, FunctionSpec)

    def test_bytes_that_are_no_utf8(self):
        with pytest.raises(Undecodable):
            decode(b'{"colonyname":"\xff"}', GetColony)

    def test_a_hundred_thousand_deep(self):
        deep = "[" * 100_000 + "]" * 100_000
        for text in (deep, f'{{"args":{deep}}}'):
            with pytest.raises(Undecodable):
                decode(text, FunctionSpec)

    def test_an_unknown_state(self):
        with pytest.raises(Undecodable):
            decode('{"processid":"p","state":9}', ProcessRecord)


def test_integers_at_the_edge():
    assert decode('{"sequence":9223372036854775807}', ChannelAppend).sequence == 2**63 - 1
    assert decode('{"sequence":-9223372036854775808}', ChannelAppend).sequence == -(2**63)


def test_a_parsed_value_reads_like_text():
    record = convert({"executorid": "i", "executortype": "t", "executorname": "n", "STATE": 1}, ExecutorRecord)
    assert record.state is ExecutorState.APPROVED
