"""``opensession handoff artifacts import``: take an exported artifact in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import transfer as action
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.core import DEFAULT_JOBS

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts import",
    "take in a file that `export` wrote",
    """\
Verifies the whole file as `verify` does, and only then stores its sessions and its artifact and
prints the artifact's address. A file that is not exactly what `export` writes is refused (exit
5), and nothing of it becomes visible.""",
    arguments=[Argument("FILE", "a file of `export`; - reads standard input")],
    options=[JOBS, JSON, STORE],
    examples=["opensession handoff artifacts import ./handoff.tar.zst"],
    exits=(3, 4, 5, 6, 8, 9, 10),
)


def run(args: Args, report: Report) -> int:
    """Import one artifact."""
    named = args.one("FILE")
    with failures.guided(COMMAND.name, args.argv, named), Progress("import") as progress:
        store = stores_of(args).write
        done = action.import_(store, named, jobs=args.number("--jobs", DEFAULT_JOBS), progress=progress)
    if report.json:
        report.document(
            {"uri": done.uri, "hash": done.sha256, "existed": done.existed, "sources": list(done.sources)}
        )
    else:
        report.out(done.uri)
    return 0
