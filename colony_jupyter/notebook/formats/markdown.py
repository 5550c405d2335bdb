"""Markdown and code as HTML that cannot do anything but be read.

Three locks, each of which would do alone for what it guards: the parser passes no HTML through and makes no images;
links go to the web and mail only; nh3 (ammonia) allows a short list of tags, and of classes those Pygments writes.
The libraries are imported at the first use, since most notebooks show no Markdown.
"""

from __future__ import annotations

import functools
import html
import re
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.notebook.formats.plain_text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST: Final = 100_000
"""Characters of Markdown; a longer text is shown as plain text, for rendering it again and again would be felt."""

_LONGEST_CODE: Final = 20_000
_LINK: Final = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_TEXT: Final = ("p", "br", "hr", "em", "strong", "s", "code", "pre", "span", "blockquote", "ul", "ol", "li", "a")
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_TABLE: Final = ("table", "thead", "tbody", "tr", "th", "td")
_DOCUMENT: Final = (
    *("div", "b", "i", "u", "sub", "sup", "small", "kbd", "var", "dl", "dt", "dd"),
    *("caption", "tfoot", "colgroup", "col", "figure", "figcaption", "details", "summary"),
)


class Markdown:
    """One text that grows, rendered block by block: what did not change since the last time is not sanitized again."""

    def __init__(self) -> None:
        # Unsafe HTML of a block -> the safe one, for the blocks of the last time only.
        self._safe: dict[str, str] = {}

    def blocks(self, text: str) -> list[str]:
        """Render a text to safe HTML, one string for each top-level block."""
        text = clean(text)
        if len(text) > LONGEST:
            return [f"<pre>{html.escape(text)}</pre>"]
        parser = _parser()
        environment: dict[str, Any] = {}
        raw = [
            parser.renderer.render(block, parser.options, environment)
            for block in _top_level(parser.parse(text, environment))
        ]
        self._safe = {block: self._safe.get(block) or sanitize(block) for block in raw}
        return [self._safe[block] for block in raw]


def sanitize(markup: str) -> str:
    """Remove from HTML that was made of Markdown everything that is not on the list."""
    return _cleaned(markup, (), {})


def sanitize_document(markup: str) -> str:
    """Remove from any HTML everything that is not on the list, which has more elements than Markdown makes."""
    return _cleaned(markup, _DOCUMENT, {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}})


def _cleaned(markup: str, tags: tuple[str, ...], attributes: dict[str, set[str]]) -> str:
    import nh3  # noqa: PLC0415 - only notebooks that show Markdown pay for it

    return nh3.clean(
        markup,
        tags={*_TEXT, *_HEADINGS, *_TABLE, *tags},
        attributes={"a": {"href", "title"}, "ol": {"start"}, **attributes},
        allowed_classes={"span": set(_token_classes())},
        attribute_filter=_without_relative_links,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def _without_relative_links(_element: str, attribute: str, value: str) -> str | None:
    """Drop the address of a link that is not absolute: it would lead to some page of the notebook's own server."""
    return value if attribute != "href" or _LINK.fullmatch(value) else None


def highlight(code: str, language: str, _attributes: str = "") -> str:
    """Return code as HTML with Pygments' classes; escaped only, where the language is unknown or the code is long."""
    from pygments import highlight as colour  # noqa: PLC0415 - as above
    from pygments.formatters.html import HtmlFormatter  # noqa: PLC0415
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)  # type: ignore[no-untyped-call]
    except ClassNotFound:
        return html.escape(code)
    if len(code) > _LONGEST_CODE:
        return html.escape(code)
    return str(colour(code, lexer, HtmlFormatter(nowrap=True)))  # type: ignore[no-untyped-call]


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    parser = MarkdownIt("commonmark", {"html": False, "highlight": highlight}).enable(["table", "strikethrough"])
    # An image would be fetched as soon as the message is shown.
    parser.disable(["image", "html_block", "html_inline"])
    parser.validateLink = lambda url: bool(_LINK.fullmatch(url))  # type: ignore[method-assign]
    return parser


@functools.cache
def _token_classes() -> frozenset[str]:
    from pygments.token import STANDARD_TYPES  # noqa: PLC0415 - as above

    return frozenset(name for name in STANDARD_TYPES.values() if name)


def _top_level(tokens: Sequence[Token]) -> list[list[Token]]:
    blocks: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            blocks.append([])
        blocks[-1].append(token)
        depth += token.nesting
    return blocks
