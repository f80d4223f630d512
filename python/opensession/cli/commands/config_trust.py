"""``opensession config trust``: let every key of this folder's configuration count."""

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
    "config trust",
    "let every key of this repository's configuration count",
    """\
Records the SHA-256 of `.opensession/config.toml` for this folder, on this machine only, and prints
what is in force from now on. Read the file first: it came with the clone. As soon as it changes it
is no longer trusted.""",
    options=[JSON],
    examples=["opensession config trust"],
    exits=(4, 6, 8),
)


def run(args: Args, report: Report) -> int:
    """Record the hash."""
    config = action.trust(Path.cwd(), os.environ)
    if report.json:
        report.document(config_document(config))
        return 0
    report.path("trusted: ", config.path)
    report.out("\n".join([f"sha256: {config.sha256}", *config_lines(config)]))
    for line in ignored_lines(config):
        report.note(line)
    return 0
