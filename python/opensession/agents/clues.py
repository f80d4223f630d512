"""What the first lines of a log tell: the folder it was written in, and the repository's remote.

Owns how little of a log is read for that. A log may be gigabytes and hostile: at most a megabyte is looked at, and
what is no JSON is passed over.
"""

from __future__ import annotations

import os

from opensession.exactjson import loads
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.agents.known import Agent

_LIMIT = 1 << 20
"""Bytes of a log that are read in search of its folder. The instructions that Codex writes into its first record are
20 KiB; snapshots that Claude Code writes before its first message are a few hundred bytes each.
"""
_STEP = 1 << 16
_COMPRESSED = b"\x28\xb5\x2f\xfd"


class Clue(NamedTuple):
    """Where a log was written, as far as it says."""

    folder: str | None
    remote: str | None


def clue_in(agent: Agent, fd: int) -> Clue:
    """What the log in this open file tells."""
    for line in _lines(fd):
        try:
            record = loads(line)
        except (ValueError, RecursionError):
            continue
        folder = _member(record, agent.folder)
        if folder is not None:
            return Clue(folder, _member(record, agent.remote))
    return Clue(None, None)


def _member(value: object, path: tuple[str, ...]) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if path and isinstance(value, str) and value else None


def _lines(fd: int) -> Iterator[bytes]:
    """The complete lines at the beginning of a log, up to the limit."""
    if os.pread(fd, 4, 0) == _COMPRESSED:
        yield from _unpacked(fd)
        return
    rest, offset = b"", 0
    while offset < _LIMIT and (piece := os.pread(fd, _STEP, offset)):
        offset += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if offset < _LIMIT:
        yield rest  # the whole log: its last line may lack its end


def _unpacked(fd: int) -> Iterator[bytes]:
    """The same for a compressed log; the core writes into a pipe, and no more of it than is asked for."""
    import threading
    from contextlib import suppress

    from opensession import core

    source = os.dup(fd)
    reader, writer = os.pipe()

    def unpack() -> None:
        # A damaged frame ends early, and a closed pipe is how the reader says that it has enough.
        with suppress(Exception):
            os.lseek(source, 0, os.SEEK_SET)
            core.unpack(source, writer)
        os.close(writer)
        os.close(source)

    thread = threading.Thread(target=unpack, daemon=True)
    thread.start()
    try:
        rest, got = b"", 0
        while got < _LIMIT and (piece := os.read(reader, _STEP)):
            got += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if got < _LIMIT:
            yield rest
    finally:
        os.close(reader)
        thread.join()
