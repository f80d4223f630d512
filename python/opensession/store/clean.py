"""A cache of which sessions hold no secret, so that a hook need not scan what was scanned before.

Owns ``<root>/clean.db``. A row holds for an address, which is the hash of the bytes, and for one build of the scanner.
Its mark can be made only with the store's key: a row that was damaged, copied from another store or put there by
somebody else counts for nothing. Losing the cache costs time only.
"""

from __future__ import annotations

import time

from opensession.store.cachedb import CacheDb
from opensession.store.checked import SETTLED_NS
from opensession.store.layout import CLEAN_DB, OBJECTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from opensession.store.store import Store

_DB = CacheDb(
    CLEAN_DB,
    "CREATE TABLE IF NOT EXISTS clean (sha256 TEXT PRIMARY KEY, mark BLOB NOT NULL) WITHOUT ROWID",
    "INSERT OR REPLACE INTO clean VALUES (?, ?)",
)
_QUERY = "SELECT sha256, mark FROM clean WHERE sha256 = ?"


def known(store: Store, key: bytes, scanner: str, addresses: Sequence[str]) -> set[str]:
    """Those of the addresses whose bytes this scanner has found clean."""
    if store.readonly or not addresses:
        return set()
    from hmac import compare_digest

    with store.opened(OBJECTS, make=False) as tree:
        rows = [] if tree is None else _DB.rows(tree.root, _QUERY, [(sha256,) for sha256 in addresses])
    return {
        sha256
        for sha256, mark in rows
        if isinstance(sha256, str)
        and isinstance(mark, bytes)
        and compare_digest(mark, _mark(key, scanner, sha256))
    }


def remember(store: Store, key: bytes, scanner: str, sha256: str, file: os.stat_result) -> None:
    """Note that this scanner found nothing in the bytes of this address, which it read from this file.

    Not if the file changed a moment ago: a second change within one tick of the clock would not be seen.
    """
    if store.readonly or time.time_ns() - file.st_mtime_ns < SETTLED_NS:
        return
    with store.opened(OBJECTS, make=True) as tree:
        assert tree is not None
        _DB.add(tree.root, [(sha256, _mark(key, scanner, sha256))])


def _mark(key: bytes, scanner: str, sha256: str) -> bytes:
    import hmac

    # The core uses the same key for fingerprints; no rule's name begins like this.
    return hmac.digest(key, f"clean\0{scanner}\0{sha256}".encode(), "sha256")
