"""The lines of an artifact: read strictly, so that nothing but what `build` writes is taken for one.

Owns the shape and the order of the lines. What stands in a summary is only looked at where it is shown. Must not know
where the bytes come from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from opensession import core
from opensession.errors import HailError, IntegrityError
from opensession.exactjson import loads

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "handoff-1.0.0"
_HASH = re.compile(r"[0-9a-f]{64}")
_RULES = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FIRST = {"type", "version", "summarizer", "parameters", "sources"}
_SOURCE = {"sha256", "bytes", "session_id", "event_count"}
_REPORT = {"type", "session_id", "passed", "findings"}


class Source(NamedTuple):
    """A session that an artifact is about."""

    sha256: str
    bytes: int
    session_id: str
    event_count: int


class Artifact(NamedTuple):
    """An artifact whose lines have the right form."""

    sha256: str
    summarizer: str
    sources: tuple[Source, ...]
    summaries: tuple[dict[str, Any], ...]
    """In the order of the sources, as the reports."""
    reports: tuple[dict[str, Any], ...]
    lines: tuple[bytes, ...]
    """Every line with its LF: the first, the summaries, the reports."""


class Foreign(NamedTuple):
    """An artifact of a version or with rules that are not known here: whole, but not to be judged."""

    sha256: str
    needs: str


def read(data: bytes) -> Artifact | Foreign:
    """The artifact in ``data``; raises IntegrityError naming the first line that is not as it should be."""
    sha256, _ = core.copy(data)
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    _expect(bool(lines), 1, "is missing: the artifact is empty")
    values = [_canonical(number, line) for number, line in enumerate(lines, 1)]
    first = values[0]
    _expect(first.get("type") == "artifact", 1, "is not the first line of an artifact")
    for key, known in (("version", (VERSION,)), ("summarizer", core.SUMMARIZERS)):
        _expect(isinstance(first.get(key), str) and _named(first[key]), 1, f"has no {key}")
        if first[key] not in known:
            return Foreign(sha256, first[key])
    _expect(first.keys() == _FIRST and first["parameters"] == {}, 1, "has members that do not belong there")
    sources = _sources(first["sources"])
    _expect(len(lines) == 1 + 2 * len(sources), len(lines), f"is not the last of {1 + 2 * len(sources)}")
    summaries, reports = values[1 : 1 + len(sources)], values[1 + len(sources) :]
    for number, (source, summary) in enumerate(zip(sources, summaries, strict=True), 2):
        _expect(summary.get("type") == "summary", number, "is not a summary")
        _expect(summary.get("source_session_id") == source.session_id, number, "belongs to another session")
    for number, (source, report) in enumerate(zip(sources, reports, strict=True), 2 + len(sources)):
        _expect(report.get("type") == "report" and report.keys() == _REPORT, number, "is not a report")
        _expect(report["session_id"] == source.session_id, number, "belongs to another session")
    return Artifact(
        sha256, first["summarizer"], tuple(sources), tuple(summaries), tuple(reports), tuple(lines)
    )


def _named(text: str) -> bool:
    return text.startswith("handoff-") or _RULES.fullmatch(text) is not None


def _canonical(number: int, line: bytes) -> dict[str, Any]:
    _expect(line.endswith(b"\n"), number, "has no end")
    try:
        canonical = core.canonical_json(line[:-1])
    except HailError as error:
        raise _wrong(number, f"is no JSON: {error.message}") from error
    if canonical != line[:-1]:
        pairs = enumerate(zip(canonical, line[:-1], strict=False), 1)
        at = next((at for at, (a, b) in pairs if a != b), min(len(canonical), len(line) - 1) + 1)
        raise _wrong(number, f"is not canonical from byte {at} on")
    value = loads(line)
    _expect(isinstance(value, dict), number, "is no object")
    found: dict[str, Any] = value
    return found


def _sources(listed: object) -> list[Source]:
    _expect(isinstance(listed, list) and bool(listed), 1, "lists no sources")
    assert isinstance(listed, list)
    for each in listed:
        _expect(isinstance(each, dict) and each.keys() == _SOURCE, 1, "lists a source of another form")
        _expect(
            isinstance(each["sha256"], str) and bool(_HASH.fullmatch(each["sha256"])), 1, "names a wrong hash"
        )
        _expect(isinstance(each["session_id"], str), 1, "names a session that is no text")
        _expect(_is_count(each["bytes"]) and _is_count(each["event_count"]), 1, "counts wrongly")
    sources = [Source(**each) for each in listed]
    keys = [(source.session_id.encode(), source.sha256) for source in sources]
    _expect(keys == sorted(keys), 1, "lists its sources in another order")
    _expect(len({s.sha256 for s in sources}) == len(sources), 1, "lists a source twice")
    return sources


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _expect(holds: bool, line: int, otherwise: str) -> None:
    if not holds:
        raise _wrong(line, otherwise)


def _wrong(line: int, what: str) -> IntegrityError:
    return IntegrityError(f"line {line} of the artifact {what}", line=line)


def by_session(artifact: Artifact) -> Sequence[tuple[Source, dict[str, Any], dict[str, Any]]]:
    """Each source with its summary and its report."""
    return list(zip(artifact.sources, artifact.summaries, artifact.reports, strict=True))
