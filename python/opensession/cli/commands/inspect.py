"""``opensession inspect``: what a session is."""

from __future__ import annotations

import os

from opensession.actions import inspect as action
from opensession.actions import targets
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, REMOTE, STORE, Argument, Command
from opensession.cli.progress import Progress
from opensession.cli.shape import session_lines, session_row
from opensession.cli.stores import place_of, stores_of
from opensession.core import DEFAULT_JOBS
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.inspect import Inspected
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "inspect",
    "tell what a session is: header, numbers, ledger, place",
    """\
Reads a stored session or a file of HAIL from the first byte to the last, checks it, and prints its
header, the eleven numbers of its stats, the coverage ledger (how many records of the log were read
and what became of them) and where its bytes are.

For a file the address is the one that `register` would give; `stored` says whether it is there.
A session at a git remote is read through the remote that is configured here for it, with its own
URL and credentials, else by https, and kept in the store; a note and `address_checked` say where
its address could not be checked.

A file may hold several sessions. `--json` prints the members of a single session, and always the
list `sessions`.""",
    arguments=[Argument("URI", "os://src/…, a hash, its first 8 digits or more, a file of HAIL, or -")],
    options=[JOBS, JSON, REMOTE, STORE],
    examples=[
        'opensession inspect "$uri"',
        "opensession inspect 3f0c5c1e --json",
        "opensession inspect ./session.hail.jsonl",
    ],
    exits=(3, 4, 5, 6, 7, 8),
)


def run(args: Args, report: Report) -> int:
    """Describe one target."""
    named = args.one("URI")
    with failures.guided("inspect", args.argv, named), Progress("inspect") as progress:
        found = action.inspect(
            stores_of(args),
            named,
            place=place_of(args),
            jobs=args.number("--jobs", DEFAULT_JOBS),
            progress=progress,
        )
    if report.json:
        report.rows("sessions", [_row(each) for each in found])
    else:
        report.out("\n\n".join("\n".join(_lines(each)) for each in found))
        for doubt in targets.doubts(found[0].origin) if found else ():
            report.note(f"note: {doubt}")
    return 0


def _row(each: Inspected) -> dict[str, object]:
    return session_row(each.info) | {
        "uri": format_local(each.sha256),
        "hash": each.sha256,
        "bytes": each.bytes,
        "path": None if each.path is None else os.path.abspath(each.path),
        "stored": each.stored,
        "address_checked": None if each.origin is None else each.origin.checked,
    }


def _lines(each: Inspected) -> list[str]:
    canonical = (
        "yes" if each.info["canonical"] else f"no, differs from byte {each.info['first_difference']} on"
    )
    place = [] if each.path is None else [f"path: {os.path.abspath(each.path)}"]
    return [
        f"uri: {format_local(each.sha256)}",
        *place,
        f"stored: {'yes' if each.stored else 'no'}",
        f"bytes: {each.bytes}",
        f"canonical: {canonical}",
        *session_lines(each.info),
    ]
