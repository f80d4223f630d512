"""What the sessions of a store say of themselves, with the folders that have not changed not looked into again.

Owns ``<root>/described.db``: for each folder of objects the time of its last change, and what was read from the first
and last lines of those in it. What changes a folder's names changes that time, and a name determines the bytes. Losing
the cache costs time only. As in a list, the lines are not checked.
"""

from __future__ import annotations

import json
import os
import stat
import time

from opensession.light import NamedTuple, suppress
from opensession.store import listing
from opensession.store.cachedb import CacheDb
from opensession.store.checked import SETTLED_NS
from opensession.store.folders import storage
from opensession.store.layout import OBJECTS, SUFFIX, is_fan, is_sha256
from opensession.store.tree import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from opensession.store.folders import Folder
    from opensession.store.records import Entry
    from opensession.store.store import Store
    from opensession.store.tree import Tree

# The number is raised when other things are read from the lines.
_DB = CacheDb(
    "described.db",
    "CREATE TABLE IF NOT EXISTS described_1 (folder TEXT PRIMARY KEY, inode INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, sessions TEXT NOT NULL) WITHOUT ROWID",
    "INSERT OR REPLACE INTO described_1 VALUES (?, ?, ?, ?)",
)
_QUERY = "SELECT folder, inode, mtime_ns, sessions FROM described_1"


class Described(NamedTuple):
    """A session, by its first and last line; a text that is not there, or none, is None."""

    sha256: str
    bytes: int
    session_id: str
    tool: str
    title: str | None
    created_at: str
    updated_at: str
    role: str | None
    cwd: str | None
    remote: str | None
    files_changed: int
    parser: str | None
    """By what, and up to where of which log, it was read; None where it does not say so."""
    source_bytes: int | None
    blake3: str | None


class _Read(NamedTuple):
    """A folder that was read anew."""

    key: str
    state: os.stat_result
    sessions: list[Described]
    whole: bool
    """Whether all that is in it could be read; else it is read again the next time."""


def described(store: Store) -> list[Described]:
    """The sessions of a store that can be read, in no order that means anything."""
    with store.opened(OBJECTS, make=False) as tree:
        if tree is None:
            return []
        known = _known(tree.root) if tree.cached else {}
        same: list[str] = []
        fresh: list[_Read] = []
        for fan, key, state in _folders(tree):
            text = known.get((key, _signed(state.st_ino), state.st_mtime_ns))
            if text is None:
                if (read := _read(fan, key, state)) is not None:
                    fresh.append(read)
            else:
                same.append(text)
        found = _parsed(same)
        if found is None:  # a row is damaged
            fresh = [r for fan, key, state in _folders(tree) if (r := _read(fan, key, state)) is not None]
            found = []
        if tree.cached:
            _note(tree.root, fresh)
    return found + [session for read in fresh for session in read.sessions]


def _known(root: Folder) -> dict[tuple[object, object, object], str]:
    rows = _DB.all_rows(root, _QUERY)
    return {(row[0], row[1], row[2]): row[3] for row in rows if isinstance(row[3], str)}


def _folders(tree: Tree) -> Iterator[tuple[Folder, str, os.stat_result]]:
    """Every folder that objects lie in: the one above it, its four digits and its state."""
    with tree.trunk(make=False) as trunk:
        for name in () if trunk is None else trunk[0].names():
            if trunk is None or not is_fan(name) or not trunk[0].is_folder(name):
                continue
            if (fan := trunk[0].child(name)) is not None:
                with fan, storage(fan.place, "look at"):
                    for below in fan.names():
                        with suppress(FileNotFoundError):
                            state = os.stat(below, dir_fd=fan.fd, follow_symlinks=False)
                            if stat.S_ISDIR(state.st_mode) and is_fan(below):
                                yield fan, name + below, state


def _read(fan: Folder, key: str, before: os.stat_result) -> _Read | None:
    folder = fan.child(key[2:]) if fan.is_folder(key[2:]) else None
    if folder is None:
        return None
    sessions: list[Described] = []
    whole = True
    with folder:
        for name in folder.names():
            sha256 = name.removesuffix(SUFFIX)
            if not (name.endswith(SUFFIX) and is_sha256(sha256) and sha256.startswith(key)):
                continue
            read = listing.described(Found(folder, name, sha256), sha256)
            session = None if read is None else _described(*read)
            whole = whole and session is not None
            if session is not None:
                sessions.append(session)
    # Its state before it was read: what came meanwhile is found the next time.
    return _Read(key, before, sessions, whole)


def _described(entry: Entry, header: dict[str, Any], stats: dict[str, Any]) -> Described | None:
    if entry.problem is not None or entry.session_id is None or entry.tool is None:
        return None
    attributes = header["context"].get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    git = attributes.get("git")
    source = entry.source or {}
    return Described(
        entry.sha256,
        entry.bytes,
        entry.session_id,
        entry.tool,
        entry.title,
        entry.created_at or "",
        entry.updated_at or "",
        _text(attributes.get("session_role")),
        _text(attributes.get("cwd")),
        _text(git.get("remote")) if isinstance(git, dict) else None,
        _number(stats.get("files_changed")) or 0,
        _text(source.get("parser")),
        _number(source.get("bytes")),
        _text(source.get("blake3")),
    )


def _parsed(texts: Iterable[str]) -> list[Described] | None:
    """The rows of folders, all at once; None where they are none of ours."""
    try:
        folders = json.loads(f"[{','.join(texts)}]")
        return [Described(*session) for folder in folders for session in folder]
    except (ValueError, TypeError, RecursionError):
        return None


def _note(root: Folder, fresh: Iterable[_Read]) -> None:
    """Keep what was read of folders whose last change is so old that another one would show."""
    now = time.time_ns()
    _DB.add(
        root,
        [
            (read.key, _signed(read.state.st_ino), read.state.st_mtime_ns, json.dumps(read.sessions))
            for read in fresh
            if read.whole and now - read.state.st_mtime_ns >= SETTLED_NS
        ],
    )


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
