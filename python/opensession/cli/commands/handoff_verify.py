"""``opensession handoff artifacts verify``: prove an artifact and its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions.handoff import check
from opensession.actions.handoff import verify as action
from opensession.actions.handoff.bundle import is_bundle
from opensession.cli import failures
from opensession.cli.arguments import quoted
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.core import DEFAULT_JOBS

if TYPE_CHECKING:
    from opensession.actions.handoff.check import Check, Verified
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "handoff artifacts verify",
    "prove that an artifact and its sources are what they should be",
    """\
Reads the artifact and each of its sources once and prints one line a check: the artifact's hash
and form; for each source that it is there, its hash, canonical, valid; that the summary and the
report follow from it, byte by byte, else the first field that does not; that the whole follows.

A name with a `/` in it or that ends in .tar.zst is a file that `export` wrote: it is verified
alone, without any store.

The exit code is 5 when anything does not hold, else 4 when a source is missing, else 10 when
the artifact needs rules that are not known here, else 0.""",
    arguments=[Argument("ID", "os://artifact/<sha256>, a hash, an alias, or a file of `export`")],
    options=[JOBS, JSON, STORE],
    examples=[
        "opensession handoff artifacts verify latest",
        "opensession handoff artifacts verify ./handoff.tar.zst --json",
    ],
    exits=(3, 4, 5, 6, 8, 10),
)


def run(args: Args, report: Report) -> int:
    """Verify one artifact."""
    named, jobs = args.one("ID"), args.number("--jobs", DEFAULT_JOBS)
    with failures.guided(COMMAND.name, args.argv, named), Progress("verify") as progress:
        if is_bundle(named):
            verified = action.in_bundle(named, jobs=jobs, progress=progress)
        else:
            verified = action.in_store(stores_of(args), named, jobs=jobs, progress=progress)
    if report.json:
        report.document(
            {
                "artifact": verified.uri,
                "ok": verified.ok,
                "exit_code": verified.exit_code,
                "checks": [_row(each) for each in verified.checks],
            }
        )
        return verified.exit_code
    report.out("\n".join([f"artifact: {verified.uri}", *(_line(each) for each in verified.checks)]))
    if verified.exit_code:
        report.advise(_steps(named, verified))
    return verified.exit_code


def _row(each: Check) -> dict[str, object]:
    return {"check": each.name, "source": each.source, "status": each.status, "detail": each.detail}


def _line(each: Check) -> str:
    about = f" {each.source[:12]}" if each.source else ""
    if each.status == check.NOT_CHECKED:
        return f"{each.name}{about}: {each.status} ({each.detail})"
    return f"{each.name}{about}: {each.status}" + (f", {each.detail}" if each.detail else "")


def _steps(named: str, verified: Verified) -> list[str]:
    if is_bundle(named):
        return [quoted("sha256sum", named)]
    bad = next(each for each in verified.checks if each.status != check.OK)
    if bad.status == check.FAILED and bad.name in ("artifact hash", "source hash"):
        return ["opensession fsck --repair"]
    if bad.source is not None:
        return [f"opensession verify {bad.source}", "opensession ls --all"]
    return ["opensession handoff artifacts list"]
