"""What is in a store: one entry an object, read from its first and last line.

Owns which of several readings of one log is the current one. Reads no event, so a store of gigabytes lists at
once. The lines are shown, not trusted: their bytes are not checked here.
"""

from __future__ import annotations

import os
import re

from opensession.errors import OpensessionError
from opensession.exactjson import loads
from opensession.model import time_key
from opensession.store.lines import first_line, last_line
from opensession.store.records import Entry
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from opensession.store.tree import Found, Tree

_PARSER = re.compile(r"(.+)/(0|[1-9][0-9]{0,17})")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?Z")


def entries(tree: Tree) -> Iterator[Entry]:
    """Every object of the tree, in the order of the addresses."""
    for found in tree.walk():
        if found.sha256 is not None and (entry := _entry(found, found.sha256)) is not None:
            yield entry


def _entry(found: Found, sha256: str) -> Entry | None:
    read = described(found, sha256)
    return None if read is None else read[0]


def described(found: Found, sha256: str) -> tuple[Entry, dict[str, Any], dict[str, Any]] | None:
    """An object with its header and stats, which are empty where it has a problem; None where it is gone."""
    path = found.folder.path / found.name
    try:
        fd = found.folder.file(found.name)
    except OpensessionError as error:
        return _unreadable(sha256, found, error.message), {}, {}
    if fd is None:
        return None  # removed since its name was read
    try:
        state = os.fstat(fd)
        header, stats = loads(first_line(fd)), loads(last_line(fd))
        agent, context = header["agent"], header["context"]
        if header["type"] != "header" or stats["type"] != "stats":
            raise ValueError("it does not begin with a header and end with stats")
        entry = Entry(
            uri=format_local(sha256),
            sha256=sha256,
            bytes=state.st_size,
            path=path,
            modified=state.st_mtime,
            session_id=_text(header["session_id"]),
            tool=_text(agent["tool"]),
            model=_text(agent["model"]),
            title=_text(context.get("title")),
            created_at=_text(context["created_at"]),
            updated_at=_text(context["updated_at"]),
            event_count=_count(stats.get("event_count")),
            source=stats["source"] if isinstance(stats.get("source"), dict) else None,
            current=True,
            problem=None,
        )
        return entry, header, stats
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # What exactly is wrong may quote the content; `verify` says it with the care that takes.
        problem = "it does not begin with a header and end with stats"
        return _unreadable(sha256, found, problem, os.fstat(fd)), {}, {}
    finally:
        os.close(fd)


def _unreadable(sha256: str, found: Found, problem: str, state: os.stat_result | None = None) -> Entry:
    return Entry(
        uri=format_local(sha256),
        sha256=sha256,
        bytes=0 if state is None else state.st_size,
        path=found.folder.path / found.name,
        modified=0.0 if state is None else state.st_mtime,
        session_id=None,
        tool=None,
        model=None,
        title=None,
        created_at=None,
        updated_at=None,
        event_count=None,
        source=None,
        current=True,
        problem=problem,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def newest_first(found: Iterable[Entry]) -> list[Entry]:
    """Sorted by the session's last time, those without one at the end, ties by address."""
    dated: list[Entry] = []
    undated: list[Entry] = []
    for entry in found:
        (dated if entry.updated_at and _TIME.fullmatch(entry.updated_at) else undated).append(entry)
    dated.sort(key=lambda e: e.sha256)
    dated.sort(key=lambda e: time_key(e.updated_at or ""), reverse=True)
    undated.sort(key=lambda e: e.sha256)
    return dated + undated


def marked(found: Iterable[Entry]) -> Iterator[Entry]:
    """The same entries with ``current`` set as docs/hail.md section 4 says.

    Of sessions with the same ``session_id`` and ``source.blake3`` the highest parser is current; it also
    supersedes one of a lower parser that had read at most as many bytes of the log.
    """
    all_entries = list(found)
    superseded = superseded_among(
        (e.sha256, e.session_id, source.get("parser"), source.get("bytes"), source.get("blake3"))
        for e in all_entries
        if (source := e.source) is not None
    )
    for entry in all_entries:
        yield entry._replace(current=False) if entry.sha256 in superseded else entry


def superseded_among(
    found: Iterable[tuple[str, str | None, object, object, object]],
) -> set[str]:
    """The addresses that others supersede, given each with its ``session_id``, and its ``source``'s ``parser``,
    ``bytes`` and ``blake3``, where it has them.
    """
    groups: dict[tuple[str, str], list[tuple[int, int, str, str]]] = {}
    for sha256, session_id, *source in found:
        if session_id is not None and (reading := _reading(*source)) is not None:
            agent, parser, size, blake3 = reading
            groups.setdefault((session_id, agent), []).append((parser, size, blake3, sha256))
    return {sha256 for group in groups.values() for sha256 in _superseded(group)}


def _superseded(group: list[tuple[int, int, str, str]]) -> Iterator[str]:
    """The addresses in one group that a higher parser's reading supersedes."""
    group.sort(key=lambda reading: reading[0], reverse=True)
    logs: set[str] = set()
    longest = -1
    at = 0
    while at < len(group):
        end = at
        while end < len(group) and group[end][0] == group[at][0]:
            end += 1
        same_parser = group[at:end]
        yield from (sha256 for _, size, blake3, sha256 in same_parser if blake3 in logs or size <= longest)
        logs.update(blake3 for _, _, blake3, _ in same_parser)
        longest = max(longest, *(size for _, size, _, _ in same_parser))
        at = end


def _reading(parser: object, size: object, blake3: object) -> tuple[str, int, int, str] | None:
    """``(agent, parser, bytes, blake3)`` of a session whose ledger says so."""
    if not isinstance(parser, str) or not isinstance(blake3, str):
        return None
    named = _PARSER.fullmatch(parser)
    if named is None or not isinstance(size, int) or isinstance(size, bool):
        return None
    return named[1], int(named[2]), size, blake3
