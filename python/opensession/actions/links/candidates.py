"""Which sessions may have made commits of a repository.

Owns the choice: sessions of the stores that belong to the repository by folder or remote, without helpers' sessions and
without those that a later reading of the same log, or a longer state of the same session, replaces. Must not know
commits.
"""

from __future__ import annotations

import os

from opensession.actions.handoff import recent
from opensession.actions.links.changes import seconds
from opensession.exactjson import loads
from opensession.light import NamedTuple
from opensession.store.lines import first_line, last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from opensession.actions.handoff.recent import Here
    from opensession.agents.clues import Clue
    from opensession.store import Entry, Store, Stores

_PIECE = 1 << 20


class Candidate(NamedTuple):
    """A session that belongs to the repository."""

    sha256: str
    store: Store
    session_id: str
    tool: str
    title: str | None
    created: float
    """Seconds since 1970."""
    updated: float
    cwd: str | None
    here: bool
    """Whether that folder lies in a work tree of the repository; else only the recorded remote is the same."""
    bytes: int
    files_changed: int
    """0 where nothing can be learned from its content."""


def candidates(stores: Stores, place: Here) -> list[Candidate]:
    """The sessions of the stores that belong to ``place``, the newest first."""
    holders = {str(store.root): store for store in stores}
    found = [c for entry in stores.ls() if (c := _candidate(entry, holders, place)) is not None]
    return list(_longest(found))


def belongs(clue: Clue, place: Here) -> bool:
    """Whether a log that says this of itself was written there."""
    git = {"remote": clue.remote}
    return recent.belongs({"context": {"attributes": {"cwd": clue.folder, "git": git}}}, place)


def _candidate(entry: Entry, holders: dict[str, Store], place: Here) -> Candidate | None:
    if entry.problem is not None or entry.session_id is None or entry.tool is None:
        return None
    header, stats = _ends(entry)
    if not recent.belongs(header, place):
        return None
    attributes: dict[str, object] = header["context"]["attributes"]
    created, updated = seconds(entry.created_at or ""), seconds(entry.updated_at or "")
    if attributes.get("session_role") == "auxiliary" or created is None or updated is None:
        return None
    cwd, changed = attributes.get("cwd"), stats.get("files_changed")
    return Candidate(
        entry.sha256,
        _holder(entry, holders),
        entry.session_id,
        entry.tool,
        entry.title,
        created,
        updated,
        cwd if isinstance(cwd, str) else None,
        recent.belongs({"context": {"attributes": {"cwd": cwd}}}, place),
        entry.bytes,
        changed if isinstance(changed, int) else 0,
    )


def _holder(entry: Entry, holders: dict[str, Store]) -> Store:
    # <root>/objects/sha256/ab/cd/<hash>.jsonl
    return holders[str(entry.path.parents[4])]


def _ends(entry: Entry) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the stats of a stored session; nothing of them where it was removed meanwhile."""
    try:
        with entry.path.open("rb") as file:
            values = [loads(line) for line in (first_line(file.fileno()), last_line(file.fileno()))]
    except (OSError, ValueError):
        return {}, {}
    header, stats = (value if isinstance(value, dict) else {} for value in values)
    return header, stats


def _longest(found: list[Candidate]) -> Iterator[Candidate]:
    """Those that no other one extends (docs/hail.md, "Parsers")."""
    same: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in found:
        same.setdefault((candidate.session_id, candidate.tool), []).append(candidate)
    for candidate in found:
        others = same[candidate.session_id, candidate.tool]
        if not any(other.sha256 != candidate.sha256 and extends(other, candidate) for other in others):
            yield candidate


def extends(longer: Candidate, shorter: Candidate) -> bool:
    """Whether the event lines of one session begin with all those of another.

    Of two with the very same events the one that was named last, or has the larger address, stands for both.
    """
    with (
        longer.store.open_unchecked(longer.sha256) as one,
        shorter.store.open_unchecked(shorter.sha256) as two,
    ):
        (start, end), (begin, stop) = _events(one.fd), _events(two.fd)
        if end - start < stop - begin or not _equal(one.fd, start, two.fd, begin, stop - begin):
            return False
    if end - start > stop - begin:
        return True
    return (longer.updated, longer.sha256) > (shorter.updated, shorter.sha256)


def _events(fd: int) -> tuple[int, int]:
    """Where the event lines of a canonical session begin and end."""
    return len(first_line(fd)) + 1, os.fstat(fd).st_size - len(last_line(fd)) - 1


def _equal(one: int, start: int, two: int, begin: int, length: int) -> bool:
    done = 0
    while done < length:
        size = min(_PIECE, length - done)
        if os.pread(one, size, start + done) != os.pread(two, size, begin + done):
            return False
        done += size
    return True


def by_age(found: Iterable[Candidate]) -> list[Candidate]:
    """The ones that were worked on last come first."""
    return sorted(found, key=lambda c: (-c.updated, c.sha256))
