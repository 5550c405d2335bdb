"""Errors, outputs and texts that a server refuses to store as they are, and executor functions that use them."""

from __future__ import annotations

from typing import Any


class Mute(Exception):
    """An error whose text cannot be shown."""

    def __str__(self) -> str:
        raise TypeError("no text")


class Strange(Exception):
    """An error whose ``__str__`` returns no text."""

    def __str__(self) -> str:
        return 3  # type: ignore[return-value]  # noqa: PLE0307 - that is the fault


def _group() -> BaseException:
    return ExceptionGroup("all\0 failed", [ValueError("a\udce9"), Mute(), ExceptionGroup("inner", [OSError("b\0")])])


NUL = "PK\x03\x04\0"
MUTE = "Mute: its text cannot be shown, since its __str__ raised TypeError"
INNER = "ExceptionGroup: inner (1 sub-exception): OSError: b\u2400"

ERRORS: dict[str, tuple[Any, str]] = {
    "nul": (lambda: ValueError(f"begins with {NUL}"), "ValueError: begins with PK\x03\x04\u2400"),
    "surrogate": (lambda: ValueError("caf\udce9.csv"), "ValueError: caf\ufffd.csv"),
    "empty": (ValueError, "ValueError"),
    "mute": (Mute, MUTE),
    "strange": (Strange, "Strange: its text cannot be shown, since its __str__ raised TypeError"),
    "group": (_group, f"ExceptionGroup: all\u2400 failed (3 sub-exceptions): ValueError: a\ufffd; {MUTE}; {INNER}"),
    "huge": (lambda: ValueError("x" * (12 << 20)), "ValueError: xxx"),
    "stop": (StopIteration, "StopIteration"),
    "key": (lambda: KeyError("a\0"), "KeyError: 'a\\x00'"),
}
"""Errors by name, each with what the report begins with."""

OUTPUTS: dict[str, tuple[Any, Any]] = {
    "nul": (NUL, "PK\x03\x04\u2400"),
    "deep": ({"x\0": ["a", {"y": "caf\udce9"}]}, {"x\u2400": ["a", {"y": "caf\ufffd"}]}),
    "list": (["a\0", "b"], ["a\u2400", "b"]),
    "plain": ("a\\u0000b", "a\\u0000b"),
}
"""Outputs by name, each with what arrives."""

TEXTS = {"a\0b": "a\u2400b", "caf\udce9": "caf\ufffd", "": " "}
"""Texts, each with the log line that is stored."""


def offer_awkward(executor: Any) -> None:
    """Offer functions that raise, return and report such texts."""

    @executor.function("raise-plain")
    def raise_plain(context: Any, name: str) -> None:
        make, _ = ERRORS[name]
        raise make()

    @executor.function("raise-async")
    async def raise_async(context: Any, name: str) -> None:
        make, _ = ERRORS[name]
        raise make()

    @executor.function("return")
    def give(context: Any, name: str) -> Any:
        return OUTPUTS[name][0]

    texts = list(TEXTS)

    @executor.function("log")
    def log(context: Any, index: int) -> str:
        context.log(texts[index])
        return "fine"

    @executor.function("progress")
    async def progress(context: Any, index: int) -> str:
        async for _ in context.progress([1, 2], message=texts[index]):
            pass
        return "fine"

    @executor.function("write")
    async def write(context: Any, index: int) -> str:
        await context.channel("progress").write(texts[index])
        return "fine"

    @executor.function("send")
    async def send(context: Any, index: int) -> str:
        await context.channel("progress").send(texts[index])
        return "fine"

    @executor.function("error")
    async def error(context: Any, index: int) -> str:
        await context.channel("progress").error(texts[index])
        return "fine"
