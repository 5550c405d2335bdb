import pytest

from colony_jupyter.notebook.formats import tables
from colony_jupyter.wire.models import ExecutorRecord, ExecutorState, Function, Log, ProcessState, Workflow

HOSTILE = "<script>x</script>\u202e\x1b[2J"


def test_aligned_text(make):
    times = {
        "submissiontime": "2026-11-23T12:00:00Z",
        "starttime": "2026-11-23T12:00:01Z",
        "endtime": "2026-11-23T12:00:06Z",
    }
    table = tables.processes([make.record(ProcessState.SUCCESS, **times)], make.names)
    head, row = repr(table).splitlines()
    assert head.split() == ["id", "state", "function", "type", "executor", "submitted", "took", "channels"]
    assert row.index("SUCCESS") == head.index("state")
    assert row.index("0:05") == head.index("took")
    assert "laptop-7f3a" in row


def test_exact_times_on_hover(make):
    exact = "2026-11-23T12:00:00.123456789Z"
    assert (
        f'title="{exact}"' in tables.processes([make.record(ProcessState.WAITING, submissiontime=exact)])._repr_html_()
    )


def test_empty_ones_state_it():
    assert repr(tables.executors([])) == "No executor is registered."
    assert tables.executors([])._repr_html_() == "<i>No executor is registered.</i>"
    assert len(tables.executors([])) == 0


@pytest.mark.parametrize(
    "table",
    [
        lambda make: tables.processes([make.record(ProcessState.FAILED)], {make.executor: HOSTILE}),
        lambda make: tables.process(
            make.record(ProcessState.FAILED, errors=[HOSTILE], output=[{"a": HOSTILE}]), HOSTILE
        ),
        lambda make: tables.entries([make.entry(HOSTILE)], {make.executor: HOSTILE}),
        lambda _: tables.logs([Log(processid="", colonyname="", executorname=HOSTILE, message=HOSTILE, timestamp=1)]),
        lambda _: tables.functions([Function(funcname=HOSTILE, description=HOSTILE, counter=1)]),
        lambda _: tables.workflows([Workflow(processgraphid=HOSTILE, initiatorname=HOSTILE)]),
        lambda _: tables.executors(
            [
                ExecutorRecord(
                    executorid=HOSTILE,
                    executortype=HOSTILE,
                    executorname=HOSTILE,
                    colonyname=HOSTILE,
                    state=ExecutorState.APPROVED,
                )
            ]
        ),
    ],
)
def test_nothing_breaks_out(make, table):
    made = table(make)
    assert "<script" not in made._repr_html_()
    assert "&lt;script&gt;" in made._repr_html_()
    for text in (made._repr_html_(), repr(made)):
        assert "\x1b" not in text
        assert "\u202e" not in text
