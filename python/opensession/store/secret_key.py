"""The key of one store: names of secrets that are made with it say nothing to anybody else.

Owns ``<root>/secret.key``: 32 random bytes, made once, whole or not at all, and durable before it is used, because a
second key would give every known secret another name. Must not know what is named with it.
"""

from __future__ import annotations

import errno
import os
import stat

from opensession.errors import RefusedError
from opensession.settings import quoted
from opensession.store.folders import Folder, storage, sync
from opensession.store.layout import KEY_FILE, OBJECTS, WRITING_MODE
from opensession.store.temporary import TemporaryFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.store.store import Store

LENGTH = 32
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def find_key(store: Store) -> bytes | None:
    """The key of the store, or None where none was made yet."""
    with store.opened(OBJECTS, make=False) as tree:
        return None if tree is None else _read(tree.root)


def key_of(store: Store) -> bytes:
    """The key of the store, made if need be; programs that ask at the same time get the same one."""
    if (key := find_key(store)) is not None:
        return key
    with store.opened(OBJECTS, make=True) as tree:
        assert tree is not None
        _make(tree.root)
        # Whoever made it: it is on the disk before anything is named with it.
        tree.root.sync()
        with Folder.open(tree.root.path.parent) as parent:
            parent.sync()
        key = _read(tree.root)
    if key is None:
        raise _damaged(store.root / KEY_FILE, "it was removed while it was being made")
    return key


def _make(root: Folder) -> None:
    """Give a whole and durable file the name, unless the name is taken."""
    file = TemporaryFile(root)
    try:
        with storage(root.path / KEY_FILE, "write"):
            os.write(file.fd, os.urandom(LENGTH))
            sync(file.fd)
            try:
                # A link and no rename: it is refused where there is a key, so the first maker wins.
                os.link(file.name, KEY_FILE, src_dir_fd=root.fd, dst_dir_fd=root.fd)
            except FileExistsError:
                return
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _rename(root, file)
    finally:
        file.close()


def _rename(root: Folder, file: TemporaryFile) -> None:
    """The same for a file system without hard links: the lock keeps other makers out."""
    with root.locked(exclusive=True):
        if root.lstat(KEY_FILE) is None:
            file.rename(root, KEY_FILE)


def _read(root: Folder) -> bytes | None:
    fd = root.file(KEY_FILE)
    if fd is None:
        return None
    path = root.path / KEY_FILE
    try:
        with storage(path, "read"):
            found = os.fstat(fd)
            key = os.read(fd, LENGTH + 1)
            if stat.S_IMODE(found.st_mode) != WRITING_MODE and found.st_uid == os.geteuid():
                os.fchmod(fd, WRITING_MODE)
    finally:
        os.close(fd)
    if found.st_uid != os.geteuid():
        raise _damaged(path, "another user owns it")
    if len(key) != LENGTH:
        raise _damaged(path, f"it does not hold {LENGTH} bytes")
    return key


def _damaged(path: os.PathLike[str], why: str) -> RefusedError:
    return RefusedError(
        f"the key {str(path)!r} cannot be used: {why}. A new one gives every secret another fingerprint",
        next=[f"ls -l {quoted(str(path))}", f"rm {quoted(str(path))}"],
    )
