"""Batches in entries: compression, parts, and what has no meaning."""

from __future__ import annotations

import base64
import random
import zlib

import pytest

from colony_jupyter.kernels.relay import framing
from colony_jupyter.kernels.relay.framing import COMPRESSED, MORE, Batch, Item, Malformed, Unpacker, moved, pack


def batch(*frames: bytes) -> Batch:
    return Batch(1, {}, [Item("iopub", list(frames))])


def test_text_is_compressed_and_noise_is_not():
    noise = random.Random(1).randbytes(5_000)
    (text,), (other,) = pack(batch(b"line\n" * 1_000)), pack(batch(noise))
    assert text[0] == COMPRESSED
    assert len(text) < 500
    assert other[0] == 0


@pytest.mark.parametrize(("size", "is_compressed"), [(10_000, True), (2_000_000, False)])
def test_a_large_picture_in_base64_is_not_compressed(size, is_compressed):
    picture = base64.b64encode(random.Random(1).randbytes(size))
    (plain,) = pack(batch(picture))
    assert (plain[0] == COMPRESSED) is is_compressed
    assert Unpacker().feed(plain) == batch(picture)


def test_large_text_is_compressed():
    (plain,) = pack(batch(b"<td>12.5</td>\n" * 200_000))
    assert plain[0] == COMPRESSED


def test_a_large_batch_is_cut_into_parts(monkeypatch):
    monkeypatch.setattr(framing, "PART", 1_000)
    noise = random.Random(1).randbytes(3_500)
    plains = pack(batch(noise))
    assert [plain[0] & MORE for plain in plains] == [MORE, MORE, MORE, 0]
    unpacker = Unpacker()
    found = [unpacker.feed(plain) for plain in plains]
    assert found == [None, None, None, batch(noise)]
    assert unpacker.feed(pack(batch(b"next"))[0]) == batch(b"next")


def test_a_channel_is_named_where_a_lane_continues():
    assert Unpacker().feed(moved("out.3")) == "out.3"


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\x00rubbish",
        bytes([COMPRESSED]) + b"rubbish",
        bytes([COMPRESSED]) + zlib.compress(b"rubbish")[:-5],
        bytes([0]) + framing._encoder.encode({"number": 1}),
    ],
)
def test_what_has_no_meaning_is_malformed(plain):
    with pytest.raises(Malformed):
        Unpacker().feed(plain)


def test_a_batch_that_inflates_without_end_is_malformed(monkeypatch):
    monkeypatch.setattr(framing, "LARGEST", 10_000)
    (plain,) = pack(batch(bytes(20_000)))
    with pytest.raises(Malformed, match="too large"):
        Unpacker().feed(plain)
