"""The caches of linking: which session a log became, how far a session was compared with a branch, which files it
names, which sessions are longer states of others, and which a ledger describes.

Owns ``<root>/logs.db``, ``compared.db``, ``names.db``, ``extended.db`` and ``states.db``. Losing them costs time only:
what they say is then found out once more, with the same result. Must not know what a link is.
"""

from __future__ import annotations

from opensession.store.cachedb import CacheDb
from opensession.store.layout import OBJECTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from opensession.store.store import Store

_LOGS = CacheDb(
    "logs.db",
    "CREATE TABLE IF NOT EXISTS logs (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " parser TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID",
    "INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?, ?)",
)
_COMPARED = CacheDb(
    "compared.db",
    "CREATE TABLE IF NOT EXISTS compared (sha256 TEXT NOT NULL, ref TEXT NOT NULL, tip TEXT NOT NULL,"
    " PRIMARY KEY (sha256, ref)) WITHOUT ROWID",
    "INSERT OR REPLACE INTO compared VALUES (?, ?, ?)",
)
# The number is raised when other files count as written.
_NAMES = CacheDb(
    "names.db",
    "CREATE TABLE IF NOT EXISTS names_1 (sha256 TEXT PRIMARY KEY, names TEXT NOT NULL) WITHOUT ROWID",
    "INSERT OR REPLACE INTO names_1 VALUES (?, ?)",
)
_FEW = 500
"""Rows that are asked for one by one; for more, all are read."""
_EXTENDED = CacheDb(
    "extended.db",
    "CREATE TABLE IF NOT EXISTS extended (shorter TEXT NOT NULL, longer TEXT NOT NULL, extends INTEGER NOT NULL,"
    " PRIMARY KEY (shorter, longer)) WITHOUT ROWID",
    "INSERT OR REPLACE INTO extended VALUES (?, ?, ?)",
)
_STATES = CacheDb(
    "states.db",
    "CREATE TABLE IF NOT EXISTS states (tree TEXT PRIMARY KEY, states TEXT NOT NULL) WITHOUT ROWID",
    "INSERT OR REPLACE INTO states VALUES (?, ?)",
)


def session_of(store: Store, path: str, size: int, mtime_ns: int, parser: str) -> str | None:
    """The session that this state of a log became, as far as that is known and the session is still there."""
    query = "SELECT sha256 FROM logs WHERE path = ? AND size = ? AND mtime_ns = ? AND parser = ?"
    found = _rows(store, _LOGS, query, [(path, size, mtime_ns, parser)])
    sha256 = found[0][0] if found else None
    return sha256 if isinstance(sha256, str) and store.has(sha256) else None


def became(store: Store, path: str, size: int, mtime_ns: int, parser: str, sha256: str) -> None:
    """Note which session this state of a log became."""
    _add(store, _LOGS, [(path, size, mtime_ns, parser, sha256)])


def compared(store: Store, ref: str, sha256s: Iterable[str]) -> dict[str, str]:
    """The commit up to which each session was compared with the branch of this ledger, where it was."""
    query = "SELECT sha256, tip FROM compared WHERE ref = ?"
    wanted = set(sha256s)
    rows = _all_rows(store, _COMPARED, query, [(ref,)]) if wanted else []
    return {str(row[0]): str(row[1]) for row in rows if row[0] in wanted}


def note_compared(store: Store, ref: str, tips: Mapping[str, str]) -> None:
    """Note how far sessions were compared."""
    _add(store, _COMPARED, [(sha256, ref, tip) for sha256, tip in tips.items()])


def names(store: Store, sha256s: Collection[str]) -> dict[str, str]:
    """What :func:`note_names` noted of these sessions."""
    query = "SELECT sha256, names FROM names_1"
    each: list[tuple[object, ...]] = [()]
    if len(sha256s) < _FEW:
        query += " WHERE sha256 = ?"
        each = [(sha256,) for sha256 in sha256s]
    return {str(row[0]): str(row[1]) for row in _all_rows(store, _NAMES, query, each)}


def note_names(store: Store, found: Mapping[str, str]) -> None:
    """Note, for each session, in one text, the names of the files that it writes."""
    _add(store, _NAMES, list(found.items()))


def extended(store: Store, shorter: Iterable[str]) -> dict[tuple[str, str], bool]:
    """What is known of these sessions and others, by pairs: whether the second one is a longer state of the first."""
    query = "SELECT shorter, longer, extends FROM extended WHERE shorter = ?"
    rows = _all_rows(store, _EXTENDED, query, [(sha256,) for sha256 in shorter])
    return {(str(row[0]), str(row[1])): row[2] == 1 for row in rows}


def note_extended(store: Store, found: Mapping[tuple[str, str], bool]) -> None:
    """Note the same."""
    _add(store, _EXTENDED, [(*pair, int(extends)) for pair, extends in found.items()])


def states(store: Store, trees: Collection[str]) -> dict[str, str]:
    """What :func:`note_states` noted of these trees."""
    query = "SELECT tree, states FROM states WHERE tree = ?"
    return {str(row[0]): str(row[1]) for row in _rows(store, _STATES, query, [(tree,) for tree in trees])}


def note_states(store: Store, found: Mapping[str, str]) -> None:
    """Note, in one text each, what the sessions are whose descriptions a tree of a ledger holds."""
    _add(store, _STATES, list(found.items()))


def _all_rows(
    store: Store, db: CacheDb, query: str, each: list[tuple[object, ...]]
) -> list[tuple[object, ...]]:
    with store.opened(OBJECTS, make=False) as tree:
        return [] if tree is None or not each else db.all_rows(tree.root, query, each)


def _rows(store: Store, db: CacheDb, query: str, each: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    with store.opened(OBJECTS, make=False) as tree:
        return [] if tree is None or not each else db.rows(tree.root, query, each)


def _add(store: Store, db: CacheDb, rows: list[tuple[object, ...]]) -> None:
    if store.readonly or not rows:
        return
    with store.opened(OBJECTS, make=True) as tree:
        assert tree is not None
        db.add(tree.root, rows)
