"""``opensession docs completion``: a completion script for a shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opensession.actions import parse
from opensession.actions.handoff.build import VALIDATE
from opensession.actions.handoff.read import ENCODINGS, FORMATS
from opensession.cli import app
from opensession.cli.arguments import again, nearest
from opensession.cli.command import Argument, Command
from opensession.cli.completion import SHELLS, script
from opensession.cli.report import write
from opensession.errors import UsageError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "docs completion",
    "print a completion script for a shell",
    """\
Prints the script; its first lines say where each shell looks for it.""",
    arguments=[Argument("SHELL", "bash, zsh or fish", values="shell")],
    examples=[
        "opensession docs completion bash > ~/.local/share/bash-completion/completions/opensession",
        "opensession docs completion zsh > ~/.zfunc/_opensession",
        "opensession docs completion fish > ~/.config/fish/completions/opensession.fish",
    ],
    exits=(8,),
)


def run(args: Args, report: Report) -> int:
    """Print the script."""
    shell = args.one("SHELL")
    if shell not in SHELLS:
        right = nearest(shell, list(SHELLS)) or "bash"
        step = again(args.argv, {at: right for at, word in enumerate(args.argv) if word == shell})
        raise UsageError(
            f"there is no completion for {shell!r}; there is for {', '.join(SHELLS)}", next=[step]
        )
    values = {
        "profile": [parse.AUTO, *parse.profile_ids()],
        "shell": list(SHELLS),
        "format": list(FORMATS),
        "encoding": list(ENCODINGS),
        "level": list(VALIDATE),
    }
    shown = [command for name in app.COMMANDS if not (command := app.load(name).COMMAND).hidden]
    write(sys.stdout, script(shell, shown, values))
    return 0
