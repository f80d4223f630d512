"""Lists commits with the sessions that made them.

Owns the meeting of git's list with the ledgers'. Must not know how it is shown.
"""

from __future__ import annotations

from contextlib import ExitStack

from opensession.actions.links import fetching
from opensession.actions.links.anew import compare_anew
from opensession.actions.links.reading import Known, Links
from opensession.git.history import commits
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.clock import Clock
    from opensession.git.history import Commit
    from opensession.git.repository import Repository
    from opensession.store import Stores


class Session(NamedTuple):
    """A session of a commit."""

    known: Known
    tool: str | None
    title: str | None
    uri: str
    """The address to read it at."""
    stored: bool
    """Whether a store has it; else it is in a ledger only."""


class Entry(NamedTuple):
    """A commit and its sessions, the surest first."""

    commit: Commit
    sessions: tuple[Session, ...]


class Log(NamedTuple):
    """A part of the history."""

    entries: tuple[Entry, ...]
    """The newest first."""
    left: int
    """Sessions that there was no time to compare with commits that have no link."""


def log(
    stores: Stores,
    repository: Repository,
    revision: str,
    *,
    env: Mapping[str, str],
    clock: Clock,
    most: int,
    paths: Sequence[str] = (),
    fetch: str | None = None,
) -> Log:
    """The commits that a revision or range means, each with its sessions; ``fetch`` is as for ``why``."""
    if fetch is not None:
        fetching.fetch_links(repository, stores.write.root, fetch, env)
    listed = commits(repository.git, revision, most=most, paths=paths)
    with ExitStack() as stack:
        links = Links(repository, stores, stack)
        found = sessions_of(stores, repository, listed, links, env=env, clock=clock)
    return Log(tuple(Entry(commit, found.sessions[commit.oid]) for commit in listed), found.left)


class Sessions(NamedTuple):
    """The sessions of some commits."""

    sessions: dict[str, tuple[Session, ...]]
    """By commit, the surest first."""
    left: int
    """Sessions that there was no time to compare."""


def sessions_of(
    stores: Stores,
    repository: Repository,
    commits: Sequence[Commit],
    links: Links,
    *,
    env: Mapping[str, str],
    clock: Clock,
) -> Sessions:
    """What the ledgers say of the commits, and what the sessions here say of those whose content no link explains."""
    known = links.of(commits)
    unsure = [c for c in commits if not any(each.link.confidence for each in known[c.oid])]
    anew = compare_anew(repository, stores, unsure, env=env, clock=clock)
    known |= {oid: found for oid, found in anew.known.items() if found}
    told = {oid: tuple(_told(each, links, anew.sessions) for each in found) for oid, found in known.items()}
    return Sessions(told, anew.left)


def _told(known: Known, links: Links, candidates: Mapping[str, Candidate]) -> Session:
    """The session with what is known about it, from its ledger or from the store."""
    sha256 = known.link.sha256
    candidate = candidates.get(sha256)
    if candidate is not None:
        return Session(known, candidate.tool, candidate.title, links.uri(known), stored=True)
    meta = links.meta(known)
    tool, title = (text if isinstance(text := meta.get(name), str) else None for name in ("tool", "title"))
    return Session(known, tool, title, links.uri(known), links.is_stored(sha256))
