"""``opensession docs quickstart``: the first five minutes as a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.actions import parse
from opensession.cli import failures
from opensession.cli.arguments import quoted
from opensession.cli.command import Command, Option

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "docs quickstart",
    "print the first steps as a script",
    """\
Prints a shell script with one comment a step; it does nothing itself. Give it the names of your own
files, or read it and paste line by line. `sh` runs it as it is.""",
    options=[
        Option("--profile", "which agent wrote the log [auto]", metavar="ID", values="profile"),
        Option("--input", "the log [./raw.jsonl]", metavar="FILE", values="file"),
        Option("--out", f"where the session goes [{failures.HAIL_OUT}]", metavar="F", values="file"),
    ],
    examples=[
        "opensession docs quickstart",
        "opensession docs quickstart --profile claude-code --input ./raw.jsonl | sh",
    ],
    exits=(8,),
)


def run(args: Args, report: Report) -> int:
    """Print the script."""
    profile = args.text("--profile") or parse.AUTO
    with failures.guided("docs quickstart", args.argv, profile=profile):
        parse.check_profile(profile)
    log = args.text("--input") or "./raw.jsonl"
    out = args.text("--out") or failures.HAIL_OUT
    report.out(
        f"""\
set -e
# 1. Turn the log into one canonical session; the ledger (what was read, what became of it) goes to the terminal.
{quoted("opensession", "parse", "--profile", profile, log, "--out", out, "--preview")}
# 2. Store it. The address is the SHA-256 of its bytes, and is printed only once they are on the disk.
uri=$({quoted("opensession", "register", out, "--quiet")})
# 3. Look at it.
opensession inspect "$uri"
opensession cat "$uri" | head -n 3
# 4. Prove that it is still what it was.
opensession verify "$uri"
# 5. See what is stored.
opensession ls
# 6. Share it: in a git repository with a remote this records it, and says how to agree to sending it.
# opensession share "$uri" --quick"""
    )
    return 0
