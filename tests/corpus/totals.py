"""An oracle beside the session's own totals: of the whole log, and of the records that the oracle counted."""

from __future__ import annotations

from dataclasses import dataclass

import logs
import usage

from opensession.errors import NoEventsError


@dataclass(frozen=True)
class Comparison:
    """The totals of the whole log, of the log up to the oracle's end, and of what came before its start."""

    oracle: usage.Oracle
    whole: dict[str, int]
    until: dict[str, int]
    before: dict[str, int]

    def window(self, *, from_start: bool = True) -> dict[str, int]:
        """The numbers in the records that the oracle counted, or in all records up to its end."""
        numbers = {name: n - (self.before[name] if from_start else 0) for name, n in self.until.items()}
        if self.oracle.uncached:
            numbers["input"] -= numbers["cache_read"]
        return numbers

    def equal(self, numbers: dict[str, int]) -> bool:
        return all(numbers[name] == want for name, want in self.oracle.expected.items())


def compare(oracle: usage.Oracle, log: logs.Log) -> Comparison:
    lines = logs.lines(log.path.read_bytes())
    whole = counted(lines, log)
    until = whole if oracle.end is None else counted(lines[: oracle.end], log)
    return Comparison(oracle, whole, until, counted(lines[: oracle.start], log))


def counted(lines: list[bytes], log: logs.Log) -> dict[str, int]:
    """The totals of the session that the first records of a log give."""
    try:
        return usage.totals(logs.parse(b"".join(lines), log.profile, name=log.path.name)[0])
    except NoEventsError:
        return dict.fromkeys(usage.FIELDS, 0)
