"""Writes a result to a file that a person named, whole or not at all.

Owns the temporary file, the sync and the rename. Must not know what is written. The store has its own way of writing
(docs/store.md), because a name there is a promise about its bytes.
"""

from __future__ import annotations

import os
import stat

from opensession.errors import WriteFailedError
from opensession.light import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_output(path: str) -> Iterator[int]:
    """A descriptor whose bytes stand under ``path`` after the block, or nowhere if it raises.

    What is no plain file (a device, a named pipe) cannot be replaced and is written directly.
    """
    with _refusals(path):
        kind = _kind(path)
        if kind is not None and stat.S_ISDIR(kind):
            raise WriteFailedError(f"{path!r} is a folder, not a file")
        direct = kind is not None and not stat.S_ISREG(kind)
        # A link keeps its place: what it points to is replaced.
        target = path if direct else os.path.realpath(path)
        temporary = None if direct else _temporary_name(target)
        fd = os.open(target, os.O_WRONLY | os.O_CLOEXEC) if temporary is None else _create(temporary)
    try:
        yield fd
        if temporary is not None:
            with _refusals(path):
                _finish(fd, temporary, target, kind)
                temporary = None
    finally:
        os.close(fd)
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _kind(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _temporary_name(target: str) -> str:
    folder, name = os.path.split(target)
    # Names end at 255 bytes in every common file system; the random part decides, not the name.
    return os.path.join(folder, f".{name[:60]}.tmp-{os.getpid()}-{os.urandom(4).hex()}")


def _create(temporary: str) -> int:
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _finish(fd: int, temporary: str, target: str, kind: int | None) -> None:
    os.fchmod(fd, _usual_mode() if kind is None else stat.S_IMODE(kind))
    os.fsync(fd)
    os.rename(temporary, target)
    folder = os.open(os.path.dirname(target), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _usual_mode() -> int:
    """The mode of a new file as the user's umask wants it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def _refusals(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteFailedError(f"{path!r} cannot be written: {error.strerror}", errno=error.errno) from error
    except ValueError as error:  # a NUL in the name
        raise WriteFailedError(f"{path!r} cannot be the name of a file") from error
