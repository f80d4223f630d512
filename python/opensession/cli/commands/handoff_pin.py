"""``opensession handoff artifacts pin``: let a name point at an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import manage as action
from opensession.cli.command import JSON, STORE, Argument, Command
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts pin",
    "let an alias point at an artifact",
    """\
Lets the alias point at the artifact, at once and for good: whoever reads it sees the old
artifact or the new one, and so does a machine that lost its power. An artifact that an alias
points at is not removed.

An alias is a letter or digit and at most 63 more of letters, digits, `.`, `_` and `-`; it is no
address, and two that differ only in case are refused.""",
    arguments=[
        Argument("ALIAS", "the name", values=""),
        Argument("ID", "os://artifact/<sha256>, a hash, or another alias", values=""),
    ],
    options=[JSON, STORE],
    examples=['opensession handoff artifacts pin latest "$artifact"'],
    exits=(4, 5, 6, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Pin one artifact."""
    pinned = action.pin(stores_of(args), args.one("ALIAS"), args.one("ID"))
    if report.json:
        report.document(
            {"alias": pinned.alias, "uri": pinned.uri, "hash": pinned.sha256, "before": pinned.before}
        )
    else:
        report.out(f"{pinned.alias} -> {pinned.uri}")
    return 0
