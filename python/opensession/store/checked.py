"""A cache of which files passed a full check, so that a slice of a large session need not hash it again.

Owns ``<root>/checked.db``. A row is the file's identity; whatever changes the file changes that. Losing the
cache costs time only, so nothing that goes wrong in it is an error: then the file is checked again. The one
rule that keeps it honest: no row is written until the file's last change is two seconds old, because a second
change within one tick of the file system's clock would leave the identity as it was.
"""

from __future__ import annotations

import time

from opensession.store.cachedb import CacheDb
from opensession.store.layout import CHECKED_DB

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from opensession.store.folders import Folder

SETTLED_NS = 2_000_000_000
_DB = CacheDb(
    CHECKED_DB,
    """
CREATE TABLE IF NOT EXISTS passed (
    dev INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (dev, inode)
) WITHOUT ROWID
""",
    "INSERT OR REPLACE INTO passed VALUES (?, ?, ?, ?, ?, ?)",
)
_QUERY = "SELECT size, mtime_ns, ctime_ns, sha256 FROM passed WHERE dev = ? AND inode = ?"


def knows(root: Folder, sha256: str, file: os.stat_result) -> bool:
    """Whether exactly this file passed a full check against this address."""
    found = _DB.rows(root, _QUERY, [(_signed(file.st_dev), _signed(file.st_ino))])
    return found == [(file.st_size, file.st_mtime_ns, file.st_ctime_ns, sha256)]


def remember(root: Folder, passed: Iterable[tuple[str, os.stat_result]]) -> None:
    """Note files that passed; those that changed less than two seconds ago are left out."""
    now = time.time_ns()
    _DB.add(
        root,
        [
            (_signed(f.st_dev), _signed(f.st_ino), f.st_size, f.st_mtime_ns, f.st_ctime_ns, sha256)
            for sha256, f in passed
            if now - f.st_mtime_ns >= SETTLED_NS
        ],
    )


def problem(root: Folder) -> str | None:
    """Why the cache cannot be used, or None; that costs time only."""
    return _DB.problem(root)


def _signed(number: int) -> int:
    """SQLite's integers are signed; inode numbers of some file systems use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number
