import pytest

from colony_jupyter.notebook.model.progress import Meter, Progress, parse


@pytest.mark.parametrize(
    ("text", "fraction", "label"),
    [
        ("3/10", 0.3, "3/10"),
        ("Processing step 3/10", 0.3, "3/10"),
        ("[3/10] compiling", 0.3, "3/10"),
        ("Epoch 3 / 10, loss 0.5", 0.3, "3/10"),
        ("30%", 0.3, "30 %"),
        ("30 % done", 0.3, "30 %"),
        ("downloaded 12.5%", 0.125, "12 %"),
        ('{"progress": 0.3}', 0.3, "30 %"),
        ('{"progress": 30}', 0.3, "30 %"),
        ('{"current": 3, "total": 10, "message": "hm"}', 0.3, "3/10"),
        ('{"current": 2.5, "total": 10}', 0.25, "2.5/10"),
        ("0/5", 0.0, "0/5"),
        ("100%", 1.0, "100 %"),
    ],
)
def test_progress_is_read(text, fraction, label):
    found = parse(text)
    assert found is not None
    assert found.fraction == pytest.approx(fraction)
    assert found.label == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "11/3",
        "3/0",
        "12/04/2026",
        "see /a/3/10",
        "and/or",
        "1.3/10",
        "CPU at 93%",
        "150% complete",
        '{"progress": true}',
        '{"progress": -1}',
        '{"progress": "0.3"}',
        '{"progress": 0.3',
        '{"current": 3, "total": 0}',
        '{"current": 11, "total": 10}',
        "[3, 10]",
        "x" * 400 + " 3/10",
    ],
)
def test_what_is_no_progress_is_left_alone(text):
    assert parse(text) is None


def test_rate_and_remaining_time():
    meter = Meter()
    assert meter.left is None
    for step in range(5):
        meter.report(Progress(step / 10, step, 10), at=100 + 0.5 * step)
    assert meter.rate == pytest.approx(2)
    assert meter.left == pytest.approx(3)


def test_reports_at_one_moment_have_no_rate():
    meter = Meter()
    for step in range(3):
        meter.report(Progress(step / 10, step, 10), at=100)
    assert meter.rate is None
    assert meter.left is None


def test_a_new_beginning_forgets_the_old_rate():
    meter = Meter()
    for step in range(5):
        meter.report(Progress(step / 10, step, 10), at=step)
    meter.report(Progress(0.1, 1, 10), at=10)
    assert meter.rate is None
    assert meter.latest == Progress(0.1, 1, 10)
