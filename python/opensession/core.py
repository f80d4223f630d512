"""The one door to the compiled module: every other module asks here for parsing, canonical form and hashes.

Owns what Python callers may hand in (paths, descriptors, bytes, open binary files) and turns it into what the
binding takes. Must not know the store, the terminal or what an answer is for. Session bytes pass from
descriptor to descriptor inside the compiled code; only a file object without a descriptor is read here, in
pieces.
"""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from opensession import _core
from opensession.errors import AmbiguousError, NoEventsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opensession._core import Candidate as Candidate  # noqa: PLC0414
    from opensession._core import Problem as Problem  # noqa: PLC0414
    from opensession._core import ProfileInfo as ProfileInfo  # noqa: PLC0414
    from opensession._core import SessionInfo as SessionInfo  # noqa: PLC0414
    from opensession._core import Source as Source  # noqa: PLC0414
    from opensession._core import Stats as Stats  # noqa: PLC0414
    from opensession._core import VerifyReport as VerifyReport  # noqa: PLC0414

    Progress = Callable[[int, int], None]

Input = str | os.PathLike[str] | int | bytes | bytearray | memoryview | BinaryIO
"""A path, an open descriptor (read from where it stands), the bytes themselves, or an open binary file."""

MAX_LINE = 536_870_912
"""Lines above 512 MiB are refused by name: the core's own default."""

DEFAULT_JOBS = 2
_PIECE = 1 << 20

version: str = _core.__version__


def profiles() -> list[ProfileInfo]:
    """All profiles, ``hail`` among them, in the order of their ids."""
    return _core.profiles()


def detect(source: Input, *, source_name: str = "") -> list[Candidate]:
    """Which agents may have written this log, best first; a seekable source is put back to where it was."""
    with as_source(source, seekable=True) as src:
        return _core.detect(src, source_name=source_name)


def pick_profile(source: Input, *, source_name: str = "") -> str:
    """The one profile that fits this log best; raises where none does or two do equally well."""
    found = detect(source, source_name=source_name)
    if not found:
        raise NoEventsError("this is no log of an agent that is known here")
    best = [c["profile"] for c in found if c["confidence"] == found[0]["confidence"]]
    if len(best) > 1:
        raise AmbiguousError(f"this log fits {' and '.join(best)} equally well; name its profile")
    return best[0]


def parse(
    source: Input,
    out: int | None = None,
    *,
    profile: str,
    source_name: str = "",
    final: bool = False,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> SessionInfo:
    """Turn an agent's log into one canonical session on ``out``."""
    with as_source(source, seekable=True) as src:
        return _core.parse(
            src,
            out,
            profile=profile,
            source_name=source_name,
            final=final,
            jobs=jobs,
            max_line=max_line,
            progress=progress,
        )


def canonicalize(
    source: Input,
    out: int | Callable[[], int] | None = None,
    *,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> list[SessionInfo]:
    """Write the canonical form of HAIL; one entry a session, and a callable ``out`` is asked for each one's
    descriptor.
    """
    with as_source(source) as src:
        return _core.canonicalize(src, out, jobs=jobs, max_line=max_line, progress=progress)


def verify(
    source: Input,
    *,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> VerifyReport:
    """Hash the bytes and say whether they are canonical and valid; what is wrong stands in the report."""
    with as_source(source) as src:
        return _core.verify(src, jobs=jobs, max_line=max_line, progress=progress)


def copy(source: Input, out: int | None = None, *, progress: Progress | None = None) -> tuple[str, int]:
    """Copy bytes unchanged and return their SHA-256 and length; without ``out`` only hash them."""
    with as_source(source) as src:
        return _core.copy(src, out, progress=progress)


def canonical_json(data: bytes) -> bytes:
    """One JSON value in canonical form."""
    return _core.canonical_json(data)


@contextmanager
def as_source(source: Input, *, seekable: bool = False) -> Iterator[Source]:
    """``source`` as the binding takes it; with ``seekable`` a pipe is first copied to a temporary file."""
    if isinstance(source, bool):
        raise UsageError("a source is a path, a descriptor, bytes or a binary file, not a truth value")
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, bytearray | memoryview):
        yield bytes(source)
    elif isinstance(source, str | os.PathLike):
        yield os.fsdecode(source)
    elif isinstance(source, int):
        with _seekable(source) if seekable else _as_it_is(source) as fd:
            yield fd
    else:
        with _file_as_source(source) as src:
            yield src


def is_seekable(fd: int) -> bool:
    """Whether a descriptor can be read twice."""
    try:
        os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return False
    return True


@contextmanager
def _as_it_is(fd: int) -> Iterator[int]:
    yield fd


@contextmanager
def _seekable(fd: int) -> Iterator[int]:
    if is_seekable(fd):
        yield fd
        return
    with temporary_file() as spool:
        _core.copy(fd, spool)
        os.lseek(spool, 0, os.SEEK_SET)
        yield spool


@contextmanager
def _file_as_source(file: BinaryIO) -> Iterator[Source]:
    if isinstance(file, io.TextIOBase):
        raise UsageError("the file is open as text; open it with mode 'rb'")
    if isinstance(file, io.BytesIO):
        yield file.read()
        return
    raw = getattr(file, "raw", file)
    # Only a plain file's descriptor stands where its reader stands; gzip and zip files hand out the
    # compressed one.
    if isinstance(raw, io.FileIO) and isinstance(file, io.BufferedReader | io.BufferedRandom | io.FileIO):
        fd = raw.fileno()
        if is_seekable(fd):
            os.lseek(fd, file.tell(), os.SEEK_SET)
            yield fd
            return
    with temporary_file() as spool:
        while piece := file.read(_PIECE):
            _write_all(spool, piece)
        os.lseek(spool, 0, os.SEEK_SET)
        yield spool


@contextmanager
def temporary_file() -> Iterator[int]:
    """A descriptor of a private file without a name, gone when it is closed."""
    fd = temporary_fd()
    try:
        yield fd
    finally:
        os.close(fd)


def temporary_fd() -> int:
    """The same for a caller who keeps it and closes it."""
    import tempfile

    fd, name = tempfile.mkstemp(prefix="opensession-")
    os.unlink(name)
    return fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
