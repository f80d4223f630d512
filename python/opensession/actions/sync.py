"""Brings a branch's ledger up to date: finds the sessions that made its commits and records both.

Owns the order: agents' logs are registered, commits compared with sessions, what may leave decided at the one door, and
everything recorded in one commit of the ledger, or none where nothing is new. Must not know hooks or remotes.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions.handoff import recent
from opensession.actions.link import is_carried
from opensession.actions.links.candidates import candidates
from opensession.actions.links.clock import Clock, OutOfTime
from opensession.actions.links.finding import BRANCH, Branch, find
from opensession.actions.links.logs import register_logs
from opensession.errors import NotFoundError, RefusedError, SecretsFoundError
from opensession.git.changes import Changes
from opensession.git.history import commits
from opensession.git.ledger import Ledger, Recorded
from opensession.git.links import meta_of
from opensession.git.tombstone import taken_back
from opensession.store import linking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opensession.actions.links.finding import Search
    from opensession.actions.links.logs import Registered
    from opensession.git.history import Commit
    from opensession.git.links import Link
    from opensession.git.repository import Repository
    from opensession.store import Stores

    Release = Callable[[str], str]
    """The address that may leave in the place of a session's; raises SecretsFoundError where none may."""

_DETACHED = "detached@"


class Refused(NamedTuple):
    """A session that was not recorded, because it holds what looks like a secret."""

    sha256: str
    error: SecretsFoundError


class Synced(NamedTuple):
    """What became of a branch."""

    branch: str
    ref: str
    tip: str | None
    """The commit of the ledger; None where there is no ledger."""
    changed: bool
    commits: int
    """Commits of the branch that were looked at."""
    links: tuple[Link, ...]
    """The links that are new, in the order of the commits, newest first."""
    refused: tuple[Refused, ...]
    taken_back: tuple[str, ...]
    """Sessions that were not recorded, because they had been taken back from a ledger here."""
    problems: Mapping[str, str]
    """Sessions that could not be read, each with the reason."""
    registered: Registered
    in_time: bool
    """False where time ran out; the next call goes on from there."""


def sync_branch(
    stores: Stores,
    repository: Repository,
    branch: str,
    commit: str | None = None,
    *,
    env: Mapping[str, str],
    deadline: float | None = None,
    release: Release | None = None,
) -> Synced:
    """Record in the branch's ledger which sessions made its commits.

    ``commit`` is one that is known to be this user's, as the tip of a push is. ``deadline`` is a time of the monotonic
    clock. Without ``release``, a session that holds a secret is left out and told.
    """
    clock = Clock(deadline)
    ref = repository.ledger_ref(branch)
    place = recent.here(repository.git.cwd, env)
    listed = _commits(repository, branch, commit)
    registered = register_logs(stores.write, place, env, clock)
    sessions = {each.sha256: each for each in candidates(stores, place)}
    ledger = Ledger(
        repository.git, ref, common_dir=repository.common_dir, object_format=repository.object_format
    )
    before = ledger.tip()
    # Without a ledger nothing was recorded, whatever was compared.
    known = {} if before is None else linking.compared(stores.write, ref, [BRANCH, *sessions])
    name = None if branch.startswith(_DETACHED) else branch
    at = {} if before is None else {ref: before}
    found = _found(repository, Branch(name, listed, at, sessions, place.folders, known, commit), clock)
    passed = _passed(found.links if found else [], release or _door(stores, deadline), clock)
    gone = taken_back(repository) if passed.links else set()
    recorded = _record(stores, ledger, branch, [link for link in passed.links if link.sha256 not in gone])
    out = {*recorded.left_out, *(link.sha256 for link in passed.links if link.sha256 in gone)}
    recorded = recorded._replace(left_out=tuple(sorted(out)))
    if found is not None and listed:
        again = {each.sha256 for each in passed.refused} | passed.late | found.problems.keys()
        done = [who for who in (BRANCH, *sessions) if who not in again]
        linking.note_compared(stores.write, ref, dict.fromkeys(done, listed[0].oid))
    return _answer(branch, ref, len(listed), registered, found, passed, recorded)


def _answer(
    branch: str,
    ref: str,
    looked_at: int,
    registered: Registered,
    found: Search | None,
    passed: _Passed,
    recorded: Recorded,
) -> Synced:
    return Synced(
        branch,
        ref,
        recorded.tip,
        recorded.changed,
        looked_at,
        tuple(link for link in passed.links if link.sha256 not in recorded.left_out),
        passed.refused,
        recorded.left_out,
        {} if found is None else found.problems,
        registered,
        registered.in_time and found is not None and not passed.late,
    )


def _commits(repository: Repository, branch: str, commit: str | None) -> Sequence[Commit]:
    if branch.startswith(_DETACHED):
        return commits(repository.git, commit or "HEAD")
    try:
        return commits(repository.git, f"refs/heads/{branch}")
    except NotFoundError:
        raise NotFoundError(
            f"the branch {branch!r} has no commits", next=["git branch --list", "git log --oneline -5"]
        ) from None


def _door(stores: Stores, deadline: float | None) -> Release:
    from opensession.actions.release import release

    return lambda sha256: release(stores.write, [sha256], holders=stores, deadline=deadline).addresses[0]


def _found(repository: Repository, branch: Branch, clock: Clock) -> Search | None:
    """The new links; None where there was no time to find them all."""
    with repository.git.batch() as batch:
        try:
            return find(repository, batch, branch, clock)
        except OutOfTime:
            return None


class _Passed(NamedTuple):
    """Links whose sessions may leave, by the addresses that may."""

    links: tuple[Link, ...]
    refused: tuple[Refused, ...]
    late: set[str]
    """Sessions that there was no time to scan."""


def _passed(found: Sequence[Link], release: Release, clock: Clock) -> _Passed:
    addresses: dict[str, str] = {}
    refused: list[Refused] = []
    late: set[str] = set()
    for sha256 in dict.fromkeys(link.sha256 for link in found if not is_carried(link)):
        try:
            addresses[sha256] = release(sha256)
        except SecretsFoundError as error:
            refused.append(Refused(sha256, error))
        except RefusedError:
            if clock.seconds() > 0:
                raise
            late.add(sha256)  # the scan was cut off
    stopped = late | {each.sha256 for each in refused}
    links = [
        link._replace(sha256=addresses.get(link.sha256, link.sha256))
        for link in found
        if link.sha256 not in stopped
    ]
    return _Passed(tuple(links), tuple(refused), late)


def _record(stores: Stores, ledger: Ledger, branch: str, links: Sequence[Link]) -> Recorded:
    """Write the sessions and their links; durable when it returns. A session that is carried over is there already."""
    if not links:
        tip = ledger.tip()
        return Recorded(tip, tip, changed=False)
    with ExitStack() as stack:
        sessions = []
        for sha256 in dict.fromkeys(link.sha256 for link in links if not is_carried(link)):
            holder = next(store for store in stores if store.has(sha256))
            stored = stack.enter_context(holder.open(sha256))
            report = core.verify(stored.fd)
            if report["error"] is None:  # an older program may have stored what is no session
                sessions.append((sha256, stored.fd, meta_of(report["sessions"][0])))
        held = {sha256 for sha256, _, _ in sessions}
        kept = [link for link in links if link.sha256 in held or is_carried(link)]
        return ledger.record(Changes(sessions=sessions, links=kept), f"link sessions to commits of {branch}")
