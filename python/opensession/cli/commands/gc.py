"""``opensession gc``: remove what nobody needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opensession.actions import gc as action
from opensession.cli.arguments import again
from opensession.cli.command import JSON, STORE, Command, Option
from opensession.cli.progress import duration, size
from opensession.cli.stores import stores_of
from opensession.errors import UsageError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import GcReport

COMMAND = Command(
    "gc",
    "remove left temporary files and old quarantine",
    """\
Says what would go, and removes it with `--apply`: temporary files whose writer is gone, and
quarantined bytes older than 30 days. Sessions are never garbage; they go only by `rm`, or here with
`--sessions --older-than AGE`, which keeps whatever an artifact cites.""",
    options=[
        Option("--apply", "remove it; without this nothing changes"),
        Option("--sessions", "sessions too, if they are older than --older-than"),
        Option(
            "--older-than",
            "age of a session since it was stored: a number and s, m, h, d or w",
            metavar="AGE",
        ),
        JSON,
        STORE,
    ],
    examples=["opensession gc", "opensession gc --apply", "opensession gc --sessions --older-than 365d"],
    exits=(6, 8),
)

_AGE = re.compile(r"([0-9]{1,9})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def run(args: Args, report: Report) -> int:
    """Clean every writable store."""
    age = args.text("--older-than")
    found = action.gc(
        stores_of(args),
        apply=args.flag("--apply"),
        sessions=args.flag("--sessions"),
        older_than=None if age is None else _seconds(args, age),
    )
    if report.json:
        report.document({"applied": args.flag("--apply"), "stores": [_row(each) for each in found]})
        return 0
    report.out("\n".join(line for each in found for line in _lines(each)))
    if any(each.items for each in found) and not args.flag("--apply"):
        report.advise([again([*args.argv, "--apply"], {})])
    return 0


def _seconds(args: Args, age: str) -> float:
    match = _AGE.fullmatch(age)
    if match is None:
        step = again(args.argv, {at: "365d" for at, word in enumerate(args.argv) if word == age})
        raise UsageError(f"--older-than takes a number and one of s, m, h, d, w, not {age!r}", next=[step])
    return int(match.group(1)) * _SECONDS[match.group(2)]


def _lines(each: GcReport) -> list[str]:
    verb = "removed" if each.applied else "would remove"
    lines = [f"store: {each.root}"]
    lines += [
        f"{verb}: {i.kind} {i.path} ({size(i.bytes)}, {duration(i.age_seconds)} old)" for i in each.items
    ]
    kept = f"; {each.kept_cited} old sessions stay, an artifact cites them" if each.kept_cited else ""
    lines.append(f"{verb}: {len(each.items)} files, {size(each.bytes)}{kept}")
    return lines


def _row(each: GcReport) -> dict[str, object]:
    items = [item._asdict() | {"path": str(item.path)} for item in each.items]
    return each._asdict() | {"root": str(each.root), "items": items, "bytes": each.bytes}
