"""``opensession handoff artifacts rm``: remove an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import manage as action
from opensession.cli.command import JSON, STORE, Argument, Command
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts rm",
    "remove an artifact",
    """\
Removes the artifact from the first store that has it; its sessions stay. While an alias points
at it the artifact stays too (exit 6, naming the aliases). There is no undo, but the same
sessions give the same artifact again.""",
    arguments=[Argument("ID", "os://artifact/<sha256> or a hash", values="")],
    options=[JSON, STORE],
    examples=['opensession handoff artifacts rm "$artifact"'],
    exits=(4, 5, 6, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Remove one artifact."""
    gone = action.rm(stores_of(args), args.one("ID"))
    if report.json:
        report.document({"uri": gone.uri, "hash": gone.sha256, "bytes": gone.bytes, "path": str(gone.path)})
    else:
        report.out(f"removed: {gone.uri}")
    return 0
