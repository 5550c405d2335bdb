"""How a MIME bundle is shown: its best medium, made safe (pure).

Bundles come from other machines. HTML, Markdown and tables are sanitized in the kernel; pictures and SVG reach the page
as bytes for an ``<img>`` element, in which no script runs; all other media are shown as text.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Final, Literal

import msgspec

from colony_jupyter.notebook.formats.markdown import Markdown, sanitize_document
from colony_jupyter.notebook.formats.plain_text import clean, one_line, size
from colony_jupyter.values import mime

Kind = Literal["image", "html", "json", "text"]
"""How the page shows a medium."""

LONGEST_HTML: Final = 200_000
"""Characters of HTML or Markdown; a longer one is shown as text."""

ON_REQUEST: Final = 5_000_000
"""Bytes; a larger picture is sent to the page only when the reader asks for it."""

# Commands of MathJax that make links or markup, load extensions or define commands, which could be aliases of these.
_ACTIVE_LATEX: Final = re.compile(
    r"\\(?:href|url|html|class|cssId|style|data|require|[gex]?def|let|newcommand|renewcommand|newenvironment|csname"
    r"|catcode|includegraphics|mmlToken|toggle|action|texttip|mathtip|bbox)"
)
_LONGEST_TEXT: Final = 100_000
_LONGEST_ALT: Final = 300


class Media(msgspec.Struct, frozen=True):
    """What is shown of a MIME bundle.

    Attributes:
        kind: how the page shows it.
        text: for ``html`` safe HTML, for ``json`` JSON, for ``text`` text; for ``image`` the alternative text.
        media_type: of an image, its media type; otherwise empty.
        bytes: of an image, its size; otherwise 0.
        plain: one line for terminals and transcripts.
    """

    kind: Kind
    text: str
    plain: str
    media_type: str = ""
    bytes: int = 0

    def wire(self) -> dict[str, Any]:
        """Return it as the page reads it (`static/media.js`). The bytes of an image are asked for separately."""
        wire: dict[str, Any] = {"kind": self.kind, "x": self.text}
        if self.kind == "image":
            wire |= {"mime": self.media_type, "bytes": self.bytes}
            if self.bytes > ON_REQUEST:
                wire["ask"] = 1
        return wire


def media_of(bundle: dict[str, Any]) -> Media:
    """Choose the medium to show: a picture, SVG, HTML, Markdown, LaTeX (as its source), JSON, or text."""
    text = bundle.get(mime.PLAIN)
    plain = clean(text[:_LONGEST_TEXT]) if isinstance(text, str) else ""
    image = _image(bundle)
    if image is not None:
        media_type, data = image
        alt = one_line(plain, _LONGEST_ALT) or media_type
        return Media("image", alt, f"[{media_type}, {size(len(data))}] {alt}", media_type, len(data))
    markup = _html(bundle)
    if markup:
        return Media("html", markup, plain or "[text/html]")
    latex = bundle.get(mime.LATEX)
    if isinstance(latex, str):
        return Media("text", clean(latex[:_LONGEST_TEXT]), plain or clean(latex[:_LONGEST_TEXT]))
    if mime.JSON in bundle:
        json = clean(msgspec.json.encode(bundle[mime.JSON]).decode())
        return Media("json", json, plain or json[:_LONGEST_TEXT])
    broken = ", ".join(f"{name} ({_described(bundle[name])})" for name in bundle if name != mime.PLAIN)
    shown = plain or f"[cannot be shown: {clean(broken[:_LONGEST_ALT])}]"
    return Media("text", shown, shown)


def shown(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return the bundle that IPython displays in place of one from another machine: one safe medium, and text."""
    media = media_of(bundle)
    if media.kind == "image" and media.media_type in mime.IMAGES:
        return {media.media_type: bundle[media.media_type], mime.PLAIN: media.plain}
    if media.kind == "image":
        address = base64.b64encode(image_bytes(bundle)).decode()
        element = f'<img alt="picture" src="data:{mime.SVG};base64,{address}">'
        return {mime.HTML: element, mime.PLAIN: media.plain}
    if media.kind == "html":
        return {mime.HTML: media.text, mime.PLAIN: media.plain}
    if media.kind == "json":
        return {mime.JSON: bundle[mime.JSON], mime.PLAIN: media.plain}
    latex = bundle.get(mime.LATEX)
    if isinstance(latex, str) and not _ACTIVE_LATEX.search(latex):
        return {mime.LATEX: clean(latex), mime.PLAIN: media.plain}
    return {mime.PLAIN: media.plain}


def image_bytes(bundle: dict[str, Any]) -> bytes:
    """Return the bytes of the picture that `media_of` chose; empty if it chose none."""
    image = _image(bundle)
    return b"" if image is None else image[1]


def _image(bundle: dict[str, Any]) -> tuple[str, bytes] | None:
    picture = mime.picture(bundle)
    if picture is not None:
        return picture
    svg = bundle.get(mime.SVG)
    if isinstance(svg, str) and "<svg" in svg[:2000]:
        return mime.SVG, svg.encode("utf-8", "replace")
    return None


def _html(bundle: dict[str, Any]) -> str:
    markup = bundle.get(mime.HTML)
    if isinstance(markup, str) and len(markup) <= LONGEST_HTML:
        safe = sanitize_document(clean(markup))
        if _has_content(safe):
            return safe
    source = bundle.get(mime.MARKDOWN)
    return "".join(Markdown().blocks(source)) if isinstance(source, str) and len(source) <= LONGEST_HTML else ""


def _has_content(markup: str) -> bool:
    """Whether anything is left to read between the tags, as in the HTML of a chart that its script draws."""
    inside = False
    for character in markup:
        if character in "<>":
            inside = character == "<"
        elif not inside and not character.isspace():
            return True
    return False


def _described(medium: object) -> str:
    return f"{len(medium):,} characters" if isinstance(medium, str) else type(medium).__name__
