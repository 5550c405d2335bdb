"""Takes the animated picture of README.md from a real JupyterLab in Chromium: ``make picture``.

It shows two cells from their start: a training whose numbers become a plot, and a conversation that is continued in
the text box.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any, Final

from PIL import Image

from benchmarks.labs import lab_and_browser

PICTURE: Final = Path(__file__).parents[1] / "docs" / "images" / "motion.gif"

WINDOW: Final = {"width": 940, "height": 560}
"""Pixels of the browser's window."""

FRAME: Final = 0.16
"""Seconds between two frames, at least."""

LAST: Final = 3.0
"""Seconds for which the last frame stays."""

_COLOURS: Final = 96

EXECUTOR: Final = """
%load_ext colony_jupyter
import asyncio
import colony_jupyter as cj

executor = cj.Executor("laptop", "laptop")

@executor.function("train")
async def train(context):
    for step in range(1, 21):
        await asyncio.sleep(0.2)
        await context.channel("metrics").send({"step": step, "loss": round(2.5 / step + 0.04 * (step % 3), 3)})
        await context.channel("progress").send(f"step {step}/20")
    return {"loss": 0.165, "epochs": 20}

ANSWERS = {True: "It has **converged**: the loss is 0.165.", False: "Yes, with `rate=0.05`. Shall I submit it?"}

@executor.chat("chat")
async def chat(context, message):
    await asyncio.sleep(0.5)
    for word in ANSWERS["training" in message.text].split(" "):
        await asyncio.sleep(0.12)
        yield word + " "

executor.start()
"""
TRAIN: Final = "%colony submit train --channel progress --channel metrics --type laptop"
CHAT: Final = "%%colony_chat chat --type laptop\nHow is the training?"
STYLE: Final = """
.jp-NotebookPanel-toolbar, .jp-Notebook-footer, .jp-cell-toolbar, .jp-CodeCell:nth-child(1) { display: none !important }
"""


class Recorder:
    """Takes a frame of a part of the page as often as asked.

    Args:
        page: the page.
        clip: the part, in pixels of the page.
    """

    def __init__(self, page: Any, clip: dict[str, float]) -> None:
        self._page = page
        self._clip = clip
        self._frames: list[tuple[float, Image.Image]] = []

    def record(self, seconds: float) -> None:
        """Take frames for a time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            shot = Image.open(io.BytesIO(self._page.screenshot(clip=self._clip))).convert("RGB")
            self._frames.append((begun, shot))
            self._page.wait_for_timeout(max(0.0, begun + FRAME - time.monotonic()) * 1000)

    def write(self, path: Path) -> None:
        """Write the frames as an animated GIF that repeats; equal frames become one."""
        times = [at for at, _ in self._frames]
        spans = [after - at for at, after in zip(times, [*times[1:], times[-1] + LAST], strict=True)]
        shown: list[tuple[Image.Image, float]] = []
        for (_, frame), span in zip(self._frames, spans, strict=True):
            if shown and frame.tobytes() == shown[-1][0].tobytes():
                shown[-1] = (shown[-1][0], shown[-1][1] + span)
            else:
                shown.append((frame, span))
        # One palette for all frames: unchanged pixels stay equal, and cost nothing.
        palette = shown[-1][0].quantize(_COLOURS)
        first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame, _ in shown]
        durations = [round(span * 1000) for _, span in shown]
        first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)


def take(lab: Any, browser: Any) -> None:
    """Run the cells and record them."""
    from conftest import Notebook  # noqa: PLC0415 - of the browser tests, whose folder `benchmarks` makes importable

    book = Notebook(lab, browser, [EXECUTOR, TRAIN, CHAT], theme="light", **WINDOW)
    book.run(0)
    page = book.page
    page.add_style_tag(content=STYLE)
    page.keyboard.press("Control+b")  # no side bar
    page.wait_for_timeout(1000)
    recorder = Recorder(page, page.locator(".jp-WindowedPanel-outer").bounding_box())
    recorder.record(1)
    book.run(1, wait=False)
    recorder.record(2)
    book.cell(1).get_by_role("tab", name="plot").click()
    recorder.record(4)
    book.cell(2).evaluate("cell => cell.scrollIntoView({block: 'start', behavior: 'smooth'})")
    recorder.record(0.8)
    book.run(2, wait=False)
    recorder.record(4)
    box = book.cell(2).locator("textarea")
    box.click()
    for letter in "Can it be lower?":
        page.keyboard.type(letter)
        recorder.record(0.05)
    page.keyboard.press("Enter")
    recorder.record(4)
    recorder.write(PICTURE)
    book.close()


def main() -> None:
    """Take the picture."""
    with lab_and_browser() as (lab, browser):
        take(lab, browser)


if __name__ == "__main__":
    main()
