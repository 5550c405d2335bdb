"""Entries that are read, changed, repeated, moved or kept back by the server."""

from __future__ import annotations

import pytest
from relay_log import PROCESS, exchange

from colony_jupyter.kernels.relay.sealing import Gap, Opener, Sealer

SID = b"session1"


def pair(processid: str = PROCESS, sid: bytes = SID):
    caller, host = exchange("caller"), exchange("host")
    about = {"caller": caller.public, "host": host.public}
    return caller.keys(processid, sid, host.public, **about), host.keys(processid, sid, caller.public, **about)


def ends():
    mine, theirs = pair()
    return Sealer(mine, mine.to_kernel), Opener(theirs, theirs.to_kernel)


def test_both_parties_have_the_same_keys():
    mine, theirs = pair()
    assert (mine.to_kernel, mine.from_kernel) == (theirs.to_kernel, theirs.from_kernel)
    assert mine.to_kernel != mine.from_kernel


@pytest.mark.parametrize("other", [("q" * 64, SID), (PROCESS, b"session2")])
def test_keys_are_bound_to_the_process_and_the_session(other):
    assert pair(*other)[0].to_kernel != pair()[0].to_kernel


def test_keys_are_not_shown():
    keys = pair()[0]
    assert keys.to_kernel.hex() not in repr(keys)
    assert str(keys.to_kernel) not in repr(keys)


def test_an_entry_is_opened_once():
    sealer, opener = ends()
    payload = sealer.seal("in", b"a secret text")
    assert b"secret" not in payload
    assert opener.open("in", payload) == b"a secret text"
    assert opener.open("in", payload) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload[:-1] + bytes([payload[-1] ^ 1]),
        lambda payload: b"session2" + payload[8:],
        lambda payload: payload[:15] + b"\x07" + payload[16:],
        lambda _: b"",
        lambda payload: payload[:20],
    ],
)
def test_an_entry_that_was_changed_is_dropped_and_the_true_one_opened(change):
    sealer, opener = ends()
    payload = sealer.seal("in", b"text")
    assert opener.open("in", change(payload)) is None
    assert opener.open("in", payload) == b"text"


def test_an_entry_of_another_channel_is_dropped():
    sealer, opener = ends()
    assert opener.open("ctl", sealer.seal("in", b"text")) is None


def test_channels_have_nonces_of_their_own():
    """With the nonce of another channel, equal texts would be equal entries, and two of them would give both texts."""
    sealer, _ = ends()
    one, other = (sealer.seal(channel, b"a text") for channel in ("in", "ctl"))
    assert one[:16] == other[:16]
    assert one[16 : 16 + len(b"a text")] != other[16 : 16 + len(b"a text")]


def test_an_entry_of_another_process_is_dropped_even_under_the_same_keys():
    sealer, _ = ends()
    keys = pair()[0]._replace(processid="q" * 64)
    assert Opener(keys, keys.to_kernel).open("in", sealer.seal("in", b"text")) is None


def test_an_entry_of_the_other_direction_is_dropped():
    sealer, _ = ends()
    keys = pair()[0]
    assert Opener(keys, keys.from_kernel).open("in", sealer.seal("in", b"text")) is None


def test_a_missing_entry_is_a_gap():
    sealer, opener = ends()
    sealer.seal("out.0", b"lost")
    with pytest.raises(Gap, match=r"1 entries of channel 'out\.0'"):
        opener.open("out.0", sealer.seal("out.0", b"text"))


def test_channels_count_apart():
    sealer, opener = ends()
    assert opener.open("ctl", sealer.seal("ctl", b"1")) == b"1"
    assert opener.open("in", sealer.seal("in", b"2")) == b"2"
