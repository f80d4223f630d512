"""How commits, their sessions and the events behind a line look in text and in JSON, the same for every command.

Owns the keys. Must not know how they were found.
"""

from __future__ import annotations

from datetime import UTC, datetime

from opensession.git.refs import branch_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.log import Session
    from opensession.git.history import Commit

SHORT = 12
"""Digits of an id that are shown."""
_TITLE = 60
_HOW = {"patch_id": "found by its patch id", "content": "found by its content, in no ledger yet"}


def commit_row(commit: Commit) -> dict[str, object]:
    """A commit for ``--json``."""
    return {
        "oid": commit.oid,
        "author": commit.author,
        "author_time": utc(commit.author_time),
        "committer_time": utc(commit.committer_time),
        "subject": commit.subject,
    }


def commit_line(commit: Commit) -> str:
    """A commit for people."""
    return f"{commit.oid[:SHORT]}  {utc(commit.author_time)}  {_flat(commit.author)}  {_flat(commit.subject)}"


def session_row(session: Session) -> dict[str, object]:
    """A session of a commit for ``--json``."""
    known = session.known
    return {
        "uri": session.uri,
        "stored": session.stored,
        "hash": known.link.sha256,
        "tool": session.tool,
        "title": session.title,
        "confidence": round(known.link.confidence, 4),
        "reasons": list(known.link.reasons),
        "how": known.how,
        "ledger": known.ledger,
        "remote": known.remote,
        "supersedes": list(known.supersedes),
    }


def session_line(session: Session) -> str:
    """A session of a commit for people."""
    known = session.known
    title = f"  {_flat(session.title)[:_TITLE]}" if session.title else ""
    tool = f"  {_flat(session.tool)}" if session.tool else ""
    return f"{known.link.sha256[:SHORT]}  {known.link.confidence:4.0%}{tool}{title}"


def because(session: Session) -> str:
    """Why a session is taken for a commit's, for people."""
    known = session.known
    parts = [", ".join(reason for reason in known.link.reasons if reason != "patch_id")]
    if known.how in _HOW:
        parts.append(_HOW[known.how])
    if known.ledger is not None:
        where = f"the ledger of {branch_of(known.ledger) or known.ledger}"
        parts.append(where if known.remote is None else f"{where} at {known.remote}")
    if known.supersedes:
        count = len(known.supersedes)
        parts.append(f"with {count} earlier {'state' if count == 1 else 'states'} of it")
    return "; ".join(part for part in parts if part)


def utc(seconds: int) -> str:
    """A time of git as the project writes times."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a commit may claim any time
        return f"@{seconds}"


def _flat(text: str) -> str:
    """Somebody else's words on one line."""
    return " ".join(text.split())
