"""A ledger: the sessions of one branch in the tree of a hidden ref, read and written.

Owns what a ledger answers and the order in which a change becomes durable: objects first, then the ref, by
compare-and-swap. The user's worktree, index, HEAD, reflogs, hooks and name are not involved. Must not know remotes or
the store.
"""

from __future__ import annotations

from itertools import islice

from opensession import core
from opensession.errors import BusyError, IntegrityError, NotFoundError
from opensession.git.changes import Changes, plan
from opensession.git.entries import (
    COMMITS,
    SESSIONS,
    Kind,
    classify,
    gone_path,
    link_path,
    meta_path,
    place_of,
    session_path,
)
from opensession.git.failures import Held, busy
from opensession.git.links import LIMIT, Link, meta_of, read_meta
from opensession.git.objects import Objects, commit_of, damaged, pause, turn
from opensession.git.state import State
from opensession.light import NamedTuple, contextmanager
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

    from opensession.git.batch import Batch
    from opensession.git.run import Git

__all__ = [
    "Changes", "Kind", "Ledger", "LedgerEntry", "Link", "Recorded",
    "classify", "gone_path", "link_path", "meta_of", "meta_path", "session_path",
]  # fmt: skip


_AT_ONCE = 1024
_IN_PIECES = ("core.packedGitWindowSize=8m", "core.packedGitLimit=32m")
"""Git maps a pack by the gigabyte otherwise."""


class LedgerEntry(NamedTuple):
    """A session in a ledger."""

    sha256: str | None
    """Its address; None for a session of an older program, which was named by its id."""
    oid: str
    """The blob that holds it."""
    path: str
    meta: Mapping[str, Any] | None
    """Its description, where it was asked for and there is one."""


class Recorded(NamedTuple):
    """What became of a change."""

    tip: str | None
    before: str | None
    changed: bool
    left_out: tuple[str, ...] = ()
    """Sessions that were not recorded, because they had been taken back from this ledger."""


class Ledger:
    """One ledger. In a ``with`` block, one git process answers all its questions."""

    def __init__(
        self, git: Git, ref: str, *, common_dir: Path | None = None, object_format: str | None = None
    ) -> None:
        self.git = git
        self.ref = ref
        if common_dir is None or object_format is None:
            asked = git.text("rev-parse", "--show-object-format", "--git-common-dir").split("\n", 1)
            object_format, common_dir = asked[0], git.cwd / asked[1]
        self.object_format = object_format
        self.objects = Objects(git, common_dir, object_format)
        self._batch: Batch | None = None
        self._opened: Any = None

    def __enter__(self) -> Self:
        self._opened = self.git.batch()
        self._batch = self._opened.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._batch = None
        self._opened.__exit__(kind, error, tb)

    @contextmanager
    def reading(self) -> Iterator[Batch]:
        """The git that answers for objects: that of the ``with`` block, or one for this block."""
        if self._batch is not None:
            yield self._batch
        else:
            with self.git.batch() as batch:
                yield batch

    @contextmanager
    def _state(self) -> Iterator[State]:
        with self.reading() as batch:
            yield self._now(batch)

    def _now(self, batch: Batch) -> State:
        """The ledger as it is; a ref that leads nowhere is damage, and not an empty ledger."""
        state = State.of(batch, self.ref, self.object_format)
        if state.tip is None and (oid := self.objects.tip(self.ref)) and batch.info(oid) is None:
            how = f"it points to {oid}, which is not in the repository"
            raise damaged(self.ref, how, f"git update-ref -d {quoted(self.ref)}")
        return state

    def tip(self) -> str | None:
        """The newest commit; None where there is no ledger yet."""
        with self._state() as state:
            return state.tip

    def has(self, sha256: str) -> bool:
        """Whether a session is in the ledger, and was not taken back."""
        with self._state() as state:
            return state.find(sha256) is not None and not state.has(gone_path(sha256))

    def is_gone(self, sha256: str) -> bool:
        """Whether a session was taken back."""
        with self._state() as state:
            return state.has(gone_path(sha256))

    def sessions(self, *, meta: bool = False) -> Iterator[LedgerEntry]:
        """All sessions that were not taken back, those of older programs too, in no order that means anything.

        ``meta`` adds the descriptions of those that have one in this layout.
        """
        with self._state() as state:
            gone = {path.rpartition("/")[2] for path, _ in state.files("v2", "gone")}
            listed = (
                LedgerEntry(place.sha256, oid, path, None)
                for path, oid in state.sessions()
                if (place := place_of(path)) is not None
                and place.sha256 not in gone
                and (place.kind is not Kind.V1 or is_v1_session(path))
            )
            yield from self._described(state, listed) if meta else listed

    def _described(self, state: State, entries: Iterator[LedgerEntry]) -> Iterator[LedgerEntry]:
        """The same entries with their descriptions. Git lists both by address, so they are read side by side: of a
        million nothing is kept.
        """
        documents = (
            (path.rpartition("/")[2].removesuffix(".json"), oid) for path, oid in state.files("v2", "meta")
        )
        ahead = next(documents, None)
        while group := list(islice(entries, _AT_ONCE)):
            known: dict[str, str] = {}
            for entry in group:
                if entry.sha256 is None or not entry.path.startswith(SESSIONS):
                    continue
                while ahead is not None and ahead[0] < entry.sha256:
                    ahead = next(documents, None)
                if ahead is not None and ahead[0] == entry.sha256:
                    known[entry.sha256] = ahead[1]
            read = dict(zip(known, state.batch.many(known.values(), limit=LIMIT), strict=True))
            for entry in group:
                data = read.get(entry.sha256 or "")
                yield entry if data is None else entry._replace(meta=read_meta(data))

    def _meta(self, state: State, sha256: str) -> Mapping[str, Any] | None:
        data = state.blob(meta_path(sha256), LIMIT)
        return None if data is None else read_meta(data)

    def meta(self, sha256: str) -> Mapping[str, Any] | None:
        """The description of one session."""
        with self._state() as state:
            return self._meta(state, sha256)

    def links(self, commit: str | None = None) -> Iterator[Link]:
        """The links of one commit, or all. What is no link, whoever wrote it, is passed over."""
        under = [name for name in COMMITS.split("/") if name]
        if commit is not None:
            under += [commit[:2], commit]
        with self._state() as state:
            found = (
                (place, oid)
                for path, oid in state.files(*under)
                if (place := place_of(path)) is not None and place.kind is Kind.LINK
            )
            while group := list(islice(found, _AT_ONCE)):
                documents = state.batch.many([oid for _, oid in group], limit=LIMIT)
                for (place, _), data in zip(group, documents, strict=True):
                    assert place.sha256 is not None
                    assert place.commit is not None
                    link = None if data is None else Link.from_json(data, place.commit, place.sha256)
                    if link is not None:
                        yield link

    def open(self, sha256: str, out: int) -> int:
        """Copy a session's bytes to a descriptor and return how many.

        They stream, whatever their size: a wrong hash is an error at the end, and what was received must then not be
        used.
        """
        with self._state() as state:
            oid = state.find(sha256)
        if oid is None:
            raise NotFoundError(
                f"there is no session {sha256} in the ledger {self.ref}",
                next=[f"git ls-tree -r --name-only {self.ref}"],
            )
        found, length = self.copy_blob(oid, out)
        if found != sha256:
            raise IntegrityError(
                f"the session {sha256} in the ledger {self.ref} is damaged: its {length} bytes hash to {found}",
                next=["git fsck"],
            )
        return length

    def copy_blob(self, oid: str, out: int | None) -> tuple[str, int]:
        """Copy a blob's bytes to a descriptor (or nowhere) and return their SHA-256 and length."""
        git = self.git.with_(options=_IN_PIECES)
        return git.pipe("cat-file", "blob", oid, into=lambda fd: core.copy(fd, out), doing="read a session")

    def record(
        self, changes: Changes, message: str, *, attempts: int = 50, rewrite: bool = False
    ) -> Recorded:
        """Make a change durable, whoever else writes at the same time.

        Nothing is committed where nothing changes. With ``rewrite`` the ledger starts anew: one commit without a
        parent, so that what was removed is reachable no more.
        """
        written: dict[str, str] = {}
        lock: Path | None = None
        with self.reading() as batch:
            # The sessions' own blobs are written before it is our turn: they may take minutes.
            plan(self._now(batch), changes, self.objects, written)
            for attempt in range(attempts):
                try:
                    with turn(self.objects.common_dir):
                        state = self._now(batch)
                        done = self._attempt(state, changes, message, written, rewrite=rewrite)
                except Held as held:
                    held.refuse_old()
                    lock, done = held.lock, None
                if done is not None:
                    return done
                pause(attempt)
        if lock is not None:
            raise busy(lock)
        raise BusyError(
            f"the ledger {self.ref} was changed by others {attempts} times while it was being written",
            next=[f"git log --oneline -5 {self.ref}"],
        )

    def _attempt(
        self, state: State, changes: Changes, message: str, written: dict[str, str], *, rewrite: bool
    ) -> Recorded | None:
        """One try on top of what the ledger is now; None where somebody else was first."""
        todo = plan(state, changes, self.objects, written)
        edited = state.edit(todo.edits)
        if edited.root == state.root and not (rewrite and state.parents):
            if state.tip is not None:
                self.objects.sync_ref(self.ref)  # whoever wrote it may have been cut off before this
            return Recorded(state.tip, state.tip, changed=False, left_out=todo.left_out)
        if state.tip is None and not todo.edits:
            return Recorded(None, None, changed=False, left_out=todo.left_out)
        parents = [] if rewrite or state.tip is None else [state.tip]
        commit = commit_of(edited.root, parents, message, max(state.time, todo.time))
        trees = list(edited.objects.values())
        (*_, (new,)) = self.objects.write_all([("blob", todo.blobs), ("tree", trees), ("commit", [commit])])
        self.objects.sync()
        if not self.objects.swap(self.ref, new, state.tip):
            return None
        return Recorded(new, state.tip, changed=True, left_out=todo.left_out)


def is_v1_session(path: str) -> bool:
    """Whether a path of the older layout is a session, not a description or an index."""
    return path.endswith(".hail.jsonl")
