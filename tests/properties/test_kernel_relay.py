"""Each item of a kernel is delivered once and in order, whatever the log between the parties does."""

from __future__ import annotations

import hypothesis.strategies as st
from examples import examples
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from relay_log import Relay, item

from colony_jupyter.kernels.relay.backlog import Backlog
from colony_jupyter.kernels.relay.framing import Batch, Item, Unpacker, pack
from colony_jupyter.kernels.relay.layout import CTL, IN, OUT, Limits
from colony_jupyter.kernels.relay.messages import compose, content_of, header_of, parent_of, parts_of, signature
from colony_jupyter.kernels.relay.pacing import Pace

LANES = st.sampled_from([(True, CTL), (True, IN), (False, CTL), (False, OUT)])


class AnyLog(RuleBasedStateMachine):
    """A caller and a host over a log that cuts, repeats, restarts, refuses, and is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.relay = Relay(Limits(entries=5, size=4_000, channels=6, window=300))
        self.relay.session()
        self.count = 0
        self.put: dict[tuple[bool, str], list[bytes]] = {
            (True, CTL): [],
            (True, IN): [],
            (False, CTL): [],
            (False, OUT): [],
        }
        self.may_be_lost: set[bytes] = set()

    def party(self, is_caller):
        return self.relay.caller if is_caller else self.relay.host

    @rule(where=LANES, sizes=st.lists(st.integers(1, 200), min_size=1, max_size=4))
    def put_items(self, where, sizes):
        for size in sizes:
            self.count += 1
            text = b"%d " % self.count + b"x" * size
            self.put[where].append(text)
            self.party(where[0]).line.put(where[1], item(text))

    @rule(where=LANES)
    def send(self, where):
        self.relay.send(self.party(where[0]), where[1])

    @rule(where=LANES, arrived=st.integers(0, 1))
    def refuse(self, where, arrived):
        """The server refuses an append for good."""
        self.relay.send(self.party(where[0]), where[1], lost_after=arrived)

    @rule(is_caller=st.booleans())
    def receive(self, is_caller):
        self.relay.receive(self.party(is_caller))

    @rule(is_caller=st.booleans(), back=st.integers(1, 5))
    def repeat(self, is_caller, back):
        """A connection was cut, and entries arrive again."""
        party = self.party(is_caller)
        party.read = {channel: max(0, place - back) for channel, place in party.read.items()}

    @rule(is_caller=st.booleans())
    def relay_anew(self, is_caller):
        """A party reads all channels from the beginning, in the session that it had: its executor was assigned anew."""
        self.party(is_caller).read = {}

    @rule(is_caller=st.booleans(), payload=st.binary(max_size=40), place=st.integers(0, 9))
    def forge(self, is_caller, payload, place):
        """The server makes entries up, and changes a byte of one that it has."""
        party = self.party(is_caller)
        channel = party.channels()[1]
        log = self.relay.log.get(channel, [])
        if place < len(log):
            payload = log[place][1][:-1] + bytes([log[place][1][-1] ^ 1])
        assert party.line.feed(channel, payload) is None

    @rule()
    def session(self):
        self.relay.session()

    @rule()
    def restart_server(self):
        self.relay.restart()

    @rule()
    def successor(self):
        self.relay.successor()

    @rule(after=st.integers(0, 4))
    def give_up(self, after):
        """The caller's relay is closed in the middle of a batch, and begins anew."""
        self.relay.give_up(after)
        self.relay.session()

    @rule(after=st.integers(0, 4), in_new_session=st.booleans())
    def kill_caller(self, after, in_new_session):
        """The caller's program is killed after so many more items, maybe in the middle of a batch."""
        host = self.relay.host
        for lane in (CTL, IN):
            got = {text for at, text in host.delivered if at == lane}
            self.may_be_lost |= {text for text in self.put[True, lane] if text not in got}
        self.relay.kill_caller(after, in_new_session=in_new_session)

    @invariant()
    def in_order_and_once(self):
        for (is_caller, lane), put in self.put.items():
            receiver = self.party(not is_caller)
            got = [text for at, text in receiver.delivered if at == lane]
            places = [put.index(text) for text in got]
            assert places == sorted(set(places))

    def teardown(self):
        self.relay.drain()
        for (is_caller, lane), put in self.put.items():
            receiver = self.party(not is_caller)
            got = [text for at, text in receiver.delivered if at == lane]
            missing = [text for text in put if text not in got]
            assert set(missing) <= self.may_be_lost
            assert got == [text for text in put if text in got]


TestAnyLog = AnyLog.TestCase
TestAnyLog.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)

FRAMES = st.lists(st.binary(max_size=300), min_size=1, max_size=5)
ITEMS = st.lists(st.builds(Item, st.text(max_size=10), FRAMES), max_size=8)


@given(number=st.integers(0, 2**40), items=ITEMS)
def test_a_batch_arrives_as_it_was(number, items):
    batch = Batch(number, {"out": 3}, items)
    unpacker = Unpacker()
    (found,) = [unpacker.feed(plain) for plain in pack(batch)]
    assert found == batch


@given(st.lists(st.tuples(st.floats(0, 0.2), st.booleans(), st.booleans()), max_size=400))
def test_two_parties_at_the_pace_are_never_refused(steps):
    """Each party leaves the gap that its own count asks for; the server's bucket of 500 is never empty."""
    now, level, at = 0.0, 500.0, 0.0
    paces = {True: Pace(now), False: Pace(now)}
    free = dict.fromkeys(((party, urgent) for party in (True, False) for urgent in (True, False)), 0.0)
    for pause, is_caller, urgent in steps * 4:
        now = max(now + pause / 50, free[is_caller, urgent])
        level = min(500.0, level + (now - at) * 100) - 1
        at = now
        assert level >= 0
        for pace in paces.values():
            pace.note(now)
        free[is_caller, urgent] = now + paces[is_caller].gap(now, urgent=urgent)


@given(st.lists(st.tuples(st.sampled_from(["stream", "status", "display_data"]), st.integers(1, 400)), max_size=80))
def test_only_text_is_dropped_and_its_size_is_reported(messages):
    backlog = Backlog(lambda: "new", bound=2_000, key=b"k")
    kept, text = [], 0
    for number, (kind, size) in enumerate(messages):
        header = {"msg_type": kind, "msg_id": str(number), "session": "s"}
        content = {"name": "stdout", "text": "x" * size}
        frames = compose(b"k", [b"kernel." + kind.encode()], header, b"{}", content)
        item = Item("iopub", frames)
        text += item.size if kind == "stream" else 0
        kept += [frames] if kind != "stream" else []
        backlog.put(item)
    taken = []
    while batch := backlog.pop():
        taken += batch
    assert [each.frames for each in taken if header_of(each.frames).msg_type != "stream"] == kept
    streams = [each.frames for each in taken if header_of(each.frames).msg_type == "stream"]
    shown = "".join(content_of(frames)["text"] for frames in streams)
    assert shown.count("dropped") == (1 if text > 2_000 else 0)
    if text <= 2_000:
        assert shown.count("x") == sum(size for kind, size in messages if kind == "stream")
    ids = [int(header_of(each.frames).msg_id) for each in taken if header_of(each.frames).msg_id != "new"]
    assert ids == sorted(ids)


PARENTS = st.sampled_from(["a", "b"])
STREAMS = st.tuples(st.sampled_from(["stdout", "stderr"]), PARENTS, st.text(max_size=20))
OUTPUT = st.lists(st.one_of(STREAMS, st.tuples(st.just(""), PARENTS, st.just(""))), max_size=60)


@given(OUTPUT, st.integers(1, 3_000))
def test_joined_text_is_the_same_in_the_same_order(messages, batch):
    """A front end that joins text itself shows the same, and sees all else between the same text."""
    backlog = Backlog(lambda: "new", key=b"k", batch=batch)
    for name, parent, text in messages:
        header = {"msg_type": "stream" if name else "display_data", "msg_id": "m", "session": "s"}
        about = b'{"msg_id":"%b"}' % parent.encode()
        backlog.put(Item("iopub", compose(b"k", [b"t"], header, about, {"name": name, "text": text})))
    taken = []
    while found := backlog.pop():
        taken += found
    assert _shown((content_of(each.frames), parent_of(each.frames).msg_id) for each in taken) == _shown(
        ({"name": name, "text": text}, parent) for name, parent, text in messages
    )
    assert all(each.frames[2] == signature(b"k", parts_of(each.frames)[1]) for each in taken)


def _shown(messages):
    """What a front end shows: text by cell and stream, joined, between everything else."""
    found: list[tuple[str, str, str]] = []
    for content, parent in messages:
        kind = content["name"]
        if kind and found and found[-1][:2] == (kind, parent):
            found[-1] = (kind, parent, found[-1][2] + content["text"])
        else:
            found.append((kind, parent, content["text"]))
    return found


def test_a_gap_is_noticed_when_the_next_entry_arrives():
    relay = Relay()
    relay.session()
    for number in range(3):
        relay.host.line.put(OUT, item(b"%d" % number))
        relay.send(relay.host, OUT, lost_after=0 if number == 1 else None)
    relay.receive(relay.caller)
    assert relay.caller.gaps == 1
    assert [text for _, text in relay.caller.delivered] == [b"0"]
    relay.drain()
    assert [text for _, text in relay.caller.delivered] == [b"0", b"1", b"2"]
