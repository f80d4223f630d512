"""``opensession why``: which session wrote a line, and what was asked for."""

from __future__ import annotations

import os
from pathlib import Path

from opensession.cli.command import JSON, STORE, Argument, Command, Option
from opensession.cli.commands.log import FETCH
from opensession.cli.report import visible
from opensession.cli.stores import stores_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.why import Answer, Why, Wrote
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.git.repository import Repository

_PATIENCE = 10.0
"""Seconds in which a commit without a link is compared with sessions."""
_PROMPT = 200
"""Characters of a prompt that are shown."""

COMMAND = Command(
    "why",
    "tell which session wrote a line, and what was asked for",
    """\
Asks git which commit the line is from, and the ledgers which sessions made that commit; then reads
those sessions for the event that wrote the line and for what a person had said before it. The
percentage is the share of the commit's added lines that the session wrote.

Without `--rev` the file is taken as it stands in the work tree. A line that is not committed, or
whose commit no session is known for, is told as such (exit 0). `--fetch` reads the ledgers of a
remote as they are now, and brings the sessions of the commit here.""",
    arguments=[Argument("FILE:LINE", "a file and a line of it, from 1", values="file")],
    options=[
        Option("--rev", "the file as it is in this commit", metavar="REV"),
        FETCH,
        JSON,
        STORE,
    ],
    examples=[
        "opensession why src/heat.py:12",
        "opensession why src/heat.py:12 --rev v1.2 --json",
        "opensession why src/heat.py:12 --fetch origin",
    ],
    exits=(4, 5, 6, 7, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Answer for one line."""
    from opensession.actions import why as action
    from opensession.actions.links.clock import Clock
    from opensession.cli import revisions

    file, line = revisions.place(args.one("FILE:LINE"))
    repository = revisions.repository()
    found = action.why(
        stores_of(args),
        repository,
        revisions.path_in(repository, file, Path.cwd()),
        line,
        revision=args.text("--rev"),
        fetch=args.text("--fetch"),
        env=os.environ,
        clock=Clock.lasting(_PATIENCE),
    )
    if report.json:
        report.document(_document(found))
        return 0
    # The name of a file, or of an event, may hold the end of a line.
    report.out("\n".join(map(visible, _lines(found))))
    revisions.note_left(report, found.left)
    report.advise(_steps(found) or _further(args, repository, found))
    return 0


def _document(found: Why) -> dict[str, object]:
    from opensession.cli.commitlines import commit_row

    return {
        "file": found.path,
        "line": found.line,
        "text": found.text,
        "committed": found.commit is not None,
        "commit": None
        if found.commit is None
        else {**commit_row(found.commit), "file": found.blamed.path, "line": found.blamed.line},
        "sessions": [_row(answer) for answer in found.answers],
        "sessions_left": found.left,
    }


def _row(answer: Answer) -> dict[str, object]:
    from opensession.cli.commitlines import session_row

    return {
        **session_row(answer.session),
        "event": None if answer.wrote is None else _event(answer.wrote),
        "problem": answer.problem,
    }


def _event(wrote: Wrote) -> dict[str, object]:
    event: dict[str, object] = wrote._asdict()
    event["type"] = event.pop("kind")
    event["prompt"] = None if wrote.prompt is None else wrote.prompt._asdict()
    return event


def _lines(found: Why) -> list[str]:
    from opensession.cli.commitlines import commit_line

    place = f"{found.path}:{found.line}"
    if found.commit is None:
        return [f"{place} is not committed yet, so no session is known for it"]
    lines = [f"{place} is from {commit_line(found.commit)}"]
    if (found.blamed.path, found.blamed.line) != (found.path, found.line):
        lines.append(f"where it was {found.blamed.path}:{found.blamed.line}")
    if found.cut:
        lines.append("where this shallow clone ends: the line may be from an older commit")
    if not found.answers:
        return [*lines, "no session is known for that commit"]
    return lines + [line for answer in found.answers for line in _answer(answer)]


def _answer(answer: Answer) -> list[str]:
    from opensession.cli.commitlines import because, session_line

    lines = [f"session {session_line(answer.session)}", f"  because: {because(answer.session)}"]
    if answer.wrote is not None:
        wrote = answer.wrote
        lines.append(
            f"  written by: {wrote.kind} {wrote.event_id}, event {wrote.ordinal}, at {wrote.timestamp}"
        )
        if wrote.prompt is not None:
            lines.append(f"  asked for: {wrote.prompt.text[:_PROMPT]}")
    elif answer.problem is not None:
        lines.append(f"  which event wrote the line is not known: {answer.problem}")
    elif answer.session.known.link.confidence > 0:
        lines.append("  it wrote other lines of the commit, not this one")
    else:
        lines.append(
            "  it ran at that time in that folder; none of the commit's lines are known to be its own"
        )
    return lines


def _steps(found: Why) -> list[str]:
    """How to look at the event, where there is one."""
    if found.commit is None:
        return ["git commit", "opensession ls"]
    for answer in found.answers:
        read = _reading(answer)
        if answer.wrote is not None:
            # The header is the first line.
            line = answer.wrote.ordinal + 2
            return [*read, f"opensession cat {answer.session.uri} | sed -n {line}p"]
        if answer.problem is None:
            return [*read, f"opensession inspect {answer.session.uri}"]
    return []


def _further(args: Args, repository: Repository, found: Why) -> list[str]:
    """Where a session may be found that is not known here."""
    from opensession.cli.arguments import again
    from opensession.git import remotes

    assert found.commit is not None, "what is not committed has steps of its own"
    steps = ["git fetch --unshallow"] if found.cut else []
    absent = not any(answer.session.stored for answer in found.answers)
    names = remotes.names_of(repository) if absent and args.text("--fetch") is None else []
    if names:
        name = "origin" if "origin" in names else names[0]
        steps.append(again([args.argv[0], "--fetch", name, *args.argv[1:]], {}))
    return [*steps, "opensession link", f"git show {found.commit.oid[:12]}"]


def _reading(answer: Answer) -> list[str]:
    """What comes before a session that is only in a ledger of this repository can be read."""
    from opensession.git.entries import session_path

    known = answer.session.known
    if answer.session.stored or known.remote is not None or known.ledger is None:
        return []
    return [f"git cat-file blob {known.ledger}:{session_path(known.link.sha256)} | opensession register -"]
