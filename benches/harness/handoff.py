"""The rows about handoffs: build and verify beside `opensession verify` and openssl, export beside tar and zstd."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from . import data
from .measure import Case, rounds, warm
from .rows import FLAT, available, cleared, compared, object_path
from .table import Line

if TYPE_CHECKING:
    from pathlib import Path

    from .rows import Bench

SUMMARY = 16 << 20
"""A summary has limits (docs/handoff.md): with everything a page of it needs it stays below this."""


def handoff(bench: Bench) -> list[Line]:
    """build, verify and export of a handoff over one stored session of invented HAIL."""
    source = data.generated("hail", bench.stored)
    root, address = bench.store(source.path)
    stored = object_path(root, address)
    given = data.Input("hail", stored, stored.stat().st_size, source.lines, data.longest_line(stored))
    where = ["--store", str(root)]
    artifact = _built(bench, root, address)
    out = bench.scratch / "handoff.tar.zst"
    build = Case("handoff build", [bench.cli, "handoff", "build", "--from", address, *where])
    verify = Case("handoff verify", [bench.cli, "handoff", "artifacts", "verify", artifact, *where])
    plain = Case("opensession verify", [bench.cli, "verify", address, *where])
    export = Case(
        "handoff export",
        [bench.cli, "handoff", "artifacts", "export", artifact, "--out", str(out), *where],
        partial(cleared, out),
    )
    packed = _packed(bench, stored)
    warm(stored)
    read = rounds([build, verify, plain, *available(bench.hashed(stored))], bench.count)
    # The kernel writes the pages of both back in threads of its own: foreign work is no sign of trouble.
    written = rounds(available(export, packed), bench.count, watch=False)
    lines = []
    for case, taken, peer, least in (
        (build, read, plain.name, 0.5),
        (build, read, "openssl dgst -sha256", None),
        (verify, read, plain.name, 0.5),
        (verify, read, "openssl dgst -sha256", None),
        (export, written, "openssl, tar, zstd", 1.0),
    ):
        line = Line(case.name, given.label, peer, limit=bench.interpreter + FLAT + SUMMARY)
        lines.append(compared(line, taken, case.name, given, least))
    cleared(out)
    return lines


def _built(bench: Bench, root: Path, address: str) -> str:
    command = [bench.cli, "handoff", "build", "--from", address, "--store", str(root)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def _packed(bench: Bench, stored: Path) -> Case | None:
    """What a person would type instead of `export`: hash, archive, compress at the same level, sync."""
    zstd, out = shutil.which("zstd"), bench.scratch / "peer.tar.zst"
    if zstd is None or bench.openssl is None:
        return None
    script = f'"{bench.openssl}" dgst -sha256 "$1" && tar cf - "$1" | "{zstd}" -3 -q -f -o "$2" && sync "$2"'
    command = ["sh", "-c", script, "sh", os.fspath(stored), str(out)]
    return Case("openssl, tar, zstd", command, partial(cleared, out))
