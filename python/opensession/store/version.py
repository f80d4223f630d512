"""The layout version of a store: one small file that says which program may touch it."""

from __future__ import annotations

import os
import stat

from opensession.errors import RefusedError
from opensession.settings import quoted
from opensession.store.folders import storage, sync
from opensession.store.layout import VERSION, VERSION_FILE, VISIBLE_MODE
from opensession.store.temporary import TemporaryFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.store.folders import Folder


def check_version(root: Folder, *, mend: bool = False) -> bool:
    """Whether the store says its version; refuses one that is not known here. With ``mend`` its mode is put right."""
    fd = root.file(VERSION_FILE)
    if fd is None:
        return False
    try:
        with storage(root.place_of(VERSION_FILE), "read"):
            text = os.read(fd, 64)
        if text.strip() != VERSION.encode():
            raise RefusedError(
                f"the store {root.place!r} has a layout that is not known here (known is version {VERSION}): "
                "a newer opensession wrote it",
                next=["opensession --version", f"cat {quoted(root.place_of(VERSION_FILE))}"],
            )
        if mend:
            _set_mode(root, fd)
    finally:
        os.close(fd)
    return True


def _set_mode(root: Folder, fd: int) -> None:
    """Give the version file the mode of what is visible; older programs left it writable. Not another owner's."""
    found = os.fstat(fd)
    if stat.S_IMODE(found.st_mode) != VISIBLE_MODE and found.st_uid == os.geteuid():
        with storage(root.place_of(VERSION_FILE), "set the mode of"):
            os.fchmod(fd, VISIBLE_MODE)


def write_version(root: Folder) -> None:
    """Write the version file of a new store; two programs may do it at once. The caller syncs the folder."""
    temporary = TemporaryFile(root)
    try:
        with storage(root.place_of(VERSION_FILE), "write"):
            os.write(temporary.fd, f"{VERSION}\n".encode())
            os.fchmod(temporary.fd, VISIBLE_MODE)
            sync(temporary.fd)
            temporary.rename(root, VERSION_FILE)
    finally:
        temporary.close()
