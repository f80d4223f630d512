"""``opensession handoff artifacts unpin``: take an alias away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import manage as action
from opensession.cli.command import JSON, STORE, Argument, Command
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts unpin",
    "take an alias away",
    """\
Takes the alias away; the artifact stays. An alias whose file is damaged can be taken away too.""",
    arguments=[Argument("ALIAS", "the name", values="")],
    options=[JSON, STORE],
    examples=["opensession handoff artifacts unpin latest"],
    exits=(4, 6, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Unpin one alias."""
    alias = args.one("ALIAS")
    before = action.unpin(stores_of(args), alias)
    if report.json:
        report.document({"alias": alias, "before": before})
    else:
        report.out(f"unpinned: {alias}")
    return 0
