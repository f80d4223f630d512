"""Finds the links that a branch's ledger does not have yet.

Owns what is looked at again and what is not: a session and a commit are compared once, unless the branch was rewritten.
The rules themselves are `actions.link`. Reads git and the store, writes nothing.
"""

from __future__ import annotations

from opensession.actions import link as rules
from opensession.actions.links.compare import Compared, compare
from opensession.actions.links.evidence import SLACK
from opensession.errors import NotFoundError
from opensession.git.history import made_here
from opensession.git.linked import Linked
from opensession.git.patches import patch_ids
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.clock import Clock
    from opensession.actions.links.evidence import Share
    from opensession.actions.links.names import Names
    from opensession.git.batch import Batch
    from opensession.git.history import Commit
    from opensession.git.linked import Found
    from opensession.git.links import Link
    from opensession.git.repository import Repository

BRANCH = ""
"""Stands for the branch itself where it is noted how far a session was compared."""
_SHORT = 10.0
"""Seconds that the ids of patches may take in any case: without them nothing that was found could be recorded."""
_SHOWN = 512
"""Characters of an id that a ledger's description of a session keeps."""


class Branch(NamedTuple):
    """A branch, its ledger and the sessions that may have made its commits."""

    name: str | None
    """None where HEAD is detached."""
    commits: Sequence[Commit]
    """The newest first."""
    ledger: Mapping[str, str]
    """The ref of its ledger and the commit that is at; empty where there is none yet."""
    sessions: Mapping[str, Candidate]
    tops: Sequence[str]
    """The work trees of the repository."""
    known: Mapping[str, str]
    """For each session, the commit of this branch up to which it was compared; :data:`BRANCH` for all together."""
    names: Names
    hinted: str | None
    """A commit that is known to be this user's."""


class Search(NamedTuple):
    """What a search found."""

    links: list[Link]
    """In the order of the commits."""
    problems: dict[str, str]
    """Sessions that could not be read, each with the reason."""
    late: set[str]
    """Sessions that there was no time for."""


def find(repository: Repository, batch: Batch, branch: Branch, clock: Clock) -> Search:
    """The new links, those of the sessions that were worked on last before the others'."""
    search = _Search(repository, batch, branch, clock)
    links = search.run()
    return Search(links, search.compared.problems, search.compared.late)


class _Search:
    def __init__(self, repository: Repository, batch: Batch, branch: Branch, clock: Clock) -> None:
        self._repository = repository
        self._git = repository.git
        self._branch = branch
        self._clock = clock
        self._linked = Linked(self._git, batch, branch.ledger, repository.object_format)
        self._unseen: dict[str | None, set[str]] = {}
        self._fresh = self._unseen_from(branch.known.get(BRANCH))
        self._names: dict[tuple[str, str], tuple[str, str] | None] = {}
        self.compared = Compared.nothing()

    def run(self) -> list[Link]:
        todo = self._todo()
        if not todo:
            return []
        there = {commit.oid: self._linked.of(commit.oid) for commit in todo} if self._branch.ledger else {}
        found = {commit.oid: list(self._by_content(commit, there)) for commit in self._compared(todo)}
        orphans = [c for c in todo if not found.get(c.oid) and not there.get(c.oid)]
        for commit, links in self._carried(orphans):
            found[commit.oid] = links
        bare = [c for c in todo if not _is_known([*found.get(c.oid, ()), *_links(there.get(c.oid, ()))])]
        for link in self._by_time(bare, there):
            found.setdefault(link.commit, []).append(link)
        return self._with_ids([link for commit in todo for link in found.get(commit.oid, ())])

    def _unseen_from(self, tip: str | None) -> set[str]:
        """The commits that are not in the history of ``tip``; all where it is not in the list."""
        if tip not in self._unseen:
            seen = reachable(tip, self._branch.commits)
            self._unseen[tip] = {commit.oid for commit in self._branch.commits} - seen
        return self._unseen[tip]

    def _wants(self, session: Candidate, commit: Commit) -> bool:
        """Whether the two are still to be compared: they were not yet, and the commit is not older."""
        unseen = self._unseen_from(self._branch.known.get(session.sha256))
        return commit.oid in unseen and commit.committer_time >= session.created - SLACK

    def _todo(self) -> list[Commit]:
        """The commits that are new to the branch, or that some session is still to be compared with."""
        oldest: dict[str | None, float] = {}
        for sha256, session in self._branch.sessions.items():
            tip = self._branch.known.get(sha256)
            oldest[tip] = min(oldest.get(tip, session.created), session.created)
        groups = [(self._unseen_from(tip), created - SLACK) for tip, created in oldest.items()]
        return [
            commit
            for commit in self._branch.commits
            if commit.oid in self._fresh
            or any(commit.oid in unseen and commit.committer_time >= since for unseen, since in groups)
        ]

    def _compared(self, todo: Sequence[Commit]) -> Iterator[Commit]:
        """The commits of which some lines were found in sessions."""
        newest = max(commit.committer_time for commit in todo)
        unseen = [
            session
            for h, session in self._branch.sessions.items()
            if self._unseen_from(self._branch.known.get(h)) and session.created - SLACK <= newest
        ]
        only = [commit for commit in todo if len(commit.parents) < 2]
        branch = self._branch
        self.compared = compare(self._git, only, unseen, branch.tops, branch.names, self._clock)
        return (commit for commit in only if commit.oid in self.compared.shares)

    def _by_content(self, commit: Commit, there: Mapping[str, Sequence[Found]]) -> Iterator[Link]:
        shares: dict[str, Share] = {
            h: s
            for h, s in self.compared.shares[commit.oid].items()
            if self._wants(self._branch.sessions[h], commit)
        }
        for link in rules.by_content(commit, shares, self._branch.sessions):
            if not self._has(there.get(commit.oid, ()), link):
                yield link

    def _carried(self, orphans: Sequence[Commit]) -> Iterator[tuple[Commit, list[Link]]]:
        """What was linked to commits that are not on the branch any more and had the same patches."""
        fresh = [c for c in orphans if c.oid in self._fresh and len(c.parents) < 2]
        if not fresh or not self._branch.ledger:
            return
        if self._linked.commits() <= {commit.oid for commit in self._branch.commits}:
            return
        ids = patch_ids(self._git, [c.oid for c in fresh], seconds=self._clock.seconds(least=_SHORT))
        stored = self._linked.by_patch_id(ids.values())
        for commit in fresh:
            links = list(rules.carried_over(commit, _links(stored.get(ids.get(commit.oid, ""), ()))))
            if links:
                yield commit, links

    def _by_time(self, bare: Sequence[Commit], there: Mapping[str, Sequence[Found]]) -> Iterator[Link]:
        """Weak links, once it is sure that no session has the content."""
        if self.compared.late or not bare or not self._branch.sessions:
            return
        sessions = [s for h, s in self._branch.sessions.items() if h not in self.compared.problems]
        for link in rules.by_time(bare, sessions, self._made()):
            if not self._has(there.get(link.commit, ()), link):
                yield link

    def _made(self) -> rules.Made:
        refs = [] if self._branch.name is None else [f"refs/heads/{self._branch.name}"]
        try:
            self._repository.resolve("HEAD")
            refs.append("HEAD")
        except NotFoundError:
            pass  # another branch is checked out, which has no commit yet
        email = self._repository.config_get("user.email")
        return rules.Made(made_here(self._git, refs), email, self._branch.hinted)

    def _has(self, there: Iterable[Found], link: Link) -> bool:
        """Whether the commit is linked to this session already, or to an earlier state of it."""
        session = self._branch.sessions[link.sha256]
        name = session.session_id[:_SHOWN], session.tool[:_SHOWN]
        return any(f.link.sha256 == link.sha256 or self._name(f) == name for f in there)

    def _name(self, found: Found) -> tuple[str, str] | None:
        key = found.ledger, found.link.sha256
        if key not in self._names:
            meta = self._linked.meta(*key) or {}
            self._names[key] = (str(meta["id"]), str(meta["tool"])) if {"id", "tool"} <= meta.keys() else None
        return self._names[key]

    def _with_ids(self, links: list[Link]) -> list[Link]:
        """The links with the patch id of their commit."""
        missing = dict.fromkeys(link.commit for link in links if link.patch_id is None)
        ids = patch_ids(self._git, missing, seconds=self._clock.seconds(least=_SHORT))
        return [link._replace(patch_id=link.patch_id or ids.get(link.commit)) for link in links]


def _is_known(links: Iterable[Link]) -> bool:
    """Whether somebody has the commit's content."""
    return any(link.confidence > 0 for link in links)


def _links(found: Iterable[Found]) -> list[Link]:
    return [each.link for each in found]


def reachable(tip: str | None, listed: Sequence[Commit]) -> set[str]:
    """The commits of the list that ``tip`` has, itself among them; none where it is not in the list."""
    parents = {commit.oid: commit.parents for commit in listed}
    seen: set[str] = set()
    waiting = [tip] if tip is not None and tip in parents else []
    while waiting:
        oid = waiting.pop()
        if oid not in seen:
            seen.add(oid)
            waiting += [parent for parent in parents.get(oid, ()) if parent in parents]
    return seen
