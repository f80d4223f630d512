"""A log that is still being written gives, at every record, the first of the events it gives at its end."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

SMALL = 150_000
LOGS = (
    "claude/187-entire-cli-190cdb62f2dc.jsonl",  # progress of sub-agents, time going backwards
    "claude/199-entire-cli-d280e0314cfd.jsonl",
    "claude/292-omp-4361687351ee.jsonl",  # 2.1: attachments, modes, titles
    "claude/344-cipherbox-e4ffc3de1f81.jsonl",
    "claude/cclog-real_projects/-src-experiments-claude_p/29ccd257-68b1-427f-ae5f-6524b7cb6f20/subagents/agent-a2271d1.jsonl",
    "codex/019-agentv-4d51380144e6.jsonl",  # 0.142: ids, plans, custom patches
    "codex/029-neurodata-2025-09-26T19-38.jsonl",
    "codex/037-neurodata-2025-09-29T13-09.jsonl",
    "codex/042-cpolar-2025-09-16T12-47.jsonl",  # 0.36: repeated token counts
    "codex/047-moonmind-2025-11-13T16-00.jsonl",  # 0.57: reasoning said twice
)


def has_time(line: bytes) -> bool:
    record = json.loads(line)
    return isinstance(record, dict) and ("timestamp" in record or "timestamp" in record.get("snapshot", {}))


@pytest.mark.parametrize("name", LOGS, ids=lambda name: name.rpartition("/")[2])
def test_the_events_of_every_prefix_are_a_prefix_of_the_events(corpus, name):
    import logs

    from opensession.errors import NoEventsError

    log = logs.Log(name, corpus / name)
    raw = log.path.read_bytes()
    whole = logs.event_lines(logs.parse(raw, log.profile, name=log.path.name)[0])
    lines = logs.lines(raw)
    first = next(at for at, line in enumerate(lines) if has_time(line))
    end = sum(map(len, lines[:first]))
    broken = []
    for at, line in enumerate(lines[first:], first + 1):
        # Where a log is small enough, also while its next record is half written.
        cuts = [end + len(line) // 2] if len(raw) < SMALL and at > first + 1 else []
        end += len(line)
        for cut in [*cuts, end]:
            try:
                events = logs.event_lines(logs.parse(raw[:cut], log.profile, name=log.path.name)[0])
            except NoEventsError:
                events = b""
            if not whole.startswith(events):
                broken.append((at, cut))
    assert not broken, f"{len(broken)} of {len(lines)} prefixes"


@pytest.mark.parametrize(
    "series", ["claude/325-omp-0ec69ff04b78", "claude/329-omp-d7c9e0842ff6", "claude/334-omp-738ef763c1c6",
               "codex/041-openprintkit-2025-11-01T11-34"]
)  # fmt: skip
def test_a_later_copy_of_a_growing_log_extends_the_earlier_one(corpus, series):
    import logs

    agent, _, stem = series.partition("/")
    grown = corpus / agent / f"{stem}.jsonl"
    parts = sorted((corpus / agent / "series" / stem.removeprefix("041-")).glob("part*.jsonl"))
    assert parts
    copies = [logs.parse(path, logs.PROFILES[agent], name=grown.name)[0] for path in [*parts, grown]]
    for earlier, later in pairwise(copies):
        assert logs.event_lines(later).startswith(logs.event_lines(earlier))
        assert identity(earlier) == identity(later)


def identity(session: bytes) -> tuple[str, str]:
    header = json.loads(session.partition(b"\n")[0])
    return header["session_id"], header["agent"]["tool"]


def test_the_ten_logs_are_there(corpus: Path):
    assert len(LOGS) == 10
    assert all((corpus / name).is_file() for name in LOGS)
