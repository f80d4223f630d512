"""``opensession log``: commits, and the sessions that made them."""

from __future__ import annotations

import os
from pathlib import Path

from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.stores import stores_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.log import Entry, Log
    from opensession.cli.command import Args
    from opensession.cli.report import Report

FETCH = Option("--fetch", "fetch the sessions' links of this remote first", metavar="REMOTE")
_USUAL = 20
_PATIENCE = 5.0
"""Seconds in which commits without a link are compared with sessions."""

COMMAND = Command(
    "log",
    "list commits with the sessions that made them",
    """\
Lists the commits of a revision or range (HEAD, if none is given), newest first, each with its
sessions: the first digits of the address, how much of the commit's added lines the session wrote,
the agent, the title, and below it the reasons.

The answer comes from the ledgers of this repository and from the copies of remotes' ledgers that
are here; `--fetch` brings the latter up to date. A commit that was rebased, amended or
cherry-picked is found by its patch; one that no ledger knows, as after a squash, is compared with
the sessions in the stores (5 seconds at most; `opensession link` records the result).""",
    arguments=[
        Argument("REV", "a commit, a branch or a range such as main..topic", optional=True, values="")
    ],
    options=[
        Option("-n", f"commits to list (default {_USUAL})", metavar="N", number=(1, 4096)),
        Option(
            "--path",
            "only commits that changed this file or folder; repeatable",
            metavar="PATH",
            many=True,
            values="file",
        ),
        FETCH,
        JSON,
        STORE,
    ],
    examples=[
        "opensession log",
        "opensession log main..topic -n 50",
        "opensession log --path src/heat.py --json",
    ],
    exits=(4, 6, 7, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """List the commits."""
    from opensession.actions import log as action
    from opensession.actions.links.clock import Clock
    from opensession.cli import revisions

    repository = revisions.repository()
    found = action.log(
        stores_of(args),
        repository,
        args.text("REV") or "HEAD",
        env=os.environ,
        clock=Clock.lasting(_PATIENCE),
        most=args.number("-n", _USUAL),
        paths=[revisions.path_in(repository, path, Path.cwd()) for path in args.many("--path")],
        fetch=args.text("--fetch"),
    )
    if report.json:
        report.document({"commits": [_row(entry) for entry in found.entries], "sessions_left": found.left})
        return 0
    for entry in found.entries:
        report.out("\n".join(_lines(entry)))
    revisions.note_left(report, found.left)
    _note_none(found, report)
    return 0


def _row(entry: Entry) -> dict[str, object]:
    from opensession.cli.commitlines import commit_row, session_row

    return {**commit_row(entry.commit), "sessions": [session_row(session) for session in entry.sessions]}


def _lines(entry: Entry) -> list[str]:
    from opensession.cli.commitlines import because, commit_line, session_line

    lines = [commit_line(entry.commit)]
    for session in entry.sessions:
        lines += [f"  {session_line(session)}", f"    {because(session)}"]
    return lines if entry.sessions else [*lines, "  no session is known"]


def _note_none(found: Log, report: Report) -> None:
    if found.entries and not any(entry.sessions for entry in found.entries):
        report.advise(["opensession link", "opensession doctor"])
