"""Reads links where they stand: in the ledgers of this repository, and in the copies of remotes' ledgers.

Owns the order of trust in an answer: a link of the commit itself, then one of a commit with the same patch. What has
neither is compared anew by whoever asks. Writes nothing.
"""

from __future__ import annotations

from opensession.actions import link as rules
from opensession.actions.links import states
from opensession.actions.links.extending import Extended
from opensession.errors import BadUriError
from opensession.git import mirror, remotes
from opensession.git.entries import session_path
from opensession.git.linked import Linked
from opensession.git.patches import patch_ids
from opensession.git.refs import BRANCHES
from opensession.light import NamedTuple, contextmanager
from opensession.uri import format_local, remote_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import ExitStack
    from typing import Any

    from opensession.actions.links.extending import State
    from opensession.git.history import Commit
    from opensession.git.links import Link
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.git.run import Git
    from opensession.store import Stores

LINK, PATCH_ID, CONTENT = "link", rules.PATCH_ID, rules.CONTENT


class Known(NamedTuple):
    """A session that belongs to a commit, as far as is known."""

    link: Link
    how: str
    """``link``: the ledger says so of this commit; ``patch_id``: of one with the same patch; ``content``: no ledger
    says so, but the session has lines of the commit.
    """
    ledger: str | None
    """The ref of the ledger."""
    remote: str | None
    """The remote whose ledger it is, as it may be shown; None for one of this repository."""
    supersedes: tuple[str, ...] = ()
    """Earlier states of the session that the ledgers link to the commit, too, or in its stead."""


class _Shelf(NamedTuple):
    """The ledgers of one repository."""

    origin: Remote | None
    """The remote that they are copied from; None for this repository's own."""
    linked: Linked

    @property
    def remote(self) -> str | None:
        """The remote as it may be shown."""
        return None if self.origin is None else self.origin.shown


class Links:
    """All links that can be read here."""

    def __init__(self, repository: Repository, stores: Stores, stack: ExitStack) -> None:
        self._repository = repository
        self._stores = stores
        self._stack = stack
        self._shelves = [self._shelf(None, repository.git, repository.refs(BRANCHES))]
        root = stores.write.root
        if (root / mirror.FOLDER).is_dir():
            for remote in remotes.every(repository):
                self._add(remote)

    def _shelf(self, origin: Remote | None, git: Git, tips: Mapping[str, str]) -> _Shelf:
        batch = self._stack.enter_context(git.batch())
        return _Shelf(origin, Linked(git, batch, tips, self._repository.object_format))

    def _add(self, remote: Remote) -> None:
        kept = mirror.kept_for(self._repository, self._stores.write.root, remote)
        if kept is not None and (tips := mirror.ledgers_in(kept)):
            self._shelves.append(self._shelf(remote, kept, tips))

    def __bool__(self) -> bool:
        """Whether there is a ledger at all."""
        return any(shelf.linked.tips for shelf in self._shelves)

    def of(self, commits: Sequence[Commit]) -> dict[str, list[Known]]:
        """What the ledgers say of the commits, the surest session first."""
        found = {commit.oid: self._of(commit.oid) for commit in commits}
        without = [commit.oid for commit in commits if not found[commit.oid] and len(commit.parents) < 2]
        if without and self:
            ids = patch_ids(self._repository.git, without)
            stored = self._by_patch_id(set(ids.values()))
            for oid in without:
                found[oid] = stored.get(ids.get(oid, ""), [])
        return self._newest(found)

    def _newest(self, found: dict[str, list[Known]]) -> dict[str, list[Known]]:
        """The same with the longest state of each session in the place of the others."""
        linked = {each.link.sha256 for known in found.values() for each in known}
        places: dict[str, tuple[State, str | None, str]] = {}
        for shelf in self._shelves if linked else ():
            for ledger in shelf.linked.tips:
                for state in states.described(self._stores.write, shelf.linked, ledger):
                    places.setdefault(state.sha256, (state, shelf.remote, ledger))
        names = {_name(places[sha256][0]) for sha256 in linked if sha256 in places}
        same = [state for state, *_ in places.values() if _name(state) in names]
        if len(same) == len(names):
            return found
        recorded = [s for s in same if s.sha256 in linked or self._records(*places[s.sha256])]
        with Extended(self._stores.write, self.session) as extended:
            newest = extended.newest(recorded, linked)
        where = {sha256: places[sha256][1:] for sha256 in newest.values()}
        return {oid: states.merged(known, newest, where) for oid, known in found.items()}

    def _records(self, state: State, remote: str | None, ledger: str) -> bool:
        """Whether the ledger that describes a session has it, too."""
        return any(s.remote == remote and s.linked.records(ledger, state.sha256) for s in self._shelves)

    def _of(self, oid: str) -> list[Known]:
        return _once(
            Known(each.link, LINK, each.ledger, shelf.remote)
            for shelf in self._shelves
            for each in shelf.linked.of(oid)
        )

    def _by_patch_id(self, ids: set[str]) -> dict[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        for shelf in self._shelves:
            for patch_id, links in shelf.linked.by_patch_id(ids).items():
                found.setdefault(patch_id, []).extend(
                    Known(each.link, PATCH_ID, each.ledger, shelf.remote) for each in links
                )
        return {patch_id: _once(known) for patch_id, known in found.items()}

    def meta(self, known: Known) -> Mapping[str, Any]:
        """What the ledger says about the session: ``id``, ``tool``, ``title`` and so on, or nothing."""
        for shelf in self._shelves:
            if shelf.remote == known.remote and known.ledger is not None:
                return shelf.linked.meta(known.ledger, known.link.sha256) or {}
        return {}

    def missing(self, sha256s: Iterable[str]) -> list[str]:
        """Those of the sessions whose bytes are not here."""
        return [
            h for h in sha256s if not self.is_stored(h) and not any(s.linked.has(h) for s in self._shelves)
        ]

    def is_stored(self, sha256: str) -> bool:
        """Whether a store has the session, so that commands find it by its local address."""
        return any(store.has(sha256) for store in self._stores)

    def uri(self, known: Known) -> str:
        """The address to read the session at: the local one, or that in the remote's ledger where no store has it."""
        sha256 = known.link.sha256
        origin = next((s.origin for s in self._shelves if s.origin and s.remote == known.remote), None)
        if origin is None or known.ledger is None or self.is_stored(sha256):
            return format_local(sha256)
        try:
            return str(remote_uri(origin.normal, known.ledger, session_path(sha256)))
        except BadUriError:  # a remote that has no address others could use
            return format_local(sha256)

    @contextmanager
    def session(self, sha256: str) -> Iterator[int | None]:
        """A descriptor of the session's checked bytes, from a store or a ledger; None where they are not here."""
        with states.opened(self._stores, [shelf.linked for shelf in self._shelves], sha256) as fd:
            yield fd


def _name(state: State) -> tuple[str, str]:
    return state.session_id, state.tool


def _once(known: Iterable[Known]) -> list[Known]:
    """Each session once, the surest first; this repository's ledgers come before remotes'."""
    best: dict[str, Known] = {}
    for each in known:
        there = best.get(each.link.sha256)
        if there is None or there.link.confidence < each.link.confidence:
            best[each.link.sha256] = each
    return sorted(best.values(), key=lambda each: (-each.link.confidence, each.link.sha256))
