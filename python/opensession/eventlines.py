"""The lines of one canonical session, by position: a file or bytes, never held as a whole.

Owns the sparse index from ordinals to offsets (one offset for every 256 events, made while reading). Must not
know what a line means.
"""

from __future__ import annotations

import os

from opensession.errors import HailSchemaError, InputChangedError, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Backing(Protocol):
        """Where the bytes are."""

        size: int

        def read(self, size: int, offset: int) -> bytes:
            """Bytes from ``offset``, fewer only where the backing ends or is slow; empty at the end."""

        def close(self) -> None: ...


_PIECE = 1 << 20
_STRIDE = 256


class InMemory:
    """Bytes that the caller handed in."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, size: int, offset: int) -> bytes:
        return self.data[offset : offset + size]

    def close(self) -> None:
        self.data = b""


class OnDisk:
    """An open file that must stay as it was when its session was checked; it owns the descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._state = _state(fd)
        self.size = self._state[0]

    def read(self, size: int, offset: int) -> bytes:
        if self.fd < 0:
            raise ValueError("the session is closed")
        if _state(self.fd) != self._state:
            raise InputChangedError("the session's file was changed after it was opened")
        try:
            return os.pread(self.fd, size, offset)
        except OSError as error:
            raise UnreadableError(
                f"the session's file cannot be read: {error.strerror}", errno=error.errno
            ) from error

    def close(self, _close: Callable[[int], None] = os.close) -> None:
        # Bound early: at the interpreter's end a session may be closed after the module `os` is gone.
        if self.fd >= 0:
            _close(self.fd)
            self.fd = -1


def _state(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_size, found.st_mtime_ns


class EventLines:
    """Header line, event lines by ordinal, stats line."""

    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.header = next(self._lines(0, backing.size), b"")
        self.stats = self._last_line()
        self._start = len(self.header) + 1
        self._end = backing.size - len(self.stats) - 1
        if self._end < self._start:
            raise HailSchemaError("a session has a header line and a stats line")
        self._marks = {0: self._start}  # written by every reader, always with the same value

    def from_ordinal(self, ordinal: int) -> Iterator[bytes]:
        """The event lines from this one on, each without its LF."""
        mark = min(ordinal // _STRIDE, len(self._marks) - 1)
        at, offset = mark * _STRIDE, self._marks[mark]
        for line in self._lines(offset, self._end):
            if at % _STRIDE == 0:
                self._marks[at // _STRIDE] = offset
            if at >= ordinal:
                yield line
            at += 1
            offset += len(line) + 1

    def _lines(self, offset: int, end: int) -> Iterator[bytes]:
        """The lines between two offsets, reading a piece at a time."""
        begun: list[bytes] = []
        while offset < end:
            piece = self.backing.read(min(_PIECE, end - offset), offset)
            if not piece:
                raise InputChangedError("the session's file got shorter after it was opened")
            offset += len(piece)
            lines = piece.split(b"\n")
            begun.append(lines[0])
            if len(lines) > 1:
                yield b"".join(begun)
                yield from lines[1:-1]
                begun = [lines[-1]]
        if begun and (last := b"".join(begun)):
            yield last

    def _last_line(self) -> bytes:
        end, span = self.backing.size, 1 << 16
        while True:
            start = max(0, end - span)
            tail = b"".join(self._pieces(start, end))
            if not tail.endswith(b"\n"):
                raise HailSchemaError("the last line of a session ends with LF")
            cut = tail.rfind(b"\n", 0, -1)
            if cut >= 0 or start == 0:
                return tail[cut + 1 : -1]
            span *= 4

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            piece = self.backing.read(end - start, start)
            if not piece:
                raise InputChangedError("the session's file got shorter after it was opened")
            start += len(piece)
            yield piece
