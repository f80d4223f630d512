"""The rows of the table: which command runs beside which peer, and what it is meant to reach.

Every group is measured in one run of interleaved rounds. The reaches are promises of docs/performance.md; a
row that misses one says NO and the run ends with exit code 1, but nothing here is a test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from . import data
from .measure import Case, Failed, Rounds, Spread, rounds, sample, warm
from .table import Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .data import Input

MIB = 1 << 20
FLAT = 64 * MIB
"""What a command may hold over the interpreter: buffers, queues, the live state of a parser."""
PER_LINE, PER_EVENT = 3, 40
"""And beside that: times the longest line, and bytes for each event (docs/performance.md)."""
LONG_LINE = "400M"
SLOW_PEER = 600_000_000
"""Peers that need seconds for a megabyte run on inputs up to this size."""
PROFILES = {"claude": "claude-code", "codex": "codex"}


@dataclass
class Bench:
    """What the rows need to know: programs, sizes, rounds, and the inputs made so far."""

    cli: str
    python: str
    openssl: str | None
    rust: str | None
    sizes: list[str]
    stored: str
    count: int

    @property
    def scratch(self) -> Path:
        path = data.folder() / "scratch"
        path.mkdir(exist_ok=True)
        return path

    @cached_property
    def interpreter(self) -> int:
        """Peak memory of the interpreter with the package imported."""
        return sample(Case("interpreter", [self.python, "-c", "import opensession"])).rss

    def canonical(self, given: Input, *, jobs: int = 2) -> list[str]:
        return self.parse(given, "hail", jobs=jobs)

    def parse(self, given: Input, profile: str, *, jobs: int = 2) -> list[str]:
        command = [self.cli, "parse", "--profile", profile, str(given.path), "--out", os.devnull]
        return [*command, "--jobs", str(jobs)]

    def hashed(self, path: Path) -> Case | None:
        """`openssl dgst -sha256` of the same file, where openssl is installed."""
        if self.openssl is None:
            return None
        return Case("openssl dgst -sha256", [self.openssl, "dgst", "-sha256", str(path)])

    def events(self, given: Input, profile: str) -> int:
        """How many events the session of this input has: one run that is not measured."""
        command = [*self.parse(given, profile), "--json"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return int(json.loads(done.stdout)["event_count"])

    def limit(self, given: Input, events: int) -> int:
        return self.interpreter + FLAT + PER_LINE * given.longest + PER_EVENT * events

    def store(self, source: Path) -> tuple[Path, str]:
        """A store that holds the session of `source`; and its address."""
        root = self.scratch / f"store-{source.stem}"
        command = [self.cli, "register", str(source), "--store", str(root), "--quiet"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return root, done.stdout.strip()


def available(*cases: Case | None) -> list[Case]:
    return [case for case in cases if case is not None]


def compared(
    line: Line, taken: Rounds, ours: str, given: Input, least: float | None, *, wall: bool = False
) -> Line:
    """Fill a line in. `least` is a rate in units of the peer's; with `wall`, the most wall time."""
    line.seconds = taken.seconds(ours)
    line.rate = given.size / line.seconds / 1e9
    line.peak = taken.peak(ours)
    if line.peer not in taken.samples:
        line.note = line.note or "peer is absent"
        return line
    line.peer_peak = taken.peak(line.peer)
    line.measured = taken.ratio(ours, line.peer) if wall else taken.ratio(line.peer, ours)
    if least is not None:
        line.reach = f"{'<=' if wall else '>='} {least:.2f}x" + (" time" if wall else "")
        line.met = line.measured.mid <= least if wall else line.measured.mid >= least
    if taken.disturbed:
        line.work += " (disturbed)"
    return line


def verify(bench: Bench) -> list[Line]:
    """verify of a stored session, two threads and one, against openssl."""
    lines = []
    for mode, size in (("hail", bench.stored), ("hail300", bench.sizes[0])):
        source = data.generated(mode, size)
        root, address = bench.store(source.path)
        stored = object_path(root, address)
        given = data.Input(mode, stored, stored.stat().st_size, source.lines, data.longest_line(stored))
        command = [bench.cli, "verify", address, "--store", str(root)]
        ours = [Case(f"verify {n}", [*command, "--jobs", str(n)]) for n in (2, 1)]
        peer = bench.hashed(stored)
        warm(stored)
        taken = rounds([*ours, *available(peer)], bench.count)
        for case, jobs, least in zip(ours, (2, 1), (1.1, 0.65), strict=True):
            line = Line(f"verify, {threads(jobs)}", given.label, "openssl dgst -sha256")
            line.limit = bench.limit(given, source.lines)
            lines.append(compared(line, taken, case.name, given, least if mode == "hail" else None))
    return lines


def canonicalize(bench: Bench) -> list[Line]:
    """canonicalize + hash to /dev/null, against openssl and against orjson + hashlib."""
    lines = []
    for mode, size in [("hail", size) for size in bench.sizes] + [("hail300", bench.sizes[0])]:
        given = data.generated(mode, size)
        ours = [Case(f"canonicalize {n}", bench.canonical(given, jobs=n)) for n in (2, 1)]
        script = str(data.BENCHES / "peer_canonical.py")
        orjson = Case("orjson sort + hashlib", [bench.python, script, str(given.path)])
        taken = rounds([*ours, *available(bench.hashed(given.path)), orjson], bench.count)
        real = mode == "hail"
        for jobs, peer, least in (
            (2, "openssl dgst -sha256", 0.9),
            (1, "openssl dgst -sha256", None),
            (2, orjson.name, 3.5),
        ):
            line = Line(f"canonicalize + hash, {threads(jobs)}", given.label, peer)
            line.limit = bench.limit(given, given.lines)
            lines.append(compared(line, taken, f"canonicalize {jobs}", given, least if real else None))
    return lines


def register(bench: Bench) -> list[Line]:
    """register into a fresh store, against cp, then openssl, then sync."""
    lines = []
    for size in bench.sizes:
        given = data.generated("hail", size)
        root, copy = bench.scratch / "store-fresh", bench.scratch / "copy"
        ours = Case(
            "register",
            [bench.cli, "register", str(given.path), "--store", str(root), "--quiet"],
            partial(cleared, root, copy),
        )
        script = f'cp "$1" "$2" && "{bench.openssl}" dgst -sha256 "$2" && sync'
        command = ["sh", "-c", script, "sh", str(given.path), str(copy)]
        peer = Case("cp, openssl, sync", command, partial(cleared, root, copy)) if bench.openssl else None
        # The kernel writes the pages of both back in threads of its own: foreign work is no sign of trouble.
        taken = rounds(available(ours, peer), bench.count, watch=False)
        line = Line("register", given.label, "cp, openssl, sync", limit=bench.limit(given, given.lines))
        lines.append(compared(line, taken, ours.name, given, 1.0, wall=True))
        cleared(root, copy)
    return lines


def parse(bench: Bench) -> list[Line]:
    """parse to /dev/null, two threads, against openssl, the same mapping in Python, and the Rust program."""
    lines = []
    for mode in PROFILES:
        for size in bench.sizes:
            lines += parse_one(bench, data.generated(mode, size))
    return lines


def parse_one(bench: Bench, given: Input) -> list[Line]:
    profile = PROFILES[given.mode]
    ours = Case("parse", bench.parse(given, profile))
    script = str(data.BENCHES / "peer_orjson.py")
    python = Case("the same in Python with orjson", [bench.python, script, profile, str(given.path)])
    rust = None
    if bench.rust is not None:
        command = [bench.rust, "parse", "--profile", profile, str(given.path)]
        rust = Case("the Rust program", command, limit=120)
    notes = {}
    peers = available(bench.hashed(given.path))
    for peer in available(python, rust):
        if given.size > SLOW_PEER:
            notes[peer.name] = "only on smaller inputs"
            continue
        try:
            sample(peer)
            peers.append(peer)
        except Failed as failure:
            notes[peer.name] = str(failure).removeprefix(f"{peer.name}: ")
    taken = rounds([ours, *peers], bench.count)
    limit = bench.limit(given, bench.events(given, profile))
    lines = []
    for peer_name, least in (("openssl dgst -sha256", 0.4), (python.name, 4.0), ("the Rust program", 5.0)):
        line = Line("parse, 2 threads", given.label, peer_name, limit=limit, note=notes.get(peer_name, ""))
        lines.append(compared(line, taken, ours.name, given, least))
    return lines


def growth(bench: Bench) -> list[Line]:
    """Seconds per further GB in the upper part of the sizes against the lower part."""
    if len(bench.sizes) < 3:
        return [Line("growth", "-", "needs three sizes", note="use --full")]
    lines = []
    for name, mode in (("parse", "claude"), ("parse", "codex"), ("canonicalize", "hail"), ("verify", "hail")):
        inputs = [data.generated(mode, size) for size in bench.sizes[-3:]]
        cases = [growth_case(bench, name, given) for given in inputs]
        for given in inputs:
            warm(given.path)
        taken = rounds(cases, bench.count)
        small, middle, large = ([s.wall for s in taken.samples[case.name]] for case in cases)
        a, b, c = (given.size for given in inputs)
        ratios = [
            ((z - y) / (c - b)) / ((y - x) / (b - a)) for x, y, z in zip(small, middle, large, strict=True)
        ]
        line = Line(
            f"{name} {mode}: growth", " / ".join(data.human(size) for size in (a, b, c)), "itself, s per GB"
        )
        line.measured, line.reach = Spread.of(ratios), "<= 1.05x"
        line.met = line.measured.mid <= 1.05
        line.seconds, line.peak = taken.seconds(cases[2].name), taken.peak(cases[2].name)
        line.rate = c / line.seconds / 1e9
        lines.append(line)
    return lines


def growth_case(bench: Bench, name: str, given: Input) -> Case:
    if name == "parse":
        return Case(given.label, bench.parse(given, PROFILES[given.mode]))
    if name == "verify":
        root, address = bench.store(given.path)
        return Case(given.label, [bench.cli, "verify", address, "--store", str(root)])
    return Case(given.label, bench.canonical(given))


def memory(bench: Bench) -> list[Line]:
    """Peak memory of every command on an ordinary log with one line of 400 MB in it."""
    lines = []
    for mode, profile in (("claude", "claude-code"), ("codex", "codex"), ("hail", "hail")):
        given = data.generated(f"longline-{mode}", "16M", "--line", LONG_LINE)
        lines.append(peak(bench, "parse", given, bench.parse(given, profile)))
        if mode != "hail":
            continue
        root = bench.scratch / "store-fresh"
        cleared(root)
        command = [bench.cli, "register", str(given.path), "--store", str(root), "--quiet"]
        lines.append(peak(bench, "register", given, command))
        cleared(root)
        root, address = bench.store(given.path)
        stored = ["--store", str(root)]
        lines += [peak(bench, work, given, [bench.cli, work, address, *stored]) for work in ("verify", "cat")]
    return lines


def peak(bench: Bench, work: str, given: Input, command: list[str]) -> Line:
    taken = sample(Case(work, command))
    limit = bench.limit(given, given.lines)
    line = Line(f"{work}: memory", given.label, "the limit", taken.wall, given.size / taken.wall / 1e9)
    line.peak, line.limit, line.met = taken.rss, limit, taken.rss <= limit
    return line


def startup(bench: Bench) -> list[Line]:
    """What a command costs before it works, against the bare interpreter; and what an import costs."""
    small = data.generated("hail", "10K")
    root = bench.scratch / "store-small"
    nothing = Case("python -c pass", [bench.python, "-c", "pass"])
    version = Case("--version", [bench.cli, "--version"])
    command = [bench.cli, "register", str(small.path), "--store", str(root), "--quiet"]
    keep = Case("register 10 KB", command, partial(cleared, root))
    ours = Case("import opensession", [bench.python, "-c", "import opensession"])
    orjson = Case("import orjson", [bench.python, "-c", "import orjson"])
    taken = rounds([nothing, version, keep, ours, orjson], max(20, bench.count), watch=False)
    lines = []
    for case, most in ((version, 0.025), (keep, 0.15)):
        line = Line(case.name, "-", nothing.name, taken.seconds(case.name), unit="+ms")
        line.measured, line.reach = taken.extra(case.name, nothing.name), f"<= +{most * 1e3:.0f} ms"
        line.met, line.peak = line.measured.mid <= most, taken.peak(case.name)
        lines.append(line)
    imported = Line(ours.name, "-", orjson.name, taken.seconds(ours.name), peak=taken.peak(ours.name))
    imported.measured = taken.ratio(ours.name, orjson.name)
    lines.append(imported)
    lines.append(import_graph(bench))
    return lines


HEAVY = (
    "rich",
    "typer",
    "click",
    "asyncio",
    "starlette",
    "fastapi",
    "uvicorn",
    "pydantic",
    "jinja2",
    "http.server",
)


def import_graph(bench: Bench) -> Line:
    code = f"import sys, opensession; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([bench.python, "-c", code], capture_output=True, check=True, text=True)
    found = done.stdout.split()
    line = Line(
        "import opensession: graph", "-", "rich, typer, asyncio, a web framework", reach="none of them"
    )
    line.note, line.met = " ".join(found) or "none", not found
    return line


def cleared(*paths: Path) -> None:
    """Remove what a round left and write everything back, so that the next one does not pay for it."""
    for path in paths:
        if path.is_dir():
            subprocess.run(["chmod", "-R", "u+w", str(path)], check=False)
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    os.sync()


def object_path(root: Path, address: str) -> Path:
    name = address.rpartition("/")[2]
    return root / "objects" / "sha256" / name[:2] / name[2:4] / f"{name}.jsonl"


def threads(jobs: int) -> str:
    return "1 thread" if jobs == 1 else f"{jobs} threads"


ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "verify": verify,
    "canonicalize": canonicalize,
    "register": register,
    "parse": parse,
    "growth": growth,
    "memory": memory,
    "startup": startup,
}
