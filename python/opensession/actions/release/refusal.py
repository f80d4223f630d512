"""What a person is told when something may not leave. Owns the words; a value is in none of them."""

from __future__ import annotations

import json

from opensession.actions.release.scanner import LIMIT
from opensession.errors import SecretsFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from opensession.actions.release.scanner import Finding

SHOWN = 10
_LONGEST = 200
"""Characters of a pointer or an event's id that are shown: keys of a log may be as long as it likes."""


def refused(findings: Sequence[Finding]) -> SecretsFoundError:
    """The error for secrets that nobody allowed and nothing replaced."""
    total = len(findings)
    first: dict[str, Finding] = {}
    for one in findings:
        first.setdefault(one.fingerprint, one)
    others = [one for one in findings if first[one.fingerprint] is not one]
    # Every secret once, before any of them twice.
    shown = [*first.values(), *others][:SHOWN]
    lines = [f"- {describe(one)}" for one in shown]
    if total > len(shown):
        lines.append(f"- and {total - len(shown)}{' or more' if total >= LIMIT else ''} others")
    places = "1 place holds" if total == 1 else f"{total} places hold"
    error = SecretsFoundError(
        "\n".join([f"{places} what looks like a secret, so nothing leaves:", *lines]),
        next=[f"opensession scan {named}" for named in _scannable(findings)],
    )
    error.findings = tuple(as_dict(one) for one in shown)
    error.fingerprints = tuple(first) if len(first) <= SHOWN else ()
    error.total = total
    return error


def describe(finding: Finding) -> str:
    """A finding in one line."""
    event = f", event {shown_text(finding.event_id)}" if finding.event_id is not None else ""
    where = f", at {shown_text(finding.pointer)}" if finding.pointer else ""
    line = f", line {finding.line}" if finding.line else ""
    return f"{finding.rule} in {finding.named}{line}{event}{where}; fingerprint {finding.fingerprint}"


def as_dict(finding: Finding) -> dict[str, object]:
    """A finding for programs."""
    return {
        "in": finding.named,
        "rule": finding.rule,
        "line": finding.line,
        "event_id": finding.event_id,
        "pointer": finding.pointer,
        "fingerprint": finding.fingerprint,
    }


def shown_text(text: str) -> str:
    """Names from a log, on one line: they may hold anything, a line end too."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return escaped if len(escaped) <= _LONGEST else escaped[:_LONGEST] + "…"


def _scannable(findings: Sequence[Finding]) -> list[str]:
    """What the scan command can be asked about, at most three of them."""
    return [n for n in dict.fromkeys(one.named for one in findings) if n.startswith("os://")][:3]
