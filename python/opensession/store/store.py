"""The object store of one root: canonical sessions by the SHA-256 of their bytes (docs/store.md).

Owns what callers may ask of a store. How it is kept stands beside it: `writing`, `reading`, `listing`,
`removal`, `fsck`. Must not know commands, terminals or agents.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opensession import core
from opensession.errors import AmbiguousError, BadUriError, NotFoundError, RefusedError, UsageError
from opensession.settings import refuse_symlinked_root
from opensession.store import listing, reading, removal
from opensession.store.batch import Batch, writes_into
from opensession.store.fsck import Fsck
from opensession.store.layout import MIN_PREFIX, PREFIX, SHA256, object_path
from opensession.store.temporary import TemporaryFile
from opensession.store.tree import Tree, opened_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.core import Input, Progress
    from opensession.store.reading import StoredObject
    from opensession.store.records import Entry, FsckReport, GcReport, Removed, Stored


class Store:
    """A store at ``root``. Nothing is created until the first write; a readonly one never writes."""

    def __init__(
        self, root: str | os.PathLike[str], *, readonly: bool = False, versioned: bool = True
    ) -> None:
        self.root = Path(os.path.abspath(root))
        self.readonly = readonly
        self._versioned = versioned
        refuse_symlinked_root(self.root)
        # A link that may be followed is followed once, here; below it none is.
        self._real = Path(os.path.realpath(self.root))
        self._synced: set[tuple[int, int]] = set()

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r}{', readonly=True' if self.readonly else ''})"

    # ---- writing ----

    def put_hail(
        self,
        source: Input,
        *,
        jobs: int = core.DEFAULT_JOBS,
        max_line: int = core.MAX_LINE,
        single: bool = False,
        progress: Progress | None = None,
    ) -> list[Stored]:
        """Store the canonical form of each session in ``source``; when it returns they survive a power cut.

        All or nothing: where a later session of a stream is not acceptable, none is stored; nor is any where
        ``single`` asks for one and there are more.
        """
        with self._writing() as tree, Batch(tree, self.root) as batch:
            with writes_into(self.root):
                infos = core.canonicalize(
                    source, batch.next_fd, jobs=jobs, max_line=max_line, progress=progress
                )
            if single and len(infos) != 1:
                raise UsageError(f"the input holds {len(infos)} sessions where one was asked for")
            return batch.publish(infos)

    def put_log(
        self,
        source: Input,
        profile: str,
        *,
        source_name: str = "",
        final: bool = False,
        jobs: int = core.DEFAULT_JOBS,
        max_line: int = core.MAX_LINE,
        progress: Progress | None = None,
    ) -> Stored:
        """Parse an agent's log and store the session, in one pass over the log."""
        with ExitStack() as stack:
            tree = stack.enter_context(self._writing())
            if isinstance(source, int) and not core.is_seekable(source):
                source = stack.enter_context(self.spool(source))
            batch = stack.enter_context(Batch(tree, self.root))
            with writes_into(self.root):
                info = core.parse(
                    source,
                    batch.next_fd(),
                    profile=profile,
                    source_name=source_name,
                    final=final,
                    jobs=jobs,
                    max_line=max_line,
                    progress=progress,
                )
            return batch.publish([info])[0]

    @contextmanager
    def receiving(self) -> Iterator[Batch]:
        """Objects that the caller writes and checks himself; none is visible before `Batch.publish`."""
        with self._writing() as tree, Batch(tree, self.root) as batch, writes_into(self.root):
            yield batch

    @contextmanager
    def spool(self, source: Input, *, progress: Progress | None = None) -> Iterator[int]:
        """A seekable descriptor with the bytes of ``source``, in a file of this store that has no name any
        more.

        Here and not in the system's temporary folder: a log may be larger than that, and is nobody else's
        business.
        """
        with self._writing() as tree:
            file = TemporaryFile(tree.root)
            try:
                file.unlink()
                with writes_into(self.root):
                    core.copy(source, file.fd, progress=progress)
                os.lseek(file.fd, 0, os.SEEK_SET)
                yield file.fd
            finally:
                file.close()

    # ---- reading ----

    def path_of(self, sha256: str) -> Path:
        """Where the object of this address is, or would be."""
        return object_path(self.root, _full(sha256))

    def has(self, sha256: str) -> bool:
        """Whether there is an object under this address; its bytes are not looked at."""
        with self._reading() as tree:
            if tree is None:
                return False
            with tree.leaf(_full(sha256), make=False) as leaf:
                return leaf is not None and leaf.lstat(object_path(self.root, sha256).name) is not None

    def resolve(self, text: str) -> str:
        """The whole address for a hash or for a prefix of eight or more digits that fits one object."""
        found = self.candidates(text)
        if not found:
            raise NotFoundError(
                f"no object in the store {str(self.root)!r} begins with {text!r}", next=["opensession ls"]
            )
        return only_one(text, found)

    def candidates(self, text: str) -> list[str]:
        """All addresses here that ``text`` may mean."""
        check_prefix(text)
        with self._reading() as tree:
            return [] if tree is None else listing.names_with_prefix(tree, text)

    def check(self, sha256: str, *, progress: Progress | None = None) -> None:
        """Hash the object; raises IntegrityError where the bytes are not those of the address."""
        with self._tree(sha256) as tree, reading.open_object(tree, sha256) as stored:
            reading.check(tree, stored, progress)

    def copy_to(
        self, sha256: str, out_fd: int, *, check_first: bool = False, progress: Progress | None = None
    ) -> int:
        """Copy the object's bytes to a descriptor and return how many; see :func:`reading.copy_to` for the
        check.
        """
        with self._tree(sha256) as tree, reading.open_object(tree, sha256) as stored:
            return reading.copy_to(stored, out_fd, check_first=check_first, progress=progress)

    def open(self, sha256: str, *, progress: Progress | None = None) -> StoredObject:
        """Open the object for random access: it is checked first, unless this very file passed before."""
        with self._tree(sha256) as tree:
            stored = reading.open_object(tree, sha256)
            try:
                reading.ensure_checked(tree, stored, progress)
            except BaseException:
                stored.close()
                raise
            return stored

    def open_unchecked(self, sha256: str) -> StoredObject:
        """Open the object for a caller who hashes every byte himself, as ``verify`` does."""
        with self._tree(sha256) as tree:
            return reading.open_object(tree, sha256)

    def ls(self, *, all: bool = False) -> Iterator[Entry]:  # noqa: A002  the option's name
        """The sessions here, newest first; ``all`` shows those too that a later reading of the same log
        supersedes.
        """
        yield from listing.newest_first(e for e in listing.marked(self.entries()) if all or e.current)

    def entries(self) -> Iterator[Entry]:
        """Every object in the order of the addresses, none of them marked as superseded."""
        with self._reading() as tree:
            if tree is not None:
                yield from listing.entries(tree)

    # ---- upkeep ----

    def fsck(self, repair: bool = False, progress: Progress | None = None) -> FsckReport:
        """Check every object, name and mode; ``repair`` sets wrong bytes aside and modes right."""
        if repair:
            self._refuse_readonly()
        with self._reading() as tree:
            if tree is None:
                from opensession.store.records import FsckReport

                return FsckReport(self.root, 0, 0, 0, ())
            return Fsck(tree, repair=repair, modes=self._versioned, progress=progress).run()

    def rm(self, sha256: str, force: bool = False) -> Removed:
        """Remove one session; refused while an artifact here cites it."""
        self._refuse_readonly()
        with self._tree(sha256) as tree:
            return removal.remove(tree, sha256, force=force)

    def gc(
        self,
        apply: bool = False,
        *,
        sessions: bool = False,
        older_than: float | None = None,
        now: float | None = None,
    ) -> GcReport:
        """Find garbage and, with ``apply``, remove it; ``older_than`` is in seconds."""
        if apply:
            self._refuse_readonly()
        with self._reading() as tree:
            if tree is None:
                from opensession.store.records import GcReport

                return GcReport(self.root, apply, (), 0)
            return removal.collect(tree, apply=apply, sessions=sessions, older_than=older_than, now=now)

    # ---- the root ----

    @contextmanager
    def opened(self, kind: str, *, make: bool) -> Iterator[Tree | None]:
        """The tree of another kind of files in this store; None where there is no store and none is made."""
        if make:
            self._refuse_readonly()
        with opened_root(self._real, make=make, versioned=self._versioned) as root:
            yield None if root is None else Tree(root, self._synced, kind, cached=not self.readonly)

    @contextmanager
    def _writing(self) -> Iterator[Tree]:
        self._refuse_readonly()
        with opened_root(self._real, make=True) as root:
            assert root is not None
            yield Tree(root, self._synced)

    @contextmanager
    def _reading(self) -> Iterator[Tree | None]:
        with opened_root(self._real, make=False, versioned=self._versioned) as root:
            yield None if root is None else Tree(root, self._synced, cached=not self.readonly)

    @contextmanager
    def _tree(self, sha256: str) -> Iterator[Tree]:
        _full(sha256)
        with self._reading() as tree:
            if tree is None:
                raise NotFoundError(
                    f"there is no object {sha256}: there is no store at {str(self.root)!r}",
                    next=["opensession ls"],
                )
            yield tree

    def _refuse_readonly(self) -> None:
        if self.readonly:
            raise RefusedError(
                f"the store {str(self.root)!r} is only read from here", next=["opensession ls"]
            )


def only_one(text: str, found: list[str]) -> str:
    """The one address that ``text`` means."""
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        raise AmbiguousError(
            f"{text!r} fits {len(found)} objects: {shown}",
            next=[f"opensession inspect {sha256}" for sha256 in found[:5]],
        )
    return found[0]


def check_prefix(text: str) -> None:
    """Refuse what is no hash and no prefix of one."""
    if PREFIX.fullmatch(text):
        return
    if PREFIX.fullmatch(text.lower()):
        raise BadUriError(
            f"{text!r} is not spelled in the one right way: an address is written in lower case",
            spelling=text.lower(),
            next=[f"opensession inspect {text.lower()}"],
        )
    raise BadUriError(
        f"{text!r} is no address: that is an os:// URI, 64 digits of 0-9 and a-f, "
        f"or their first {MIN_PREFIX} or more",
        next=["opensession ls"],
    )


def _full(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise BadUriError(f"{sha256!r} is no whole SHA-256 address", next=["opensession ls"])
    return sha256
