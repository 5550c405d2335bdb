"""The colony's verbs, with calls that block."""

from __future__ import annotations

from colony_jupyter import Colony, ProcessState


def test_plain_verbs_as_the_tutorial_writes_them(place, parties):
    process, assigned, executor = parties
    with Colony(place) as colony:
        running = colony.subscribe_process(process, ProcessState.RUNNING, 5)
        executor.channel_append(running.processid, "c", 2, "Processing step 1/1")
        executor.channel_append(running.processid, "c", 4, "", "end")
        lines = []

        def callback(entries):
            for entry in entries:
                if entry.type == "end":
                    return False
                lines.append(entry.text)
            return True

        colony.subscribe_channel(running.processid, "c", callback, 0, 30)
        assert lines == ["Processing step 1/1"]
        assert [entry.sequence for entry in colony.channel_read(running.processid, "c", 0, 100)] == [2, 4]
        executor.set_output(assigned, ["Task completed!"])
        executor.close(assigned)
        assert colony.get_process(process.processid).output == ["Task completed!"]


def test_its_place_its_name_and_the_caller(place):
    with Colony(place) as colony:
        assert colony.settings is place
        assert colony.colonyname == place.colonyname
        assert colony.userid == place.prvkey.id
        assert colony.asynchronous.settings is place
        assert repr(colony).startswith("<Colony ")


def test_nothing_to_assign_is_none(place, parties):
    _, _, executor = parties
    assert executor.assign(0) is None
