"""``opensession handoff artifacts list``: which artifacts there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import manage as action
from opensession.cli.command import JSON, STORE, Command, Option
from opensession.cli.stores import stores_of

if TYPE_CHECKING:
    from opensession.actions.handoff.manage import Listed
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts list",
    "list the handoff artifacts and their aliases",
    """\
Lists the artifacts of the repository's store and the global one, the newest first, one line
each: the first digits of the address, when it was built here, sources, bytes, aliases.

The first lines are read, not checked: `handoff artifacts verify` checks. `--json` prints the
list `artifacts` with `uri`, `hash`, `path`, `created_at`, `sources` and `pins`, and
`damaged_pins`.""",
    options=[Option("--quiet", "print the addresses only"), JSON, STORE],
    examples=["opensession handoff artifacts list", "opensession handoff artifacts list --json"],
    exits=(6, 8),
)

_SHORT = 12


def run(args: Args, report: Report) -> int:
    """List the artifacts."""
    listing = action.list_(stores_of(args))
    if report.json:
        report.document(
            {
                "artifacts": [_row(listed) for listed in listing.artifacts],
                "damaged_pins": [{"alias": d.alias, "store": str(d.store)} for d in listing.damaged],
            }
        )
        return 0
    for listed in listing.artifacts:
        report.out(listed.uri if args.flag("--quiet") else _line(listed))
    for damage in listing.damaged:
        report.note(f"note: the alias {damage.alias!r} in {str(damage.store)!r} leads to no artifact")
    return 0


def _line(listed: Listed) -> str:
    if listed.problem is not None:
        return f"{listed.sha256[:_SHORT]}  cannot be read as an artifact: {listed.problem}"
    return (
        f"{listed.sha256[:_SHORT]}  {listed.created_at or '-':<20}{listed.sources:>6} sources"
        f"{listed.bytes:>10} bytes  {' '.join(listed.pins)}"
    ).rstrip()


def _row(listed: Listed) -> dict[str, object]:
    row = listed._asdict()
    return {"hash": row.pop("sha256"), "path": str(row.pop("path")), "pins": list(row.pop("pins")), **row}
