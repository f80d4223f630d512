"""Looks through the commits of a push: for secrets in what they add, and for sessions that belong to them.

Owns how much is looked at in the time there is. A finding names the rule, the commit and the file; the line stays where
it is.
"""

from __future__ import annotations

import json
import time

from opensession import core
from opensession.errors import BusyError
from opensession.git.added import added_lines, messages, new_commits
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opensession.actions.setup.pushed import PushedRef
    from opensession.git.added import Added
    from opensession.git.ledger import Ledger
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository

SHOWN = 10
_AT_ONCE = 200
"""Commits that one process of git shows; the time is looked at between two of them."""
_BLOCK = 4 << 20
_NOTED = 200
"""New commits whose sessions a note on the tip names; it is read by people."""
_MOST = 1000
"""Findings that are kept; nobody reads more."""


class Secret(NamedTuple):
    """Something that looks like a secret, by its place."""

    rule: str
    commit: str
    """Or the tag."""
    path: str
    """Of the file; of no file, what has the words."""


class Looked(NamedTuple):
    """What a look at the pushed commits came to."""

    seen: int
    left: int
    """Commits that there was no time for."""
    secrets: tuple[Secret, ...]
    """Each rule once for each file of a commit."""


def look(repository: Repository, remote: str | None, refs: Sequence[PushedRef], until: float) -> Looked:
    """Scan what the new commits of the pushed refs add and say, the newest first, until ``until`` (monotonic).

    ``remote`` is the remote's name, where the push is to one that has a name.
    """
    if not refs:
        return Looked(0, 0, ())
    known = [ref.remote_oid for ref in refs if ref.remote_oid.strip("0")]
    pushed = list(dict.fromkeys(ref.local_oid for ref in refs))
    commits = new_commits(repository, pushed, known, remote, timeout=_left(until))
    found: dict[Secret, None] = dict.fromkeys(scanned(messages(repository, pushed, "tag")))
    seen = 0
    while seen < len(commits) and time.monotonic() < until and len(found) < _MOST:
        some = commits[seen : seen + _AT_ONCE]
        try:
            for secret in scanned(messages(repository, some, "commit")):
                found.setdefault(secret)
            for secret in scanned(added_lines(repository, some, timeout=_left(until))):
                found.setdefault(secret)
        except BusyError:  # out of time in the middle of them
            break
        seen += len(some)
    return Looked(seen, len(commits) - seen, tuple(found))


def _left(until: float) -> float:
    return max(0.1, until - time.monotonic())


def scanned(added: Iterable[Added]) -> list[Secret]:
    """The secrets in added lines.

    Each stretch of lines is handed to the scanner as one JSON string, so that a key of several lines is seen whole.
    """
    found: list[Secret] = []
    block: list[Added] = []
    size = 0
    for each in added:
        block.append(each)
        size += len(each.text)
        if size >= _BLOCK:
            found += _block(block)
            block, size = [], 0
    return found + _block(block)


def _block(block: Sequence[Added]) -> list[Secret]:
    if not block:
        return []
    lines = "".join(json.dumps(each.text.decode("utf-8", "replace")) + "\n" for each in block)
    places = core.scan(lines.encode(), limit=_MOST)
    return [
        Secret(place["rule"], block[place["line"] - 1].commit, block[place["line"] - 1].path)
        for place in places
    ]


def note(
    repository: Repository, ledger: Ledger, remote: str | None, refs: Sequence[PushedRef], place: Remote
) -> bool:
    """Note on each pushed tip of a branch which sessions its new commits come from; whether any note is new."""
    from opensession.git import notes

    changed = False
    for ref in refs:
        if ref.deletes or not {ref.local_ref[:11], ref.remote_ref[:11]} & {"refs/heads/"}:
            continue
        known = [ref.remote_oid] if ref.remote_oid.strip("0") else []
        commits = new_commits(repository, [ref.local_oid], known, remote, timeout=10.0)
        addresses = _addresses(ledger, list(dict.fromkeys([ref.local_oid, *commits]))[:_NOTED], place)
        if addresses:
            changed |= notes.add(ledger, ref.local_oid, addresses)
    return changed


def _addresses(ledger: Ledger, commits: Sequence[str], place: Remote) -> list[str]:
    """Where the sessions of these commits are read from elsewhere, each once."""
    from opensession.git.entries import session_path
    from opensession.uri import remote_uri

    with ledger:
        sessions = dict.fromkeys(link.sha256 for commit in commits for link in ledger.links(commit))
        return [
            str(remote_uri(place.normal, ledger.ref, session_path(sha256)))
            for sha256 in sessions
            if ledger.has(sha256)
        ]
