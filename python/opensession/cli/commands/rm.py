"""``opensession rm``: remove stored sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions import rm as action
from opensession.cli import failures
from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.stores import stores_of
from opensession.errors import OpensessionError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "rm",
    "remove stored sessions",
    """\
Removes sessions from the first store that has them. A session that a handoff artifact cites stays
(exit 6, naming the artifact) unless `--force` is given. There is no undo: the bytes are gone.
When one of several addresses fails the others are removed all the same, and the exit code is that
of the first failure.""",
    arguments=[
        Argument(
            "URI", "os://src/local/<sha256>, a hash, or its first 8 digits or more", many=True, values=""
        )
    ],
    options=[Option("--force", "remove it even if an artifact cites it"), JSON, STORE],
    examples=['opensession rm "$uri"', "opensession rm 3f0c5c1e 9b1d77a0"],
    exits=(4, 6, 8),
)


def run(args: Args, report: Report) -> int:
    """Remove every session that was named."""
    stores = stores_of(args)
    rows: list[dict[str, object]] = []
    failed: list[OpensessionError] = []
    for address in args.many("URI"):
        try:
            with failures.guided("rm", args.argv, address):
                removed = action.rm(stores, address, force=args.flag("--force"))
        except OpensessionError as error:
            if len(args.many("URI")) == 1:
                raise
            report.error(error)
            failed.append(error)
            continue
        rows.append(
            {"uri": removed.uri, "hash": removed.sha256, "bytes": removed.bytes, "path": str(removed.path)}
        )
        if not report.json:
            report.out(f"removed: {removed.uri}")
    if report.json:
        report.rows("removed", rows, failed)
    return failed[0].exit_code if failed else 0
