"""``opensession scan``: what would be found before sharing."""

from __future__ import annotations

from opensession.actions import scan as action
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.core import DEFAULT_JOBS
from opensession.errors import OpensessionError, SecretsFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.scan import Scanned
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "scan",
    "look for secrets, as is done before anything leaves",
    """\
Reads every byte of each target and prints the places that hold what looks like a secret: the rule,
the line, the event, the place as a JSON Pointer, and a fingerprint. The value is never printed. A
target is a session of a store, an artifact with its sessions, a bundle of `export`, or any file: an
agent's log, HAIL, text.

The fingerprint names one value of one rule in this store; `--allow-secret` of the commands that let
something out takes it. What is looked for, and what cannot be found: docs/secrets.md.

The exit code is 6 when a target holds a secret, else that of a target that could not be read.""",
    arguments=[
        Argument("TARGET", "os:// URI, a hash, its first 8 digits or more, a file, or -", many=True),
    ],
    options=[
        Option("--limit", "places to print of each target [100]", metavar="N", number=(1, 10_000)),
        JOBS,
        JSON,
        STORE,
    ],
    examples=['opensession scan "$uri"', "opensession scan ./raw.jsonl ./.env --json"],
    exits=(3, 4, 5, 6, 8, 10),
)


def run(args: Args, report: Report) -> int:
    """Scan every target, whatever becomes of the others."""
    stores = stores_of(args)
    limit = args.number("--limit", 100)
    rows: list[dict[str, object]] = []
    failed: list[OpensessionError] = []
    found = False
    for named in args.many("TARGET"):
        try:
            with failures.guided("scan", args.argv, named), Progress("scan") as progress:
                scanned = action.scan(
                    stores, named, jobs=args.number("--jobs", DEFAULT_JOBS), progress=progress
                )
        except OpensessionError as error:
            if len(args.many("TARGET")) == 1:
                raise
            report.error(error)
            failed.append(error)
            continue
        found |= bool(scanned.findings)
        rows.append(_row(scanned, limit))
        if not report.json:
            report.out("\n".join(_lines(scanned, limit)))
    if report.json:
        report.rows("targets", rows, failed)
    if found:
        return SecretsFoundError.exit_code
    return failed[0].exit_code if failed else 0


def _row(scanned: Scanned, limit: int) -> dict[str, object]:
    from opensession.actions.release.refusal import as_dict

    return {
        "target": scanned.named,
        "findings": [as_dict(one) for one in scanned.findings[:limit]],
        "total": len(scanned.findings),
        "more": scanned.cut,
    }


def _lines(scanned: Scanned, limit: int) -> list[str]:
    from opensession.actions.release.refusal import describe

    total = len(scanned.findings)
    if not total:
        return [f"{scanned.named}: no secret found"]
    lines = [f"{scanned.named}: {total}{' or more' if scanned.cut else ''} found"]
    lines += [f"  {describe(one)}" for one in scanned.findings[:limit]]
    return lines if total <= limit else [*lines, f"  and {total - limit} others; --limit shows more"]
