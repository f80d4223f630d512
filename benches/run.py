"""Print the benchmark table: every promise of docs/performance.md beside its peer, in one run.

    make bench                                64 MB and 512 MB, five rounds
    make bench ARGS="--quick"                 64 MB, three rounds
    make bench ARGS="--full --write-docs"     64 MB, 512 MB, 2 GB; the table goes to docs/performance.md
    make bench ARGS="--rows verify,startup"   some rows only

Peers that are not installed are named and left out: openssl, and the Rust program of the same name
(OPENSESSION_PEER=/path/to/its/opensession). Ends with 1 if a row misses what it is meant to reach.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from harness import data, machine, rows, table
from harness.handoff import handoff
from harness.measure import Failed
from harness.rows import Bench
from harness.sharing import scan, sharing

ROWS = {**rows.ROWS, "handoff": handoff, "scan": scan, "sharing": sharing}
PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="64 MB, three rounds")
    size.add_argument("--full", action="store_true", help="64 MB, 512 MB and 2 GB, five rounds")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"which of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="another number of rounds")
    parser.add_argument("--sizes", help="other sizes, smallest first, for example 8M,32M,128M")
    parser.add_argument("--cli", help="another opensession program")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    unknown = set(given.rows.split(",")) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return given


def bench(given: argparse.Namespace) -> Bench:
    sizes = ["64M"] if given.quick else ["64M", "512M", "2G"] if given.full else ["64M", "512M"]
    if given.sizes:
        sizes = given.sizes.split(",")
    rust = os.environ.get("OPENSESSION_PEER")
    openssl = shutil.which("openssl")
    if openssl is None:
        print("openssl is not installed: no comparison with it", file=sys.stderr)
    if rust is None:
        print("OPENSESSION_PEER is not set: no comparison with the Rust program", file=sys.stderr)
    return Bench(
        cli=given.cli or str(Path(sys.executable).with_name("opensession")),
        python=sys.executable,
        openssl=openssl,
        rust=rust,
        sizes=sizes,
        stored=sizes[0] if given.quick or given.sizes else "1G",
        count=given.rounds or (3 if given.quick else 5),
    )


def main() -> int:
    given = arguments()
    setting = bench(given)
    facts = machine.facts(setting.cli, setting.rust)
    print(table.facts(facts), file=sys.stderr)
    lines: list[table.Line] = []
    for name in given.rows.split(","):
        print(f"measuring {name}", file=sys.stderr, flush=True)
        try:
            lines += ROWS[name](setting)
        except Failed as failure:
            lines.append(table.Line(name, "-", "-", note=f"failed: {failure}", met=False))
    text = f"{table.markdown(lines)}\n\nMeasured on: {table.facts(facts)}; {setting.count} rounds."
    print(text)
    if given.json:
        given.json.write_text(
            json.dumps({"machine": facts, "lines": [asdict(line) for line in lines]}, indent=1)
        )
    if given.write_docs:
        table.write_into(PAGE, text)
    return 1 if any(line.missed for line in lines) else 0


if __name__ == "__main__":
    shutil.rmtree(data.folder() / "scratch", ignore_errors=True)
    sys.exit(main())
