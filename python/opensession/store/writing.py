"""How bytes become a visible object: temporary file, fsync, rename, fsync of the folders; in this order and
no other.

Owns promises 1, 2 and 4 of docs/store.md. Must not know what the bytes mean: they arrive through a descriptor
that the core writes to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.errors import InternalError, StorageFailedError
from opensession.store.folders import Folder, storage, sync
from opensession.store.layout import SUFFIX, TEMPORARY, VISIBLE_MODE, WRITING_MODE
from opensession.store.quarantine import set_aside

if TYPE_CHECKING:
    from opensession.store.tree import Tree

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REOPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class Published(NamedTuple):
    """A name that is durable now."""

    existed: bool
    """It was there before, with the right bytes."""


class TemporaryFile:
    """A new file ``.tmp-<group>-<number>``.

    The writer holds number 0 of its group locked as long as any file of the group exists, so that ``gc`` can tell
    the files of a living writer from those left behind, and the writer need not hold all of them open.
    """

    def __init__(self, folder: Folder, leader: TemporaryFile | None = None, number: int = 0) -> None:
        self.folder = folder
        self.group: str = "" if leader is None else leader.group
        self.name = ""
        self.fd = -1
        try:
            with storage(folder.path, "make a temporary file in"):
                if leader is not None:
                    self._create(number)
                while self.fd < 0:
                    self.group = os.urandom(8).hex()
                    self._create(0)
                    self._lock()
        except BaseException:
            self.close()
            raise

    def _create(self, number: int) -> None:
        name = f"{TEMPORARY}{self.group}-{number}"
        self.fd = os.open(name, _CREATE, WRITING_MODE, dir_fd=self.folder.fd)
        self.name = name
        os.fchmod(self.fd, WRITING_MODE)  # whatever the umask left of it

    def _lock(self) -> None:
        # Refused where the file system has no locks (gc then goes by age), or where gc is just about to remove it.
        with suppress(OSError):
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self.fd).st_nlink == 0:  # gc took it before it was locked
            os.close(self.fd)
            self.fd, self.name = -1, ""

    def park(self) -> None:
        """Close the descriptor until :meth:`unpark`; a stream of sessions may hold more than may be open at once."""
        os.close(self.fd)
        self.fd = -1

    def unpark(self) -> None:
        """Have a descriptor again."""
        if self.fd < 0:
            with storage(self.folder.path / self.name, "open"):
                self.fd = os.open(self.name, _REOPEN, dir_fd=self.folder.fd)

    def unlink(self) -> None:
        """Take the name away and keep the descriptor."""
        if self.name:
            with storage(self.folder.path / self.name, "remove"):
                os.unlink(self.name, dir_fd=self.folder.fd)
            self.name = ""

    def close(self) -> None:
        """Close; what still has its temporary name is removed."""
        try:
            if self.name:
                # Refused, it is left behind for gc: the error that led here matters more.
                with suppress(OSError):
                    os.unlink(self.name, dir_fd=self.folder.fd)
                self.name = ""
        finally:
            if self.fd >= 0:
                os.close(self.fd)
                self.fd = -1

    def make_durable(self, expected_size: int) -> None:
        """Give the file its final mode and sync it. A sync that fails is final: the kernel forgets the lost
        pages.
        """
        self.unpark()
        path = self.folder.path / self.name
        size = os.fstat(self.fd).st_size
        if size != expected_size:
            raise InternalError(f"{size} bytes were written where the core counted {expected_size}")
        with storage(path, "make durable"):
            os.fchmod(self.fd, VISIBLE_MODE)
            sync(self.fd)


def publish(tree: Tree, temporary: TemporaryFile, sha256: str, size: int) -> Published:
    """Give the temporary file the name of its hash and make the name durable.

    The file stands in ``<kind>/sha256`` rather than in its own folder, because that folder is named by the
    hash, which is known only when the last byte has been written. Both are on one file system, so the rename
    is atomic.
    """
    temporary.make_durable(size)
    name = sha256 + SUFFIX
    with tree.leaf(sha256, make=True) as leaf:
        assert leaf is not None
        existed = _present(tree, leaf, name, sha256)
        if existed:
            temporary.close()
        else:
            with tree.root.locked(exclusive=False), storage(leaf.path / name, "name"):
                os.rename(temporary.name, name, src_dir_fd=temporary.folder.fd, dst_dir_fd=leaf.fd)
                temporary.name = ""
        tree.sync_above(leaf)
    return Published(existed)


def _present(tree: Tree, leaf: Folder, name: str, sha256: str) -> bool:
    """Whether the object is there with the right bytes; a wrong one is set aside, so that it can be replaced.

    The name counts for nothing: a crash of another program, a bad disk or a hand may have left any bytes
    under it.
    """
    found = leaf.lstat(name)
    if found is None:
        return False
    if not stat.S_ISREG(found.st_mode):
        set_aside(tree, leaf, name, found, move=True)
        return False
    fd = leaf.file(name)
    if fd is None:
        return False
    try:
        if not _hashes_to(fd, sha256):
            set_aside(tree, leaf, name, os.fstat(fd), move=False)
            return False
        return _still_there(tree, leaf, name, fd)
    finally:
        os.close(fd)


def _hashes_to(fd: int, sha256: str) -> bool:
    try:
        return core.copy(fd)[0] == sha256
    except StorageFailedError:
        raise
    except ValueError:  # unreadable: an I/O error of the disk is as wrong as wrong bytes
        return False


def _still_there(tree: Tree, leaf: Folder, name: str, fd: int) -> bool:
    """Make a right object durable that somebody else wrote, unless it was removed while it was hashed.

    Its time is set to now: it has just been registered, and ``gc --sessions`` goes by that time.
    """
    ours = os.fstat(fd)
    with tree.root.locked(exclusive=False), storage(leaf.path / name, "make durable"):
        now = leaf.lstat(name)
        if now is None or (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino):
            return False
        try:
            os.utime(fd)
            if stat.S_IMODE(ours.st_mode) != VISIBLE_MODE:
                os.fchmod(fd, VISIBLE_MODE)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EROFS):  # another owner's object is as good as ours
                raise
        sync(fd)
    return True
