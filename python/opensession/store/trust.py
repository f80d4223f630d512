"""Which configuration files a person has said are to be followed: a file's hash under the hash of its name.

Owns where that is kept: in the global root, because a folder that was unpacked from somewhere may bring a git directory
and with it a repository's store. Knows nothing of what stands in such a file.
"""

from __future__ import annotations

import os
import re

from opensession.store.folders import storage
from opensession.store.temporary import TemporaryFile
from opensession.store.tree import Tree, opened_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "trusted"
# As `sha256sum` writes it, so that a person can read and check it.
_LINE = re.compile(rb"([0-9a-f]{64})  (.*)\n", re.DOTALL)
_LIMIT = 8192
"""PATH_MAX and a hash, and room."""


def recorded(root: Path, file: Path) -> str | None:
    """The hash that was trusted for ``file``, or None."""
    with opened_root(root, make=False) as folder:
        trusted = None if folder is None else folder.child(FOLDER)
        if trusted is None:
            return None
        with trusted:
            fd = trusted.file(_name(file))
            if fd is None:
                return None
            with os.fdopen(fd, "rb") as opened:
                found = _LINE.fullmatch(opened.read(_LIMIT))
    return found[1].decode() if found is not None and found[2] == os.fsencode(file) else None


def record(root: Path, file: Path, sha256: str) -> None:
    """Trust ``file`` as long as it has this hash; survives a power cut when it returns."""
    line = sha256.encode() + b"  " + os.fsencode(file) + b"\n"
    with opened_root(root, make=True) as folder:
        assert folder is not None
        with folder.make(FOLDER) as trusted, Tree(folder, set()).trunk(make=True) as trunk:
            assert trunk is not None
            # Beside the objects that are being written: there gc looks for what was left behind.
            temporary = TemporaryFile(trunk[0])
            try:
                with storage(trusted.path, "write to"):
                    os.write(temporary.fd, line)
                temporary.make_durable(len(line))
                name = _name(file)
                with storage(trusted.path / name, "name"):
                    temporary.rename(trusted, name)
            finally:
                temporary.close()
            trusted.sync()
        folder.sync()


def _name(file: Path) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(file)).hexdigest()
