"""Bad bytes are set aside, never destroyed: somebody may want to know what happened to them.

Owns ``<root>/quarantine``. Only ``gc`` deletes from it, by the time a file came in.
"""

from __future__ import annotations

import errno
import os

from opensession.store.folders import storage
from opensession.store.layout import QUARANTINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from opensession.store.folders import Folder
    from opensession.store.tree import Tree

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


def set_aside(tree: Tree, folder: Folder, name: str, bad: os.stat_result, *, move: bool) -> Path | None:
    """Keep what stands under ``name`` in quarantine, if it is still the file ``bad``; returns where it is
    now.

    Without ``move`` it is linked, and the caller replaces the name in one step. With ``move`` the name is
    gone after.
    """
    kept = f"{name}.{os.urandom(6).hex()}"
    with tree.root.make(QUARANTINE) as quarantine, tree.root.locked(exclusive=move):
        path = quarantine.path / kept
        with storage(path, "move into quarantine"):
            found = folder.lstat(name)
            if found is None or (found.st_dev, found.st_ino) != (bad.st_dev, bad.st_ino):
                return None  # replaced meanwhile, with the right bytes: no others are ever renamed here
            if move or not _linked(folder, name, quarantine, kept):
                os.rename(name, kept, src_dir_fd=folder.fd, dst_dir_fd=quarantine.fd)
        quarantine.sync()
        if move:
            folder.sync()
    return path


def _linked(folder: Folder, name: str, quarantine: Folder, kept: str) -> bool:
    try:
        os.link(name, kept, src_dir_fd=folder.fd, dst_dir_fd=quarantine.fd, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            return False
        raise
    return True
