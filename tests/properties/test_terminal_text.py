"""Where a text is cut into entries does not matter for the lines that it shows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.notebook.model.terminal_text import TerminalText

PLAIN = ["a", "bc", "40%", " ", "\n", "\r", "\r\n", "\b", "\n" * 60]
CONTROL = ["A", "2A", "999A", "B", "K", "2K", "J", "31m", "0m", "3G", "D", "C", "?25l", ""]
PIECES = st.sampled_from([*PLAIN, *(f"\x1b[{each}" for each in CONTROL), "\x1b", "\x1bM"])


def lines(texts):
    terminal, shown = TerminalText(), {}
    for text in texts:
        changed = terminal.write(text)
        assert [number for number, _ in changed] == sorted(number for number, _ in changed)
        shown.update(changed)
    assert sorted(shown) == list(range(len(shown)))
    return shown


@given(st.lists(PIECES, max_size=40), st.lists(st.integers(0, 100), max_size=20))
def test_cuts_do_not_matter(pieces, cuts):
    text = "".join(pieces)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    assert lines(text[start:end] for start, end in pairwise(places)) == lines([text])


@given(st.lists(st.text(alphabet="abc ", max_size=10), max_size=120))
def test_plain_lines_stay_as_they_are(texts):
    shown = lines(["\n".join(texts)])
    expected = texts if not texts or texts[-1] else texts[:-1]
    assert [shown[number] for number in sorted(shown)] == expected
