"""How an object's bytes leave the store: checked first, or checked while they stream.

Owns promise 3 of docs/store.md. Bytes go from descriptor to descriptor inside the core.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.errors import IntegrityError, NotFoundError, UnreadableError
from opensession.store import checked
from opensession.store.folders import storage, storage_failed
from opensession.store.layout import CHECK_FIRST_BELOW, SUFFIX
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from opensession.core import Progress
    from opensession.store.tree import Tree


class StoredObject:
    """An object of the store, open for reading. Close it, or use it in a ``with`` block."""

    def __init__(self, fd: int, sha256: str, place: str) -> None:
        self.fd = fd
        self.sha256 = sha256
        self.place = place
        """The whole name of its file."""
        self.size = os.fstat(fd).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def rewind(self) -> None:
        os.lseek(self.fd, 0, os.SEEK_SET)

    def read(self) -> bytes:
        """All of it, as it is."""
        return read_at(self.fd, self.size, 0, self.place)

    def detach(self) -> int:
        """Hand the descriptor over; the caller closes it."""
        fd, self.fd = self.fd, -1
        return fd


def open_object(tree: Tree, sha256: str) -> StoredObject:
    """Open without any check; every caller in this module checks."""
    with tree.leaf(sha256, make=False) as leaf:
        fd = None if leaf is None else leaf.file(sha256 + SUFFIX)
        if leaf is None or fd is None:
            raise NotFoundError(
                f"there is no object {sha256} in the store {tree.root.place!r}", next=["opensession ls"]
            )
        return StoredObject(fd, sha256, leaf.place_of(sha256 + SUFFIX))


def check(tree: Tree, stored: StoredObject, progress: Progress | None = None) -> None:
    """Hash the whole object; raises IntegrityError, and remembers a file that passed."""
    before = os.fstat(stored.fd)
    _hash(stored, progress)
    after = os.fstat(stored.fd)
    if tree.cached and _same(before, after) and not checked.knows(tree.root, stored.sha256, after):
        checked.remember(tree.root, [(stored.sha256, after)])


def ensure_checked(tree: Tree, stored: StoredObject, progress: Progress | None = None) -> None:
    """Check unless this very file has passed already: what random access needs."""
    if not (tree.cached and checked.knows(tree.root, stored.sha256, os.fstat(stored.fd))):
        check(tree, stored, progress)


def copy_to(
    stored: StoredObject, out: int, *, check_first: bool = False, progress: Progress | None = None
) -> int:
    """Copy the object to ``out`` and return its length.

    A small object is hashed before its first byte leaves. A large one streams: a wrong hash is then an error
    at the end, and the receiver must not use what it got; ``check_first`` reads it twice instead. The copy is
    hashed in either case, because the second reading of a bad disk may differ from the first.
    """
    if check_first or stored.size <= CHECK_FIRST_BELOW:
        _hash(stored, None)
    stored.rewind()
    sha256, length = _copy(stored, out, progress)
    _compare(stored, sha256, length)
    return length


def _hash(stored: StoredObject, progress: Progress | None) -> None:
    stored.rewind()
    _compare(stored, *_copy(stored, None, progress))
    stored.rewind()


def _copy(stored: StoredObject, out: int | None, progress: Progress | None) -> tuple[str, int]:
    try:
        return core.copy(stored.fd, out, progress=progress)
    except UnreadableError as error:
        # To the core this is an input; here it is the store itself that cannot be read.
        raise storage_failed(OSError(error.errno or 0, error.message), stored.place, "read") from error


def _compare(stored: StoredObject, sha256: str, length: int) -> None:
    if sha256 != stored.sha256:
        raise IntegrityError(
            f"the object {stored.sha256} is damaged: its {length} bytes hash to {sha256}",
            next=[f"opensession verify {format_local(stored.sha256)}", "opensession fsck --repair"],
        )


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_dev, a.st_ino, a.st_size, a.st_mtime_ns, a.st_ctime_ns) == (
        b.st_dev,
        b.st_ino,
        b.st_size,
        b.st_mtime_ns,
        b.st_ctime_ns,
    )


def read_at(fd: int, size: int, offset: int, place: str) -> bytes:
    """``size`` bytes from ``offset``, fewer only at the end of the file."""
    pieces = []
    with storage(place, "read"):
        while size > 0 and (piece := os.pread(fd, size, offset)):
            pieces.append(piece)
            size -= len(piece)
            offset += len(piece)
    return b"".join(pieces)
