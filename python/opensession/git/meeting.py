"""The commit at which a ledger and the remote's copy of it meet.

Owns what follows from the union of the two (union.py; notes.py for notes): which of two blobs stays, which parents the
commit has, and that nothing is made where nothing is to be brought. Must not know how it is pushed.
"""

from __future__ import annotations

from functools import lru_cache

from opensession import core
from opensession.errors import InternalError, RefusedError, RemoteFailedError
from opensession.git import notes
from opensession.git.links import LIMIT as SMALL
from opensession.git.refs import NOTES
from opensession.git.state import State
from opensession.git.trees import BLOB, Entry
from opensession.git.union import LIMIT, Clean, unite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.batch import Batch
    from opensession.git.mirror import Mirror
    from opensession.git.repository import Repository
    from opensession.git.transport import Limits
    from opensession.git.union import Conflict, United

_TREES = 4096
"""Trees that are kept while two ledgers are compared: those at the top are looked at again and again."""


class Meeting:
    """One comparison of what is here with what the remote has."""

    def __init__(self, repository: Repository, mirror: Mirror, ref: str, limits: Limits) -> None:
        self._repository = repository
        self._mirror = mirror
        self._ref = ref
        self._limits = limits

    def goal(self, ours: str, theirs: str, *, rewrite: bool) -> str:
        """The commit that the remote's ref should be at; ``theirs`` where there is nothing to bring."""
        if ours == theirs:
            return theirs
        if not rewrite:
            if self._is_ancestor(ours, theirs):
                return theirs
            if self._is_ancestor(theirs, ours):
                return ours
        kind = self._repository.object_format
        with self._mirror.git.batch() as batch:
            mine, other = State.of(batch, ours, kind), State.of(batch, theirs, kind)
            if mine.tip is None or other.tip is None:
                raise InternalError("a commit that was there is not there any more")
            if self._ref == NOTES:
                return self._noted(mine, other)
            return self._united(batch, mine, other, rewrite=rewrite)

    def _united(self, batch: Batch, mine: State, other: State, *, rewrite: bool) -> str:
        assert mine.root is not None
        assert other.root is not None
        assert other.tip is not None
        mirror = self._mirror

        @lru_cache(maxsize=_TREES)
        def read(oid: str) -> bytes:
            return batch.typed(oid, "tree")

        united = unite(mine.root, other.root, read, other.object_format, clean=mirror.seen(self._ref))
        edits, won = self._settled(united)
        if not united.adds and not won and not (rewrite and other.parents):
            mirror.saw(self._ref, Clean(other.root, united.entries))
            return other.tip
        # Where a tombstone keeps something of ours out, our history holds it still and stays out too.
        parents = [] if rewrite else [other.tip] if united.withheld else [other.tip, mine.tip or ""]
        root, commit = self._commit(mine, other, edits, parents, "unite ledgers")
        mirror.saw(self._ref, Clean(root, united.entries + len(edits)))
        return commit

    def _commit(
        self, mine: State, other: State, edits: dict[str, Entry | None], parents: list[str], message: str
    ) -> tuple[str, str]:
        """Their tree with these edits, and the commit of it."""
        objects = self._mirror.objects
        edited = other.edit(edits)
        objects.write("tree", list(edited.objects.values()))
        return edited.root, objects.commit(edited.root, parents, message, max(mine.time, other.time))

    def _noted(self, mine: State, other: State) -> str:
        """The same for notes: their lines and ours.

        A blob that only their tree names is read only if it came from there. Out of the user's own objects it would
        be shown to whoever knows its id.
        """
        assert mine.tip is not None
        assert other.tip is not None
        ours, theirs = dict(mine.files()), self._few(other)
        own = set(ours.values())
        with self._repository.git.batch() as here, self._mirror.alone() as there:

            def read(oid: str) -> bytes | None:
                batch = here if oid in own else there
                info = batch.info(oid)
                return (
                    batch.typed(oid, "blob") if info and info.type == "blob" and info.size <= SMALL else None
                )

            merged = notes.merge(theirs, ours, read, other.object_format)
        if not merged.edits:
            return other.tip
        self._mirror.objects.write("blob", merged.blobs)
        return self._commit(mine, other, merged.edits, [other.tip, mine.tip], "unite notes")[1]

    def _few(self, state: State) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, oid in state.files():
            found[path] = oid
            if len(found) > LIMIT:
                raise RefusedError(f"the remote has more than {LIMIT} notes: they are not taken")
        return found

    def _settled(self, united: United) -> tuple[dict[str, Entry | None], bool]:
        """The edits with the conflicts decided, and whether any was decided for us."""
        edits = dict(united.edits)
        undecided = [c for c in united.conflicts if c.promised is None]
        if undecided:
            self._have([c.theirs for c in undecided])
        won = [c for c in united.conflicts if self._is_ours(c)]
        edits |= {c.path: Entry(BLOB, c.ours) for c in won}
        return edits, bool(won)

    def _have(self, oids: list[str]) -> None:
        try:
            self._mirror.fetch_blobs(oids, self._limits)
        except RemoteFailedError:  # an old server gives single objects to nobody
            self._mirror.fetch(self._ref, self._limits, blobs=True, again=True)

    def _is_ours(self, conflict: Conflict) -> bool:
        """Whether our blob is the one that stays: that with the promised hash, else that with the smaller one."""
        mine = self._sha256(conflict.ours)
        if conflict.promised is not None:
            return mine == conflict.promised
        return mine < self._sha256(conflict.theirs)

    def _sha256(self, oid: str) -> str:
        return self._mirror.git.pipe("cat-file", "blob", oid, into=core.copy, doing="read what differs")[0]

    def _is_ancestor(self, old: str, new: str) -> bool:
        done = self._mirror.git.run(
            "merge-base", "--is-ancestor", old, new, ok=(0, 1), doing="compare ledgers"
        )
        return done.code == 0
