"""A cache of which files passed a full check, so that a slice of a large session need not hash it again.

Owns ``<root>/checked.db``. A row is the file's identity; whatever changes the file changes that. Losing the
cache costs time only, so nothing that goes wrong in it is an error: then the file is checked again. The one
rule that keeps it honest: no row is written until the file's last change is two seconds old, because a second
change within one tick of the file system's clock would leave the identity as it was.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from opensession.store.layout import CHECKED_DB, WRITING_MODE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from opensession.store.folders import Folder

SETTLED_NS = 2_000_000_000
_WAIT = 0.25
"""Seconds to wait for another program that holds the cache; after that the check is repeated, which is always
right.
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS passed (
    dev INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (dev, inode)
) WITHOUT ROWID
"""


def knows(root: Folder, sha256: str, file: os.stat_result) -> bool:
    """Whether exactly this file passed a full check against this address."""
    if (found := root.lstat(CHECKED_DB)) is None or not _is_ours(found):
        return False
    import sqlite3  # here and below: who registers a file does not pay for a cache of readers

    try:
        with _Opened(root) as db:
            row = db.execute(
                "SELECT size, mtime_ns, ctime_ns, sha256 FROM passed WHERE dev = ? AND inode = ?",
                (_signed(file.st_dev), _signed(file.st_ino)),
            ).fetchone()
    except (sqlite3.Error, OSError):
        return False
    return bool(row == (file.st_size, file.st_mtime_ns, file.st_ctime_ns, sha256))


def remember(root: Folder, passed: Iterable[tuple[str, os.stat_result]]) -> None:
    """Note files that passed; those that changed less than two seconds ago are left out."""
    now = time.time_ns()
    rows = [
        (_signed(f.st_dev), _signed(f.st_ino), f.st_size, f.st_mtime_ns, f.st_ctime_ns, sha256)
        for sha256, f in passed
        if now - f.st_mtime_ns >= SETTLED_NS
    ]
    if not rows:
        return
    import sqlite3

    try:
        _write(root, rows)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in (
            sqlite3.SQLITE_ERROR,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        ):
            _start_again(root, rows)
        # Anything else is a lock, a full disk or a missing permission: the cache stays as it is.
    except OSError:
        return


def _start_again(root: Folder, rows: list[tuple[int, int, int, int, int, str]]) -> None:
    """Replace a cache that is damaged or has another program's columns."""
    import sqlite3

    try:
        for name in (CHECKED_DB, f"{CHECKED_DB}-journal", f"{CHECKED_DB}-wal", f"{CHECKED_DB}-shm"):
            if root.lstat(name) is not None:
                os.unlink(name, dir_fd=root.fd)
        _write(root, rows)
    except (sqlite3.Error, OSError):
        return


def _write(root: Folder, rows: list[tuple[int, int, int, int, int, str]]) -> None:
    # SQLite would make it with the umask's mode; its journal takes the mode of the database.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(CHECKED_DB, flags, WRITING_MODE, dir_fd=root.fd)
    try:
        os.fchmod(fd, WRITING_MODE)
    finally:
        os.close(fd)
    with _Opened(root) as db:
        db.execute(_SCHEMA)
        db.executemany("INSERT OR REPLACE INTO passed VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.commit()


class _Opened:
    """A connection that is closed at the end; sqlite3's own context manager leaves it open."""

    def __init__(self, root: Folder) -> None:
        import sqlite3

        self._db = sqlite3.connect(root.path / CHECKED_DB, timeout=_WAIT)

    def __enter__(self) -> sqlite3.Connection:
        return self._db

    def __exit__(self, *error: object) -> None:
        self._db.close()


def _is_ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _signed(number: int) -> int:
    """SQLite's integers are signed; inode numbers of some file systems use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number
