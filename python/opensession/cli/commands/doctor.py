"""``opensession doctor``: check a clone and the machine, set them up, take that back."""

from __future__ import annotations

from opensession.cli.command import JSON, STORE, Command, Option
from opensession.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

FANOUT_MODE = Option(
    "--fanout-mode",
    "with --fix: how sessions go along with a push: hidden_ref, or git_notes for notes on the tips too",
    metavar="MODE",
)
FANOUT_REMOTE = Option(
    "--fanout-remote",
    "with --fix: a remote that sessions may be sent to; repeatable [origin, with --yes]",
    metavar="NAME",
    many=True,
)
YES = Option("--yes", "do not ask: the plan is shown and carried out")

COMMAND = Command(
    "doctor",
    "check git, hooks, launchers, stores and consent, and set them up",
    """\
Looks at the clone around this folder and at the machine, and says what is right, what is not, and
which command helps. Nothing is changed, and no network is touched. It exits 0 whatever it finds;
with `--strict` it exits 10 where a check warns or fails. Outside of a repository it tells what can
be told there.

`--fix` first shows a plan: every file and key it would change, and the command that restores each.
It asks before it does anything (`--yes` does not ask), and a step that fails undoes those before
it. It sets `opensession.fanout-mode`, notes which remotes sessions may go to
(`opensession.fanout-remote`), installs the pre-push hook and two launchers, and keeps
`.opensession/` out of commits. A hook that is there is kept and runs first; one in the working tree
is never changed: the lines to add to it are printed. Doing it twice changes nothing.

`--unfix` puts back what was there before, leaves what was changed since, and says so.""",
    options=[
        Option("--strict", "exit 10 where something is wrong"),
        Option("--fix", "set up what is missing, after asking"),
        Option("--unfix", "take back what --fix did, after asking"),
        YES,
        FANOUT_MODE,
        FANOUT_REMOTE,
        JSON,
        STORE,
    ],
    examples=[
        "opensession doctor",
        "opensession doctor --fix",
        "opensession doctor --fix --yes --fanout-mode hidden_ref --fanout-remote origin",
        "opensession doctor --json --strict",
        "opensession doctor --unfix",
    ],
    exits=(4, 6, 8, 9, 10),
)


def run(args: Args, report: Report) -> int:
    """Check, fix or unfix."""
    fixing, unfixing = args.flag("--fix"), args.flag("--unfix")
    if fixing and unfixing:
        raise UsageError(
            "--fix and --unfix are opposites", next=["opensession doctor --fix", "opensession doctor --unfix"]
        )
    if args.flag("--yes") and not (fixing or unfixing):
        raise UsageError(
            "--yes answers the question of --fix, and goes with it",
            next=["opensession doctor --fix --yes --fanout-mode hidden_ref", "opensession doctor --fix"],
        )
    for option in ("--fanout-mode", "--fanout-remote"):
        if args.text(option) is not None and not fixing:
            value = args.one(option)
            raise UsageError(
                f"{option} is set by --fix, and goes with it",
                next=[
                    f"opensession doctor --fix {option} {value}",
                    f"opensession doctor --fix --yes {option} {value}",
                ],
            )
    if args.flag("--strict") and (fixing or unfixing):
        raise UsageError(
            "--strict is about what is found, and nothing is fixed then", next=["opensession doctor --strict"]
        )
    from opensession.cli.settingup import check, fix, unfix

    if fixing:
        return fix(args, report)
    return unfix(args, report) if unfixing else check(args, report, strict=args.flag("--strict"))
