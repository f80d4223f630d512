"""``opensession handoff artifacts export``: one file that proves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import transfer as action
from opensession.cli import failures
from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts export",
    "write an artifact and its sessions to one file",
    """\
Writes one .tar.zst with the artifact and every session it cites, whole or not at all; each
session is checked against its address while it is packed. The same artifact gives the same
file, and no path, time or user of this machine is in it. `verify` and `import` read it
anywhere.

The file holds whole sessions: look at what is in them before you give it away.""",
    arguments=[Argument("ID", "os://artifact/<sha256>, a hash, or an alias", values="")],
    options=[
        Option("--out", "where to write", metavar="FILE", usual="./handoff.tar.zst", values="file"),
        JSON,
        STORE,
    ],
    examples=["opensession handoff artifacts export latest --out ./handoff.tar.zst"],
    exits=(4, 5, 6, 8, 10),
)


def run(args: Args, report: Report) -> int:
    """Export one artifact."""
    named = args.one("ID")
    with failures.guided(COMMAND.name, args.argv, named), Progress("export") as progress:
        done = action.export(stores_of(args), named, args.one("--out"), progress=progress)
    if report.json:
        report.document(
            {
                "uri": done.uri,
                "hash": done.sha256,
                "path": done.path,
                "bytes": done.bytes,
                "sources": done.sources,
            }
        )
    else:
        report.out(f"{done.path}\nbytes: {done.bytes}")
    return 0
