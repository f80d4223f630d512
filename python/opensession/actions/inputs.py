"""Opens what a person names as input: a file, or ``-`` for standard input.

Owns which kinds of files are a log at all, and that a pipe is copied to a file first, because reading a log takes two
passes. Must not know what the bytes mean.
"""

from __future__ import annotations

import os
import stat

from opensession.errors import InputMissingError, UnreadableError
from opensession.light import NamedTuple, contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opensession import core

    Spool = Callable[[core.Input], AbstractContextManager[int]]
    """Copies what it is given to a private file and hands out its descriptor, at the beginning: ``Store.spool``."""

STDIN = "-"


class Input(NamedTuple):
    """An open input."""

    fd: int
    shown: str
    """How a message calls it."""
    name: str
    """The file's own name, for agents that hide facts in it; empty for standard input."""


@contextmanager
def open_input(named: str, spool: Spool | None) -> Iterator[Input]:
    """The input called ``named``; with ``spool`` it can be read twice, a pipe too."""
    if named == STDIN:
        with _prepared(0, spool) as fd:
            yield Input(fd, "standard input", "")
        return
    opened = _open(named)
    try:
        with _prepared(opened, spool) as fd:
            yield Input(fd, named, os.path.basename(named))
    finally:
        os.close(opened)


def _open(named: str) -> int:
    try:
        kind = os.stat(named).st_mode
        fd = os.open(named, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY) if _is_log(kind, named) else None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputMissingError(f"there is no file {named!r}", errno=error.errno) from error
    except OSError as error:
        raise UnreadableError(f"{named!r} cannot be read: {error.strerror}", errno=error.errno) from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableError(f"{named!r} cannot be the name of a file") from error
    if fd is None:
        what = "a folder" if stat.S_ISDIR(kind) else "a device or a socket"
        raise UnreadableError(f"{named!r} is {what}, not a log")
    return fd


def _is_log(kind: int, named: str) -> bool:
    """Whether a file of this kind may be read: opening a folder fails late, and a device never ends."""
    return stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or _is_standard_input(named)


def _is_standard_input(named: str) -> bool:
    """Whether the name is another one for an open descriptor, which may be a terminal."""
    return named == "/dev/stdin" or os.path.dirname(named) in ("/dev/fd", "/proc/self/fd")


@contextmanager
def _prepared(fd: int, spool: Spool | None) -> Iterator[int]:
    try:
        plain = stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError as error:
        raise UnreadableError("standard input is closed", errno=error.errno) from error
    if plain or spool is None:
        yield fd
        return
    with spool(fd) as copy:
        yield copy
