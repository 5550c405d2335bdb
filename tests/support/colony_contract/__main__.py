"""Replays transcripts against the server that COLONIES_SERVER_HOST names, with the keys that are in the environment.

From the root of the checkout::

    PYTHONPATH=tests/support python -m colony_contract [--embedded] [--lenient-null] [TRANSCRIPT.json ...]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from colony_contract.cast import Place
from colony_contract.known import EMBEDDED
from colony_contract.replaying import Transcript, replay

CONTRACT = Path(__file__).parents[2] / "contract"


def write(line: str) -> None:
    """Print a line at once: a transcript takes its time."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print what differs; 1 if anything does."""
    parser = argparse.ArgumentParser(prog="colony_contract", description=__doc__)
    parser.add_argument("transcripts", nargs="*", type=Path, help="files to replay; all when left out")
    parser.add_argument("--embedded", action="store_true", help="expect the known differences of the embedded colony")
    parser.add_argument("--lenient-null", action="store_true", help="take null and an empty list for the same")
    given = parser.parse_args()
    place = Place.from_environment()
    differs = False
    for path in given.transcripts or sorted(CONTRACT.glob("*/*.json")):
        transcript = Transcript.read(path)
        if role := transcript.missing_role(place):
            write(f"{transcript.theme}: skipped, no key for {role}")
            continue
        if given.embedded:
            transcript = transcript.knowing(EMBEDDED)
        found = asyncio.run(replay(transcript, place, lenient_null=given.lenient_null))
        differs = differs or bool(found)
        write(f"{transcript.theme}: {len(found)} of {len(transcript.steps)} steps differ")
        for mismatch in found:
            write(f"  {mismatch}")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
