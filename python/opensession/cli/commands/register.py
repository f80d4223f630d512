"""``opensession register``: store sessions, print their addresses."""

from __future__ import annotations

from opensession.actions import inputs, parse
from opensession.actions import register as action
from opensession.cli import failures
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.core import DEFAULT_JOBS
from opensession.errors import OpensessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import Store, Stored

COMMAND = Command(
    "register",
    "store sessions and print their addresses",
    """\
Stores the canonical form of every session in the files and prints its address: the SHA-256 of its
bytes. An address is printed only when the bytes are on the disk for good. Registering the same
session again changes nothing. A file may hold several sessions, one after the other.

Without `--profile` only HAIL is accepted; with it, an agent's log is parsed and stored in one pass.

In a git repository the store lies in its common git directory (shared by all worktrees, never
cloned), elsewhere in ~/.local/share/opensession; OPENSESSION_HOME and --store change that.

Prints three lines a session: the address, `stored_at:` and `bytes:`. `--json` prints `uri`,
`hash`, `store_path`, `bytes` and `existed` for a single session, and always the list `sessions`.
When one of several files fails the others are registered all the same, and the exit code is that
of the first failure. A closed pipe ends the command quietly with 0.""",
    arguments=[Argument("FILE", "HAIL, or with --profile a log; - reads standard input", many=True)],
    options=[
        Option(
            "--profile",
            "the files are logs of this agent: claude-code, codex, hail, or auto",
            metavar="ID",
            values="profile",
        ),
        Option("--quiet", "print the addresses only"),
        Option("--final", "the log is complete: keep a cut last line as a damaged record"),
        JOBS,
        JSON,
        STORE,
    ],
    examples=[
        "opensession register ./session.hail.jsonl",
        "opensession register --profile claude-code --quiet ./raw.jsonl",
        "opensession parse --profile codex ./raw.jsonl | opensession register -",
    ],
    exits=(3, 4, 6, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Register every file, whatever becomes of the others."""
    profile = args.text("--profile")
    with failures.guided("register", args.argv, profile=profile):
        if profile is not None:
            parse.check_profile(profile)
    store = stores_of(args).write
    rows: list[dict[str, object]] = []
    failed: list[OpensessionError] = []
    for named in args.many("FILE"):
        try:
            with failures.guided("register", args.argv, named, profile):
                sessions = _register(args, store, named, profile)
        except OpensessionError as error:
            if len(args.many("FILE")) == 1:
                raise
            report.error(error)
            failed.append(error)
            continue
        rows += [_row(stored) for stored in sessions]
        _print(args, report, sessions)
    if report.json:
        report.rows("sessions", rows, failed)
    return failed[0].exit_code if failed else 0


def _register(args: Args, store: Store, named: str, profile: str | None) -> list[Stored]:
    spool = None if profile in (None, parse.HAIL) else store.spool
    with inputs.open_input(named, spool) as source, Progress("register") as progress:
        return action.register(
            store,
            source.fd,
            profile=profile,
            source_name=source.name,
            final=args.flag("--final"),
            jobs=args.number("--jobs", DEFAULT_JOBS),
            progress=progress,
        )


def _row(stored: Stored) -> dict[str, object]:
    return {
        "uri": stored.uri,
        "hash": stored.sha256,
        "store_path": stored.place,
        "bytes": stored.bytes,
        "existed": stored.existed,
        "session_id": stored.info["session_id"],
    }


def _print(args: Args, report: Report, sessions: list[Stored]) -> None:
    if report.json:
        return
    for stored in sessions:
        report.out(stored.uri)
        if not args.flag("--quiet"):
            report.path("stored_at: ", stored.place)
            report.out(f"bytes: {stored.bytes}")
