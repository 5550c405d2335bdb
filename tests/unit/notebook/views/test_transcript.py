"""Transcripts: refreshed now and then, the rarer the more there are, and at the end."""

from __future__ import annotations

from colony_jupyter.notebook.views.transcript import TranscriptOutput, TranscriptView


def test_a_transcript_is_refreshed_now_and_then_and_at_the_end(run_in):
    published = []
    view = TranscriptView("long-task", publish=lambda data, **how: published.append((data, how)))
    view.show()
    run_in(view)
    assert len(published) == 2  # shown, and at the end: all within one interval
    assert published[1][1] == {"display_id": published[0][1]["display_id"], "update": True}
    assert 'Output: "ok"' in published[1][0]["text/plain"]
    assert view.flush() is not None  # too soon for another


def test_the_more_transcripts_there_are_the_rarer_each_is_refreshed(clock):
    due = set()
    outputs = [TranscriptOutput(lambda *_, **__: None, clock=clock, due=due) for _ in range(10)]
    alone, *others = outputs
    for output in outputs:
        output.show({})
    clock.at += 1.0
    assert alone.wait() == 1.0
    for other in others:
        other.wait()
    assert alone.wait() == 9.0
    clock.at += 9.0
    assert alone.wait() == 0.0
    alone.replace({})
    for other in others:
        other.close()
    assert alone.wait() == 2.0
    assert due == {alone}
