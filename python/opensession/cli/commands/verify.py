"""``opensession verify``: prove that bytes are what they should be."""

from __future__ import annotations

from opensession.actions import targets
from opensession.actions import verify as action
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, REMOTE, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.shape import warning_lines
from opensession.cli.stores import place_of, stores_of
from opensession.core import DEFAULT_JOBS
from opensession.errors import HailInvalidError, IntegrityError, LossesError, OpensessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.verify import Verified
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "verify",
    "prove that sessions are what they should be",
    """\
Reads every byte of each target once and gives three answers:

  address    the bytes hash to the address that was given (yes, no, or none given)
  canonical  the file equals its canonical form; else the first byte that differs
  valid      it is HAIL and obeys every rule; else the first error with its place

A file named like an object of a store (<sha256>.jsonl) promises its address, and so does the URI
of a session at a git remote whose path ends like that; what is there is read into the store
first, so that it must be valid. The exit code is 5
when a target's address is no, else 3 when one is not valid, else that of a target that could not
be read, else 0; with `--strict` 10 when one is not canonical.""",
    arguments=[
        Argument(
            "TARGET",
            "os://src/…, a hash, its first 8 digits or more, a file of HAIL, or -",
            many=True,
        )
    ],
    options=[Option("--strict", "exit 10 when a target is not canonical"), JOBS, JSON, REMOTE, STORE],
    examples=[
        'opensession verify "$uri"',
        "opensession verify ./session.hail.jsonl --strict",
        "opensession verify 3f0c5c1e 9b1d77a0 --json",
    ],
    exits=(3, 4, 5, 6, 7, 8, 10),
)

_GRAVEST_FIRST = (IntegrityError.exit_code, HailInvalidError.exit_code)


def run(args: Args, report: Report) -> int:
    """Verify every target, whatever becomes of the others."""
    strict = args.flag("--strict")
    rows: list[dict[str, object]] = []
    failed: list[OpensessionError] = []
    codes: list[int] = []
    for named in args.many("TARGET"):
        try:
            verified = _verify(args, named)
        except OpensessionError as error:
            if len(args.many("TARGET")) == 1:
                raise
            report.error(error)
            failed.append(error)
            codes.append(error.exit_code)
            continue
        codes.append(verified.exit_code(strict=strict))
        rows.append(_row(verified))
        if not report.json:
            report.out("\n".join(_lines(verified)))
            report.advise(failures.after_verify(verified, codes[-1]))
    if report.json:
        report.rows("targets", rows, failed)
    return _gravest(codes)


def _verify(args: Args, named: str) -> Verified:
    with failures.guided("verify", args.argv, named), Progress("verify") as progress:
        target = targets.file_target(named) or targets.find(stores_of(args), named, place_of(args))
        return action.verify(target, jobs=args.number("--jobs", DEFAULT_JOBS), progress=progress)


def _gravest(codes: list[int]) -> int:
    for code in _GRAVEST_FIRST:
        if code in codes:
            return code
    others = [code for code in codes if code not in (0, LossesError.exit_code)]
    return others[0] if others else max(codes)


_WORDS = {True: "yes", False: "no", None: "none"}


def _row(verified: Verified) -> dict[str, object]:
    report = verified.report
    return {
        "target": verified.target.named,
        "address": _WORDS[verified.address],
        "sha256": report["sha256"],
        "bytes": report["bytes"],
        "address_checked": None if verified.target.origin is None else verified.target.origin.checked,
        "canonical": verified.canonical,
        "first_difference": report["first_difference"],
        "valid": report["valid"],
        "error": report["error"],
        "warnings": list(report["warnings"]),
        "sessions": [
            {
                "session_id": s["session_id"],
                "hash": s["sha256"],
                "bytes": s["bytes"],
                "canonical": s["canonical"],
            }
            for s in report["sessions"]
        ],
    }


def _lines(verified: Verified) -> list[str]:
    report = verified.report
    given = None if verified.address is None else verified.target.sha256
    address = "none given" if given is None else "yes" if verified.address else f"no, it should be {given}"
    canonical = "yes"
    if not verified.canonical:
        at = report["first_difference"]
        canonical = "no" if at is None else f"no, differs from byte {at} on"
    error = report["error"]
    valid = "yes" if error is None else f"no, {error['message']}{_place(error['line'], error['column'])}"
    return [
        f"target: {verified.target.named}",
        f"sha256: {report['sha256']}",
        f"address: {address}",
        f"canonical: {canonical}",
        f"valid: {valid}",
        *warning_lines(report["warnings"]),
    ]


def _place(line: int, column: int | None) -> str:
    return f" (line {line})" if column is None else f" (line {line}, column {column})"
