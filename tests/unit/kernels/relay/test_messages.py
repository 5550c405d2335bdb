"""Messages as Jupyter writes and signs them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jupyter_client.session import Session

from colony_jupyter.kernels.relay.messages import compose, content_of, header_of, new_header, parent_of, read, signature


def test_jupyter_reads_what_is_composed():
    session = Session(key=b"secret")
    header = new_header("stream", session="s", number="1", at=datetime(2026, 1, 2, tzinfo=UTC))
    frames = compose(b"secret", [b"topic"], header, b"{}", {"text": "x"})
    route, parts = session.feed_identities(frames)
    assert route == [b"topic"]
    message = session.deserialize(parts)
    assert message["content"] == {"text": "x"}
    assert (message["msg_type"], message["msg_id"]) == ("stream", "1")
    assert message["header"]["date"] == datetime(2026, 1, 2, tzinfo=UTC)


def test_messages_of_jupyter_are_read():
    session = Session(key=b"secret")
    parent = session.msg_header("execute_request")
    frames = session.serialize(session.msg("stream", {"text": "x"}, parent={"header": parent}), ident=[b"topic"])
    assert header_of(frames).msg_type == "stream"
    assert parent_of(frames).msg_id == parent["msg_id"]
    assert content_of(frames) == {"text": "x"}


@pytest.mark.parametrize("frames", [[], [b"x"], [b"<IDS|MSG>", b"", b"{"], [b"<IDS|MSG>", b"", b"{", b"", b"", b""]])
def test_what_is_no_message_has_no_type(frames):
    assert header_of(frames).msg_type == ""
    assert parent_of(frames).msg_id == ""
    assert content_of(frames) == {}


def test_without_a_key_nothing_is_signed():
    assert signature(b"", [b"{}"] * 4) == b""


@pytest.mark.parametrize(
    ("part", "text"),
    [(b'{"text":"\\ud800"}', "\ud800"), (b'{"text":"\xff"}', "\ufffd"), (b'{"text":"x","x":NaN}', "x")],
    ids=["half of a pair", "no UTF-8", "NaN"],
)
def test_what_only_python_writes_as_json_is_read(part, text):
    assert read(part)["text"] == text


@pytest.mark.parametrize("part", [b"", b"[1]", b"3", b"{", b"\xff", b"[NaN]"])
def test_a_part_that_is_no_object_is_refused(part):
    with pytest.raises(ValueError, match=r"object|Expect|char"):
        read(part)
