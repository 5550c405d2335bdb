"""Errors in a cell: a sentence and the user's own lines, without a stack of ours."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import ColonyError, ProcessFailed, UsageError
from colony_jupyter.notebook.formats.errors import error_lines, error_lines_with_place, show_as


def plain(lines):
    return [line.replace("\x1b[31m", "").replace("\x1b[0m", "") for line in lines]


def test_an_error_is_its_name_in_red_and_its_sentence():
    (line,) = error_lines(UsageError("Name a process."))
    assert line == "\x1b[31mUsageError\x1b[0m: Name a process."


def test_a_failed_process_has_the_story_of_its_executor_below():
    error = ProcessFailed("424d6828" + "0" * 56, "train", ["ValueError: no\n  line 3\n  line 4", "a second error"])
    first, *rest = plain(error_lines(error))
    assert first.startswith("ProcessFailed: ")
    assert "ValueError: no" in first
    assert rest == ["  line 3", "  line 4", "a second error"]


def test_a_failed_process_without_errors_is_a_sentence():
    assert len(error_lines(ProcessFailed("424d6828" + "0" * 56, "train", []))) == 1


def test_a_note_of_an_error_is_shown_below():
    """What a map submitted until it was interrupted is such a note."""
    error = UsageError("No.")
    error.add_note("3 of 9 processes were submitted.\x1b[2J")
    assert plain(error_lines(error)) == ["UsageError: No.", "3 of 9 processes were submitted."]


def test_text_from_elsewhere_cannot_move_the_cursor():
    assert "\x1b[2J" not in error_lines(ColonyError("a\x1b[2Jb"))[0]
    error = ProcessFailed("4" * 64, "train", ["first\nsecond\x1b[2J"])
    assert all("\x1b[2J" not in line for line in error_lines(error))


def test_the_lines_of_the_user_that_led_to_it_follow_each_once():
    def call():
        raise UsageError("Name a process.")

    with pytest.raises(UsageError) as caught:
        call()
    first, *places = plain(error_lines_with_place(caught.value))
    assert first == "UsageError: Name a process."
    assert places[-1].endswith('raise UsageError("Name a process.")')
    assert __file__ in places[-1]


def test_a_place_in_a_cell_is_named_so():
    source = compile("raise error", "<ipython-input-1>", "exec")
    error = UsageError("no")
    with pytest.raises(UsageError):
        exec(source, {"error": error})
    assert plain(error_lines_with_place(error))[-1].startswith("  the cell, line 1: ")


def test_ipython_shows_the_lines_and_nothing_that_led_to_the_error():
    error = UsageError("no")
    error.__cause__ = ValueError("the cause")
    show_as(error, ["one", "two"])
    assert vars(error)["_render_traceback_"]() == ["one", "two"]
    assert error.__cause__ is error.__context__ is None
