"""Turns a log into canonical HAIL, without storing it.

Owns the choice of the profile: an explicit one is the only one tried; ``auto`` tries what the log looks like,
best first, and a candidate that finds no event has failed. Must not know where the bytes go.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.errors import (
    AmbiguousError,
    HailError,
    HailInvalidError,
    InternalError,
    NoEventsError,
    UnknownProfileError,
)
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from opensession.actions.inputs import Spool
    from opensession.core import Candidate, SessionInfo

    Progress = Callable[[int, int], None]

AUTO = "auto"
HAIL = "hail"

LOSSY_REPAIRS = (
    "duplicate_key",
    "spliced",
    "nul_run",
    "lone_surrogate",
    "invalid_utf8",
    "number_overflow",
    "depth",
)
"""The repairs that lose something of the record as it was meant (docs/hail.md); the others only mend its frame."""


_SMALL = 1 << 20
"""Bytes that are read twice rather than written too early; a header and stats without events are never more."""


class Parsed(NamedTuple):
    """What a parse found and made."""

    profile: str
    """The profile that read the input."""
    candidates: list[Candidate]
    """What the input looked like; empty where an explicit profile fits nothing."""
    sessions: list[SessionInfo]
    """One for a log; one or more for HAIL."""


def parse(
    source: int,
    out: int | None,
    *,
    profile: str,
    source_name: str = "",
    final: bool = False,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Parsed:
    """Read the seekable descriptor ``source`` and write canonical HAIL to ``out``."""
    check_profile(profile)
    start = os.lseek(source, 0, os.SEEK_CUR)
    candidates = core.detect(source, source_name=source_name)
    failed: NoEventsError | None = None
    for each in order(profile, candidates):
        os.lseek(source, start, os.SEEK_SET)
        try:
            sessions = _read_as(
                each, source, out, source_name=source_name, final=final, jobs=jobs, progress=progress
            )
        except NoEventsError as error:
            failed = failed or error
        else:
            _refuse_empty(sessions)
            return Parsed(each, candidates, sessions)
    raise failed or NoEventsError("the input is no log of an agent that is known here")


def validated(
    source: int,
    out: int | None,
    *,
    spool: Spool,
    profile: str,
    source_name: str = "",
    final: bool = False,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Parsed:
    """Like :func:`parse`, but not a byte reaches ``out`` before the reader has accepted all of them."""
    with spool(b"") as held:
        parsed = parse(
            source, held, profile=profile, source_name=source_name, final=final, jobs=jobs, progress=progress
        )
        os.lseek(held, 0, os.SEEK_SET)
        report = core.verify(held, jobs=jobs, progress=progress)
        if report["error"] is not None:
            raise HailInvalidError(
                f"the output is not valid: {report['error']['message']}",
                line=report["error"]["line"],
                column=report["error"]["column"],
            )
        if not report["canonical"] or [s["sha256"] for s in report["sessions"]] != [
            s["sha256"] for s in parsed.sessions
        ]:
            raise InternalError("the output is not the canonical form that was announced")
        os.lseek(held, 0, os.SEEK_SET)
        core.copy(held, out)
    return parsed


def _read_as(
    profile: str,
    source: int,
    out: int | None,
    *,
    source_name: str,
    final: bool,
    jobs: int,
    progress: Progress | None,
) -> list[SessionInfo]:
    if profile != HAIL:
        return [
            core.parse(
                source,
                out,
                profile=profile,
                source_name=source_name,
                final=final,
                jobs=jobs,
                progress=progress,
            )
        ]
    start = os.lseek(source, 0, os.SEEK_CUR)
    if os.fstat(source).st_size - start <= _SMALL:
        # A session without events is refused, and a small input may be one: no byte of it must have left by then.
        _refuse_empty(core.canonicalize(source, None, jobs=jobs))
        os.lseek(source, start, os.SEEK_SET)
    return core.canonicalize(source, out, jobs=jobs, progress=progress)


def _refuse_empty(sessions: list[SessionInfo]) -> None:
    """A session without events may be stored, but nobody parses a log to get nothing (docs/hail.md, "Validity")."""
    for session in sessions:
        if session["stats"]["event_count"] == 0:
            raise NoEventsError("the input holds a session without events")


def check_profile(profile: str) -> None:
    """Refuse a name that is no profile."""
    if profile != AUTO and profile not in profile_ids():
        raise UnknownProfileError(f"there is no profile {profile!r}")


def profile_ids() -> list[str]:
    """Every profile but ``auto``, which is not one but the wish to have one chosen."""
    return [profile["id"] for profile in core.profiles()]


def order(profile: str, candidates: list[Candidate]) -> list[str]:
    """The profiles to try, best first."""
    if profile != AUTO:
        return [profile]
    best = [c["profile"] for c in candidates if c["confidence"] == candidates[0]["confidence"]]
    if len(best) > 1:
        raise AmbiguousError(f"the input looks equally like {' and '.join(best)}; name its profile")
    return [c["profile"] for c in candidates]


def losses(info: SessionInfo) -> dict[str, int]:
    """What the coverage ledger counts as lost: damaged records, and repairs that lose something.

    Opaque records and unknown blocks are no loss, they are kept whole; neither is a cut last line, which the next
    parse of the grown log reads.
    """
    records = (info["source"] or {}).get("records")
    mended = repairs(info)
    found = {"damaged": _count(records, "damaged"), **{name: mended.get(name, 0) for name in LOSSY_REPAIRS}}
    return {name: count for name, count in found.items() if count}


def repairs(info: SessionInfo) -> dict[str, int]:
    """The repairs that the coverage ledger counts."""
    table = (info["source"] or {}).get("repairs")
    return {name: _count(table, name) for name in table} if isinstance(table, dict) else {}


def _count(table: object, key: str) -> int:
    # A ledger may come from somebody else's HAIL, where its members can be anything.
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def looks_like(source: int, source_name: str = "") -> str | None:
    """The profile an input looks like most, for a hint; None where it looks like nothing, or nothing can be read."""
    try:
        os.lseek(source, 0, os.SEEK_SET)
        found = core.detect(source, source_name=source_name)
    except (OSError, HailError, NoEventsError):
        return None
    return found[0]["profile"] if found else None
