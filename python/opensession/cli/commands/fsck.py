"""``opensession fsck``: check every byte of every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions import fsck as action
from opensession.cli.command import JSON, STORE, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.errors import IntegrityError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import Finding, FsckReport

COMMAND = Command(
    "fsck",
    "check every stored byte, name and mode",
    """\
Hashes every object and artifact of every store and looks at names, modes and links. Exits 5 when a
promise of a store does not hold. `--repair` moves wrong bytes to quarantine (nothing is deleted; a
session is whole again once it is registered again) and sets modes right; it exits 0 when nothing
is left to repair.""",
    options=[Option("--repair", "set wrong bytes aside and modes right"), JSON, STORE],
    examples=["opensession fsck", "opensession fsck --repair", "opensession fsck --json"],
    exits=(5, 6, 8),
)


def run(args: Args, report: Report) -> int:
    """Check all stores."""
    with Progress("fsck") as progress:
        found = action.fsck(stores_of(args), repair=args.flag("--repair"), progress=progress)
    ok = all(each.ok for each in found)
    if report.json:
        report.document({"ok": ok, "stores": [_row(each) for each in found]})
    else:
        report.out("\n".join(line for each in found for line in _lines(each)))
        if not ok:
            report.advise(["opensession ls" if args.flag("--repair") else "opensession fsck --repair"])
    return 0 if ok else IntegrityError.exit_code


def _lines(each: FsckReport) -> list[str]:
    lines = [f"store: {each.root}"]
    lines += [
        f"{_verdict(finding)}: {finding.kind} {finding.path}: {finding.detail}" for finding in each.findings
    ]
    count = sum(finding.serious and not finding.repaired for finding in each.findings)
    lines.append(
        f"checked: {each.objects} objects, {each.artifacts} artifacts, {each.bytes} bytes; "
        + ("all right" if each.ok else f"{count} not as promised")
    )
    return lines


def _verdict(finding: Finding) -> str:
    if finding.repaired:
        return "repaired"
    return "bad" if finding.serious else "note"


def _row(each: FsckReport) -> dict[str, object]:
    findings = [finding._asdict() | {"path": str(finding.path)} for finding in each.findings]
    return each._asdict() | {"root": str(each.root), "findings": findings, "ok": each.ok}
