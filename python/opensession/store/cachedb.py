"""A small SQLite file in the root that is only ever a cache: losing it costs time, so nothing in it is an error.

Owns how such a file is opened, made private and replaced when it is damaged. Must not know what the rows mean.
"""

from __future__ import annotations

import os
import stat
from itertools import islice

from opensession.light import NamedTuple, contextmanager
from opensession.store.layout import WRITING_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from opensession.store.folders import Folder

_WAIT = 0.25
"""Seconds to wait for another program that holds the cache; after that the work is repeated, which is always right."""


class CacheDb(NamedTuple):
    """A file with one table."""

    name: str
    schema: str
    insert: str

    def rows(self, root: Folder, query: str, each: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
        """The first row of the query for each tuple of parameters; those without one are left out."""
        return self.all_rows(root, query, each, first=True)

    def all_rows(
        self,
        root: Folder,
        query: str,
        each: Sequence[tuple[object, ...]] = ((),),
        *,
        first: bool = False,
    ) -> list[tuple[object, ...]]:
        """Every row, or the ``first`` one only, of the query for each tuple of parameters."""
        if (found := root.lstat(self.name)) is None or not _is_ours(found):
            return []
        import sqlite3  # here and below: who registers a file does not pay for a cache of readers

        try:
            with _opened(root, self.name) as db:
                answers = (db.execute(query, parameters) for parameters in each)
                return [row for found in answers for row in (islice(found, 1) if first else found)]
        except (sqlite3.Error, OSError):
            return []

    def add(self, root: Folder, rows: Sequence[tuple[object, ...]]) -> None:
        """Note the rows, as far as that can be done."""
        if not rows:
            return
        import sqlite3

        try:
            self._write(root, rows)
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in (
                sqlite3.SQLITE_ERROR,
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
            ):
                self._start_again(root, rows)
            # Anything else is a lock, a full disk or a missing permission: the cache stays as it is.
        except OSError:
            return

    def problem(self, root: Folder) -> str | None:
        """Why the file cannot be used, or None; one that is not there yet can be."""
        if (found := root.lstat(self.name)) is None:
            return None
        if not _is_ours(found):
            return "it is no plain file, or another user owns it"
        import sqlite3

        try:
            with _opened(root, self.name) as db:
                answer = db.execute("PRAGMA quick_check(1)").fetchone()
        except (sqlite3.Error, OSError) as error:
            return str(error)
        return None if answer == ("ok",) else "it is damaged"

    def _start_again(self, root: Folder, rows: Sequence[tuple[object, ...]]) -> None:
        """Replace a cache that is damaged or has another program's columns."""
        import sqlite3

        try:
            for name in (self.name, *(f"{self.name}-{side}" for side in ("journal", "wal", "shm"))):
                if root.lstat(name) is not None:
                    os.unlink(name, dir_fd=root.fd)
            self._write(root, rows)
        except (sqlite3.Error, OSError):
            return

    def _write(self, root: Folder, rows: Sequence[tuple[object, ...]]) -> None:
        # SQLite would make it with the umask's mode; its journal takes the mode of the database.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self.name, flags, WRITING_MODE, dir_fd=root.fd)
        try:
            os.fchmod(fd, WRITING_MODE)
        finally:
            os.close(fd)
        with _opened(root, self.name) as db:
            db.execute(self.schema)
            db.executemany(self.insert, rows)
            db.commit()


@contextmanager
def _opened(root: Folder, name: str) -> Iterator[sqlite3.Connection]:
    """A connection that is closed at the end; sqlite3's own context manager leaves it open."""
    import sqlite3

    db = sqlite3.connect(root.place_of(name), timeout=_WAIT)
    try:
        yield db
    finally:
        db.close()


def _is_ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
