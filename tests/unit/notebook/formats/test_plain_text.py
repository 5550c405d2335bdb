import pytest

from colony_jupyter.notebook.formats.plain_text import clean, clean_keeping_colours, one_line, seconds, size


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hx", "x"),
        ("\x1bcx", "\u241bcx"),
        ("a\0b", "a\u2400b"),
        ("a\x7fb", "a\u2421b"),
        ("a\x9bb", "a\u27e8U+009B\u27e9b"),
        ("a\u202eb", "a\u27e8U+202E\u27e9b"),
        ("a\ud800b", "a\u27e8U+D800\u27e9b"),
        ("שלום عالم", "שלום عالم"),
    ],
)
def test_cleaning(text, shown):
    assert clean(text) == shown


def test_nothing_unfit_is_left_of_any_character():
    everything = "".join(map(chr, range(0x3000)))
    assert set(everything) - set(clean(everything)) >= {"\x1b", "\0", "\x9b", "\u202e", "\u2066", "\u200f", "\r"}
    assert clean(clean(everything)) == clean(everything)


def test_colours_stay_where_they_are_wanted():
    assert clean_keeping_colours("a\x1b[1;31mb\x1b[0m\x1b[2Jc\0") == "a\x1b[1;31mb\x1b[0mc\u2400"
    assert clean_keeping_colours("a\u202eb") == "a\u27e8U+202E\u27e9b"


def test_one_line():
    assert one_line("a\n  b\t c", 10) == "a b c"
    assert one_line("abcdef", 4) == "abc…"
    assert len(one_line("x" * 10_000, 40)) == 40


def test_sizes_and_spans():
    assert [size(count) for count in (0, 1, 999, 1500, 2_500_000, 3 * 10**9)] == [
        *("0 bytes", "1 byte", "999 bytes", "1.5 kB", "2.5 MB", "3.0 GB")
    ]
    assert [seconds(count) for count in (0, 4.9, 161, 3723, -1)] == ["0:00", "0:04", "2:41", "1:02:03", "0:00"]
