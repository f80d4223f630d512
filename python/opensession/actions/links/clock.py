"""How long linking may take: a hook must not keep a push waiting. Owns the deadline and nothing else."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVERY = 4096
"""Lines between two looks at the clock."""


class OutOfTime(Exception):
    """The deadline has passed. What was done is kept, and the rest is left for the next time."""


class Clock:
    """A deadline of the monotonic clock; None is none."""

    def __init__(self, deadline: float | None) -> None:
        self.deadline = deadline

    @classmethod
    def lasting(cls, seconds: float) -> Clock:
        """A deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def part(self) -> Clock:
        """Half of the time that is left, so that some is left for what comes after."""
        return self if self.deadline is None else Clock.lasting(self.seconds() / 2)

    def check(self) -> None:
        """Raise OutOfTime where the deadline has passed."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise OutOfTime

    def seconds(self, most: float = 600.0, least: float = 0.0) -> float:
        """What is left, at most ``most``; ``least`` is for what is short and must be done."""
        left = most if self.deadline is None else self.deadline - time.monotonic()
        return max(least, min(most, left))

    def watched(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, as long as there is time."""
        for at, line in enumerate(lines):
            if at % _EVERY == 0:
                self.check()
            yield line
