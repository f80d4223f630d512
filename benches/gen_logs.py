"""Write one invented session of any size; the same arguments give the same bytes.

    python benches/gen_logs.py claude 512M bench-data/claude-512M.jsonl
    python benches/gen_logs.py longline-codex 16M bench-data/long.jsonl --line 400M

Modes: claude, codex (one native log = one session), hail (HAIL, keys not in canonical order, real line
sizes), hail300 (the same with events of 300 bytes), longline-claude, longline-codex, longline-hail (an
ordinary log with one line of `--line` bytes in the middle: a tool result, an output, a text block). Prints
one JSON line with size, lines and SHA-256. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic.claude import ClaudeLog
from synthetic.codex import CodexLog
from synthetic.hail import STATS, HailLog, SmallHailLog
from synthetic.text import Pools

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20260301
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}
WRITERS = {"claude": ClaudeLog, "codex": CodexLog, "hail": HailLog, "hail300": SmallHailLog}
MODES = (*WRITERS, "longline-claude", "longline-codex", "longline-hail")

# One record around a text of any length; what it leaves out (a call before it) a real log may leave out too.
LONG = {
    "claude": (
        b'{"parentUuid":null,"isSidechain":false,"type":"user","message":{"role":"user","content":['
        b'{"tool_use_id":"toolu_long","type":"tool_result","content":"@"}]},'
        b'"uuid":"10000000-2000-4000-a000-500000000000","timestamp":"2026-01-01T00:00:00.000Z"}'
    ),
    "codex": (
        b'{"timestamp":"2026-01-01T00:00:00.000Z","type":"response_item","payload":{'
        b'"type":"function_call_output","call_id":"call_long","output":"@"}}'
    ),
    "hail": (
        b'{"type":"event","event_id":"long","timestamp":"2026-01-01T00:00:00Z","event_type":'
        b'{"type":"AgentMessage"},"content":{"blocks":[{"type":"Text","text":"@"}]}}'
    ),
}


def size_of(text: str) -> int:
    """`64M` as a number of bytes; units are powers of ten, as the rates are."""
    unit = UNITS.get(text[-1:].upper())
    return int(float(text[:-1]) * unit) if unit else int(text)


def chunks(mode: str, size: int, pools: Pools, seed: int, long_line: int = 0) -> Iterator[bytes]:
    """The file in pieces: whole turns until `size` is reached, then what ends it."""
    kind = mode.removeprefix("longline-")
    pending = long_line if mode != kind else 0
    written, buffer, held = 0, [], 0
    for lines in WRITERS[kind](pools, seed).lines():
        buffer += lines
        held += sum(map(len, lines))
        if pending and written + held >= size // 2 and buffer[-1].endswith(b"\n"):
            yield b"".join(buffer)
            yield from long_record(kind, pools, pending)
            written, buffer, held, pending = written + held, [], 0, 0
        elif written + held >= size or held > 4_000_000:
            yield b"".join(buffer)
            written, buffer, held = written + held, [], 0
        if written >= size:
            break
    if kind.startswith("hail"):
        yield STATS


def long_record(kind: str, pools: Pools, size: int) -> Iterator[bytes]:
    head, _, tail = LONG[kind].partition(b"@")
    yield head
    left = size - len(head) - len(tail) - 1
    text = b"".join(file.lines.once for file in pools.files)
    while left > len(text):
        yield text
        left -= len(text)
    # A cut through an escape would make the line no JSON: fill the rest with plain characters.
    yield b"x" * left
    yield tail + b"\n"


def write(
    mode: str, size: int, path: Path, seed: int = SEED, long_line: int = 400_000_000
) -> dict[str, object]:
    """Write the file under another name first, so that a stopped run leaves no half file to be reused."""
    digest, total, lines = hashlib.sha256(), 0, 0
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb", buffering=0) as out:
        for chunk in chunks(mode, size, Pools(seed), seed, long_line):
            digest.update(chunk)
            total += len(chunk)
            lines += chunk.count(b"\n")
            view = memoryview(chunk)
            while view:
                view = view[out.write(view) :]
    partial.replace(path)
    return {"mode": mode, "bytes": total, "lines": lines, "seed": seed, "sha256": digest.hexdigest()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("size", type=size_of, help="for example 64M or 2G")
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--line", type=size_of, default=400_000_000, help="size of the long line")
    given = parser.parse_args()
    print(json.dumps(write(given.mode, given.size, given.path, given.seed, given.line)))


if __name__ == "__main__":
    main()
