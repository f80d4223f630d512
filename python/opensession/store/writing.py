"""How bytes become a visible object: temporary file, fsync, rename, fsync of the folders; in this order and
no other.

Owns promises 1, 2 and 4 of docs/store.md. Must not know what the bytes mean: they arrive through a descriptor
that the core writes to.
"""

from __future__ import annotations

import errno
import os
import stat

from opensession import core
from opensession.errors import UnreadableError
from opensession.light import NamedTuple
from opensession.store.folders import Folder, storage, sync
from opensession.store.layout import SUFFIX, VISIBLE_MODE
from opensession.store.quarantine import set_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.store.temporary import TemporaryFile
    from opensession.store.tree import Tree


class Published(NamedTuple):
    """A name that is durable now."""

    existed: bool
    """It was there before, with the right bytes."""


def publish(tree: Tree, temporary: TemporaryFile, sha256: str, size: int) -> Published:
    """Give the temporary file the name of its hash and make the name durable.

    The file stands in ``<kind>/sha256`` rather than in its own folder, because that folder is named by the
    hash, which is known only when the last byte has been written. Both are on one file system, so the rename
    is atomic.
    """
    name = sha256 + SUFFIX
    with tree.leaf(sha256, make=True) as leaf:
        assert leaf is not None
        existed = _present(tree, leaf, name, sha256)
        if existed:
            temporary.close()
        else:
            temporary.make_durable(size)
            with tree.root.locked(exclusive=False), storage(leaf.place_of(name), "name"):
                temporary.rename(leaf, name)
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
    except UnreadableError:  # an I/O error of the disk is as wrong as wrong bytes
        return False


def _still_there(tree: Tree, leaf: Folder, name: str, fd: int) -> bool:
    """Make a right object durable that somebody else wrote, unless it was removed while it was hashed.

    Its time is set to now: it has just been registered, and ``gc --sessions`` goes by that time.
    """
    ours = os.fstat(fd)
    with tree.root.locked(exclusive=False), storage(leaf.place_of(name), "make durable"):
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
