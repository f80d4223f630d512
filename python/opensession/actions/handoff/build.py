"""Builds a handoff: registers the sources, sums each up in one pass, stores the artifact, and pins it if asked.

Owns the order: what can be refused is refused before anything is written, and the alias moves last. Must not know how a
summary is made.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from opensession import core
from opensession.errors import CODES, HailInvalidError, IntegrityError, NotFoundError
from opensession.exactjson import loads
from opensession.store.handoffs import Handoffs, check_alias
from opensession.uri import ArtifactUri, format_local

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from opensession.actions.handoff.sources import Cited
    from opensession.actions.parse import Progress
    from opensession.core import SummaryReport
    from opensession.store import Store

ERROR = "error"
WARN = "warn"
VALIDATE = (ERROR, WARN)


class Finding(NamedTuple):
    """Something that a summary lacks."""

    source: str
    """Address of the session."""
    session_id: str
    code: str
    severity: str
    message: str
    event_ids: tuple[str, ...]


class Built(NamedTuple):
    """An artifact that is durably in the store."""

    sha256: str
    path: Path
    bytes: int
    existed: bool
    sources: tuple[str, ...]
    """Addresses of the sources, in the artifact's order."""
    findings: tuple[Finding, ...]
    alias: str | None
    pinned_before: str | None
    """What the alias pointed at until now."""

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))


def build(
    store: Store,
    cited: list[Cited],
    *,
    alias: str | None = None,
    validate: str | None = None,
    now: datetime | None = None,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Built:
    """The artifact over sources that ``store`` holds; ``validate`` refuses one with such findings."""
    handoffs = Handoffs(store)
    if alias is not None:
        check_alias(alias)
        handoffs.check_clash(alias)
    reports = [
        _summarized(store, sha256, jobs, progress) for sha256 in dict.fromkeys(c.sha256 for c in cited)
    ]
    findings = [finding for report in reports for finding in _findings(report)]
    _refuse(findings, validate)
    data, sha256 = core.artifact(reports)
    stored, existed = handoffs.put(data)
    assert stored == sha256
    refuse_lost(store, (each.sha256 for each in cited))
    handoffs.put_origin(sha256, _origin(handoffs.origin(sha256), cited, now or datetime.now(UTC)))
    before = None if alias is None else handoffs.pin(alias, sha256)
    sources = tuple(source["sha256"] for source in loads(data.partition(b"\n")[0])["sources"])
    return Built(
        sha256, handoffs.path_of(sha256), len(data), existed, sources, tuple(findings), alias, before
    )


def _summarized(store: Store, sha256: str, jobs: int, progress: Progress | None) -> SummaryReport:
    with store.open_unchecked(sha256) as stored:
        report = core.summarize(stored.fd, jobs=jobs, progress=progress)
    if report["sha256"] != sha256:
        raise IntegrityError(
            f"the object {sha256} is damaged: its {report['bytes']} bytes hash to {report['sha256']}",
            next=[f"opensession verify {format_local(sha256)}", "opensession fsck --repair"],
        )
    if (problem := report["error"]) is not None:
        raise CODES[problem["code"]](
            f"the session {format_local(sha256)} cannot be summed up: {problem['message']}",
            line=problem["line"],
            column=problem["column"],
            next=[f"opensession verify {format_local(sha256)}"],
        )
    if not report["canonical"]:
        raise IntegrityError(
            f"the object {sha256} is not canonical from byte {report['first_difference']} on",
            next=[f"opensession cat {sha256} | opensession register -"],
        )
    return report


def _findings(report: SummaryReport) -> list[Finding]:
    assert report["report"] is not None
    line = loads(report["report"])
    return [
        Finding(
            report["sha256"],
            line["session_id"],
            f["code"],
            f["severity"],
            f["message"],
            tuple(f["event_ids"]),
        )
        for f in line["findings"]
    ]


def _refuse(findings: list[Finding], validate: str | None) -> None:
    refused = [f for f in findings if validate == WARN or f.severity == ERROR] if validate else []
    if refused:
        said = "; ".join(describe(finding) for finding in refused)
        raise HailInvalidError(f"the handoff was not built, because it lacks something: {said}")


def refuse_lost(store: Store, sources: Iterable[str]) -> None:
    """A session that was removed before the artifact cited it; from then on it cannot be."""
    for sha256 in sources:
        if not store.has(sha256):
            raise NotFoundError(
                f"the session {format_local(sha256)} was removed while the handoff was being stored",
                next=["opensession ls"],
            )


def describe(finding: Finding) -> str:
    """A finding in one line, in our own words only."""
    return f"{finding.severity} {finding.code} in {finding.source[:12]}: {finding.message}"


def _origin(before: bytes | None, cited: list[Cited], now: datetime) -> bytes:
    """Where the sources came from: what is known already and what is new, each once."""
    known = _read_origin(before)
    rows = known["sources"]
    for each in cited:
        row = {"sha256": each.sha256, **each.origin}
        if row not in rows:
            rows.append(row)
    built_at = known["built_at"] or now.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = json.dumps({"built_at": built_at, "sources": rows}, ensure_ascii=True, indent=2, sort_keys=True)
    return text.encode() + b"\n"


def _read_origin(text: bytes | None) -> dict[str, Any]:
    """What an origin file says; nothing where it is damaged, because no promise rests on it."""
    try:
        value = loads(text or b"{}")
        rows = value.get("sources", [])
        built_at = value.get("built_at")
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return {"sources": list(rows), "built_at": built_at if isinstance(built_at, str) else None}
    except (ValueError, AttributeError):
        pass
    return {"sources": [], "built_at": None}


def built_at(store: Store, sha256: str) -> str | None:
    """When the artifact was built first, as far as its origin file tells."""
    found: str | None = _read_origin(Handoffs(store).origin(sha256))["built_at"]
    return found
