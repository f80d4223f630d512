"""``opensession handoff artifacts export``: one file that proves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import transfer as action
from opensession.actions.handoff.leave import Terms
from opensession.cli import failures
from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.secrets import ALLOW_SECRET, REDACT, door_steps, redacted_lines
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

The file holds whole sessions, so all of it is scanned for secrets first. What holds one does not
leave (exit 6): `--redact` writes an artifact over redacted copies of its sessions, which are kept
in the store too; `--allow-secret` lets one value pass and notes that (docs/secrets.md).""",
    arguments=[Argument("ID", "os://artifact/<sha256>, a hash, or an alias", values="")],
    options=[
        Option("--out", "where to write", metavar="FILE", usual="./handoff.tar.zst", values="file"),
        REDACT,
        ALLOW_SECRET,
        JSON,
        STORE,
    ],
    examples=[
        "opensession handoff artifacts export latest --out ./handoff.tar.zst",
        "opensession handoff artifacts export latest --out ./handoff.tar.zst --redact",
    ],
    exits=(4, 5, 6, 8, 10),
)


def run(args: Args, report: Report) -> int:
    """Export one artifact."""
    named = args.one("ID")
    terms = Terms(args.many("--allow-secret"), args.flag("--redact"))
    with (
        failures.guided(COMMAND.name, args.argv, named),
        door_steps(args),
        Progress("export") as progress,
    ):
        done = action.export(stores_of(args), named, args.one("--out"), terms=terms, progress=progress)
    if report.json:
        report.document(
            {
                "uri": done.uri,
                "hash": done.sha256,
                "path": done.path,
                "bytes": done.bytes,
                "sources": done.sources,
                "redacted": dict(done.redacted),
            }
        )
    else:
        report.out(f"{done.path}\nbytes: {done.bytes}")
        for line in redacted_lines(done.uri, done.redacted):
            report.note(line)
    return 0
