"""``opensession cat``: the bytes of a stored session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opensession.actions import cat as action
from opensession.actions.targets import is_address
from opensession.cli import failures
from opensession.cli.arguments import quoted
from opensession.cli.command import STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.stores import stores_of
from opensession.cli.terminal import standard_output
from opensession.errors import UsageError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "cat",
    "print the bytes of a stored session",
    """\
Prints the canonical bytes, checked: objects up to 64 MiB before the first byte leaves, larger ones
while they stream, so that a wrong hash ends the command with 5 after the bytes. `--check-first`
reads twice instead and prints nothing that is wrong.

Files and pipes get the exact bytes. On a terminal, characters that a terminal would obey are shown
as JSON escapes. A closed pipe ends the command quietly with 0.""",
    arguments=[
        Argument("URI", "os://src/local/<sha256>, the hash, or its first 8 digits or more", values="")
    ],
    options=[
        Option("--check-first", "check all bytes before the first one is printed, whatever the size"),
        STORE,
    ],
    examples=[
        'opensession cat "$uri"',
        "opensession cat 3f0c5c1e | head -n 1",
        "opensession cat --check-first 3f0c5c1e > ./session.hail.jsonl",
    ],
    exits=(4, 5, 6, 8),
)


def run(args: Args, report: Report) -> int:
    """Print one session."""
    address = args.one("URI")
    if not is_address(address) and os.path.exists(address):
        steps = [quoted("opensession", "inspect", address), quoted("opensession", "register", address)]
        raise UsageError(f"{address!r} is a file; 'opensession cat' prints what is stored", next=steps)
    with failures.guided("cat", args.argv, address), Progress("cat") as progress, standard_output() as out:
        action.cat(stores_of(args), address, out, check_first=args.flag("--check-first"), progress=progress)
    return 0
