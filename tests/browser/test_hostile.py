"""Nothing that comes from elsewhere runs or breaks out: live, loaded again, saved, converted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PAYLOADS = json.loads((Path(__file__).parent / "payloads.json").read_text())

LOG = """
import json
payloads = json.loads(PAYLOADS)
name = " ".join(payloads[:12])
for chunk in range(0, len(payloads), 25):
    view = opened(title=payloads[chunk])
    part = payloads[chunk:chunk + 25]
    view.process(record(ProcessState.WAITING, funcname=part[0], channels=(part[1], part[2])), waiting_for=part[3])
    view.process(record(ProcessState.RUNNING, funcname=part[0], channels=(part[1], part[2])), part[4])
    for text in part:
        view.entries(part[1], [entry(text)], {"e" * 64: text}, "a" * 64)
        view.entries(part[2], [entry(text, kind="error"), entry(json.dumps({text: text}))], {"e" * 64: text}, "a" * 64)
        view.note(text)
        view.error(text)
    view.connection("resuming", part[5])
    state = ProcessState.FAILED if chunk else ProcessState.SUCCESS
    outcome = {"errors": part} if chunk else {"output": [[{text: text} for text in part]]}
    view.process(record(state, funcname=part[0], channels=(part[1], part[2]), **outcome), part[4])
    view.finish()
"""

CHAT = """
view = opened("chat", payloads[0])
running(view, funcname=payloads[2], channels=("chat",))
for text in payloads:
    question = entry(text, who="a")
    view.entries("chat", [question, entry(text, inreplyto=question.sequence)], {"e" * 64: text}, "a" * 64)
view.finish()
time.sleep(0.5)
"""

TABLES = """
from IPython.display import display
from colony_jupyter.notebook.formats import tables
from colony_jupyter.wire.models import ExecutorRecord, Function, Log
for text in payloads:
    failed = record(ProcessState.FAILED, funcname=text, channels=(text,), errors=[text], output=[text])
    log = Log(processid=text, colonyname=text, executorname=text, message=text, timestamp=1)
    executor = ExecutorRecord(executorid=text, executortype=text, executorname=text, colonyname=text)
    display(tables.process(failed, text), tables.processes([failed], {"e" * 64: text}), tables.executors([executor]))
    display(tables.entries([entry(text)], {"e" * 64: text}), tables.logs([log]))
    display(tables.functions([Function(funcname=text, description=text)]))
"""

# What may be in a pane at all, and in a transcript or a table.
ELEMENTS = [
    *("div", "span", "bdi", "button", "input", "textarea", "select", "option", "time", "sup", "small", "b", "i"),
    *("code", "p", "br", "hr", "em", "strong", "s", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
]
FOREIGN = """
([selector, allowed]) => [...document.querySelectorAll(selector)]
  .flatMap((root) => [root, ...root.querySelectorAll('*')])
  .filter((element) => !allowed.includes(element.localName)
    || [...element.attributes].some(({ name }) => /^(on.*|src|srcdoc|action|formaction)$/.test(name))
    || (element.localName === 'a' && !/^(https?|mailto):/i.test(element.getAttribute('href') ?? 'https:')))
  .map((element) => element.outerHTML.slice(0, 200))
"""


def watch(page):
    """Note every sign that something ran, or was fetched."""
    signs = []
    page.on("dialog", lambda dialog: (signs.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: "evil.invalid" in request.url and signs.append(request.url))
    return signs


def check(page, signs, selector):
    assert page.locator(selector).count() > 0
    assert page.evaluate("window.pwned") is None
    assert page.evaluate(FOREIGN, [selector, ELEMENTS]) == []
    assert signs == []


@pytest.mark.timeout(300)
def test_nothing_runs_and_nothing_breaks_out(notebook, browser):
    assert len(PAYLOADS) >= 60
    define = f"PAYLOADS = {json.dumps(PAYLOADS)!r}\n"
    book = notebook(define + LOG, CHAT, TABLES)
    signs = watch(book.page)
    for number in (1, 2, 3):
        book.run(number)
    book.page.wait_for_timeout(1500)
    check(book.page, signs, ".cj")
    check(book.page, signs, ".jp-OutputArea-output table")
    assert book.page.locator("mjx-container").count() == 0
    # No row is larger or lies elsewhere than its list, and the page is still all there.
    outside = """() => [...document.querySelectorAll('.cj-row, .cj-b')].filter((row) => {
      const [inner, outer] = [row.getBoundingClientRect(), row.parentElement.getBoundingClientRect()];
      return inner.left < outer.left - 1 || inner.right > outer.right + 1;
    }).map((row) => row.outerHTML.slice(0, 300))"""
    assert book.page.evaluate(outside) == []
    # Everything that can be unfolded and pressed.
    book.page.evaluate(
        "document.querySelectorAll('.cj-fold').forEach((fold) => fold.textContent === 'Download' || fold.click())"
    )
    book.page.wait_for_timeout(500)
    check(book.page, signs, ".cj")
    book.shot("hostile-light", 1)
    book.save()
    book.open()
    signs = watch(book.page)
    book.page.wait_for_selector(".cj-row")
    book.page.wait_for_timeout(1500)
    check(book.page, signs, ".cj")
    # As a file: converted, with and without the widgets' state.
    folder = book.path.parent
    converted = folder / "converted.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", converted.name, book.path.name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    page = browser.new_page()
    signs = watch(page)
    page.goto(converted.as_uri(), wait_until="domcontentloaded")
    page.wait_for_timeout(1000)
    check(page, signs, "details.cj-transcript")
    check(page, signs, ".jp-OutputArea-output table")
    page.close()
    outputs = [output for cell in json.loads(book.path.read_text())["cells"] for output in cell["outputs"]]
    transcripts = [
        output for output in outputs if "cj-transcript" in "".join(output.get("data", {}).get("text/html", ""))
    ]
    assert transcripts
    assert max(len(json.dumps(output, ensure_ascii=False).encode()) for output in transcripts) < 50_000
    plain = "".join("".join(output["data"]["text/plain"]) for output in transcripts)
    assert not set(plain) & {chr(code) for code in [*range(0x20), 0x7F, 0x202E, 0x2066]} - {"\n", "\t"}
