"""MIME bundles: what Jupyter shows of an object, as a JSON object whose keys are media types.

Binary media are base64 text, as in a notebook file (nbformat, "The Notebook file format", section "display_data").
No library is imported for its types: a figure can only come from a library that its process has imported.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import sys
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable

DISPLAY: Final = "display"
"""Type of an entry whose payload is a MIME bundle."""

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
GIF: Final = "image/gif"
SVG: Final = "image/svg+xml"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
LATEX: Final = "text/latex"
JSON: Final = "application/json"
PLAIN: Final = "text/plain"

IMAGES: Final = (PNG, JPEG, GIF)
"""Media types of pictures that every browser shows."""

_BEGINNINGS: Final = {PNG: (b"\x89PNG\r\n\x1a\n",), JPEG: (b"\xff\xd8\xff",), GIF: (b"GIF87a", b"GIF89a")}
_METHODS: Final = (
    ("_repr_png_", PNG),
    ("_repr_jpeg_", JPEG),
    ("_repr_svg_", SVG),
    ("_repr_html_", HTML),
    ("_repr_markdown_", MARKDOWN),
    ("_repr_latex_", LATEX),
    ("_repr_json_", JSON),
)
_MEDIA_TYPE: Final = re.compile(
    r"(?:application|audio|font|image|model|text|video)/[\w.+-]{1,120}(?:;[\w.+=; -]{1,80})?"
)
_MOST_KEYS: Final = 100
_LONGEST_REPR: Final = 2000


class MimeBundle(dict[str, Any]):
    """A MIME bundle that a process returned: a dict whose keys are media types. A notebook shows it."""

    def __repr__(self) -> str:
        return f"<MimeBundle: {', '.join(self)}>"


def is_bundle(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is a MIME bundle: an object with some media types as keys and no other keys."""
    return (
        isinstance(value, dict)
        and 0 < len(value) <= _MOST_KEYS
        and all(isinstance(key, str) and _MEDIA_TYPE.fullmatch(key) for key in value)
    )


def as_bundle(value: Any) -> Any:
    """Return a MIME bundle as `MimeBundle`, and any other JSON value unchanged."""
    return MimeBundle(value) if is_bundle(value) else value


def bundle_of(value: Any) -> dict[str, Any] | None:
    """Make the MIME bundle of an object with a Jupyter representation, a matplotlib figure or axes; None for others.

    The methods are those of IPython ("Integrating your objects with IPython", section "Rich display"). A method that
    raises is skipped if another one succeeds.

    Raises:
        Exception: that of the last method, if no method succeeds.
    """
    if isinstance(value, type):
        return None
    figure = _figure(value)
    if figure is not None:
        return {PNG: _text(_rendered(figure)), PLAIN: plain(value)}
    bundle: dict[str, Any] = {}
    failure: Exception | None = None
    for name, media_type in (("_repr_mimebundle_", ""), *_METHODS):
        method = getattr(value, name, None) if hasattr(type(value), name) else None
        if not callable(method) or (media_type and _is_covered(media_type, bundle)):
            continue
        try:
            found = method() if media_type else _mimebundle(method)
        except Exception as error:  # noqa: BLE001 - a method of the user's object may raise anything
            failure = error
            continue
        found = found[0] if isinstance(found, tuple) else found  # the rest is metadata
        if media_type and found is not None:
            bundle[media_type] = _text(found)
        elif isinstance(found, dict):
            bundle |= {str(key): _text(each) for key, each in found.items() if each is not None}
    if not bundle:
        if failure is not None:
            raise failure
        return None
    bundle.setdefault(PLAIN, plain(value))
    return bundle


def picture(bundle: dict[str, Any]) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of the first picture of a bundle; None if it has none that is valid."""
    for media_type in IMAGES:
        data = decoded(bundle.get(media_type))
        if data is not None and data.startswith(_BEGINNINGS[media_type]):
            return media_type, data
    return None


def decoded(value: object) -> bytes | None:
    """Decode the base64 text of a binary medium; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value.translate(_NO_BREAKS), validate=True)
    except (binascii.Error, ValueError):
        return None


_NO_BREAKS: Final = {ord("\n"): None, ord("\r"): None}


def _is_covered(media_type: str, bundle: dict[str, Any]) -> bool:
    """Whether a bundle needs no such medium: it has it, or has a picture in another format already."""
    return media_type in bundle or (media_type in IMAGES and any(each in bundle for each in IMAGES))


def _mimebundle(method: Callable[..., Any]) -> Any:
    """Call ``_repr_mimebundle_``, whose arguments are keywords by convention and missing in some libraries."""
    try:
        return method(include=None, exclude=None)
    except TypeError:
        return method()


def _figure(value: Any) -> Any:
    """Return the figure of a matplotlib figure or axes; None for anything else."""
    figures, axes = sys.modules.get("matplotlib.figure"), sys.modules.get("matplotlib.axes")
    if figures is None:
        return None
    if isinstance(value, figures.Figure):
        return value
    return value.get_figure() if axes is not None and isinstance(value, axes.Axes) else None


def _rendered(figure: Any) -> bytes:
    """Draw a figure as PNG. ``savefig`` draws with Agg, so no display server is needed."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return file.getvalue()


def _text(value: Any) -> Any:
    """Return a medium as JSON has it: bytes as base64 text, anything else unchanged."""
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray, memoryview)) else value


def plain(value: Any) -> str:
    """Return the representation of any object as text, cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a __repr__ may raise anything
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST_REPR else text[: _LONGEST_REPR - 1] + "…"
