"""``opensession parse``: a log in, canonical HAIL out."""

from __future__ import annotations

import os

from opensession.actions import inputs
from opensession.actions import parse as action
from opensession.cli import failures
from opensession.cli.arguments import as_file, quoted
from opensession.cli.command import JOBS, JSON, STORE, Argument, Command, Option
from opensession.cli.progress import Progress
from opensession.cli.shape import session_lines, session_row
from opensession.cli.stores import spool_of
from opensession.cli.terminal import standard_output
from opensession.core import DEFAULT_JOBS
from opensession.errors import LossesError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opensession.actions.parse import Parsed
    from opensession.cli.command import Args
    from opensession.cli.report import Report

COMMAND = Command(
    "parse",
    "turn an agent's log into canonical HAIL",
    """\
Reads the log of an AI coding agent and writes one canonical session: the same bytes for the same
log, on every machine. Nothing is stored. A log that is still being written gives all its complete
records. With `--profile hail` a HAIL file is brought into canonical form.

An explicit profile is the only one that is tried. `auto` decides on the keys of the first records;
`--preview` shows how sure it is and why.

Everything that could not be read as it was meant is counted in the ledger (`--preview`, `inspect`).
`--strict` exits 10 when the ledger counts a loss: damaged records, or the repairs duplicate_key,
spliced, nul_run, lone_surrogate, invalid_utf8, number_overflow and depth. Records of unknown kind
are kept whole and are no loss, nor is a cut last line.

`--out` writes a temporary file beside the target and renames it when all is well, so a failure
leaves the target as it was. A device or a named pipe (/dev/null) is written directly. On a
terminal, characters that a terminal would obey are shown as JSON escapes.

`--json` prints the report on standard output; without `--out` that carries the session, and the
report goes to standard error. A closed pipe ends the command quietly with 0.""",
    arguments=[Argument("FILE", "the log, plain or zstd or gzip; - reads standard input")],
    options=[
        Option(
            "--profile",
            "which agent wrote it: claude-code, codex, hail, or auto",
            metavar="ID",
            usual="auto",
            values="profile",
        ),
        Option("--out", "write here instead of standard output", metavar="F", values="file"),
        Option("--preview", "also print what was found (profile, ledger, warnings) to standard error"),
        Option(
            "--validate", "check the output once more with an independent pass before anything is written"
        ),
        Option("--strict", "exit 10 if anything was lost; the output is written all the same"),
        Option("--final", "the log is complete: keep a cut last line as a damaged record"),
        JOBS,
        JSON,
        STORE,
    ],
    examples=[
        "opensession parse --profile codex ./raw-session.jsonl --preview",
        "opensession parse --profile claude-code ./raw.jsonl --out ./session.hail.jsonl",
        "opensession parse --profile auto - < ./raw.jsonl | opensession register -",
    ],
    exits=(3, 4, 8, 10),
    bytes_unless="--out",
)


def run(args: Args, report: Report) -> int:
    """Parse one log."""
    named, profile = args.one("FILE"), args.one("--profile")
    with failures.guided("parse", args.argv, named, profile):
        parsed = _parse(args, named, profile)
    _tell(args, report, parsed)
    lost = _lost(parsed)
    if lost and args.flag("--strict"):
        raise LossesError(
            f"done, but the ledger counts losses: {_listed(lost)}", next=_where_to_look(args, named, parsed)
        )
    return 0


def _parse(args: Args, named: str, profile: str) -> Parsed:
    action.check_profile(profile)
    spool = spool_of(args)
    parse: Callable[..., Parsed] = action.parse
    if args.flag("--validate"):
        from functools import partial

        parse = partial(action.validated, spool=spool)
    with (
        inputs.open_input(named, spool) as source,
        _output(args.text("--out")) as out,
        Progress("parse") as progress,
    ):
        return parse(
            source.fd,
            out,
            profile=profile,
            source_name=source.name,
            final=args.flag("--final"),
            jobs=args.number("--jobs", DEFAULT_JOBS),
            progress=progress,
        )


def _output(path: str | None) -> AbstractContextManager[int]:
    if path in (None, "-"):
        return standard_output()
    from opensession.actions.outputs import atomic_output

    return atomic_output(path)


def _tell(args: Args, report: Report, parsed: Parsed) -> None:
    """The report, as asked for; what a person must know even when nothing was asked."""
    if report.json:
        report.rows("sessions", _rows(args, parsed))
        return
    if args.flag("--preview"):
        report.note("\n".join(_preview(parsed)))
        return
    if lost := _lost(parsed):
        report.note(f"warning: the ledger counts losses: {_listed(lost)}; --preview shows the whole ledger")
    for session in parsed.sessions:
        if cut := action.repairs(session).get("tail_incomplete"):
            report.note(f"note: the last line is incomplete and was left out ({cut} bytes); --final keeps it")


def _rows(args: Args, parsed: Parsed) -> list[dict[str, object]]:
    about: dict[str, object] = {
        "profile": parsed.profile,
        "candidates": list(parsed.candidates),
        "out": args.text("--out"),
        "validated": args.flag("--validate"),
    }
    return [
        about
        | session_row(session)
        | {"hash": session["sha256"], "bytes": session["bytes"], "input_bytes": session["input_bytes"]}
        | {"losses": action.losses(session)}
        for session in parsed.sessions
    ]


def _preview(parsed: Parsed) -> list[str]:
    lines = [f"parser_used: {parsed.profile}"]
    found = next((c for c in parsed.candidates if c["profile"] == parsed.profile), None)
    lines.append(
        "confidence: 0 (the input does not look like it)"
        if found is None
        else f"confidence: {found['confidence']}"
    )
    if found is not None:
        lines += ["reasons:", *(f"- {reason}" for reason in found["reasons"])]
    others = [f"{c['profile']} {c['confidence']}" for c in parsed.candidates if c is not found]
    lines += [f"other_candidates: {', '.join(others)}"] if others else []
    for session in parsed.sessions:
        lines += [f"hash: {session['sha256']}", f"bytes: {session['bytes']}", *session_lines(session)]
        lines.append(f"losses: {_listed(action.losses(session)) or 'none'}")
    return lines


def _lost(parsed: Parsed) -> dict[str, int]:
    total: dict[str, int] = {}
    for session in parsed.sessions:
        for name, count in action.losses(session).items():
            total[name] = total.get(name, 0) + count
    return total


def _listed(lost: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in lost.items())


def _where_to_look(args: Args, named: str, parsed: Parsed) -> list[str]:
    out = args.text("--out")
    if out is not None and os.path.isfile(out):
        return [quoted("opensession", "inspect", as_file(out))]
    if named == inputs.STDIN:
        return ["opensession parse --help"]
    again = ["--profile", parsed.profile, as_file(named), "--preview", "--out", os.devnull]
    return [quoted("opensession", "parse", *again)]
