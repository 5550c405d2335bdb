"""Neighbouring text of one cell and stream leaves as one message."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.joining import LONGEST, joined
from colony_jupyter.kernels.relay.messages import compose, content_of, header_of, parts_of, signature

KEY = b"key"


def text(words, number=0, *, name="stdout", parent=b'{"msg_id":"p"}', topic=b"kernel.1.stream", metadata=None):
    header = {"msg_id": str(number), "msg_type": "stream", "session": "s"}
    return Item("iopub", compose(KEY, [topic], header, parent, {"name": name, "text": words}, metadata))


def is_text(item):
    return header_of(item.frames).msg_type == "stream"


def texts(items):
    return [content_of(item.frames)["text"] for item in joined(items, KEY, is_text)]


def test_what_was_joined_has_the_first_header_and_a_signature():
    (found,) = joined([text("a\n", 1), text("b\n", 2), text("ü", 3)], KEY, is_text)
    assert content_of(found.frames) == {"name": "stdout", "text": "a\nb\nü"}
    assert header_of(found.frames).msg_id == "1"
    route, parts = parts_of(found.frames)
    assert (route, found.frames[2]) == ([b"kernel.1.stream"], signature(KEY, parts))


@pytest.mark.parametrize(
    "other",
    [
        text("b", name="stderr"),
        text("b", parent=b'{"msg_id":"q"}'),
        text("b", topic=b"other.stream"),
        text("b", metadata={"x": 1}),
    ],
)
def test_other_text_stays_apart(other):
    assert texts([text("a"), other, text("c")]) == ["a", "b", "c"]


def test_what_lies_between_stays_in_its_place():
    error = Item("iopub", compose(KEY, [b"t"], {"msg_type": "error"}, b"{}", {}))
    found = joined([text("a"), text("b"), error, text("c")], KEY, is_text)
    assert found[1] is error
    assert [content_of(found[at].frames)["text"] for at in (0, 2)] == ["ab", "c"]


@pytest.mark.parametrize(
    "content", [b'{"name":"stdout"}', b'{"name":"stdout","text":"a","more":1}', b'"\\ud800"', b"\xff"]
)
def test_what_cannot_be_read_is_left_alone(content):
    odd = text("a")
    odd.frames[-1] = content
    assert joined([text("b"), odd, text("c")], KEY, is_text)[1] is odd


def test_a_message_with_buffers_is_left_alone():
    odd = text("a")
    odd.frames.append(b"buffer")
    assert joined([odd, text("b")], KEY, is_text)[0] is odd


def test_a_single_message_passes_as_it_is():
    alone = text("a")
    assert joined([alone], KEY, is_text) == [alone]


def test_what_is_joined_has_a_bound():
    found = texts([text("x" * (LONGEST // 4)) for _ in range(10)])
    assert len(found) > 1
    assert sum(map(len, found)) == 10 * (LONGEST // 4)
    assert max(map(len, found)) < 2 * LONGEST
