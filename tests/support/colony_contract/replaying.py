"""Replays one transcript, step by step."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import websockets

from colony_contract.cast import GIVEN_ROLES, Cast, Place, Unbound
from colony_contract.comparing import ABSENT, Comparison, Difference, look_up
from colony_contract.connection import Server, now
from colony_contract.sealing import seal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FRAMES_WITHIN = 5.0
_QUIET_FOR = 1.0
_HEAD_START = 0.3
_EVERY = 0.2


@dataclass(frozen=True)
class Mismatch:
    """A step whose reply is not the recorded one."""

    index: int
    name: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"step {self.index} '{self.name}'\n" + "\n".join(f"    {difference}" for difference in self.differences)


@dataclass(frozen=True)
class KnownDifference:
    """A step that a better server answers otherwise than the recorded one did.

    Args:
        transcript: its theme.
        step: the step's name.
        reply: what is expected instead; nothing at the paths it does not name.
        reason: why that is better, with the section of docs/protocol.md that states it.
    """

    transcript: str
    step: str
    reply: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Transcript:
    """A recorded exchange."""

    theme: str
    needs_roles: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, path: Path) -> Transcript:
        recorded = json.loads(path.read_text("utf-8"))
        return cls(recorded["theme"], tuple(recorded["needs_roles"]), tuple(recorded["steps"]))

    def knowing(self, known: tuple[KnownDifference, ...]) -> Transcript:
        """Return the same exchange with the replies expected of a server that differs as listed.

        Raises:
            ValueError: if one names a step that is not in this transcript.
        """
        mine = {difference.step: difference for difference in known if difference.transcript == self.theme}
        names = [step["name"] for step in self.steps]
        for name in mine:
            if names.count(name) != 1:
                raise ValueError(f"{self.theme} has {names.count(name)} steps named '{name}'")
        steps = (
            {**step, "reply": dict(mine[step["name"]].reply)} if step["name"] in mine else step for step in self.steps
        )
        return Transcript(self.theme, self.needs_roles, tuple(steps))

    def missing_role(self, place: Place) -> str | None:
        """Name a role this needs and the place has no key for, or None."""
        return next((role for role in self.needs_roles if role in GIVEN_ROLES and role not in place.keys), None)


@dataclass
class _Run:
    server: Server
    cast: Cast
    lenient_null: bool
    tasks: dict[str, asyncio.Task[dict[str, Any]]] = field(default_factory=dict)

    async def reply_to(self, step: dict[str, Any]) -> dict[str, Any]:
        match step["transport"]:
            case "http" if "repeat" in step:
                return await self._repeat(step)
            case "http" if "until" in step:
                return await self._until(step)
            case "http":
                return await self.server.post(seal(step, self.cast))
            case "ws":
                return await self._frames(step)
            case "ping":
                socket = await self.server.socket(step["conn"])
                return {"pong": await socket.ping(step.get("within_s", _FRAMES_WITHIN))}
            case "join":
                return await self.tasks.pop(step["task"])
        raise ValueError(f"unknown transport: {step['transport']}")

    async def _until(self, step: dict[str, Any]) -> dict[str, Any]:
        deadline = now() + step["within_s"]
        while True:
            reply = await self.server.post(seal(step, self.cast))
            payload = reply.get("payload")
            if all(look_up(payload, name) == value for name, value in step["until"].items()) or now() >= deadline:
                return reply
            await asyncio.sleep(_EVERY)

    async def _repeat(self, step: dict[str, Any]) -> dict[str, Any]:
        outcomes: set[str] = set()
        counts = iter(range(1, step["repeat"] + 1))
        stopped = False

        async def worker() -> None:
            nonlocal stopped
            for count in counts:
                if stopped:
                    return
                reply = await self.server.post(seal(step, self.cast, **{step["counter"]: count}))
                message = look_up(reply, "payload.message") if reply.get("error") else ""
                outcomes.add(f"{reply['status']} {message}".strip())
                stopped = stopped or (bool(step.get("stop_on_error")) and reply["status"] != 200)

        await asyncio.gather(*(worker() for _ in range(step.get("concurrency", 1))))
        return {"outcomes": sorted(outcomes)}

    async def _frames(self, step: dict[str, Any]) -> dict[str, Any]:
        socket = await self.server.socket(step["conn"])
        if "request" in step or "envelope" in step:
            await socket.send(seal(step, self.cast), binary=bool(step.get("binary")))
        frames: list[dict[str, Any]] = []
        then: str | None = None
        deadline = now() + step.get("within_s", _FRAMES_WITHIN)
        try:
            while len(frames) < step.get("expect_frames", 1) and (left := deadline - now()) > 0:
                frame = await socket.receive(left)
                if frame is not None:
                    frames.append(frame)
            if step.get("then") == "open":
                extra = await socket.receive(step.get("then_s", _QUIET_FOR))
                then = "open-and-quiet" if extra is None else f"extra frame {json.dumps(extra)}"
        except websockets.ConnectionClosed:
            then = "closed"
        if step.get("drop_after"):
            await self.server.drop(step["conn"])
        return {"frames": frames, "then": then}

    def judge(self, step: dict[str, Any], reply: dict[str, Any]) -> list[Difference]:
        body = reply["frames"][0].get("payload") if reply.get("frames") else reply.get("payload")
        found: list[Difference] = []
        for name, path in (step.get("bind") or {}).items():
            value = look_up(body, path)
            if value is ABSENT:
                found.append(Difference(f"payload.{path}", f"a value for {name}", ABSENT))
            elif (bound := self.cast.bind(name, value)) != value:
                found.append(Difference(f"payload.{path}", f"{name}, which is {bound}", value))
        comparison = Comparison(self.cast, frozenset(step.get("unordered") or ()), self.lenient_null)
        return [*found, *comparison.differences(_without_times(step["reply"]), reply)]


def _without_times(reply: dict[str, Any]) -> dict[str, Any]:
    if "frames" not in reply:
        return reply
    frames = [{name: value for name, value in frame.items() if name != "after_s"} for frame in reply["frames"]]
    return {**reply, "frames": frames}


def _late_or_early(step: dict[str, Any], took: float) -> list[Difference]:
    found = []
    if took < step.get("min_s", 0):
        found.append(Difference("took_s", f"at least {step['min_s']}", round(took, 3)))
    if took > step.get("max_s", float("inf")):
        found.append(Difference("took_s", f"at most {step['max_s']}", round(took, 3)))
    return found


async def replay(transcript: Transcript, place: Place, *, lenient_null: bool = False) -> list[Mismatch]:
    """Replay a transcript and give the steps that were answered otherwise.

    All steps are taken whatever comes back, so that the colony made for the run is removed in the end.

    Raises:
        httpx.HTTPError, OSError, websockets.WebSocketException: if the server cannot be talked to.
    """
    found: list[Mismatch] = []
    async with Server(place) as server:
        run = _Run(server, Cast(place), lenient_null)
        try:
            for index, step in enumerate(transcript.steps):
                if step["transport"] == "sleep":
                    await asyncio.sleep(step["seconds"])
                    continue
                if "task" in step and step["transport"] != "join":
                    run.tasks[step["task"]] = asyncio.create_task(run.reply_to(step))
                    await asyncio.sleep(_HEAD_START)
                    continue
                differences = await _run_step(run, step)
                if differences:
                    found.append(Mismatch(index, step["name"], tuple(differences)))
        finally:
            for task in run.tasks.values():
                task.cancel()
            await asyncio.gather(*run.tasks.values(), return_exceptions=True)
    return found


async def _run_step(run: _Run, step: dict[str, Any]) -> list[Difference]:
    begun = now()
    try:
        reply = await run.reply_to(step)
        return run.judge(step, reply) + _late_or_early(step, now() - begun)
    except Unbound as unbound:
        return [Difference("request or reply", "all placeholders bound", str(unbound))]
