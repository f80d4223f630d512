"""Private temporary files and folders, for the time of one git command.

Owns where they are and that they go. The standard library's `tempfile` loads a third of what a share loads.
"""

from __future__ import annotations

import os

from opensession.errors import StorageFailedError
from opensession.light import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def _name() -> str:
    chosen = os.environ.get("TMPDIR", "")
    folder = chosen if os.path.isabs(chosen) and os.path.isdir(chosen) else "/tmp"  # noqa: S108  the names are random
    return os.path.join(folder, f"opensession-{os.urandom(9).hex()}")


def failed(error: OSError) -> StorageFailedError:
    """What the user is told when there is no place for temporary files."""
    return StorageFailedError(
        f"cannot make a temporary file: {error.strerror}", next=["df -h /tmp"], errno=error.errno
    )


def file() -> int:
    """A descriptor of a file without a name; whoever asks closes it."""
    name = _name()
    try:
        fd = os.open(name, _FILE, 0o600)
    except OSError as error:
        raise failed(error) from error
    with suppress(OSError):
        os.unlink(name)
    return fd


@contextmanager
def folder() -> Iterator[str]:
    """A folder for its owner only, gone at the end with all the files in it."""
    name = _name()
    try:
        os.mkdir(name, 0o700)
    except OSError as error:
        raise failed(error) from error
    try:
        yield name
    finally:
        with suppress(OSError):
            for entry in os.listdir(name):
                os.unlink(os.path.join(name, entry))
            os.rmdir(name)
