"""Which sessions may have made commits of a repository.

Owns the choice: sessions of the stores that belong to the repository by folder or remote, without helpers' sessions and
without those that a later reading of the same log, or a longer state of the same session, replaces. Must not know
commits.
"""

from __future__ import annotations

from opensession.actions.handoff import recent
from opensession.actions.links.changes import seconds
from opensession.actions.links.extending import Extended, State
from opensession.light import NamedTuple, contextmanager
from opensession.store.described import described
from opensession.store.listing import superseded_among

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opensession.actions.handoff.recent import Here
    from opensession.agents.clues import Clue
    from opensession.store import Store, Stores
    from opensession.store.described import Described


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
    seen: dict[str, tuple[Store, Described]] = {}
    for store in stores:
        for session in described(store):
            seen.setdefault(session.sha256, (store, session))
    where = _Where(place)
    own = {session.session_id for _, session in seen.values() if where.belongs(session)}
    # A later reading of a log may say another folder: so all readings of each session are looked at.
    current = _current(session for _, session in seen.values() if session.session_id in own)
    found = [
        c
        for session in current
        if where.belongs(session) and (c := _candidate(session, seen[session.sha256][0], where)) is not None
    ]
    return sorted(_longest(stores, found), key=lambda c: (-c.updated, c.sha256))


def belongs(clue: Clue, place: Here) -> bool:
    """Whether a log that says this of itself was written there."""
    git = {"remote": clue.remote}
    return recent.belongs({"context": {"attributes": {"cwd": clue.folder, "git": git}}}, place)


class _Where:
    """Whether sessions belong to a place; each pair of folder and remote is looked at once."""

    def __init__(self, place: Here) -> None:
        self._place = place
        self._known: dict[tuple[str | None, str | None], bool] = {}

    def belongs(self, session: Described) -> bool:
        """Whether it ran there, or names a remote of it."""
        return self._is(session.cwd, session.remote)

    def ran(self, session: Described) -> bool:
        """Whether it ran there."""
        return self._is(session.cwd, None)

    def _is(self, cwd: str | None, remote: str | None) -> bool:
        if (cwd, remote) not in self._known:
            header = {"context": {"attributes": {"cwd": cwd, "git": {"remote": remote}}}}
            self._known[cwd, remote] = recent.belongs(header, self._place)
        return self._known[cwd, remote]


def _current(found: Iterable[Described]) -> list[Described]:
    sessions = list(found)
    superseded = superseded_among(
        (s.sha256, s.session_id, s.parser, s.source_bytes, s.blake3) for s in sessions
    )
    return [session for session in sessions if session.sha256 not in superseded]


def _candidate(session: Described, store: Store, where: _Where) -> Candidate | None:
    created, updated = seconds(session.created_at), seconds(session.updated_at)
    if session.role == "auxiliary" or created is None or updated is None:
        return None
    return Candidate(
        session.sha256,
        store,
        session.session_id,
        session.tool,
        session.title,
        created,
        updated,
        session.cwd,
        where.ran(session),
        session.bytes,
        session.files_changed,
    )


def _longest(stores: Stores, found: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other one extends (docs/hail.md, "Parsers")."""
    holders = {c.sha256: c.store for c in found}
    states = [State(c.sha256, c.session_id, c.tool, c.bytes) for c in found]
    with Extended(stores.write, lambda sha256: _opened(holders[sha256], sha256)) as extended:
        superseded = extended.newest(states)
    return [candidate for candidate in found if candidate.sha256 not in superseded]


@contextmanager
def _opened(store: Store, sha256: str) -> Iterator[int]:
    with store.open(sha256) as stored:
        yield stored.fd


def by_age(found: Iterable[Candidate]) -> list[Candidate]:
    """The ones that were worked on last come first."""
    return sorted(found, key=lambda c: (-c.updated, c.sha256))
