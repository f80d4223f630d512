"""The object store of one root: canonical sessions by the SHA-256 of their bytes (docs/store.md).

Owns what callers may ask of a store. How it is kept stands beside it: `writing`, `reading`, `listing`,
`removal`, `fsck`. Must not know commands, terminals or agents.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.errors import AmbiguousError, BadUriError, NotFoundError, RefusedError, UsageError
from opensession.light import contextmanager
from opensession.settings import refuse_symlinked_root
from opensession.store import reading
from opensession.store.batch import opened_batch, writes_into
from opensession.store.layout import MIN_PREFIX, SUFFIX, is_prefix, is_sha256, object_path, object_place
from opensession.store.temporary import TemporaryFile
from opensession.store.tree import Tree, opened_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opensession.core import Input, Progress
    from opensession.store.batch import Batch
    from opensession.store.reading import StoredObject
    from opensession.store.records import Entry, FsckReport, GcReport, Removed, Stored


class Store:
    """A store at ``root``. Nothing is created until the first write; a readonly one never writes."""

    def __init__(
        self, root: str | os.PathLike[str], *, readonly: bool = False, versioned: bool = True
    ) -> None:
        self.place = os.path.abspath(root)
        """The whole name of its root."""
        self.readonly = readonly
        self._versioned = versioned
        refuse_symlinked_root(self.place)
        # A link that may be followed is followed once, here; below it none is.
        self._real = os.path.realpath(self.place)
        self._synced: set[tuple[int, int]] = set()

    @property
    def root(self) -> Path:
        """Its root."""
        from pathlib import Path  # here: who registers a file does not pay for it

        return Path(self.place)

    def __repr__(self) -> str:
        return f"Store({self.place!r}{', readonly=True' if self.readonly else ''})"

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
        with self._writing() as tree, opened_batch(tree, self.place) as batch:
            with writes_into(self.place):
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
        with (
            self._writing() as tree,
            self._rereadable(source) as log,
            opened_batch(tree, self.place) as batch,
        ):
            with writes_into(self.place):
                info = core.parse(
                    log,
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
        with self._writing() as tree, opened_batch(tree, self.place) as batch, writes_into(self.place):
            yield batch

    @contextmanager
    def _rereadable(self, source: Input) -> Iterator[Input]:
        """``source``, or a copy of it where that is a pipe."""
        if isinstance(source, int) and not core.is_seekable(source):
            with self.spool(source) as copied:
                yield copied
        else:
            yield source

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
                with writes_into(self.place):
                    core.copy(source, file.fd, progress=progress)
                os.lseek(file.fd, 0, os.SEEK_SET)
                yield file.fd
            finally:
                file.close()

    # ---- reading ----

    def path_of(self, sha256: str) -> Path:
        """Where the object of this address is, or would be."""
        return object_path(self.root, _full(sha256))

    def place_of(self, sha256: str) -> str:
        """The same as text."""
        return object_place(self.place, _full(sha256))

    def has(self, sha256: str) -> bool:
        """Whether there is an object under this address; its bytes are not looked at."""
        with self._reading() as tree:
            if tree is None:
                return False
            with tree.leaf(_full(sha256), make=False) as leaf:
                return leaf is not None and leaf.lstat(sha256 + SUFFIX) is not None

    def resolve(self, text: str) -> str:
        """The whole address for a hash or for a prefix of eight or more digits that fits one object."""
        found = self.candidates(text)
        if not found:
            raise NotFoundError(
                f"no object in the store {self.place!r} begins with {text!r}", next=["opensession ls"]
            )
        return only_one(text, found)

    def candidates(self, text: str) -> list[str]:
        """All addresses here that ``text`` may mean."""
        check_prefix(text)
        with self._reading() as tree:
            return [] if tree is None else tree.addresses_with(text)

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
        from opensession.store import listing  # here and below: not every command pays for every verb

        yield from listing.newest_first(e for e in listing.marked(self.entries()) if all or e.current)

    def entries(self) -> Iterator[Entry]:
        """Every object in the order of the addresses, none of them marked as superseded."""
        with self._reading() as tree:
            if tree is not None:
                from opensession.store import listing

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
            from opensession.store.fsck import Fsck

            return Fsck(tree, repair=repair, modes=self._versioned, progress=progress).run()

    def rm(self, sha256: str, force: bool = False) -> Removed:
        """Remove one session; refused while an artifact here cites it."""
        self._refuse_readonly()
        from opensession.store import removal

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
            from opensession.store import removal

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
                    f"there is no object {sha256}: there is no store at {self.place!r}",
                    next=["opensession ls"],
                )
            yield tree

    def _refuse_readonly(self) -> None:
        if self.readonly:
            raise RefusedError(f"the store {self.place!r} is only read from here", next=["opensession ls"])


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
    if is_prefix(text):
        return
    if is_prefix(text.lower()):
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
    if not is_sha256(sha256):
        raise BadUriError(f"{sha256!r} is no whole SHA-256 address", next=["opensession ls"])
    return sha256
