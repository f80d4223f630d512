"""``opensession ls``: what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions import ls as action
from opensession.cli.command import JSON, STORE, Command, Option
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import Entry

COMMAND = Command(
    "ls",
    "list the stored sessions",
    """\
Lists the sessions of the repository's store, the global one and an older program's, newest first,
one line each: the first digits of the address, the last time, events, bytes, agent, title. Of
several readings of one log only the current one is shown (`--all` shows each).

The lines are read, not checked: `fsck` checks every byte. `--json` prints the list `sessions`.""",
    options=[
        Option("--all", "show superseded sessions too"),
        Option("--quiet", "print the addresses only"),
        JSON,
        STORE,
    ],
    examples=[
        "opensession ls",
        "opensession ls --quiet | xargs opensession verify",
        "opensession ls --all --json",
    ],
    exits=(6, 8),
)

_SHORT = 12
"""Digits of an address that are shown: far beyond what tells a million sessions apart, and short enough to read."""


def run(args: Args, report: Report) -> int:
    """List the sessions."""
    stores = stores_of(args)
    entries = action.ls(stores, superseded=args.flag("--all"))
    if report.json:
        report.document({"sessions": [_row(entry) for entry in entries]})
        return 0
    for path, reason in stores.not_read:
        report.note(f"note: {path} was not read: {reason}")
    for entry in entries:
        report.out(entry.uri if args.flag("--quiet") else _line(entry))
    return 0


def _line(entry: Entry) -> str:
    if entry.problem is not None:
        return f"{entry.sha256[:_SHORT]}  cannot be read as a session: {entry.problem}"
    title = " ".join((entry.title or entry.session_id or "").split())[:60]
    old = "" if entry.current else "  (superseded)"
    return (
        f"{entry.sha256[:_SHORT]}  {entry.updated_at:<30}{entry.event_count:>8} events{entry.bytes:>12} bytes"
        f"  {entry.tool}  {title}{old}"
    )


def _row(entry: Entry) -> dict[str, object]:
    row = entry._asdict()
    return {"hash": row.pop("sha256"), "path": str(row.pop("path")), **row}
