"""``opensession unshare``: take a session back."""

from __future__ import annotations

import os
from pathlib import Path

from opensession.cli import failures
from opensession.cli.arguments import quoted
from opensession.cli.asking import agreed, can_ask
from opensession.cli.command import JSON, PROGRAM, STORE, Argument, Command, Option
from opensession.cli.stores import stores_of
from opensession.errors import RefusedError, RemoteFailedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.unshare import Target, Unshared
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "unshare",
    "take a session back out of git",
    """\
Removes a session from every ledger of this repository that has it and from those of the remote:
its bytes, its description, its links and every path it was placed at. A tombstone stays, so that
other clones remove it too when they next share. Ledgers that held it start anew, without a history
that holds it still; everybody else's sessions stay.

Nothing can take back what others have: clones, forks, caches, and the server until it collects its
garbage. A password that was in it has to be changed. The session stays in this machine's store.""",
    arguments=[
        Argument("URI", "the address that share printed, os://src/local/<sha256>, or a hash", values="")
    ],
    options=[
        Option("--remote", "the remote it was shared with", metavar="REMOTE", usual="origin"),
        Option("--yes", "do not ask"),
        JSON,
        STORE,
    ],
    examples=[
        'opensession unshare "$uri" --remote origin',
        'opensession unshare "$uri" --remote origin --yes',
    ],
    exits=(4, 6, 7, 8, 9),
)

CANNOT = (
    "clones, forks and caches that have it keep it",
    "the server keeps the bytes until it collects its garbage",
    "a password or key that was in it is known: change it",
)
"""What taking back does not undo."""


def run(args: Args, report: Report) -> int:
    """Take one session back."""
    from opensession.actions import unshare as action
    from opensession.git.remotes import remote_of
    from opensession.git.repository import Repository

    named = args.one("URI")
    with failures.guided("unshare", args.argv, named):
        repository = Repository.discover(Path.cwd(), os.environ)
        remote = remote_of(repository, args.one("--remote"))
        target = action.find(stores_of(args), repository, named, remote)
        if not args.flag("--yes"):
            _confirm(args, report, target)
        done = action.unshare(stores_of(args), repository, target)
    if done.failure is not None:
        again = quoted(PROGRAM, *args.argv, *([] if args.flag("--yes") else ["--yes"]))
        done.failure.next = (again, f"git ls-remote {quoted(remote.shown)}")
    _say(done, report)
    return 0 if done.failure is None else done.failure.exit_code


def _confirm(args: Args, report: Report, target: Target) -> None:
    if not can_ask(report):
        raise UsageError(
            "there is nobody to ask whether the session is to be taken back",
            next=[quoted(PROGRAM, *args.argv, "--yes")],
        )
    question = "\n".join(
        [
            f"Take back {target.uri}",
            *(f"  from {ref}" for ref in target.refs),
            f"here and at {target.remote.shown} ({target.remote.normal})?",
        ]
    )
    if not agreed(question):
        raise RefusedError("nothing was changed", next=[quoted(PROGRAM, *args.argv, "--yes")])


def _say(done: Unshared, report: Report) -> None:
    target = done.target
    if report.json:
        document: dict[str, object] = {
            "uri": target.uri,
            "remote": target.remote.normal,
            "remote_target": target.remote.shown,
            "refs": list(target.refs),
            "rewritten": list(done.rewritten),
            "pushed": list(done.pushed),
            "not_undone": list(CANNOT),
        }
        report.partly(document, done.failure)
        if done.failure is not None:
            report.error(done.failure)
        return
    report.out(f"unshared: {target.uri}\nremote: {target.remote.shown}")
    for ref in target.refs:
        here = "removed" if ref in done.rewritten else "not there"
        there = "removed" if ref in done.pushed else "not reached" if done.failure else "not there"
        report.out(f"ref: {ref} (here: {here}, remote: {there})")
    report.note("\n".join(["What this cannot undo:", *(f"- {each}" for each in CANNOT)]))
    if isinstance(done.failure, RemoteFailedError):
        report.note("what was done here stays")
    if done.failure is not None:
        report.error(done.failure)
