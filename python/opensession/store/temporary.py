"""Files that are being written: `.tmp-*`, for their owner only, told apart from those left behind by a lock.

Owns how such a file comes into being and how it goes. Knows nothing of names and hashes.
"""

from __future__ import annotations

import fcntl
import os

from opensession.errors import InternalError
from opensession.light import suppress
from opensession.store.folders import storage, sync
from opensession.store.layout import TEMPORARY, VISIBLE_MODE, WRITING_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.store.folders import Folder

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REOPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class TemporaryFile:
    """A new file ``.tmp-<group>-<number>``.

    The writer holds number 0 of its group locked as long as any file of the group exists, so that ``gc`` can tell
    the files of a living writer from those left behind, and the writer need not hold all of them open.
    """

    def __init__(self, folder: Folder, leader: TemporaryFile | None = None, number: int = 0) -> None:
        self.folder = folder
        self.group: str = "" if leader is None else leader.group
        self.name = ""
        self.fd = -1
        try:
            with storage(folder.place, "make a temporary file in"):
                if leader is not None:
                    self._create(number)
                while self.fd < 0:
                    self.group = os.urandom(8).hex()
                    self._create(0)
                    self._lock()
        except BaseException:
            self.close()
            raise

    def _create(self, number: int) -> None:
        name = f"{TEMPORARY}{self.group}-{number}"
        self.fd = os.open(name, _CREATE, WRITING_MODE, dir_fd=self.folder.fd)
        self.name = name
        os.fchmod(self.fd, WRITING_MODE)  # whatever the umask left of it

    def _lock(self) -> None:
        # Waits only for a gc that is just removing it; refused where the file system has no locks (gc goes by age).
        with suppress(OSError):
            fcntl.flock(self.fd, fcntl.LOCK_EX)
        if os.fstat(self.fd).st_nlink == 0:  # gc was first
            os.close(self.fd)
            self.fd, self.name = -1, ""

    def park(self) -> None:
        """Close the descriptor until :meth:`unpark`; a stream of sessions may hold more than may be open at once."""
        os.close(self.fd)
        self.fd = -1

    def unpark(self) -> None:
        """Have a descriptor again."""
        if self.fd < 0:
            with storage(self.folder.place_of(self.name), "open"):
                self.fd = os.open(self.name, _REOPEN, dir_fd=self.folder.fd)

    def rename(self, folder: Folder, name: str) -> None:
        """Give the file its final name, in place of whatever has it; the caller syncs the folder."""
        os.rename(self.name, name, src_dir_fd=self.folder.fd, dst_dir_fd=folder.fd)
        self.name = ""

    def unlink(self) -> None:
        """Take the name away and keep the descriptor."""
        if self.name:
            with storage(self.folder.place_of(self.name), "remove"):
                os.unlink(self.name, dir_fd=self.folder.fd)
            self.name = ""

    def close(self) -> None:
        """Close; what still has its temporary name is removed."""
        try:
            if self.name:
                # Refused, it is left behind for gc: the error that led here matters more.
                with suppress(OSError):
                    os.unlink(self.name, dir_fd=self.folder.fd)
                self.name = ""
        finally:
            if self.fd >= 0:
                os.close(self.fd)
                self.fd = -1

    def make_durable(self, expected_size: int) -> None:
        """Give the file its final mode and sync it. A sync that fails is final: the kernel forgets the lost
        pages.
        """
        self.unpark()
        path = self.folder.place_of(self.name)
        size = os.fstat(self.fd).st_size
        if size != expected_size:
            raise InternalError(f"{size} bytes were written where the core counted {expected_size}")
        with storage(path, "make durable"):
            os.fchmod(self.fd, VISIBLE_MODE)
            sync(self.fd)
