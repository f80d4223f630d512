"""Opens what a person names as input: a file, or ``-`` for standard input.

Owns which kinds of files are a log at all, and that a pipe is copied to a file first, because reading a log takes two
passes. Must not know what the bytes mean.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.errors import InputMissingError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

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
        if stat.S_ISDIR(kind):
            raise UnreadableError(f"{named!r} is a folder, not a log")
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or _is_standard_input(named)):
            raise UnreadableError(f"{named!r} is a device or a socket, not a log")
        return os.open(named, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputMissingError(f"there is no file {named!r}", errno=error.errno) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise UnreadableError(f"{named!r} cannot be read: {why}", errno=getattr(error, "errno", None)) from error


def _is_standard_input(named: str) -> bool:
    return os.path.basename(os.path.realpath(os.path.dirname(named) or ".")) == "fd" or named == "/dev/stdin"


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
