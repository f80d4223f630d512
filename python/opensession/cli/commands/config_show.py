"""``opensession config show``: what the configuration says, and what of it is in force."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from opensession.actions import config as action
from opensession.cli.command import JSON, Command
from opensession.cli.configlines import config_document, config_lines, ignored_lines

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "config show",
    "print what the configuration says and what of it is in force",
    """\
Prints the keys of `.opensession/config.toml` that are in force here. The file comes with a clone,
so on its own it may only name a web address and make this program more careful; any other key is
listed as ignored until `opensession config trust`.""",
    options=[JSON],
    examples=["opensession config show"],
    exits=(4, 6, 8),
)


def run(args: Args, report: Report) -> int:
    """Print the configuration."""
    config = action.show(Path.cwd(), os.environ)
    if report.json:
        report.document(config_document(config))
        return 0
    lines = config_lines(config)
    report.path("config: ", config.path)
    report.out("\n".join(lines))
    for line in ignored_lines(config):
        report.note(line)
    return 0
