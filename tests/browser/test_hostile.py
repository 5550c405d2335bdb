"""Nothing that comes from elsewhere runs or breaks out: live, loaded again, saved, converted."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

PAYLOADS = json.loads((Path(__file__).parent / "payloads.json").read_text())

LOG = """
import json
from colony_jupyter.wire.models import Log
payloads = json.loads(PAYLOADS)
name = " ".join(payloads[:12])
for chunk in range(0, len(payloads), 25):
    view = opened(title=payloads[chunk])
    part = payloads[chunk:chunk + 25]
    names = {"funcname": part[0], "channels": (part[1], part[2])}
    view.feed(ProcessChange(record(ProcessState.WAITING, **names), waiting_for=part[3]))
    view.feed(ProcessChange(record(ProcessState.RUNNING, **names), part[4]))
    for text in part:
        view.feed(NewEntries(part[1], [entry(text)], {"e" * 64: text}, "a" * 64))
        entries = [entry(text, kind="error"), entry(json.dumps({text: text}))]
        view.feed(NewEntries(part[2], entries, {"e" * 64: text}, "a" * 64))
        numbers = [entry(json.dumps({text: number, part[1]: 1})) for number in (1, 2)]
        view.feed(NewEntries(part[0], numbers, {}, "a" * 64))
        view.feed(NewLogLines([Log(processid=text, colonyname=text, executorname=text, message=text, timestamp=1)]))
        view.feed(Note(text))
        view.feed(Fault(text))
    view.feed(ConnectionChange("resuming", part[5]))
    state = ProcessState.FAILED if chunk else ProcessState.SUCCESS
    outcome = {"errors": part} if chunk else {"output": [[{text: text} for text in part]]}
    view.feed(ProcessChange(record(state, funcname=part[0], channels=(part[1], part[2]), **outcome), part[4]))
    view.finish()
"""

DISPLAY = """
import base64, json
MEDIA = ["text/html", "text/markdown", "text/latex", "text/plain"]
MEDIA += ["image/png", "image/svg+xml", "application/javascript"]
def shown(bundle):
    return entry(json.dumps(bundle), kind="display")
view = opened(title="display")
running(view, funcname="display", channels=("plots",))
svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='window.pwned=1'>{}</svg>"
bundles = [{media: svg.format(text) if "svg" in media else text} for text in payloads for media in MEDIA]
bundles += [{"application/json": {text: [text]}, text: text} for text in payloads]
bundles += [{"application/json": {text: [text]}, "text/plain": text} for text in payloads]
bundles += [{"image/png": base64.b64encode(b"no picture" * 1000).decode()}]
bundles += [{"image/png": base64.b64encode(b"\\x89PNG\\r\\n\\x1a\\n" + b"broken" * 1000).decode()}]
bundles += [{f"text/x-{at}": "<script>window.pwned=1</script>" for at in range(10_000)}]
bundles += [{"text/html": "<b>" * 50_000}, {"text/markdown": "[" * 20_000}]
view.feed(NewEntries("plots", [shown(bundle) for bundle in bundles], {"e" * 64: "laptop-7f3a"}, "a" * 64))
view.finish()
picture = b"\\x89PNG\\r\\n\\x1a\\n" + bytes(37_500_000)
large = {"image/png": base64.b64encode(picture).decode(), "text/html": payloads[0]}
for output in (large, bundles[0], bundles[4]):
    view = opened(title="output")
    done = record(ProcessState.SUCCESS, funcname="output", channels=("plots",), output=[output])
    view.feed(ProcessChange(done, "laptop-7f3a"))
    view.finish()
"""

CHAT = """
view = opened("chat", payloads[0])
running(view, funcname=payloads[2], channels=("chat",))
for text in payloads:
    question = entry(text, who="a")
    view.feed(NewEntries("chat", [question, entry(text, inreplyto=question.sequence)], {"e" * 64: text}, "a" * 64))
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

WORKFLOW = """
import msgspec
from colony_jupyter.wire.models import Workflow
def member(at, text):
    states = (ProcessState.SUCCESS, ProcessState.RUNNING, ProcessState.FAILED)
    made = record(states[at % 3], funcname=text, errors=[text] if at % 3 == 2 else [], output=[text])
    children = [payloads[at + 1]] if at + 1 < len(payloads) else []
    made.spec.nodename = text
    return msgspec.structs.replace(made, processid=text, processgraphid=payloads[0], children=children)
view = opened("workflow", payloads[0])
members = [member(at, text) for at, text in enumerate(payloads)]
graph = Workflow(processgraphid=payloads[0], state=ProcessState.RUNNING)
view.feed(WorkflowChange(graph, members, {"e" * 64: payloads[2]}, payloads[3]))
for text in payloads[:3]:
    view.feed(Note(text))
view.feed(Fault(payloads[4]))
view.finish()
"""

# What may be in a pane at all, and in a transcript or a table.
ELEMENTS = [
    *(
        "div",
        "span",
        "bdi",
        "button",
        "input",
        "textarea",
        "select",
        "option",
        "time",
        "sup",
        "sub",
        "small",
        "b",
        "i",
        "u",
    ),
    *("code", "p", "br", "hr", "em", "strong", "s", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *(
        "img",
        "sub",
        "u",
        "kbd",
        "var",
        "dl",
        "dt",
        "dd",
        "caption",
        "tfoot",
        "colgroup",
        "col",
        "figure",
        "figcaption",
        "canvas",
        "label",
    ),
]
FOREIGN = r"""
([selector, allowed]) => [...document.querySelectorAll(selector)]
  .flatMap((root) => [root, ...root.querySelectorAll('*')])
  .filter((element) => !allowed.includes(element.localName)
    || [...element.attributes].some(({ name, value }) => /^(on.*|src|srcdoc|action|formaction)$/.test(name)
      && !(element.localName === 'img' && name === 'src'
        && /^(blob:|data:image\/(png|jpeg|gif|svg\+xml);)/.test(value)))
    || (element.localName === 'a' && !/^(https?|mailto):/i.test(element.getAttribute('href') ?? 'https:')))
  .map((element) => element.outerHTML.slice(0, 200))
"""


def watch(page):
    """Note every sign that something ran, or was fetched."""
    signs = []

    def answer(dialog):
        if dialog.type == "beforeunload":  # of JupyterLab: something changed since the file was saved
            with contextlib.suppress(Error):  # a page that is watched twice has answered
                dialog.accept()
        else:
            signs.append(f"dialog {dialog.message}")
            dialog.dismiss()

    page.on("dialog", answer)
    page.on("request", lambda request: "evil.invalid" in request.url and signs.append(request.url))
    return signs


def check(page, signs, selector, more=()):
    assert page.locator(selector).count() > 0
    assert page.evaluate("window.pwned") is None
    assert page.evaluate(FOREIGN, [selector, [*ELEMENTS, *more]]) == []
    assert signs == []


def test_a_payload_that_runs_is_noticed(notebook):
    """The same signs and the same check for an output that may run scripts, which proves that the check can fail."""
    book = notebook(
        "from IPython.display import HTML\n"
        'HTML(\'<div class="cj"><img src="http://evil.invalid/x" onerror="window.pwned = 1; alert(2)"></div>\')',
        own_page=True,
    )
    signs = watch(book.page)
    book.run(1)
    book.page.wait_for_function("() => window.pwned === 1")
    assert [sign for sign in signs if sign.startswith("dialog")]
    assert [sign for sign in signs if "evil.invalid" in sign]
    assert book.page.evaluate(FOREIGN, [".cj", ELEMENTS])
    with pytest.raises(AssertionError):
        check(book.page, signs, ".cj")


@pytest.mark.timeout(120)
def test_displayed_objects_neither_run_nor_hang(notebook):
    book = notebook(f"PAYLOADS = {json.dumps(PAYLOADS)!r}\nimport json\npayloads = json.loads(PAYLOADS)\n" + DISPLAY)
    signs = watch(book.page)
    book.run(1)
    book.cell(1).locator(".cj").last.scroll_into_view_if_needed()  # what is out of sight is not drawn
    book.cell(1).locator(".cj-result").last.scroll_into_view_if_needed()
    expect(book.cell(1).get_by_role("button", name="Load the picture")).to_be_visible()
    book.page.wait_for_timeout(1500)  # for what must not happen
    check(book.page, signs, ".cj")
    first = book.cell(1).locator(".cj").first
    first.scroll_into_view_if_needed()
    first.locator(".cj-log").evaluate("list => { list.scrollTop = 0; }")
    book.page.wait_for_timeout(500)
    check(book.page, signs, ".cj")
    book.shot("hostile-display", 1)


@pytest.mark.timeout(120)
def test_a_workflow_of_hostile_names_is_text(notebook):
    book = notebook(f"PAYLOADS = {json.dumps(PAYLOADS)!r}\nimport json\npayloads = json.loads(PAYLOADS)\n" + WORKFLOW)
    signs = watch(book.page)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-node")).to_have_count(len(PAYLOADS))
    expect(pane.locator(".cj-remark")).to_have_count(3)
    for node in pane.locator(".cj-node").all()[:3]:
        node.click()  # which asks the kernel to open it
    book.page.wait_for_timeout(1500)  # for what must not happen
    check(book.page, signs, ".cj", ["svg", "path"])
    outside = """() => [...document.querySelectorAll('.cj-node *')].filter((inner) => {
      const [one, all] = [inner.getBoundingClientRect(), inner.parentElement.getBoundingClientRect()];
      return one.left < all.left || one.right > all.right + 1;
    }).map((inner) => inner.outerHTML.slice(0, 300))"""
    assert book.page.evaluate(outside) == []
    book.shot("hostile-workflow", 1)


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
    # What is out of sight is not drawn.
    first = book.cell(1).locator(".cj").first
    first.scroll_into_view_if_needed()
    first.get_by_role("tab", name="plot", exact=True).click()
    expect(first.locator(".cj-legend > .cj-curve").first).to_be_visible()
    book.page.wait_for_timeout(500)
    check(book.page, signs, ".cj")
    book.shot("hostile-light", 1)
    book.cell(3).locator(".jp-InputArea-prompt").click()  # the keys of a pane are its own
    book.save()
    book.open()
    signs = watch(book.page)
    first.scroll_into_view_if_needed(timeout=60_000)
    expect(first.locator(".cj-row").first).to_be_visible()
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
