"""Objects with a Jupyter representation become MIME bundles: outputs, parts of outputs, displayed objects."""

from __future__ import annotations

import base64
import io

import pytest

from colony_jupyter.values import mime
from colony_jupyter.values.conversion import convert


class Html:
    def _repr_html_(self):
        return "<b>bold</b>"

    def __repr__(self) -> str:
        return "Html()"


class Everything:
    """Both forms of a picture: one is enough."""

    def _repr_png_(self):
        return b"\x89PNG\r\n\x1a\n", {"width": 3}

    def _repr_jpeg_(self):
        raise AssertionError

    def _repr_svg_(self):
        return "<svg/>"

    def _repr_latex_(self):
        return "$x$"

    def _repr_markdown_(self):
        return None

    def _repr_json_(self):
        return {"a": 1}


class Bundled:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            "text/html": "<i>x</i>",
            "image/gif": b"GIF89a",
            "application/x+json": {"a": [1]},
            "text/latex": None,
        }, {}


class OldBundled:
    def _repr_mimebundle_(self):
        return {"text/html": "old"}


class Raising:
    def _repr_html_(self):
        raise KeyError("gone")


class PartlyRaising(Raising):
    def _repr_markdown_(self):
        return "**text**"


def png():
    image = pytest.importorskip("PIL.Image").new("RGB", (4, 3), "red")
    file = io.BytesIO()
    image.save(file, "PNG")
    return image, file.getvalue()


def test_a_bundle_holds_what_the_object_represents():
    assert mime.bundle_of(Html()) == {"text/html": "<b>bold</b>", "text/plain": "Html()"}
    bundle = mime.bundle_of(Everything())
    assert bundle is not None
    assert bundle.pop("text/plain").startswith("<")
    assert bundle == {
        "image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        "image/svg+xml": "<svg/>",
        "text/latex": "$x$",
        "application/json": {"a": 1},
    }


def test_a_mimebundle_method_is_called_with_or_without_its_arguments():
    bundle = mime.bundle_of(Bundled())
    assert bundle is not None
    assert bundle["text/html"] == "<i>x</i>"
    assert bundle["image/gif"] == base64.b64encode(b"GIF89a").decode()
    assert bundle["application/x+json"] == {"a": [1]}
    assert "text/latex" not in bundle
    assert mime.bundle_of(OldBundled())["text/html"] == "old"


@pytest.mark.parametrize("value", [3, "text", [1], {"a": 1}, object(), Html, None])
def test_other_objects_have_none(value):
    assert mime.bundle_of(value) is None


def test_a_figure_is_drawn_without_pyplot_and_without_a_display(monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    monkeypatch.delenv("DISPLAY", raising=False)
    figure = figures.Figure()
    axes = figure.subplots()
    axes.plot([1, 2, 3])
    for value in (figure, axes):
        bundle = mime.bundle_of(value)
        assert bundle is not None
        found = mime.picture(bundle)
        assert found is not None
        assert found[0] == "image/png"
        assert len(found[1]) > 1000
        assert bundle["text/plain"] == repr(value)


def test_an_image_of_pillow_has_the_same_pixels():
    image, _ = png()
    found = mime.picture(mime.bundle_of(image) or {})
    assert found is not None
    opened = pytest.importorskip("PIL.Image").open(io.BytesIO(found[1]))
    assert (opened.size, opened.getpixel((0, 0))) == ((4, 3), (255, 0, 0))


def test_an_output_with_a_figure_is_converted_wherever_it_is():
    converted = convert({"plots": [Html()], "loss": 0.5}, "result", large="text")
    assert converted.value == {"plots": [{"text/html": "<b>bold</b>", "text/plain": "Html()"}], "loss": 0.5}
    assert converted.faults == ()


def test_a_representation_that_raises_is_a_fault_that_names_it():
    converted = convert({"plot": Raising()}, "result", large="text")
    assert "KeyError" in converted.complaint()
    assert 'result["plot"]' in converted.complaint()
    assert convert(PartlyRaising(), "result", large="text").value["text/markdown"] == "**text**"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text/plain": "a"}, True),
        ({"application/vnd.vega-lite.v5+json": {}, "text/plain": ""}, True),
        ({"text/html; charset=utf-8": ""}, True),
        ({}, False),
        ({"text/plain": "a", "loss": 1}, False),
        ({"a/b": 1}, False),
        ([], False),
        ({f"text/{at}": "" for at in range(101)}, False),
    ],
)
def test_what_is_a_bundle(value, expected):
    assert mime.is_bundle(value) is expected
    assert isinstance(mime.as_bundle(value), mime.MimeBundle) is expected
    assert mime.as_bundle(value) == value


@pytest.mark.parametrize("data", [None, 3, "no base64!", base64.b64encode(b"no PNG").decode(), ""])
def test_an_invalid_picture_is_none(data):
    assert mime.picture({"image/png": data}) is None


def test_base64_of_a_notebook_file_has_line_breaks():
    _, data = png()
    assert mime.picture({"image/png": base64.encodebytes(data).decode()}) == ("image/png", data)
