"""Token totals that other programs computed from the same logs, and what they counted.

Owns the reading of the oracles. An oracle counts the records from its checkpoint's first line to the
moment it was written; the log in the corpus may begin earlier and go on later. So its number is the
total of one prefix of the log less the total of a shorter one, and the law of the prefix makes both
totals of sessions.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIELDS = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True)
class Oracle:
    """What somebody else counted in the records ``start`` to ``end`` of a log (``end`` None: all)."""

    log: str
    kind: str
    expected: dict[str, int]
    start: int = 0
    end: int | None = None
    uncached: bool = False
    """The input is counted without what came from the cache, which the log itself includes."""

    @property
    def reasons(self) -> list[str]:
        """Why the number differs from the session's own total, if it does."""
        return [
            reason
            for reason, holds in (
                ("counted from a checkpoint on", self.start > 0),
                ("the log went on after the count", self.end is not None),
                ("input counted without the cached part", self.uncached),
            )
            if holds
        ]


def oracles(root: Path) -> Iterator[Oracle]:
    yield from embedded(root)
    for path in sorted(root.glob("oracles/entire/c*/*/metadata.json")):
        agent, stem = path.parts[-3:-1]
        if agent in ("claude", "codex"):
            yield from checkpoint(json.loads(path.read_text()), f"{agent}/{stem}.jsonl", root)


def embedded(root: Path) -> Iterator[Oracle]:
    """The last totals that Codex itself wrote into a rollout."""
    with (root / "oracles" / "embedded-totals.tsv").open(newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["file"].startswith("codex/"):
                last = json.loads(row["values_json"])["last"]
                expected = {
                    "input": "input_tokens",
                    "output": "output_tokens",
                    "cache_read": "cached_input_tokens",
                }
                yield Oracle(row["file"], "embedded", {ours: last[key] for ours, key in expected.items()})


def checkpoint(metadata: dict[str, Any], log: str, root: Path) -> Iterator[Oracle]:
    """The usage that the Entire CLI wrote beside a commit."""
    used = metadata.get("token_usage")
    if used is None:
        return
    expected = {
        "input": used["input_tokens"],
        "output": used["output_tokens"],
        "cache_read": used["cache_read_tokens"],
        "cache_write": used["cache_creation_tokens"],
    }
    start = metadata.get("checkpoint_transcript_start") or 0
    end = later_than((root / log).read_bytes(), metadata["created_at"])
    yield Oracle(log, "checkpoint", expected, start, end, uncached=log.startswith("codex/"))


def later_than(raw: bytes, moment: str) -> int | None:
    """The number of records before the first that is later than a moment."""
    for at, line in enumerate(raw.split(b"\n")[:-1]):
        if json.loads(line).get("timestamp", "") > moment:
            return at
    return None


def totals(session: bytes) -> dict[str, int]:
    """What a session says was used: by its stats, and summed over its events for the cached parts."""
    *events, stats = [json.loads(line) for line in session.split(b"\n")[1:-1]]
    sums = {
        ours: sum(event.get("attributes", {}).get(f"{ours}_tokens", 0) for event in events)
        for ours in ("cache_read", "cache_write")
    }
    return {"input": stats["total_input_tokens"], "output": stats["total_output_tokens"], **sums}
