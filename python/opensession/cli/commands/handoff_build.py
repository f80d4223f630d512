"""``opensession handoff build``: leave a summary with proof for whoever comes next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from opensession.actions.handoff import build as action
from opensession.actions.handoff import recent, sources
from opensession.cli import failures
from opensession.cli.arguments import again, nearest
from opensession.cli.command import JOBS, JSON, REMOTE, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import place_of, stores_of
from opensession.core import DEFAULT_JOBS
from opensession.errors import HailInvalidError, UsageError
from opensession.store.handoffs import check_alias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opensession.actions.handoff.build import Built
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff build",
    "build a handoff artifact from sessions and print its address",
    """\
Sums up sessions for whoever comes next, an agent, a person or a CI job: what was asked, what
was done, what failed and what replaced it, what was verified, what is open; each claim with the
ids of the events that say so. The artifact cites its sources by hash, and the same sources give
the same artifact on every machine.

Sources are files (HAIL, or a log of any known agent), sessions by their address (`--from`),
which are stored already or read from a git remote, and the last sessions of this repository
(`--last`): those whose recorded folder lies in a work tree of it, or whose recorded remote is one
of its remotes; outside of a repository, those held in the current folder or below. All are
registered before the artifact cites them.

Prints os://artifact/<sha256> when it is on the disk for good. What a summary lacks is noted on
standard error; with `--validate` an error is refused (exit 3), with `--validate=warn` a warning
too.""",
    arguments=[
        Argument("FILE", "HAIL or a log of a known agent; - reads standard input", many=True, optional=True)
    ],
    options=[
        Option("--from", "a session: os://src/… or a hash", metavar="URI", many=True),
        Option("--last", "the last N sessions of this repository", metavar="N", number=(1, 10_000)),
        Option("--pin", "let this alias point at the artifact", metavar="ALIAS"),
        Option(
            "--validate",
            "refuse a handoff that lacks something: error (the usual) or warn",
            metavar="LEVEL",
            bare=action.ERROR,
            values="level",
        ),
        JOBS,
        JSON,
        REMOTE,
        STORE,
    ],
    examples=[
        "opensession handoff build --last 1 --pin latest",
        "opensession handoff build ./session.hail.jsonl --validate",
        'opensession handoff build --from "$uri" --from 3f0c5c1e --json',
    ],
    exits=(3, 4, 5, 6, 7, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Build, store and, if asked, pin."""
    level = _level(args)
    alias = args.text("--pin")
    stores = stores_of(args)
    if alias is not None:
        check_alias(alias)  # before anything is written
    jobs = args.number("--jobs", DEFAULT_JOBS)

    def guide(named: str) -> AbstractContextManager[None]:
        return failures.guided("handoff build", args.argv, named)

    wanted = sources.Wanted(args.many("FILE"), args.many("--from"), args.number("--last", 0))
    with Progress("handoff build") as progress:
        here = recent.here(Path.cwd(), os.environ)
        cited = sources.gather(
            stores, wanted, here=here, guide=guide, place=place_of(args), jobs=jobs, progress=progress
        )
        try:
            built = action.build(
                stores.write, cited, alias=alias, validate=level, jobs=jobs, progress=progress
            )
        except HailInvalidError as error:
            if error.next:
                raise
            without = [word for word in args.argv if not word.startswith("--validate")]
            raise error.with_next(again(without, {})) from None
    _show(built, report)
    return 0


def _level(args: Args) -> str | None:
    level = args.text("--validate")
    if level is None or level in action.VALIDATE:
        return level
    right = nearest(level, action.VALIDATE) or action.ERROR
    replaced = {
        at: f"--validate={right}" for at, word in enumerate(args.argv) if word.startswith("--validate")
    }
    raise UsageError(
        f"--validate is {' or '.join(action.VALIDATE)}, not {level!r}", next=[again(args.argv, replaced)]
    )


def _show(built: Built, report: Report) -> None:
    if report.json:
        report.document(
            {
                "uri": built.uri,
                "hash": built.sha256,
                "path": str(built.path),
                "bytes": built.bytes,
                "existed": built.existed,
                "sources": list(built.sources),
                "findings": [finding._asdict() for finding in built.findings],
                "pin": built.alias,
            }
        )
        return
    report.out(built.uri)
    for finding in built.findings:
        report.note(action.describe(finding))
    if built.alias is not None:
        report.note(f"{built.alias} -> {built.uri}")
