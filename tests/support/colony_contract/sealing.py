"""From a step to the bytes that are sent: messages, envelopes, and the ways in which both can be spoilt."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_contract.cast import Cast

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def message_text(step: dict[str, Any], cast: Cast, **more: Any) -> str:
    """Write the message of a step as JSON text."""
    request = step.get("request") or {}
    if "$raw_json" in request:
        return cast.fill_text(request["$raw_json"])
    message = {"msgtype": step["msgtype"], **{name: _expand(value, cast) for name, value in request.items()}, **more}
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _expand(value: Any, cast: Cast) -> Any:
    if isinstance(value, dict) and "$repeat" in value:
        text = value["$repeat"] * value["n"]
        return base64.b64encode(text.encode()).decode() if value.get("b64") else text
    if isinstance(value, dict):
        return {name: _expand(item, cast) for name, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, cast) for item in value]
    return cast.fill(value)


def seal(step: dict[str, Any], cast: Cast, **more: Any) -> str:
    """Write the whole body or frame of a step; ``more`` are members of its message."""
    change = step.get("envelope") or {}
    if "raw_body" in change:
        return str(change["raw_body"])
    text = message_text(step, cast, **more)
    payload = spoil_payload(_base64(text), change.get("payload"))
    sign = cast.key(step["signer"]).sign
    signature = sign(text if change.get("sign") == "decoded-payload" else payload)
    if change.get("sign") == "before-change":
        payload = _base64(text + " ")
    members: dict[str, Any] = {
        "payloadtype": change.get("payloadtype", step["msgtype"]),
        "payload": payload,
        "signature": spoil_signature(signature, change["signature"]) if "signature" in change else signature,
    }
    for name in change.get("drop", ()):
        del members[name]
    if change.get("capitals"):
        members = {name.upper(): value for name, value in members.items()}
    if change.get("extra"):
        members["extra"] = {"any": ["thing", 1, None]}
    return json.dumps(members) + str(change.get("append", ""))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def spoil_payload(payload: str, how: str | None) -> str:
    """Change the base64 text of a payload as a transcript names it."""
    match how:
        case None:
            return payload
        case "unpadded":
            return payload.rstrip("=")
        case "not-base64":
            return "!" + payload
        case "empty":
            return ""
        case "newline":
            return payload[:10] + "\n" + payload[10:]
        case "trailing-garbage":
            return payload + "!rubbish"
    raise ValueError(f"unknown change of a payload: {how}")


def _number(value: int) -> str:
    return f"{value:064x}"


# r, s and v of a signature in, the digits to send out.
_MANIPULATIONS: dict[str, Callable[[str, str, int], str]] = {
    "uppercase": lambda r, s, v: f"{r}{s}{v:02x}".upper(),
    "0x-prefix": lambda r, s, v: f"0x{r}{s}{v:02x}",
    "one-byte-short": lambda r, s, _: r + s,
    "one-byte-long": lambda r, s, v: f"{r}{s}{v:02x}00",
    "odd-length": lambda r, s, v: f"{r}{s}{v:02x}"[:-1],
    "not-hex": lambda r, s, v: f"z{r[1:]}{s}{v:02x}",
    "empty": lambda _r, _s, _v: "",
    "all-zero": lambda _r, _s, _v: "0" * 130,
    "high-s": lambda r, s, v: f"{r}{_number(ORDER - int(s, 16))}{v ^ 1:02x}",
    "other-recovery-id": lambda r, s, v: f"{r}{s}{v ^ 1:02x}",
    "recovery-id-plus-2": lambda r, s, v: f"{r}{s}{v + 2:02x}",
    "recovery-id-plus-4": lambda r, s, v: f"{r}{s}{v + 4:02x}",
    "recovery-id-plus-8": lambda r, s, v: f"{r}{s}{v + 8:02x}",
    "recovery-id-plus-27": lambda r, s, v: f"{r}{s}{v + 27:02x}",
    "recovery-id-255": lambda r, s, _: f"{r}{s}ff",
    "recovery-id-first": lambda r, s, v: f"{v:02x}{r}{s}",
    "r-zero": lambda _, s, v: f"{_number(0)}{s}{v:02x}",
    "s-zero": lambda r, _, v: f"{r}{_number(0)}{v:02x}",
    "r-is-order": lambda _, s, v: f"{_number(ORDER)}{s}{v:02x}",
    "s-is-order": lambda r, _, v: f"{r}{_number(ORDER)}{v:02x}",
}


def spoil_signature(signature: str, how: str) -> str:
    """Change a signature as a transcript names it."""
    return _MANIPULATIONS[how](signature[:64], signature[64:128], int(signature[128:], 16))
