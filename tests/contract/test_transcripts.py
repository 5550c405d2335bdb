"""Every recorded exchange, and some written ones: against the embedded colony, and a real server where one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from colony_contract.known import EMBEDDED
from colony_contract.replaying import Transcript, replay

HERE = Path(__file__).parent
RECORDED = [Transcript.read(path) for path in sorted((HERE / "transcripts").glob("*.json"))]
# What is in docs/protocol.md and no recording shows.
WRITTEN = [Transcript.read(path) for path in sorted((HERE / "written").glob("*.json"))]
TRANSCRIPTS = RECORDED + WRITTEN


def by_theme(transcripts):
    return pytest.mark.parametrize("transcript", transcripts, ids=lambda transcript: transcript.theme)


# Deadlines pass and windows end in their own time.
@pytest.mark.timeout(180)
@by_theme([transcript.knowing(EMBEDDED) for transcript in TRANSCRIPTS])
async def test_embedded(transcript, embedded_place):
    await judge(transcript, embedded_place)


@pytest.mark.live
@pytest.mark.timeout(300)
@by_theme(TRANSCRIPTS)
async def test_real(transcript, real_place):
    if role := transcript.missing_role(real_place):
        pytest.skip(f"live: no key for the role {role}")
    await judge(transcript, real_place)


async def judge(transcript, place):
    found = await replay(transcript, place)
    if found:
        differing = "\n".join(str(mismatch) for mismatch in found)
        pytest.fail(f"{len(found)} of {len(transcript.steps)} steps differ\n{differing}", pytrace=False)


def test_all_recordings_are_here():
    assert {transcript.theme for transcript in RECORDED} == {
        "channels",
        "deadlines",
        "executors",
        "identity-errors",
        "limits",
        "logs",
        "preset-keys",
        "process-lifecycle",
        "server",
        "subscriptions",
        "users-colonies",
        "workflows",
    }
    assert sum(len(transcript.steps) for transcript in RECORDED) == 501
