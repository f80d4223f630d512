"""Inputs of the benchmarks: generated once, kept, and known by size, lines and longest line.

They lie in bench-data/ or in $OPENSESSION_BENCH_DIR. A file is reused only if its record names the
generator's seed and the generator's own source, so that numbers of different inputs never stand side by
side.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Input:
    mode: str
    path: Path
    size: int
    lines: int
    longest: int

    @property
    def label(self) -> str:
        return f"{self.mode} {human(self.size)}"


def human(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 950_000_000 else f"{size / 1e6:.0f} MB"


def folder() -> Path:
    path = Path(os.environ.get("OPENSESSION_BENCH_DIR") or BENCHES.parent / "bench-data")
    path.mkdir(parents=True, exist_ok=True)
    return path


def generator_version() -> str:
    sources = [BENCHES / "gen_logs.py", *sorted((BENCHES / "synthetic").glob("*.py"))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def generated(mode: str, size: str, *extra: str) -> Input:
    """The log of this mode and size, made now if it is not there yet."""
    path = folder() / f"{mode}-{size}.jsonl"
    note = path.with_suffix(".json")
    version = generator_version()
    record = json.loads(note.read_text()) if note.exists() and path.exists() else {}
    if record.get("generator") != version:
        print(f"generating {path.name}", file=sys.stderr, flush=True)
        command = [sys.executable, str(BENCHES / "gen_logs.py"), mode, size, str(path), *extra]
        record = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        record |= {"generator": version, "longest": longest_line(path)}
        note.write_text(json.dumps(record))
    return Input(mode, path, record["bytes"], record["lines"], record["longest"])


def longest_line(path: Path) -> int:
    longest = held = 0
    with path.open("rb", buffering=0) as source:
        while block := source.read(1 << 22):
            first, *rest = block.split(b"\n")
            held += len(first)
            for piece in rest:
                longest, held = max(longest, held), len(piece)
    return max(longest, held)
