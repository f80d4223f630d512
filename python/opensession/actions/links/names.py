"""Which sessions can have written a file of a commit at all, by the last parts of the names that they write to.

Owns that a session which was read once is not read again for commits that have no file of such a name: a session means
a file by the end of its path, whatever folder it stands for (`paths`). Losing what is known costs time only.
"""

from __future__ import annotations

import json
import re

from opensession.actions.links.changes import Change
from opensession.store import linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.changes import Failed
    from opensession.store import Store

_MOST = 4096
"""Names of one session that are kept; one with more is read each time."""
_SEPARATOR = re.compile(r"[/\\]+")


def last_part(path: str) -> str | None:
    """What two spellings of a file's path end with in any case; None where that cannot be told."""
    name = _SEPARATOR.split(path.rstrip("/\\"))[-1]
    return None if name in {"", ".", ".."} else name


class Names:
    """What is known of the names, in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, str] = {}
        self._asked: set[str] = set()
        self._fresh: dict[str, str] = {}

    def worth_reading(self, sessions: Iterable[Candidate], paths: Iterable[str]) -> list[Candidate]:
        """The sessions that may write to one of these paths, in the order they come."""
        found = list(sessions)
        unknown = [s.sha256 for s in found if s.sha256 not in self._asked]
        self._known.update(linking.names(self._store, unknown))
        self._asked.update(unknown)
        wanted = {last_part(path) for path in paths}
        return [session for session in found if None in wanted or self._may_have(session.sha256, wanted)]

    def _may_have(self, sha256: str, wanted: AbstractSet[str | None]) -> bool:
        try:
            names = json.loads(self._known[sha256])
            return not wanted.isdisjoint(names)
        except (KeyError, ValueError, TypeError):
            return True

    def noted(self, sha256: str, changes: Iterable[Change | Failed]) -> Iterator[Change | Failed]:
        """The same changes; once all of them were read, the names are known."""
        paths: set[str] = set()
        for change in changes:
            if isinstance(change, Change):
                paths.add(change.path)
            yield change
        names: Sequence[str | None] = list({last_part(path) for path in paths})
        if None not in names and len(names) <= _MOST:
            self._known[sha256] = self._fresh[sha256] = json.dumps(names)
            self._asked.add(sha256)

    def save(self) -> None:
        """Keep what was learned."""
        linking.note_names(self._store, self._fresh)
        self._fresh.clear()
