"""``opensession setup``: what `doctor` does, under the name that came first; and the calls of the git hook."""

from __future__ import annotations

from opensession.cli.command import JSON, STORE, Command, Option
from opensession.cli.commands.doctor import FANOUT_MODE, FANOUT_REMOTE, YES
from opensession.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "setup",
    "set up this clone: the same as doctor --fix",
    """\
The same as `opensession doctor --fix`; with `--check` the same as `opensession doctor`. The git
hook calls it too, with options that are for the hook alone.""",
    options=[
        Option("--check", "change nothing: the same as doctor"),
        YES,
        FANOUT_MODE,
        FANOUT_REMOTE,
        Option("--print-fanout-mode", "print the mode", hidden=True),
        Option(
            "--print-ledger-ref",
            "print the ref of a branch's ledger",
            metavar="BRANCH",
            many=True,
            hidden=True,
        ),
        Option(
            "--sync-branch-session", "record a branch's sessions", metavar="BRANCH", many=True, hidden=True
        ),
        Option("--sync-branch-commit", "the commit that is pushed", metavar="OID", many=True, hidden=True),
        Option("--push-branches", "scan what is pushed, send ledgers", metavar="REMOTE", hidden=True),
        Option("--push-url", "where the push goes", metavar="URL", hidden=True),
        Option("--ledger-ref", "a ledger to send", metavar="REF", many=True, hidden=True),
        JSON,
        STORE,
    ],
    examples=["opensession setup --check", "opensession setup --yes --fanout-mode hidden_ref"],
    exits=(4, 6, 7, 8, 9),
    hidden=True,
)


def run(args: Args, report: Report) -> int:
    """Set up, check, or answer the hook."""
    if args.text("--sync-branch-commit") is not None and args.text("--sync-branch-session") is None:
        raise UsageError(
            "--sync-branch-commit says which commit of a branch is meant, and --sync-branch-session which branch",
            next=["opensession setup --help"],
        )
    if args.flag("--check") and args.flag("--yes"):
        raise UsageError(
            "--check changes nothing, so there is nothing to say --yes to",
            next=["opensession setup --check", "opensession setup --yes --fanout-mode hidden_ref"],
        )
    from opensession.cli import hookcalls

    answer = hookcalls.answer(args, report)
    if answer is not None:
        return answer
    from opensession.cli.settingup import check, fix

    return check(args, report, strict=False) if args.flag("--check") else fix(args, report)
