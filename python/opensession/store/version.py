"""The layout version of a store: one small file that says which program may touch it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opensession.errors import RefusedError
from opensession.settings import quoted
from opensession.store.folders import storage, sync
from opensession.store.layout import VERSION, VERSION_FILE
from opensession.store.temporary import TemporaryFile

if TYPE_CHECKING:
    from opensession.store.folders import Folder


def check_version(root: Folder) -> bool:
    """Whether the store says its version; refuses one that is not known here."""
    fd = root.file(VERSION_FILE)
    if fd is None:
        return False
    try:
        with storage(root.path / VERSION_FILE, "read"):
            text = os.read(fd, 64)
    finally:
        os.close(fd)
    if text.strip() != VERSION.encode():
        raise RefusedError(
            f"the store {str(root.path)!r} has a layout that is not known here (known is version {VERSION}): "
            "a newer opensession wrote it",
            next=["opensession --version", f"cat {quoted(root.path / VERSION_FILE)}"],
        )
    return True


def write_version(root: Folder) -> None:
    """Write the version file of a new store; two programs may do it at once. The caller syncs the folder."""
    temporary = TemporaryFile(root)
    try:
        with storage(root.path / VERSION_FILE, "write"):
            os.write(temporary.fd, f"{VERSION}\n".encode())
            sync(temporary.fd)
            os.rename(temporary.name, VERSION_FILE, src_dir_fd=root.fd, dst_dir_fd=root.fd)
            temporary.name = ""
    finally:
        temporary.close()
