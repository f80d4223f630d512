"""``opensession link``: record which sessions made a branch's commits."""

from __future__ import annotations

import os
from pathlib import Path

from opensession.cli.command import JSON, STORE, Argument, Command
from opensession.cli.secrets import ALLOW_SECRET, REDACT, door_steps
from opensession.cli.stores import stores_of
from opensession.errors import SecretsFoundError
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.sync import Refused, Synced
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import Stores

COMMAND = Command(
    "link",
    "record which sessions made a branch's commits",
    """\
Registers the logs that Claude Code and Codex wrote in this repository, compares what its sessions
wrote into files with the commits of the branch (the one that is checked out, if none is given),
and records the sessions and their links in the branch's ledger, a hidden ref of this repository.
Nothing is sent: the pre-push hook, or `share --push`, sends the ledger.

What was compared before is not compared again, so a second run is quick and changes nothing. A
session that holds a secret is not recorded and told (exit 6), the others are: `--redact` records a
copy with placeholders, `--allow-secret` lets one value pass.""",
    arguments=[
        Argument("BRANCH", "another branch than the one that is checked out", optional=True, values="")
    ],
    options=[REDACT, ALLOW_SECRET, JSON, STORE],
    examples=["opensession link", "opensession link topic --json", "opensession link --redact"],
    exits=(4, 6, 8, 9),
)


_SHOWN = 3
"""Refused sessions that are told one by one."""


def run(args: Args, report: Report) -> int:
    """Link one branch."""
    from opensession.actions import config
    from opensession.actions.sync import sync_branch
    from opensession.cli import revisions

    repository, stores = revisions.repository(), stores_of(args)
    allow = frozenset(args.many("--allow-secret"))
    redact = args.flag("--redact") or config.load(Path.cwd(), os.environ).redact
    synced = sync_branch(
        stores,
        repository,
        args.text("BRANCH") or repository.ledger_branch(),
        env=os.environ,
        release=lambda sha256: _passed(stores, sha256, allow, redact=redact),
    )
    refused = [_guided(args, each) for each in synced.refused]
    if report.json:
        report.document(_document(synced, refused))
    else:
        _show(synced, report)
        for error in refused[:_SHOWN]:
            report.error(error)
        if len(refused) > _SHOWN:
            report.note(f"and {len(refused) - _SHOWN} more sessions hold what looks like a secret")
    return SecretsFoundError.exit_code if refused else 0


def _passed(stores: Stores, sha256: str, allow: frozenset[str], *, redact: bool) -> str:
    """The address that may leave. What is allowed may be in another session, which is no mistake here."""
    from opensession.actions.release import release

    try:
        return release(stores.write, [sha256], holders=stores).addresses[0]
    except SecretsFoundError as error:
        own = sorted(allow.intersection(error.fingerprints))
        return release(stores.write, [sha256], holders=stores, allow=own, redact=redact).addresses[0]


def _guided(args: Args, refused: Refused) -> SecretsFoundError:
    """The refusal of one session with the ways through."""
    try:
        with door_steps(args):
            raise refused.error
    except SecretsFoundError as error:
        return error


def _document(synced: Synced, refused: list[SecretsFoundError]) -> dict[str, object]:
    return {
        "branch": synced.branch,
        "ref": synced.ref,
        "tip": synced.tip,
        "changed": synced.changed,
        "commits": synced.commits,
        "links": [
            {
                "commit": link.commit,
                "uri": format_local(link.sha256),
                "hash": link.sha256,
                "confidence": round(link.confidence, 4),
                "reasons": list(link.reasons),
            }
            for link in synced.links
        ],
        "refused": [
            {"uri": format_local(each.sha256), "error": error.as_dict()}
            for each, error in zip(synced.refused, refused, strict=True)
        ],
        "taken_back": [format_local(sha256) for sha256 in synced.taken_back],
        "skipped": [
            *({"log": path, "reason": reason} for path, reason in synced.registered.skipped),
            *({"uri": format_local(h), "reason": reason} for h, reason in synced.problems.items()),
        ],
    }


def _show(synced: Synced, report: Report) -> None:
    for link in synced.links:
        reasons = ", ".join(link.reasons)
        report.out(f"{link.commit[:12]}  {link.sha256[:12]}  {link.confidence:4.0%}  {reasons}")
    sessions = len({link.sha256 for link in synced.links})
    report.out(
        f"{synced.branch}: {_count(len(synced.links), 'new link')} to {_count(sessions, 'session')}; "
        f"{_count(synced.commits, 'commit')} looked at"
    )
    for path, reason in synced.registered.skipped:
        report.note(f"note: {path} was not read: {reason}")
    for sha256, reason in synced.problems.items():
        report.note(f"note: {format_local(sha256)} was not read: {reason}")
    for sha256 in synced.taken_back:
        report.note(f"note: {format_local(sha256)} had been taken back and stays out")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
