"""The two small documents of a ledger: what a session is, and why it belongs to a commit.

Owns their JSON, which is canonical: the same facts are the same bytes on every machine. What comes out of a ledger
was written by somebody else; it is read strictly and kept small.
"""

from __future__ import annotations

import json
import re

from opensession import core
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from opensession.core import SessionInfo

REASONS = ("content", "cwd", "time")
"""Why a session may belong to a commit: it holds the commit's lines; it ran in this repository; it ran at that time."""
LIMIT = 1 << 20
"""Bytes of a document that are read; ours have a few hundred."""
_LONGEST_TEXT = 512
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Link(NamedTuple):
    """A session belongs to a commit."""

    commit: str
    sha256: str
    """The session's address."""
    reasons: tuple[str, ...]
    """Some of :data:`REASONS`, in order."""
    confidence: float
    """Share of the commit's added lines that are found in the session, from 0 to 1."""
    patch_id: str | None = None
    """The commit's ``git patch-id --stable``: it stays the same over a rebase."""

    def to_json(self) -> bytes:
        """The canonical document."""
        fields: dict[str, object] = {
            "commit": self.commit,
            # Four digits tell all that can be told, and leave no room for two machines to round differently.
            "confidence": round(self.confidence, 4),
            "reasons": sorted(set(self.reasons)),
            "session": self.sha256,
        }
        if self.patch_id is not None:
            fields["patch_id"] = self.patch_id
        return canonical(fields)

    @classmethod
    def from_json(cls, data: bytes, commit: str, sha256: str) -> Link | None:
        """The link at the path of this commit and session; None where the document is not one."""
        fields = _object(data)
        if fields is None or (fields.get("commit"), fields.get("session")) != (commit, sha256):
            return None
        reasons, confidence, patch_id = (fields.get(name) for name in ("reasons", "confidence", "patch_id"))
        if not isinstance(reasons, list) or not all(isinstance(r, str) and r.isidentifier() for r in reasons):
            return None
        if (
            isinstance(confidence, bool)
            or not isinstance(confidence, int | float)
            or not 0 <= confidence <= 1
        ):
            return None
        if patch_id is not None and not (isinstance(patch_id, str) and _OBJECT_ID.fullmatch(patch_id)):
            return None
        return cls(commit, sha256, tuple(reasons), float(confidence), patch_id)


def meta_of(info: SessionInfo) -> bytes:
    """The description of a session: what follows from its bytes alone, so that every machine writes the same."""
    source = info["source"] or {}
    fields: dict[str, object] = {
        "bytes": info["bytes"],
        "id": _short(info["session_id"]),
        "model": _short(info["model"]),
        "parser": _short(source.get("parser")),
        "role": _short(info["session_role"]),
        "stats": dict(info["stats"]),
        "title": _short(info["title"]),
        "tool": _short(info["tool"]),
        "updated_at": info["updated_at"],
    }
    return canonical({name: value for name, value in fields.items() if value is not None})


def read_meta(data: bytes) -> Mapping[str, Any] | None:
    """The description in a document; None where it is none."""
    return _object(data)


def seconds_of(meta: bytes | None) -> int:
    """The time of a session by its description, in seconds since 1970; 0 where there is none."""
    fields = None if meta is None else _object(meta)
    text = None if fields is None else fields.get("updated_at")
    return seconds(text) if isinstance(text, str) else 0


def seconds(time: str) -> int:
    """A time of a session (``2026-01-02T03:04:05.123Z``) in whole seconds since 1970, never below."""
    from datetime import UTC, datetime

    try:
        return max(0, int(datetime.fromisoformat(time[:19]).replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return 0


def canonical(fields: Mapping[str, object]) -> bytes:
    """Canonical JSON, as all of the project writes it."""
    return core.canonical_json(json.dumps(fields, ensure_ascii=False).encode("utf-8"))


def _short(text: object) -> str | None:
    """Text of a session, of a length fit for a list."""
    return text[:_LONGEST_TEXT] if isinstance(text, str) else None


def _object(data: bytes) -> Mapping[str, Any] | None:
    if len(data) > LIMIT:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
