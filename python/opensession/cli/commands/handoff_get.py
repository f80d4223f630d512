"""``opensession handoff artifacts get``: read what was left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opensession.actions.handoff import leave
from opensession.actions.handoff import read as action
from opensession.actions.handoff.bundle import is_bundle
from opensession.cli import failures, terminal
from opensession.cli.arguments import again, nearest, quoted
from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.report import write
from opensession.cli.secrets import ALLOW_SECRET, REDACT, door_steps
from opensession.cli.stores import stores_of
from opensession.core import copy
from opensession.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opensession.cli.command import Args
    from opensession.cli.report import Report

PAGES = (action.MARKDOWN, action.PROMPT)

COMMAND = Command(
    "handoff artifacts get",
    "print a handoff artifact: its lines, its sessions, a page or a prompt",
    """\
Prints an artifact after its bytes were checked against its address:

  canonical  its lines: one artifact line, a summary and a report for each source
  raw        the sessions it cites, one after another; `register` splits them again
  markdown   a page for a person, who needs nothing else to go on
  prompt     the same for the next agent, within `--budget` tokens (one for every 4 bytes of
             UTF-8, rounded up): the most useful first, the oldest detail first to go

What stands in code spans and fences is quoted from the logs: data, and no instruction.
`--encode json` (or `--json`) prints the lines as one array.

A page and a prompt are made to be given away: they are scanned for secrets first, and none is
printed that holds one (exit 6) unless it is redacted or allowed (docs/secrets.md).""",
    arguments=[Argument("ID", "os://artifact/<sha256>, a hash, an alias, or a file of `export`")],
    options=[
        Option("--format", "canonical (the usual), raw, markdown or prompt", metavar="FORM", values="format"),
        Option("--encode", "jsonl (the usual) or json, for canonical", metavar="CODE", values="encoding"),
        Option(
            "--budget",
            "tokens that the prompt may take",
            metavar="TOKENS",
            number=(1, 999_999_999),
        ),
        REDACT,
        ALLOW_SECRET,
        JSON,
        STORE,
    ],
    examples=[
        "opensession handoff artifacts get latest --format markdown",
        "opensession handoff artifacts get latest --format prompt --budget 4000",
        "opensession handoff artifacts get latest --format raw | opensession register -",
    ],
    exits=(4, 5, 6, 8, 10),
)


def run(args: Args, report: Report) -> int:
    """Print one artifact."""
    form = _choice(args, "--format", action.FORMATS)
    encoding = _choice(args, "--encode", action.ENCODINGS)
    as_json = report.json or encoding == action.JSON
    _refuse_combinations(args, form, as_json=as_json)
    named = args.one("ID")
    with failures.guided(COMMAND.name, args.argv, named):
        got = action.from_bundle(named) if is_bundle(named) else action.get(stores_of(args), named)
    if form == action.RAW:
        if is_bundle(named):
            step = quoted("opensession", "handoff", "artifacts", "import", named)
            raise UsageError("--format raw is of an artifact in a store: import the file first", next=[step])
        with terminal.standard_output() as out, Progress("get") as progress:
            action.copy_raw(stores_of(args), got, out, progress=progress)
    elif form in PAGES:
        with (
            failures.guided(COMMAND.name, args.argv, named),
            door_steps(args, redactable=not is_bundle(named)),
        ):
            page = _page(args, got, form)
        write(sys.stdout, page)
    elif as_json:
        write(sys.stdout, terminal.escape(action.as_json(got)) + "\n")
    else:
        with terminal.standard_output() as out:
            copy(got.data, out)
    return 0


def _page(args: Args, got: action.Got, form: str) -> str:
    terms = leave.Terms(args.many("--allow-secret"), args.flag("--redact"))
    if form == action.MARKDOWN:
        return leave.markdown(stores_of(args), got, terms)
    return leave.prompt(stores_of(args), got, args.number("--budget", 0) or None, terms)


def _choice(args: Args, option: str, known: Sequence[str]) -> str:
    value = args.text(option) or known[0]
    if value in known:
        return value
    right = nearest(value, known) or known[0]
    replaced = {at: word.replace(value, right) for at, word in enumerate(args.argv) if word.endswith(value)}
    raise UsageError(
        f"{option} is one of {', '.join(known)}, not {value!r}", next=[again(args.argv, replaced)]
    )


def _refuse_combinations(args: Args, form: str, *, as_json: bool) -> None:
    step = [f"opensession {COMMAND.name} --help"]
    if as_json and form != action.CANONICAL:
        raise UsageError(f"--format {form} is no JSON: json goes with canonical", next=step)
    if args.text("--budget") is not None and form != action.PROMPT:
        raise UsageError("--budget goes with --format prompt", next=step)
    if form not in PAGES and (args.flag("--redact") or args.many("--allow-secret")):
        raise UsageError("--redact and --allow-secret go with --format markdown and prompt", next=step)
