"""Puts a file in its place, moves one, takes one away: each whole or not at all, and durable when it returns.

Owns the system calls. Never writes through a symbolic link: a hook may be a link to a tracked file. Must not know what
the files are for.
"""

from __future__ import annotations

import os
import stat

from opensession.errors import BusyError, StorageFailedError
from opensession.light import NamedTuple, contextmanager, suppress
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_LIMIT = 4 << 20
"""Hooks and lists of patterns are written by hand."""


class Found(NamedTuple):
    """A file as it is now."""

    data: bytes
    mode: int
    link: bool


def read(path: Path) -> Found | None:
    """The file at ``path``, a link followed; None where there is none."""
    with refusals(path, "read"):
        try:
            fd = os.open(path, _READ)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LIMIT:
                raise StorageFailedError(
                    f"{str(path)!r} is no plain file, or larger than {_LIMIT} bytes",
                    next=[f"ls -ld {quoted(path)}"],
                )
            return Found(file.read(), stat.S_IMODE(found.st_mode), path.is_symlink())


def put(path: Path, data: bytes, mode: int, *, folder_mode: int = 0o777) -> None:
    """Put a file in its place, with its folders; what was there is replaced."""
    with refusals(path, "write"):
        _make_folders(path.parent, folder_mode)
        temporary = path.parent / f".{path.name[:60]}.tmp-{os.getpid()}-{os.urandom(4).hex()}"
        fd = os.open(temporary, _CREATE, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(fd, mode)
                os.fsync(fd)
            os.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Give a file another name in its folder; never over a file that is there."""
    with refusals(source, "move"):
        try:
            os.link(source, target, follow_symlinks=False)  # refused where there is one, unlike a rename
        except FileExistsError:
            raise
        except OSError:  # no hard links there
            if os.path.lexists(target):
                raise FileExistsError(17, os.strerror(17), str(target)) from None
            os.rename(source, target)
        else:
            _drop(source, target)
        _sync(target.parent)


def _drop(source: Path, target: Path) -> None:
    """The second half of a move: one name is left, the old one where it may not be taken away."""
    try:
        os.unlink(source)
    except OSError:
        with suppress(OSError):
            os.unlink(target)
        raise


def free(path: Path) -> Path:
    """``path``, or the first name like it that nothing has."""
    number, found = 1, path
    while os.path.lexists(found):
        found = path.with_name(f"{path.name}.{number}")
        number += 1
    return found


def remove(path: Path) -> None:
    """Take a file away."""
    with refusals(path, "remove"):
        os.unlink(path)
        _sync(path.parent)


@contextmanager
def alone(folders: Iterable[Path]) -> Iterator[None]:
    """Hold the folders against others who ask for the same; raise BusyError where somebody holds one.

    Nothing is left behind: the lock is one of the system, on the folder itself.
    """
    held: list[int] = []
    try:
        for folder in dict.fromkeys(folders):
            with suppress(OSError):  # a folder or a disk that has no locks
                held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                _lock(held[-1])
        yield
    finally:
        for fd in held:
            os.close(fd)


def _lock(fd: int) -> None:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(
            "another `opensession doctor` is changing something at this moment", next=["opensession doctor"]
        ) from None


def remove_empty(folder: Path) -> None:
    """Take a folder away if nothing is left in it."""
    with suppress(OSError):
        os.rmdir(folder)


def _make_folders(folder: Path, mode: int) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(each, mode)
        _sync(each.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def refusals(path: Path, doing: str) -> Iterator[None]:
    """Turn an operating system's refusal into ``storage_failed``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        there = next((each for each in path.parents if each.exists()), path.parent)
        raise StorageFailedError(
            f"cannot {doing} {str(path)!r}: {reason}",
            next=[f"ls -ld {quoted(there)}", f"df -h {quoted(there)}"],
            errno=error.errno,
        ) from error
