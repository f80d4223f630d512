"""What the store answers with: plain records, nothing that holds a file open.

Owns the field names that commands and pages print. Knows nothing of how they are found.
"""

from __future__ import annotations

from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from opensession.core import SessionInfo


class Stored(NamedTuple):
    """One session that is durably in the store."""

    uri: str
    sha256: str
    bytes: int
    place: str
    """The whole name of its file."""
    existed: bool
    """It was there already, with the right bytes."""
    info: SessionInfo

    @property
    def path(self) -> Path:
        """Its file."""
        from pathlib import Path

        return Path(self.place)


class Entry(NamedTuple):
    """One object of a store, as its first and last line tell it."""

    uri: str
    sha256: str
    bytes: int
    path: Path
    modified: float
    """When the object was stored (seconds since 1970)."""
    session_id: str | None
    tool: str | None
    model: str | None
    title: str | None
    created_at: str | None
    updated_at: str | None
    event_count: int | None
    source: dict[str, Any] | None
    """``stats.source``, the coverage ledger."""
    current: bool
    """False where a later reading of the same log supersedes it."""
    problem: str | None
    """Why the object could not be read as a session; the fields above are then None."""


class Finding(NamedTuple):
    """Something in the store that is not as it should be."""

    kind: str
    """``wrong_bytes`` ``wrong_mode`` ``stray`` ``symlink`` ``unreadable`` ``temporary``."""
    path: Path
    detail: str
    repaired: bool
    serious: bool
    """A promise of the store does not hold: bytes are lost, or somebody else was in here."""


class FsckReport(NamedTuple):
    """What a check of every object found."""

    root: Path
    objects: int
    artifacts: int
    bytes: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """No finding is left that breaks a promise."""
        return not any(f.serious and not f.repaired for f in self.findings)


class Removed(NamedTuple):
    """An object that is gone."""

    uri: str
    sha256: str
    bytes: int
    path: Path


class GcItem(NamedTuple):
    """Something that garbage collection removes, or would."""

    kind: str
    """``temporary`` ``quarantine`` ``session``."""
    path: Path
    bytes: int
    age_seconds: float


class GcReport(NamedTuple):
    """What garbage collection removed (``applied``) or would remove."""

    root: Path
    applied: bool
    items: tuple[GcItem, ...]
    kept_cited: int
    """Old sessions that stay because an artifact cites them."""

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.items)
