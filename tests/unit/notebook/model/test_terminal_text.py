"""Lines of text as a terminal shows them."""

from __future__ import annotations

import io

import pytest
from tqdm import tqdm

from colony_jupyter.notebook.model.terminal_text import HEIGHT, TerminalText, has_control


def screen(*texts):
    """All lines that are shown in the end, and the screen."""
    terminal, lines = TerminalText(), {}
    for text in texts:
        lines.update(terminal.write(text))
    return [lines[number] for number in sorted(lines)], terminal


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\ntwo", ["one", "two"]),
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("\n\nx", ["", "", "x"]),
        ("40%\r60%", ["60%"]),
        ("40%\r60%\n", ["60%"]),
        ("abcdef\rXY", ["XYcdef"]),
        ("abc\b\bX", ["aXc"]),
        ("abc\r\x1b[Kx", ["x"]),
        ("abc\x1b[2K\rx", ["x"]),
        ("abc\x1b[1Gx", ["xbc"]),
        ("abc\x1b[2Dx", ["axc"]),
        ("a\nb\n\x1b[2Ax", ["x", "b"]),
        ("a\nb\x1b[A\rx\x1b[By", ["x", "by"]),
        ("one\ntwo\nthree\x1b[2A\r\x1b[Jx", ["x", "", ""]),
        ("\x1b[31mred\x1b[0m\n", ["\x1b[31mred\x1b[0m"]),
        ("\x1b[31m40%\x1b[0m\r\x1b[32m60%\x1b[0m", ["\x1b[32m60%\x1b[0m"]),
        ("a\x1b[?25lb\x1bMx", ["abx"]),
        ("a\x1b[5Cb", ["ab"]),
        ("a\r\x1b[3Gb", ["a b"]),
    ],
)
def test_a_text(text, lines):
    shown, _ = screen(text)
    assert shown == lines
    one_by_one, _ = screen(*text)
    assert one_by_one == shown


def test_nested_bars_of_tqdm_leave_their_last_frames(monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # a thread of tqdm
    file = io.StringIO()
    for _ in tqdm(range(3), file=file, desc="outer", position=0, mininterval=0):
        for _ in tqdm(range(5), file=file, desc="inner", position=1, leave=False, mininterval=0):
            pass
    lines, _ = screen(file.getvalue())
    assert len(lines) == 2
    assert lines[0].startswith("outer: 100%|")
    assert lines[1].strip() == ""


def test_a_text_continues_where_it_overwrites():
    _, terminal = screen("working\n")
    assert not terminal.continues("next")
    _, terminal = screen("40%\r")
    assert terminal.continues("60%\r")
    _, terminal = screen("\r40%")
    assert terminal.continues("\r60%")
    assert terminal.continues("\x1b[A\rx")
    assert terminal.continues("\x1b[32m\r60%")
    assert not terminal.continues("a line of its own")
    _, moved = screen("outer\ninner\x1b[A")
    assert moved.continues("\n\rinner, next frame")
    terminal.begin_line()
    assert terminal.write("a line of its own") == [(1, "a line of its own")]


def test_only_the_last_lines_can_be_reached():
    lines, terminal = screen("line\n" * 1000 + "\x1b[999Ax")
    assert len(lines) == 1000
    assert terminal.first == 1000 - HEIGHT
    assert lines[1000 - HEIGHT] == "xine"
    assert lines[999 - HEIGHT] == "line"


@pytest.mark.parametrize("kind", "ABCDGJK")
@pytest.mark.parametrize("count", ["99999999", "9" * 5000, "0" * 5000, ";", "1;2"])
def test_no_movement_makes_a_long_line_or_fails(kind, count):
    """A process of another person may write any number."""
    lines, _ = screen(f"a\nb\x1b[{count}{kind}x")
    assert sum(map(len, lines)) < 2000


@pytest.mark.parametrize(
    ("text", "expected"), [("one", False), ("\x1b[31mred", False), ("a\n", True), ("\ra", True), ("\x1b[2Ka", True)]
)
def test_what_has_control(text, expected):
    assert has_control(text) is expected
