"""The first and the last line of a file, without reading what is between them."""

from __future__ import annotations

import os

_STEP = 64 * 1024
LIMIT = 64 * 1024 * 1024
"""A header or stats line above this is not looked at in a list; such an object is shown with the problem
named.
"""


class LineTooLong(ValueError):
    """A first or last line beyond ``LIMIT``."""


def first_line(fd: int) -> bytes:
    """The first line without its LF."""
    pieces: list[bytes] = []
    offset, step = 0, _STEP
    while offset < LIMIT:
        piece = os.pread(fd, step, offset)
        end = piece.find(b"\n")
        if end >= 0 or not piece:
            return b"".join((*pieces, piece[: max(end, 0)]))
        pieces.append(piece)
        offset += len(piece)
        step = min(step * 2, LIMIT)
    raise LineTooLong("its first line is too long to be a header")


def last_line(fd: int) -> bytes:
    """The last line that is not blank, without its LF."""
    end = os.fstat(fd).st_size
    span = _STEP
    while True:
        start = max(0, end - span)
        tail = _read(fd, start, end).rstrip(b"\n\r\t ")
        cut = tail.rfind(b"\n")
        if cut >= 0 or start == 0:
            return tail[cut + 1 :]
        if span >= LIMIT:
            raise LineTooLong("its last line is too long to be a stats line")
        span *= 4


def _read(fd: int, start: int, end: int) -> bytes:
    pieces = []
    while start < end and (piece := os.pread(fd, end - start, start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
