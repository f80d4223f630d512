"""Samples, rounds and ratios.

A ratio is formed inside a round, between two commands that ran one after the other, and the median of the
rounds is reported: what slows the machine for a minute slows both. Rounds in which other programs took more
than a quarter of a core are measured again, a few times; if that does not help they count and the table
says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LAUNCHER = Path(__file__).with_name("launch.py")
FOREIGN = 0.25
"""Cores that others may use during a sample."""
SHORT = 0.2
"""Seconds below which the system's CPU clock (10 ms) is too coarse to say who used it."""
RETRIES = 2
"""How many times the asked rounds may be measured in all, before disturbed ones are taken."""


class Failed(Exception):
    """A command did not do its work: the benchmark has no number for it."""


@dataclass(frozen=True)
class Case:
    """One command. `before` runs outside the measured time (an empty store, a file to remove)."""

    name: str
    argv: Sequence[str]
    before: Callable[[], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    limit: float = 900.0


@dataclass(frozen=True)
class Sample:
    wall: float
    cpu: float
    rss: int
    foreign: float


@dataclass(frozen=True)
class Spread:
    """The median of the rounds and its reach."""

    mid: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        return Spread(median(values), min(values), max(values))


@dataclass
class Rounds:
    """Samples of several cases, one of each a round."""

    samples: dict[str, list[Sample]]
    disturbed: bool = False

    def ratio(self, over: str, under: str) -> Spread:
        """Wall time of `over` for one second of `under`, round by round."""
        pairs = zip(self.samples[over], self.samples[under], strict=True)
        return Spread.of([a.wall / b.wall for a, b in pairs])

    def extra(self, over: str, under: str) -> Spread:
        pairs = zip(self.samples[over], self.samples[under], strict=True)
        return Spread.of([a.wall - b.wall for a, b in pairs])

    def seconds(self, name: str) -> float:
        return median(sample.wall for sample in self.samples[name])

    def peak(self, name: str) -> int:
        return max(sample.rss for sample in self.samples[name])


def _environment() -> dict[str, str]:
    """Ours without what may change how Python runs: an installed command's modules are compiled, for instance."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def sample(case: Case) -> Sample:
    if case.before is not None:
        case.before()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(LAUNCHER), str(case.limit), *case.argv],
        env=_environment() | case.env,
        cwd=case.cwd,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        print(done.stderr.strip()[-2000:], file=sys.stderr)
        raise Failed(f"{case.name}: did not start")
    report = json.loads(done.stdout)
    if report["expired"]:
        raise Failed(f"{case.name}: more than {case.limit:.0f} s")
    if report["status"] != 0:
        print(done.stderr.strip()[-2000:], file=sys.stderr)
        raise Failed(f"{case.name}: exit {report['status']}")
    return Sample(report["wall"], report["cpu"], report["rss"], report["foreign"])


def rounds(cases: Sequence[Case], count: int, *, watch: bool = True) -> Rounds:
    """`count` rounds of all cases, interleaved, after one that only warms the caches up."""
    for case in cases:
        sample(case)
    kept: list[list[Sample]] = []
    spoiled: list[list[Sample]] = []
    while len(kept) < count and len(kept) + len(spoiled) < count * RETRIES:
        taken = [sample(case) for case in cases]
        spoilt = watch and any(s.foreign > FOREIGN and s.wall > SHORT for s in taken)
        (spoiled if spoilt else kept).append(taken)
    missing = count - len(kept)
    spoiled.sort(key=lambda taken: max(s.foreign for s in taken))
    kept += spoiled[: max(0, missing)]
    columns = zip(*kept, strict=True)
    return Rounds({case.name: list(column) for case, column in zip(cases, columns, strict=True)}, missing > 0)


def warm(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb", buffering=0) as source:
        while source.read(1 << 20):
            pass
