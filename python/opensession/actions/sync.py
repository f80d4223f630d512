"""Brings a branch's ledger up to date: finds the sessions that made its commits and records both.

Owns the order: agents' logs are registered, commits compared with sessions, what may leave decided at the one door, and
everything recorded in one commit of the ledger, or none where nothing is new. Must not know hooks or remotes.
"""

from __future__ import annotations

from contextlib import ExitStack

from opensession import core
from opensession.actions.handoff import recent
from opensession.actions.link import is_carried
from opensession.actions.links import states
from opensession.actions.links.candidates import candidates
from opensession.actions.links.clock import Clock, OutOfTime
from opensession.actions.links.extending import State
from opensession.actions.links.finding import BRANCH, Branch, find
from opensession.actions.links.logs import register_logs
from opensession.actions.links.names import Names
from opensession.errors import NotFoundError, RefusedError, SecretsFoundError
from opensession.git.changes import Changes
from opensession.git.history import commits
from opensession.git.linked import Linked
from opensession.git.links import meta_of
from opensession.git.tombstone import taken_back
from opensession.light import NamedTuple
from opensession.store import linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.logs import Registered
    from opensession.git.history import Commit
    from opensession.git.ledger import Ledger
    from opensession.git.links import Link
    from opensession.git.repository import Repository
    from opensession.store import Stores

    Release = Callable[[str], str]
    """The address that may leave in the place of a session's; raises SecretsFoundError where none may."""

_DETACHED = "detached@"
_AT_ONCE = 128
"""Sessions that one commit of the ledger records; more is what happens once, when a repository is set up."""


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
    registered = register_logs(stores.write, place, env, clock.part())
    sessions = {each.sha256: each for each in candidates(stores, place)}
    with repository.ledger(ref) as ledger:
        asked = _asked(stores, ledger, branch, listed, sessions, place.folders, commit)
        with ledger.reading() as batch:
            found = find(repository, batch, asked, clock.part())
        gone = taken_back(repository) if found.links else set()
        links, there = _longest(stores, ledger, found.links, sessions)
        recorded = _Recording(stores, ledger, branch, release or _door(stores, deadline), gone, there, clock)
        recorded.all(links)
        tip = ledger.tip()
    late = found.late | recorded.late
    if listed:
        again = {each.sha256 for each in recorded.refused} | late | found.problems.keys()
        done = [h for h in sessions if h not in again] + ([] if late else [BRANCH])
        tips = {h: listed[0].oid for h in done if asked.known.get(h) != listed[0].oid}
        linking.note_compared(stores.write, ref, tips)
    return Synced(
        branch, ref, tip, recorded.changed, len(listed), tuple(recorded.links), tuple(recorded.refused),
        tuple(sorted(recorded.taken_back)), found.problems, registered, registered.in_time and not late,
    )  # fmt: skip


def _asked(
    stores: Stores,
    ledger: Ledger,
    branch: str,
    listed: Sequence[Commit],
    sessions: Mapping[str, Candidate],
    tops: Sequence[str],
    commit: str | None,
) -> Branch:
    """The branch with what is known of it."""
    before = ledger.tip()
    # Without a ledger nothing was recorded, whatever was compared.
    known = {} if before is None else linking.compared(stores.write, ledger.ref, [BRANCH, *sessions])
    at = {} if before is None else {ledger.ref: before}
    name = None if branch.startswith(_DETACHED) else branch
    return Branch(name, listed, at, sessions, tops, known, Names(stores.write), commit)


def _longest(
    stores: Stores, ledger: Ledger, links: Sequence[Link], sessions: Mapping[str, Candidate]
) -> tuple[list[Link], set[str]]:
    """The links, with longer states that the ledger has of their sessions in the place of these; and those states."""
    own = {link.sha256 for link in links if not is_carried(link)}
    tip = ledger.tip()
    if not own or tip is None:
        return list(links), set()
    here = [State(h, sessions[h].session_id, sessions[h].tool, sessions[h].bytes) for h in own]
    with ledger.reading() as batch:
        linked = Linked(ledger.git, batch, {ledger.ref: tip}, ledger.object_format)
        longer = states.longer(stores, linked, ledger.ref, here)
    moved = [
        link if is_carried(link) else link._replace(sha256=longer.get(link.sha256, link.sha256))
        for link in links
    ]
    return moved, set(longer.values())


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


class _Recording:
    """Takes links to the ledger, some sessions at a time, so that what is recorded stays when time runs out."""

    def __init__(
        self,
        stores: Stores,
        ledger: Ledger,
        branch: str,
        release: Release,
        gone: Collection[str],
        there: Collection[str],
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._ledger = ledger
        self._branch = branch
        self._release = release
        self._gone = gone
        self._there = there
        self._clock = clock
        self.changed = False
        self.links: list[Link] = []
        self.refused: list[Refused] = []
        self.taken_back: set[str] = set()
        self.late: set[str] = set()

    def all(self, links: Sequence[Link]) -> None:
        """Record the links of the sessions that may leave; some have theirs there already."""
        carried = [link for link in links if self._has(link)]
        own: dict[str, list[Link]] = {}
        for link in links:
            if not self._has(link):
                own.setdefault(link.sha256, []).append(link)
        names = list(own)
        for at in range(0, max(len(names), 1), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            passed = {h: address for h in some if (address := self._passed(h)) is not None}
            kept = [link._replace(sha256=passed[h]) for h in passed for link in own[h]]
            self._record([*kept, *(carried if at == 0 else ())])

    def _has(self, link: Link) -> bool:
        """Whether the session of the link is in the ledger already."""
        return is_carried(link) or link.sha256 in self._there

    def _passed(self, sha256: str) -> str | None:
        """The address that may leave."""
        try:
            self._clock.check()
            return self._release(sha256)
        except OutOfTime:
            self.late.add(sha256)
        except SecretsFoundError as error:
            self.refused.append(Refused(sha256, error))
        except RefusedError:
            if self._clock.seconds() > 0:
                raise
            self.late.add(sha256)  # the scan was cut off
        return None

    def _record(self, links: Sequence[Link]) -> None:
        self.taken_back.update(link.sha256 for link in links if link.sha256 in self._gone)
        # A redacted copy is a session of the store too, and may stand for itself and for the one it was made from.
        links = [link for link in dict.fromkeys(links) if link.sha256 not in self._gone]
        if not links:
            return
        with ExitStack() as stack:
            sessions = []
            for sha256 in dict.fromkeys(link.sha256 for link in links if not self._has(link)):
                holder = next(store for store in self._stores if store.has(sha256))
                stored = stack.enter_context(holder.open(sha256))
                report = core.verify(stored.fd)
                if report["error"] is None:  # an older program may have stored what is no session
                    sessions.append((sha256, stored.fd, meta_of(report["sessions"][0])))
            held = {sha256 for sha256, _, _ in sessions}
            kept = [link for link in links if link.sha256 in held or self._has(link)]
            message = f"link sessions to commits of {self._branch}"
            done = self._ledger.record(Changes(sessions=sessions, links=kept), message)
        self.changed = self.changed or done.changed
        self.taken_back.update(done.left_out)
        self.links += [link for link in kept if link.sha256 not in done.left_out]
