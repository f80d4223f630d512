"""Compares commits with sessions by content.

Owns how the two are brought together in flat memory: as many commits at a time as their lines fit, and every session
streamed past them. Must not know what follows from a share.
"""

from __future__ import annotations

import os
from contextlib import closing

from opensession.actions.links import changes
from opensession.actions.links.clock import OutOfTime
from opensession.actions.links.evidence import SLACK, Lines
from opensession.actions.links.paths import Whereabouts
from opensession.errors import BusyError, InputError, IntegrityError, NotFoundError
from opensession.git.patches import read_patches
from opensession.light import NamedTuple
from opensession.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.clock import Clock
    from opensession.actions.links.evidence import Share
    from opensession.actions.links.names import Names
    from opensession.git.history import Commit
    from opensession.git.patchtext import Patch
    from opensession.git.run import Git

MOST_LINES = 200_000
"""Lines of commits that are held at once, some 50 MB; a few thousand commits have fewer."""


class Compared(NamedTuple):
    """What sessions wrote of commits."""

    shares: dict[str, dict[str, Share]]
    """Commit to session to share; only where that is more than nothing."""
    problems: dict[str, str]
    """Sessions that could not be read, each with the reason."""
    late: set[str]
    """Sessions that there was no time for, or not for all of it."""

    @classmethod
    def nothing(cls) -> Self:
        return cls({}, {}, set())


def compare(
    git: Git,
    commits: Iterable[Commit],
    sessions: Sequence[Candidate],
    tops: Sequence[str],
    names: Names,
    clock: Clock,
) -> Compared:
    """The shares of the sessions in the commits, of those sessions first that come first."""
    useful = [session for session in sessions if session.files_changed]
    found = Compared.nothing()
    held = Lines()

    def take(patch: Patch, time: float) -> None:
        nonlocal held
        _add(held, patch, time)
        if len(held) >= MOST_LINES:
            compare_with(found, held, useful, tops, names, clock)
            held = Lines()

    if useful:
        try:
            _read(git, commits, take, clock)
        except OutOfTime:
            return Compared({}, {}, {session.sha256 for session in useful})
        compare_with(found, held, useful, tops, names, clock)
    return found


def held_lines(git: Git, commits: Iterable[Commit], clock: Clock) -> Lines:
    """The lines of a few commits, all at once."""
    held = Lines()
    _read(git, commits, lambda patch, time: _add(held, patch, time), clock)
    return held


def _read(git: Git, commits: Iterable[Commit], take: Callable[[Patch, float], None], clock: Clock) -> None:
    times = {commit.oid: commit.committer_time for commit in commits}
    try:
        read_patches(git, times, lambda patch: take(patch, times[patch.oid]), seconds=clock.seconds())
    except BusyError:
        clock.check()
        raise


def compare_with(
    found: Compared,
    held: Lines,
    sessions: Iterable[Candidate],
    tops: Sequence[str],
    names: Names,
    clock: Clock,
) -> None:
    """Add to ``found`` what the sessions wrote of the commits that are held."""
    try:
        _compare_with(found, held, names.worth_reading(sessions, held.paths), tops, names, clock)
    finally:
        names.save()


def _compare_with(
    found: Compared,
    held: Lines,
    sessions: Iterable[Candidate],
    tops: Sequence[str],
    names: Names,
    clock: Clock,
) -> None:
    for session in sessions:
        if session.created - SLACK > held.newest or session.sha256 in found.problems:
            continue
        try:
            clock.check()
            shares = shares_of(session, held, tops, names, clock)
        except OutOfTime:
            found.late.add(session.sha256)
            continue
        except (InputError, IntegrityError, NotFoundError) as error:  # one bad session is not the end of all
            found.problems[session.sha256] = error.message
            continue
        for oid, share in shares.items():
            found.shares.setdefault(oid, {})[session.sha256] = share


def shares_of(
    candidate: Candidate, held: Lines, tops: Sequence[str], names: Names, clock: Clock
) -> Mapping[str, Share]:
    """What one session wrote of the commits that are held."""
    where = Whereabouts.of(candidate.cwd, tops)
    with closing(
        Session.from_fd(candidate.store.open(candidate.sha256).detach(), sha256=candidate.sha256)
    ) as s:
        written = changes.read(clock.watched(s.lines()))
        return held.shares(names.noted(candidate.sha256, written), where)


def _add(held: Lines, patch: Patch, time: float) -> None:
    """Hold a commit, with paths as text, as sessions have them."""
    added = {os.fsdecode(path): lines for path, lines in patch.added.items()}
    held.add(
        patch.oid, time, added, {os.fsdecode(new): os.fsdecode(old) for new, old in patch.renamed.items()}
    )
