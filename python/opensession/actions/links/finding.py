"""Finds the links that a branch's ledger does not have yet.

Owns what is looked at again and what is not: a session and a commit are compared once, unless the branch was rewritten.
The rules themselves are `actions.link`. Reads git and the store, writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opensession.actions import link as rules
from opensession.actions.links.compare import Compared, compare
from opensession.actions.links.evidence import SLACK
from opensession.errors import NotFoundError
from opensession.git.history import made_here
from opensession.git.linked import Linked
from opensession.git.patches import patch_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.clock import Clock
    from opensession.actions.links.evidence import Share
    from opensession.git.batch import Batch
    from opensession.git.history import Commit
    from opensession.git.linked import Found
    from opensession.git.links import Link
    from opensession.git.repository import Repository

BRANCH = ""
"""Stands for the branch itself where it is noted how far a session was compared."""
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
    hinted: str | None
    """A commit that is known to be this user's."""


class Search(NamedTuple):
    """What a search found."""

    links: list[Link]
    """In the order of the commits."""
    problems: dict[str, str]
    """Sessions that could not be read, each with the reason."""


def find(repository: Repository, batch: Batch, branch: Branch, clock: Clock) -> Search:
    """The new links. Raises OutOfTime where the clock says so."""
    search = _Search(repository, batch, branch, clock)
    links = search.run()
    return Search(links, search.compared.problems)


class _Search:
    def __init__(self, repository: Repository, batch: Batch, branch: Branch, clock: Clock) -> None:
        self._repository = repository
        self._git = repository.git
        self._branch = branch
        self._clock = clock
        self._linked = Linked(self._git, batch, branch.ledger, repository.object_format)
        self._wanted = {h: self._unseen(h, session.created) for h, session in branch.sessions.items()}
        self._fresh = self._unseen(BRANCH, float("-inf"))
        self._names: dict[tuple[str, str], tuple[str, str] | None] = {}
        self.compared = Compared({}, {})

    def run(self) -> list[Link]:
        looked_at = self._fresh.union(*self._wanted.values())
        if not looked_at:
            return []
        todo = [commit for commit in self._branch.commits if commit.oid in looked_at]
        there = {commit.oid: self._linked.of(commit.oid) for commit in todo} if self._branch.ledger else {}
        found = {commit.oid: list(self._by_content(commit, there)) for commit in self._compared(todo)}
        orphans = [c for c in todo if not found.get(c.oid) and not there.get(c.oid)]
        for commit, links in self._carried(orphans):
            found[commit.oid] = links
        bare = [c for c in todo if not _is_known([*found.get(c.oid, ()), *_links(there.get(c.oid, ()))])]
        for commit, links in self._by_time(bare, there):
            found[commit.oid] = [*found.get(commit.oid, ()), *links]
        return self._with_ids([link for commit in todo for link in found.get(commit.oid, ())])

    def _unseen(self, who: str, since: float) -> set[str]:
        """The commits that were not compared yet, and are not older than ``since``."""
        seen = reachable(self._branch.known.get(who), self._branch.commits)
        return {
            c.oid for c in self._branch.commits if c.oid not in seen and c.committer_time >= since - SLACK
        }

    def _compared(self, todo: Sequence[Commit]) -> Iterator[Commit]:
        """The commits of which some lines were found in sessions."""
        wanted = set[str]().union(*self._wanted.values())
        unseen = [self._branch.sessions[h] for h, oids in self._wanted.items() if oids]
        only = [commit for commit in todo if commit.oid in wanted]
        self.compared = compare(self._git, only, unseen, self._branch.tops, self._clock)
        return (commit for commit in only if commit.oid in self.compared.shares)

    def _by_content(self, commit: Commit, there: Mapping[str, Sequence[Found]]) -> Iterator[Link]:
        shares: dict[str, Share] = {
            h: s for h, s in self.compared.shares[commit.oid].items() if commit.oid in self._wanted[h]
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
        ids = patch_ids(self._git, [c.oid for c in fresh], seconds=self._clock.seconds())
        stored = self._linked.by_patch_id(ids.values())
        for commit in fresh:
            links = list(rules.carried_over(commit, _links(stored.get(ids.get(commit.oid, ""), ()))))
            if links:
                yield commit, links

    def _by_time(
        self, bare: Sequence[Commit], there: Mapping[str, Sequence[Found]]
    ) -> Iterator[tuple[Commit, list[Link]]]:
        if not any(c.oid in oids for c in bare for oids in self._wanted.values()):
            return
        made = self._made()
        for commit in bare:
            sessions = [
                session
                for h, session in self._branch.sessions.items()
                if commit.oid in self._wanted[h] and h not in self.compared.problems
            ]
            links = rules.by_time(commit, sessions, made)
            yield commit, [link for link in links if not self._has(there.get(commit.oid, ()), link)]

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
        ids = patch_ids(self._git, missing, seconds=self._clock.seconds())
        return [link._replace(patch_id=link.patch_id or ids.get(link.commit)) for link in links]


def _is_known(links: Iterable[Link]) -> bool:
    """Whether somebody has the commit's content."""
    return any(link.confidence > 0 for link in links)


def _links(found: Iterable[Found]) -> list[Link]:
    return [each.link for each in found]


def reachable(tip: str | None, listed: Sequence[Commit]) -> Collection[str]:
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
