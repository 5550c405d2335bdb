import json
import re
from pathlib import Path

import pytest

from colony_jupyter.notebook.formats.markdown import LONGEST, Markdown, highlight

PAYLOADS = json.loads((Path(__file__).parents[3] / "browser" / "payloads.json").read_text())


def rendered(text):
    return "".join(Markdown().blocks(text))


def test_markdown():
    assert rendered("a **b** `c`") == "<p>a <strong>b</strong> <code>c</code></p>\n"
    assert "<table>" in rendered("| a |\n|---|\n| b |")
    assert "<s>x</s>" in rendered("~~x~~")
    assert rendered("3. x").startswith('<ol start="3">')


def test_code_is_highlighted():
    assert '<span class="k">for</span>' in rendered("```python\nfor x in y: pass\n```")
    assert rendered("```nosuch\n<b>\n```") == "<pre><code>&lt;b&gt;\n</code></pre>\n"
    assert highlight("<b>" * 10_000, "python") == "&lt;b&gt;" * 10_000


def test_links_go_to_the_web_only():
    assert 'href="https://example.org"' in rendered("[x](https://example.org)")
    assert 'rel="noopener noreferrer nofollow"' in rendered("[x](https://example.org)")
    assert 'target="_blank"' in rendered("[x](https://example.org)")
    for target in ("javascript:alert(1)", "/lab", "//evil.example", "data:text/html,x", "#x", "file:///etc"):
        assert "<a" not in rendered(f"[x]({target})")
    assert "<img" not in rendered("![x](https://example.org/x.png)")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_runs(payload):
    markup = rendered(payload)
    tags = re.findall(r"<[a-zA-Z!/][^>]*>", markup)
    for tag in tags:
        assert re.fullmatch(
            r"</?(p|br|hr|em|strong|s|code|pre|blockquote|ul|ol|li|h\d|table|thead|tbody|tr|th|td|a|span)"
            r'( (href="(https?|mailto):[^"]*"|title="[^"]*"|rel="[^"]*"|target="_blank"|class="[\w ]*"|start="\d+"))*'
            r"( /)?>",
            tag,
        ), tag


def test_a_growing_text_changes_only_its_last_blocks():
    markdown = Markdown()
    first = markdown.blocks("# Title\n\none\n\ntwo")
    second = markdown.blocks("# Title\n\none\n\ntwo and a half")
    assert first[:2] == second[:2]
    assert len(first) == len(second) == 3


def test_a_very_long_text_is_plain():
    assert rendered("<b>" * LONGEST).startswith("<pre>&lt;b&gt;")
