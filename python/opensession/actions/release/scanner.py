"""Looks for secrets in what is about to leave: a session of a store, bytes, a text.

Owns the fingerprints' key, the memory of what was found clean, and the time there is. Must not know whether anything
is let through. Values never come here: the core keeps them.
"""

from __future__ import annotations

import json
import os
import time
from functools import cache

from opensession import core
from opensession.errors import NotFoundError, RefusedError
from opensession.light import NamedTuple
from opensession.store import clean, secret_key
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opensession.core import Input
    from opensession.core import Progress as Told
    from opensession.store import Store, StoredObject

LIMIT = 10_000
"""Findings that are kept of one input. Nobody judges more one by one, and an input may hold millions."""


class Finding(NamedTuple):
    """A place that holds a secret."""

    named: str
    """What it stands in: a session's URI, or what the thing is called."""
    rule: str
    line: int
    """From 1; 0 for a page whose lines make it only together."""
    event_id: str | None
    pointer: str
    fingerprint: str


class Scanner:
    """Scans for one command. ``deadline`` is a time of the monotonic clock."""

    def __init__(
        self,
        store: Store,
        *,
        holders: Iterable[Store] = (),
        jobs: int = core.DEFAULT_JOBS,
        progress: Told | None = None,
        deadline: float | None = None,
    ) -> None:
        self.store = store
        """Where the key and the memory are."""
        self._holders = (store, *(other for other in holders if other is not store))
        self._jobs = jobs
        self._progress = progress
        self._deadline = deadline
        self._done = 0
        self._key: bytes | None = None

    @property
    def key(self) -> bytes:
        """The key of the store, made if need be."""
        if self._key is None:
            self._key = secret_key.key_of(self.store)
        return self._key

    def holder(self, sha256: str) -> Store:
        """The first store that has the session."""
        for store in self._holders:
            if store.has(sha256):
                return store
        roots = ", ".join(str(store.root) for store in self._holders)
        raise NotFoundError(f"there is no session {format_local(sha256)} in {roots}", next=["opensession ls"])

    def known_clean(self, addresses: Sequence[str]) -> set[str]:
        """Those of the sessions that this scanner has found clean before."""
        key = self._key or secret_key.find_key(self.store)
        return set() if key is None else clean.known(self.store, key, _build(), addresses)

    def session(self, sha256: str, *, afresh: bool = False) -> list[Finding]:
        """What a session of the stores holds. Its bytes are those of the address, or IntegrityError is raised.

        With ``afresh`` it is scanned though it was found clean before.
        """
        holder = self.holder(sha256)
        self.check_time(format_local(sha256))
        with holder.open(sha256) as stored:
            if not afresh and self.known_clean([sha256]):
                self._done += stored.size
                return []
            return self._stored(holder, stored)

    def _stored(self, holder: Store, stored: StoredObject) -> list[Finding]:
        before = os.fstat(stored.fd)
        found = self.source(format_local(stored.sha256), stored.fd, stored.size)
        after = os.fstat(stored.fd)
        if _identity(after) != _identity(before):
            # Somebody registered it again, which sets its time, or changed it; the hash tells which.
            holder.check(stored.sha256)
        elif not found and not self.store.readonly:
            clean.remember(self.store, self.key, _build(), stored.sha256, after)
        return found

    def source(self, named: str, source: Input, size: int = 0) -> list[Finding]:
        """What any input holds; a descriptor must be one that can be read twice."""
        self.check_time(named)
        key = self._key or secret_key.find_key(self.store)
        start = os.lseek(source, 0, os.SEEK_CUR) if isinstance(source, int) else 0
        found = self._scan(named, source, key)
        if found and key is None:  # a key is made only where something needs a name
            if isinstance(source, int):
                os.lseek(source, start, os.SEEK_SET)
            found = self._scan(named, source, self.key)
        self._done += size
        return [_finding(named, one) for one in found]

    def _scan(self, named: str, source: Input, key: bytes | None) -> list[core.Finding]:
        progress = None if self._progress is None and self._deadline is None else self._told(named)
        return core.scan(source, key=key, limit=LIMIT, jobs=self._jobs, progress=progress)

    def text(self, named: str, text: str) -> list[Finding]:
        """What a page holds: its lines one by one, and all of it at once, because a key may take several lines."""
        lines = self.source(named, text.encode("utf-8", "replace"))
        whole = self.source(named, json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))
        seen = {(one.rule, one.fingerprint) for one in lines}
        return lines + [one._replace(line=0) for one in whole if (one.rule, one.fingerprint) not in seen]

    def check_time(self, named: str) -> None:
        """Refuse what there is no time left for."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            steps = [f"opensession scan {named}"] if named.startswith("os://") else []
            raise RefusedError(
                f"there was no time to scan {named} for secrets, so nothing was sent",
                next=[*steps, "opensession scan --help"],
            )

    def _told(self, named: str) -> Told:
        def told(done: int, total: int) -> None:
            self.check_time(named)
            if self._progress is not None:
                self._progress(self._done + done, self._done + total if total else 0)

        return told


def _finding(named: str, found: core.Finding) -> Finding:
    return Finding(
        named,
        found["rule"],
        found["line"],
        found["event_id"],
        found["pointer"],
        found["fingerprint"] or "",
    )


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@cache
def _build() -> str:
    """The scanner is the compiled module: what one build has found clean, another one looks at again."""
    return core.build()
