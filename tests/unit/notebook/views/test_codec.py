from itertools import accumulate

import msgspec

from colony_jupyter.notebook.views.codec import message, packed


def test_equal_rows_share_their_fields():
    rows = [
        {"n": 5, "k": "data", "t": 1000, "w": "x", "x": "a", "c": "log", "s": 2},
        {"n": 6, "k": "data", "t": 1003, "w": "x", "x": "b", "c": "log", "s": 4, "r": 1},
        {"n": 7, "k": "note", "t": 1003, "w": "", "x": "c"},
        {"n": 9, "k": "data", "t": 1001, "w": "x", "x": "d", "c": "log", "s": 6},
    ]
    made = packed(rows)
    assert made["rows"] == [
        [5, 1000, 0, 2, "a"],
        [1, 3, 0, 2, "b", {"r": 1}],
        [1, 0, 1, -4, "c"],
        [2, -2, 0, 6, "d"],
    ]
    assert [style["k"] for style in made["styles"]] == ["data", "note"]
    assert list(accumulate(row[0] for row in made["rows"])) == [5, 6, 7, 9]


def test_a_message_without_rows_is_as_it_is():
    assert msgspec.json.decode(message({"head": {"title": "x"}})) == {"head": {"title": "x"}}


def test_a_row_costs_little_more_than_its_text():
    rows = [
        {"n": at, "k": "data", "t": at * 2, "w": "laptop-7f3a", "x": "x" * 80, "c": "log", "s": at}
        for at in range(1000)
    ]
    assert len(message({"rows": rows})) < 1000 * 97
