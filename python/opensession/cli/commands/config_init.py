"""``opensession config init``: say where sessions are shown on the web."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from opensession.actions import config as action
from opensession.cli.command import JSON, Command, Option
from opensession.config import INIT_STEP
from opensession.errors import UsageError

if TYPE_CHECKING:
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "config init",
    "say where this repository's sessions are shown on the web",
    """\
Writes `share.base_url` into `.opensession/config.toml` at the top of the repository (outside of
one: in this folder). Every other line of the file stays as it is, comments and spaces included.
There is no default: the address is that of your own server, and `share --web` begins its links
with it. docs/share.md lists what else the file may say.""",
    options=[
        Option("--base-url", "the address that links begin with: http or https", metavar="URL"),
        JSON,
    ],
    examples=["opensession config init --base-url https://sessions.example.com"],
    exits=(6, 8),
)


def run(args: Args, report: Report) -> int:
    """Write the one key."""
    base_url = args.text("--base-url")
    if base_url is None:
        raise UsageError(
            "'opensession config init' needs --base-url: the address of the server that shows your sessions",
            next=[INIT_STEP],
        )
    written = action.init(Path.cwd(), os.environ, base_url)
    if report.json:
        report.document(
            {"config": str(written.path), "base_url": written.base_url, "changed": written.changed}
        )
        return 0
    report.path("config: ", written.path)
    report.out(f"base_url: {written.base_url}")
    return 0
