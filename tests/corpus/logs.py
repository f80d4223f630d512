"""The corpus of real logs: where it is, what in it is a log, and what one parse of a log gives.

Owns unpacking and the calls into the core. Must not know what a session should look like: that is
`reading`, `recall` and `usage`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reading
import recall

from opensession import core
from opensession.errors import OpensessionError

ARCHIVES = ("claude", "codex", "oracles")
PROFILES = {"claude": "claude-code", "codex": "codex"}
WHERE = Path(os.environ.get("OPENSESSION_CORPUS") or Path(__file__).parents[2] / ".." / "shared" / "corpus")


@dataclass(frozen=True)
class Log:
    name: str
    path: Path

    @property
    def agent(self) -> str:
        return self.name.partition("/")[0]

    @property
    def profile(self) -> str:
        return PROFILES[self.agent]


def present() -> bool:
    return all((WHERE / f"{name}.tar.xz").is_file() for name in ARCHIVES)


def unpack(into: Path) -> None:
    for name in ARCHIVES:
        with tarfile.open(WHERE / f"{name}.tar.xz") as archive:
            archive.extractall(into, filter="data")


def logs(root: Path) -> list[Log]:
    """Every native log, the largest first; not the agents' side files (`*.meta.json`, `history.jsonl`)."""
    found = [
        Log(path.relative_to(root).as_posix(), path)
        for agent in PROFILES
        for path in (root / agent).rglob("*.json*")
        if path.is_file() and not path.name.endswith(".meta.json") and path.name != "history.jsonl"
    ]
    return sorted(found, key=lambda log: (-log.path.stat().st_size, log.name))


def parse(log: Path | bytes, profile: str, *, name: str = "", jobs: int = 2) -> tuple[bytes, Any]:
    """The canonical bytes of the session, and what the core reports about it."""
    with tempfile.TemporaryFile() as out:
        source = log if isinstance(log, bytes) else str(log)
        name = name or (log.name if isinstance(log, Path) else "")
        info = core.parse(source, out.fileno(), profile=profile, source_name=name, jobs=jobs)
        out.seek(0)
        return out.read(), info


def lines(raw: bytes) -> list[bytes]:
    """A log's lines with their LF; the last may have none."""
    return re.findall(rb"[^\n]*\n|[^\n]+", raw)


def event_lines(session: bytes) -> bytes:
    """The session without its header and its stats line."""
    start = session.index(b"\n") + 1
    return session[start : session.rindex(b"\n", 0, -1) + 1]


def count_records(raw: bytes) -> int:
    """Records as the ledger counts them: JSON values, blank lines, lines without a value."""
    return sum(max(1, len(recall.values(line.decode("utf-8", "replace")))) for line in lines(raw))


def examine(log: Log) -> dict[str, Any]:
    """Everything the tests ask about one log; ``problems`` is what must be empty."""
    raw = log.path.read_bytes()
    result: dict[str, Any] = {"name": log.name, "agent": log.agent, "bytes": len(raw), "problems": []}
    try:
        session, info = parse(log.path, log.profile)
        result["sha256"] = hashlib.sha256(session).hexdigest()
        result["problems"] += differences(log, session, info)
        read = reading.read(session)
        reading.check(read)
        source = read[-1]["source"]
        result["records"], result["repairs"] = source["records"], source.get("repairs", {})
        if source["records"]["read"] != count_records(raw):
            result["problems"].append(f"{count_records(raw)} records, {source['records']['read']} read")
        if source["bytes"] != len(raw):
            result["problems"].append(f"{len(raw)} bytes, source.bytes {source['bytes']}")
        kept = recall.measure(raw, read)
        result["recall"] = {"total": kept.total, "lost": kept.lost, "missing": dict(kept.missing)}
        if kept.twins > (folded := source["records"]["folded"]):
            result["problems"].append(f"{kept.twins} records lost their time or id, {folded} are folded")
    except (AssertionError, ValueError, KeyError, TypeError, OpensessionError) as error:
        result["problems"].append(f"{type(error).__name__}: {error}")
    return result


def differences(log: Log, session: bytes, info: Any) -> list[str]:
    """Where the core contradicts itself: other threads, another run, its own report, its own check."""
    found = []
    for jobs in (1, 2):
        again, _ = parse(log.path, log.profile, jobs=jobs)
        if again != session:
            found.append(f"other bytes in a second run with jobs={jobs}")
    if info["sha256"] != hashlib.sha256(session).hexdigest() or info["bytes"] != len(session):
        found.append("the report's address or length is not that of the output")
    report = core.verify(session)
    if not (report["valid"] and report["canonical"]):
        found.append(f"verify: valid={report['valid']} canonical={report['canonical']} {report['error']}")
    return found


def save(result: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(result))
    partial.replace(path)
