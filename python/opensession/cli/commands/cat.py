"""``opensession cat``: the bytes of a stored session."""

from __future__ import annotations

import os

from opensession.actions import cat as action
from opensession.actions import targets
from opensession.actions.targets import is_address
from opensession.cli import failures
from opensession.cli.arguments import quoted
from opensession.cli.command import REMOTE, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import place_of, stores_of
from opensession.cli.terminal import standard_output
from opensession.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "cat",
    "print the bytes of a session",
    """\
Prints the canonical bytes, checked: objects up to 64 MiB before the first byte leaves, larger ones
while they stream, so that a wrong hash ends the command with 5 after the bytes. `--check-first`
reads twice instead and prints nothing that is wrong.

A session at a git remote is read through the remote that is configured here for it, with its own
URL and credentials, else by https, and kept in the store. A note says where its address could not
be checked.

Files and pipes get the exact bytes. On a terminal, characters that a terminal would obey are shown
as JSON escapes. A closed pipe ends the command quietly with 0.""",
    arguments=[Argument("URI", "os://src/…, the hash, or its first 8 digits or more", values="")],
    options=[
        Option("--check-first", "check all bytes before the first one is printed, whatever the size"),
        REMOTE,
        STORE,
    ],
    examples=[
        'opensession cat "$uri"',
        "opensession cat 3f0c5c1e | head -n 1",
        "opensession cat --check-first 3f0c5c1e > ./session.hail.jsonl",
    ],
    exits=(3, 4, 5, 6, 7, 8),
)


def run(args: Args, report: Report) -> int:
    """Print one session."""
    address = args.one("URI")
    if not is_address(address) and os.path.exists(address):
        steps = [quoted("opensession", "inspect", address), quoted("opensession", "register", address)]
        raise UsageError(f"{address!r} is a file; 'opensession cat' prints what is stored", next=steps)
    with failures.guided("cat", args.argv, address), Progress("cat") as progress:
        target = targets.find(stores_of(args), address, place_of(args))
        for doubt in targets.doubts(target.origin):
            report.note(f"note: {doubt}")
        with standard_output() as out:
            action.cat(target, out, check_first=args.flag("--check-first"), progress=progress)
    return 0
