"""``opensession redact``: a copy of a session without its secrets."""

from __future__ import annotations

import os

from opensession.actions import redact as action
from opensession.actions.outputs import atomic_output
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.secrets import ALLOW_SECRET
from opensession.cli.stores import stores_of
from opensession.core import DEFAULT_JOBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "redact",
    "make a copy of a session without its secrets",
    """\
Puts `[REDACTED:<rule>:<n>]` in the place of every secret, where n counts different values by their
first appearance, and stores the copy: a session of its own, with its own address. Hashes and raw
bytes of the log it came from are left out of it, and its last line says how often each rule was
applied. The session that was given stays as it is; a file is registered first.

Prints the address of the copy and the counts. Where there is nothing to replace, that is the
address of the session itself.""",
    arguments=[
        Argument("TARGET", "os://src/local/<sha256>, a hash, its first 8 digits or more, HAIL, or -"),
    ],
    options=[
        Option("--out", "write the copy to this file too", metavar="FILE", values="file"),
        ALLOW_SECRET,
        JOBS,
        JSON,
        STORE,
    ],
    examples=[
        'opensession redact "$uri"',
        "opensession redact ./s.hail.jsonl --out ./clean.hail.jsonl",
    ],
    exits=(3, 4, 5, 6, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Redact one session."""
    stores, named, out = stores_of(args), args.one("TARGET"), args.text("--out")
    with failures.guided("redact", args.argv, named), Progress("redact") as progress:
        done = action.redact(
            stores,
            named,
            allow=args.many("--allow-secret"),
            jobs=args.number("--jobs", DEFAULT_JOBS),
            progress=progress,
        )
        if out is not None:
            with atomic_output(out) as fd:
                stores.find(done.sha256)[0].copy_to(done.sha256, fd)
    if report.json:
        report.document(
            {
                "uri": done.uri,
                "hash": done.sha256,
                "of": done.asked,
                "rules": dict(done.rules),
                "path": None if out is None else os.path.abspath(out),
            }
        )
    else:
        report.out(done.uri)
        for rule, count in sorted(done.rules.items()):
            report.out(f"{rule}: {count}")
    return 0
