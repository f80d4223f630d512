"""Compares commits that no link names with the sessions that are here, at the time of asking.

Owns how much of that is worth waiting for: the sessions that were worked on last come first, and those that were
compared with these commits when the ledger was brought up to date are not read again. Stores nothing.
"""

from __future__ import annotations

from opensession.actions import link as rules
from opensession.actions.handoff import recent
from opensession.actions.links.candidates import by_age, candidates
from opensession.actions.links.clock import OutOfTime
from opensession.actions.links.compare import Compared, compare_with, held_lines
from opensession.actions.links.evidence import SLACK
from opensession.actions.links.names import Names
from opensession.actions.links.reading import CONTENT, Known
from opensession.errors import OpensessionError
from opensession.light import NamedTuple
from opensession.store import linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.clock import Clock
    from opensession.git.history import Commit
    from opensession.git.repository import Repository
    from opensession.store import Stores

_MOST_TIPS = 4
"""Different states of a branch, up to which sessions were compared, that git is asked about."""


class Anew(NamedTuple):
    """What was found."""

    known: dict[str, list[Known]]
    """By commit, the surest session first."""
    sessions: dict[str, Candidate]
    left: int
    """Sessions that there was no time for."""


def compare_anew(
    repository: Repository,
    stores: Stores,
    commits: Sequence[Commit],
    *,
    env: Mapping[str, str],
    clock: Clock,
) -> Anew:
    """The sessions of the stores that wrote lines of these commits."""
    only = [commit for commit in commits if len(commit.parents) < 2]
    if not only:
        return Anew({}, {}, 0)
    place = recent.here(repository.git.cwd, env)
    newest = max(commit.committer_time for commit in only)
    found = [s for s in candidates(stores, place) if s.files_changed and s.created - SLACK <= newest]
    if not found:
        return Anew({}, {}, 0)
    done = _compared(repository, stores, found, {commit.oid for commit in only})
    waiting = [s for s in by_age(found) if s.sha256 not in done]
    result = Compared.nothing()
    try:
        if waiting:
            held = held_lines(repository.git, only, clock)
            compare_with(result, held, waiting, place.folders, Names(stores.write), clock)
        left = len(result.late)
    except OutOfTime:
        left = len(waiting)
    sessions = {session.sha256: session for session in found}
    return Anew(_known(only, result, sessions), sessions, left)


def _known(
    commits: Sequence[Commit], result: Compared, sessions: Mapping[str, Candidate]
) -> dict[str, list[Known]]:
    answer = {}
    for commit in commits:
        links = list(rules.by_content(commit, result.shares.get(commit.oid, {}), sessions))
        links.sort(key=lambda link: (-link.confidence, link.sha256))
        answer[commit.oid] = [Known(link, CONTENT, None, None) for link in links]
    return answer


def _compared(
    repository: Repository, stores: Stores, sessions: Sequence[Candidate], commits: Collection[str]
) -> set[str]:
    """The sessions that were compared with all of these commits before."""
    try:
        ref = repository.ledger_ref()
    except OpensessionError:  # no commit is checked out, so there is no ledger of it either
        return set()
    known = linking.compared(stores.write, ref, [session.sha256 for session in sessions])
    tips = list(dict.fromkeys(known.values()))[:_MOST_TIPS]
    covered = {tip for tip in tips if _has_all(repository, tip, commits)}
    return {sha256 for sha256, tip in known.items() if tip in covered}


def _has_all(repository: Repository, tip: str, commits: Collection[str]) -> bool:
    """Whether all of the commits are in the history of ``tip``."""
    done = repository.git.run(
        "rev-list", "--max-count=1", *commits, "--not", tip, ok=(0, 128), doing="list commits"
    )
    return done.code == 0 and not done.out.strip()
