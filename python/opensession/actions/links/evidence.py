"""How much of a commit a session wrote: the share of the commit's added lines that the session added too.

Owns the comparison. The lines of the commits are held, as numbers; sessions stream past them, so that memory does not
grow with a session. Pure: what git and the store say is handed in.
"""

from __future__ import annotations

from array import array

from opensession.actions.links.changes import Change
from opensession.actions.links.lines import key, keys
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opensession.actions.links.changes import Failed
    from opensession.actions.links.paths import Whereabouts

SLACK = 300.0
"""Seconds by which a line may seem to be written after the commit that holds it: git cuts its times to whole seconds,
and two machines' clocks differ."""
_OPEN_CALLS = 256
"""Calls whose result is still waited for; it stands a few events after the call."""


class Share(NamedTuple):
    """Lines of a commit that a session wrote, of those that count."""

    matched: int
    total: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 where no line counts."""
        return self.matched / self.total if self.total else 0.0


class Lines:
    """The added lines of some commits, by file."""

    def __init__(self) -> None:
        self._slots: dict[str, dict[int, tuple[int, ...]]] = {}
        self._commit_of = array("L")
        self._count_of = array("L")
        self._oids: list[str] = []
        self._times: list[float] = []
        self._totals: list[int] = []

    def __len__(self) -> int:
        """Lines that are held, equal ones of a commit's file once."""
        return len(self._count_of)

    @property
    def newest(self) -> float:
        """When the newest of the commits was made; no line that was written later is in any of them."""
        return max(self._times, default=float("-inf"))

    @property
    def paths(self) -> Iterable[str]:
        """The files, by all names that they are known by."""
        return self._slots.keys()

    @property
    def oids(self) -> tuple[str, ...]:
        """The commits, in the order in which they were added."""
        return tuple(self._oids)

    def add(
        self, oid: str, time: float, added: Mapping[str, Iterable[bytes]], renamed: Mapping[str, str]
    ) -> None:
        """Hold what a commit made at ``time`` added; a moved file is known by its old name too."""
        number = len(self._oids)
        total = 0
        for path, lines in added.items():
            counts: dict[int, int] = {}
            for line in lines:
                if (k := key(line)) is not None:
                    counts[k] = counts.get(k, 0) + 1
            total += sum(counts.values())
            names = (path, renamed[path]) if path in renamed else (path,)
            for k, count in counts.items():
                slot = len(self._count_of)
                self._commit_of.append(number)
                self._count_of.append(count)
                for name in names:
                    held = self._slots.setdefault(name, {})
                    held[k] = (*held.get(k, ()), slot)
        self._oids.append(oid)
        self._times.append(time)
        self._totals.append(total)

    def total(self, oid: str) -> int:
        """The commit's lines that count."""
        return self._totals[self._oids.index(oid)]

    def shares(self, changes: Iterable[Change | Failed], where: Whereabouts) -> dict[str, Share]:
        """What of each commit the session wrote before the commit was made; commits with nothing are left out."""
        written = self._written(changes, where)
        matched: dict[int, int] = {}
        for slot, time in written.items():
            number = self._commit_of[slot]
            if time <= self._times[number] + SLACK:
                matched[number] = matched.get(number, 0) + self._count_of[slot]
        return {self._oids[n]: Share(count, self._totals[n]) for n, count in sorted(matched.items())}

    def _written(self, changes: Iterable[Change | Failed], where: Whereabouts) -> dict[int, float]:
        """The held lines that the session wrote, with the time at which it first did."""
        written: dict[int, float] = {}
        calls: dict[str, dict[int, float]] = {}
        paths: dict[str, str | None] = {}
        for change in changes:
            if not isinstance(change, Change):
                calls.pop(change.call, None)
                continue
            if change.path not in paths:
                paths[change.path] = where.find(change.path, self._slots)
            held = self._slots.get(paths[change.path] or "", {})
            # A time that cannot be counted says nothing against the line.
            time = float("-inf") if change.time is None else change.time
            found = {slot: time for k in keys(change.added) if k in held for slot in held[k]}
            if found:
                _settle(calls.setdefault(change.call, {}), found)
                if len(calls) > _OPEN_CALLS:
                    _settle(written, calls.pop(next(iter(calls))))
        for found in calls.values():
            _settle(written, found)
        return written


def _settle(into: dict[int, float], found: Mapping[int, float]) -> None:
    """Keep the first time of each line."""
    for slot, time in found.items():
        into[slot] = min(time, into.get(slot, time))
