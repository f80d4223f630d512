"""Folders and files of a store through descriptors: no symbolic link is followed, and every sync is one real
sync.

Owns the system calls: how a folder is opened, made, locked and made durable, and how an operating system's
refusal becomes ``storage_failed``. Knows nothing of objects or hashes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import time

from opensession.errors import BusyError, RefusedError, StorageFailedError
from opensession.light import contextmanager
from opensession.settings import quoted, upwards
from opensession.store.layout import FOLDER_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from opensession.settings import AnyPath

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe planted under an object's name must not hang the reader; for a plain file it changes
# nothing.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_LOCK_PATIENCE = 30.0
"""Seconds to wait for a lock. It is held for a few system calls, so longer means that somebody hangs."""


def storage_failed(error: OSError, path: AnyPath, doing: str) -> StorageFailedError:
    """What the user is told when the operating system refuses something in a store."""
    path = os.fspath(path)
    reason = error.strerror or type(error).__name__
    steps = [f"df -h {quoted(_existing(path))}"] if error.errno in (errno.ENOSPC, errno.EDQUOT) else []
    steps.append(f"ls -ld {quoted(_existing(path))}")
    return StorageFailedError(f"cannot {doing} {path!r}: {reason}", next=steps, errno=error.errno)


@contextmanager
def storage(path: AnyPath, doing: str) -> Iterator[None]:
    """Turn an operating system's refusal inside the block into ``storage_failed``."""
    try:
        yield
    except OSError as error:
        raise storage_failed(error, path, doing) from error


def sync(fd: int) -> None:
    """Make a file or folder durable, once: a second fsync after a failed one would report success for lost
    pages.
    """
    if sys.platform == "darwin":
        # fsync there only hands the data to the drive, which may keep it in its own cache.
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
            os.fsync(fd)  # no disk of this machine (a network file system): the other side decides
    else:
        os.fsync(fd)


class Folder:
    """An open folder of a store."""

    def __init__(self, fd: int, place: str, *, created: bool = False) -> None:
        self.fd = fd
        self.place = place
        """Its whole name."""
        self.created = created

    @classmethod
    def open(cls, path: AnyPath) -> Folder:
        """Open a folder by its whole name; its last part is not followed if it is a link."""
        with storage(path, "open the folder"):
            return cls(os.open(path, _OPEN_FOLDER), os.fspath(path))

    @property
    def path(self) -> Path:
        """Its whole name as a path."""
        from pathlib import Path

        return Path(self.place)

    def place_of(self, name: str) -> str:
        """The whole name of what is called ``name`` in here."""
        return os.path.join(self.place, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def child(self, name: str) -> Folder | None:
        """The folder of this name, or None where there is nothing of that name."""
        path = self.place_of(name)
        try:
            return Folder(os.open(name, _OPEN_FOLDER, dir_fd=self.fd), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and self.is_link(name):
                raise _link_refused(path) from error
            raise storage_failed(error, path, "open the folder") from error

    def make(self, name: str) -> Folder:
        """The folder of this name, made if need be, for its owner only."""
        for _ in range(3):  # made by somebody else, or removed, between two looks
            if (found := self.child(name)) is not None:
                _close_to_others(found)
                return found
            with storage(self.place_of(name), "make the folder"):
                try:
                    os.mkdir(name, FOLDER_MODE, dir_fd=self.fd)
                except FileExistsError:
                    continue
            if (made := self.child(name)) is not None:
                made.created = True
                _close_to_others(made)
                return made
        raise _vanishing(self.place_of(name))

    def file(self, name: str) -> int | None:
        """A descriptor for reading the plain file of this name, or None where there is none."""
        path = self.place_of(name)
        try:
            fd = os.open(name, _OPEN_FILE, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP or self.is_link(name):
                raise _link_refused(path) from error
            raise storage_failed(error, path, "open") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise RefusedError(f"{path!r} in the store is no plain file", next=[f"ls -ld {quoted(path)}"])
        return fd

    def lstat(self, name: str) -> os.stat_result | None:
        """What stands under this name, a link as a link; None where nothing does."""
        with storage(self.place_of(name), "look at"):
            try:
                return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
            except FileNotFoundError:
                return None

    def is_link(self, name: str) -> bool:
        found = self.lstat(name)
        return found is not None and stat.S_ISLNK(found.st_mode)

    def is_folder(self, name: str) -> bool:
        found = self.lstat(name)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def names(self) -> list[str]:
        """All names in the folder, sorted."""
        with storage(self.place, "list the folder"):
            return sorted(os.listdir(self.fd))

    def sync(self) -> None:
        with storage(self.place, "make durable the folder"):
            sync(self.fd)

    @contextmanager
    def locked(self, *, exclusive: bool) -> Iterator[None]:
        """Hold this folder's lock: shared while a name is published, exclusive while one is taken away."""
        fd = self._lock(exclusive=exclusive)
        try:
            yield
        finally:
            if fd is not None:
                os.close(fd)

    def _lock(self, *, exclusive: bool) -> int | None:
        with storage(self.place, "lock"):
            # A lock belongs to an opening of the folder, so each holder opens it anew.
            fd = os.open(".", _OPEN_FOLDER, dir_fd=self.fd)
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                return fd
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    raise BusyError(
                        f"another program has locked the store {self.place!r} for {_LOCK_PATIENCE:.0f} s",
                        next=["opensession fsck"],
                    ) from None
                time.sleep(0.01)
            except OSError as error:
                os.close(fd)
                if error.errno in _NO_LOCKS and not exclusive:
                    # Publishing needs no lock for its own safety (a name determines its bytes); taking away
                    # does.
                    return None
                raise storage_failed(error, self.place, "lock") from error


def open_root(root: str) -> Folder | None:
    """The root folder of a store, or None where there is none."""
    try:
        return Folder(os.open(root, _OPEN_FOLDER), root)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(root):
            raise _link_refused(root) from error
        raise storage_failed(error, root, "open the store") from error


def make_root(root: str) -> Folder:
    """The root folder of a store, made with all its parents if need be; parents of made ones are synced."""
    made: list[str] = []
    missing = [place for place in upwards(root) if not os.path.exists(place)]
    for place in reversed(missing):
        with storage(place, "make the folder"):
            try:
                os.mkdir(place, FOLDER_MODE)
            except FileExistsError:
                continue
            made.append(place)
    folder = open_root(root)
    if folder is None:
        raise _vanishing(root)
    folder.created = root in made
    if folder.created or not folder.names():
        _close_to_others(folder)
    for place in made[:-1] if folder.created else made:
        # The parent of the root itself is synced with each first object; here are the ones above it.
        with Folder.open(os.path.dirname(place)) as parent:
            parent.sync()
    return folder


def _close_to_others(folder: Folder) -> None:
    """Give a folder the mode 0700, whatever the umask or an older program did; not another owner's."""
    found = os.fstat(folder.fd)
    if stat.S_IMODE(found.st_mode) != FOLDER_MODE and found.st_uid == os.geteuid():
        with storage(folder.place, "set the mode of"):
            os.fchmod(folder.fd, FOLDER_MODE)


def _vanishing(path: str) -> StorageFailedError:
    return StorageFailedError(
        f"the folder {path!r} is being removed while it is used",
        next=[f"ls -ld {quoted(_existing(path))}"],
    )


def _link_refused(path: str) -> RefusedError:
    return RefusedError(
        f"{path!r} in the store is a symbolic link, and such links are not followed",
        next=[f"ls -ld {quoted(path)}", f"rm {quoted(path)}"],
    )


def _existing(path: str) -> str:
    """``path`` or the nearest folder above it that exists, so that a suggested command works."""
    return next(filter(os.path.exists, upwards(path)), path)
