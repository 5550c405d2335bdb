"""Of a MIME bundle from another machine its best medium is shown, and nothing of it can run."""

from __future__ import annotations

import base64

import msgspec
import pytest

from colony_jupyter.notebook.model.changes import NewEntries, ProcessChange
from colony_jupyter.notebook.model.media import LONGEST_HTML, ON_REQUEST, image_bytes, media_of, shown
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.values.mime import MimeBundle
from colony_jupyter.wire.models import ProcessState

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def text_of(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("bundle", "kind", "text"),
    [
        ({"image/png": text_of(PNG), "text/html": "<b>x</b>", "text/plain": "Figure"}, "image", "Figure"),
        ({"image/gif": text_of(b"GIF89a..."), "text/plain": ""}, "image", "image/gif"),
        ({"image/svg+xml": SVG, "text/html": "<b>x</b>", "text/plain": "drawing"}, "image", "drawing"),
        ({"text/html": "<b onclick=x>bold</b>", "text/markdown": "**m**"}, "html", "<b>bold</b>"),
        ({"text/html": "<script>alert(1)</script>", "text/plain": "chart"}, "text", "chart"),
        ({"text/html": "<div></div>", "text/markdown": "**m**"}, "html", "<p><strong>m</strong></p>\n"),
        ({"text/html": "x" * (LONGEST_HTML + 1), "text/plain": "long"}, "text", "long"),
        ({"text/markdown": "[a](javascript:alert(1))"}, "html", "<p>[a](javascript:alert(1))</p>\n"),
        ({"text/latex": "$x^2$", "text/plain": "Math"}, "text", "$x^2$"),
        ({"application/json": {"a": [1]}, "text/plain": "{...}"}, "json", '{"a":[1]}'),
        ({"text/plain": "only \x1b[31mtext"}, "text", "only text"),
        ({"image/png": "no picture", "text/plain": "Figure"}, "text", "Figure"),
        ({"image/png": text_of(b"MZ")}, "text", "[cannot be shown: image/png (4 characters)]"),
        ({"video/mp4": 3}, "text", "[cannot be shown: video/mp4 (int)]"),
    ],
)
def test_the_best_medium_is_chosen_and_made_safe(bundle, kind, text):
    media = media_of(bundle)
    assert (media.kind, media.text) == (kind, text)
    assert media.plain
    assert "<script" not in media.text


def test_a_table_of_pandas_stays_a_table():
    pandas = pytest.importorskip("pandas")
    media = media_of({"text/html": pandas.DataFrame({"a": [1, 2]})._repr_html_()})
    assert media.kind == "html"
    assert media.text.count("<tr>") == 3
    assert "style" not in media.text


def test_a_large_picture_is_loaded_on_request():
    small, large = (media_of({"image/png": text_of(PNG + b"\0" * size)}).wire() for size in (0, ON_REQUEST))
    assert "ask" not in small
    assert large["ask"] == 1
    assert (small["mime"], small["bytes"]) == ("image/png", len(PNG))


def test_what_ipython_displays_is_safe():
    assert shown({"image/png": text_of(PNG), "application/javascript": "alert(1)", "text/plain": "f"}) == {
        "image/png": text_of(PNG),
        "text/plain": f"[image/png, {len(PNG)} bytes] f",
    }
    assert shown({"text/html": "<script>alert(1)</script>fine"})["text/html"] == "fine"
    drawing = shown({"image/svg+xml": SVG})["text/html"]
    assert "<script" not in drawing
    assert text_of(SVG.encode()) in drawing
    assert shown({"text/latex": "$x^2$"})["text/latex"] == "$x^2$"
    assert "text/latex" not in shown({"text/latex": r"$\href{javascript:alert(1)}{x}$", "text/plain": "x"})
    assert shown({"application/json": [1], "text/plain": "[1]"})["application/json"] == [1]
    assert shown({"application/javascript": "alert(1)", "text/plain": "t"}) == {"text/plain": "t"}


def bundle_entry(make, **media):
    return make.entry(msgspec.json.encode(media).decode(), type="display")


def test_the_pane_has_rows_and_a_result_with_media(make, clock):
    model = PaneModel("plot", "log", clock)
    bundle = {"image/png": text_of(PNG), "text/plain": "Figure(640x480)"}
    entry = make.entry(msgspec.json.encode(bundle).decode(), type="display")
    model.feed(NewEntries("progress", [entry, make.entry("{}", type="display")], make.names, make.me))
    model.feed(ProcessChange(make.record(ProcessState.SUCCESS, output=[bundle]), "laptop-7f3a"))
    batch = model.batch()
    first, second = batch["rows"]
    assert first["d"] == {"kind": "image", "x": "Figure(640x480)", "mime": "image/png", "bytes": len(PNG)}
    assert "d" not in second
    assert batch["result"]["d"] == first["d"]
    assert image_bytes(model.bundle(0)) == image_bytes(model.bundle(None)) == PNG
    assert image_bytes(model.bundle(1)) == b""


def test_ipython_shows_a_bundle_as_the_value_of_a_cell():
    from IPython.core.formatters import DisplayFormatter

    from colony_jupyter.notebook.formats import ipython_formatters

    formatter = DisplayFormatter()
    ipython_formatters.register(formatter)
    try:
        data, _ = formatter.format(MimeBundle({"text/html": "<b>x</b><script>y</script>", "text/plain": "p"}))
    finally:
        ipython_formatters.unregister(formatter)
    assert data == {"text/html": "<b>x</b>", "text/plain": "p"}
    assert formatter.format(MimeBundle({"text/plain": "p"}))[0] == {"text/plain": "<MimeBundle: text/plain>"}
