"""The one door to the compiled module: every other module asks here for parsing, canonical form and hashes.

Owns what Python callers may hand in (paths, descriptors, bytes, open binary files) and turns it into what the
binding takes. Must not know the store, the terminal or what an answer is for. Session bytes pass from
descriptor to descriptor inside the compiled code; only a file object without a descriptor is read here, in
pieces.
"""

from __future__ import annotations

import io
import os

from opensession import _core
from opensession.errors import UsageError, from_core
from opensession.light import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from opensession._core import Candidate as Candidate  # noqa: PLC0414
    from opensession._core import Finding as Finding  # noqa: PLC0414
    from opensession._core import Problem as Problem  # noqa: PLC0414
    from opensession._core import ProfileInfo as ProfileInfo  # noqa: PLC0414
    from opensession._core import Redaction as Redaction  # noqa: PLC0414
    from opensession._core import SecretRule as SecretRule  # noqa: PLC0414
    from opensession._core import SessionInfo as SessionInfo  # noqa: PLC0414
    from opensession._core import Source as Source  # noqa: PLC0414
    from opensession._core import Stats as Stats  # noqa: PLC0414
    from opensession._core import SummaryReport as SummaryReport  # noqa: PLC0414
    from opensession._core import VerifyReport as VerifyReport  # noqa: PLC0414

    Input = str | os.PathLike[str] | int | bytes | bytearray | memoryview | BinaryIO
    """A path, an open descriptor (read from where it stands), the bytes themselves, or an open binary file."""
    Progress = Callable[[int, int], None]
    Spool = Callable[["Input"], AbstractContextManager[int]]

MAX_LINE = 536_870_912
"""Lines above 512 MiB are refused by name: the core's own default."""

DEFAULT_JOBS = 2
_PIECE = 1 << 20

version: str = _core.__version__

SUMMARIZERS: tuple[str, ...] = _core.SUMMARIZERS
"""The rules for summaries that this program knows, the usual ones first."""


def profiles() -> list[ProfileInfo]:
    """All profiles, ``hail`` among them, in the order of their ids."""
    return _core.profiles()


def detect(source: Input, *, source_name: str = "") -> list[Candidate]:
    """Which agents may have written this log, best first; a seekable source is put back to where it was."""
    with _rereadable(source) as src:
        return _core.detect(src, source_name=_text(source_name))


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
    """Turn an agent's log into one canonical session on ``out``; ``progress`` counts the log once."""
    with _rereadable(source) as src:
        return _core.parse(
            src,
            out,
            profile=profile,
            source_name=_text(source_name),
            final=final,
            jobs=jobs,
            max_line=max_line,
            progress=None if progress is None else _of_two_passes(progress),
        )


def _of_two_passes(progress: Progress) -> Progress:
    """The log is read twice and the binding counts both; whoever watches knows the size of his file, once."""
    return lambda done, total: progress(done // 2, total // 2)


def _text(name: str) -> str:
    """A file's name as text. Names are bytes; those that are no UTF-8 arrive as lone surrogates, which are none."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in name)


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


def copy(
    source: Input,
    out: int | None = None,
    *,
    length: int | None = None,
    progress: Progress | None = None,
) -> tuple[str, int]:
    """Copy bytes unchanged and return their SHA-256 and length; without ``out`` only hash them."""
    with as_source(source) as src:
        return _core.copy(src, out, length=length, progress=progress)


def summarize(
    source: Input,
    *,
    rules: str = SUMMARIZERS[0],
    length: int | None = None,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> SummaryReport:
    """Verify one session and sum it up for a handoff, in one pass."""
    with as_source(source) as src:
        return _core.summarize(
            src, rules=rules, length=length, jobs=jobs, max_line=max_line, progress=progress
        )


def artifact(sources: list[SummaryReport]) -> tuple[bytes, str]:
    """The artifact over what :func:`summarize` said of valid sources, and its SHA-256."""
    parts = []
    for source in sources:
        (session,), summary, report = source["sessions"], source["summary"], source["report"]
        assert summary is not None
        assert report is not None
        count = session["stats"]["event_count"]
        parts.append((source["sha256"], source["bytes"], session["session_id"], count, summary, report))
    return _core.artifact(parts)


def pack(
    parts: Iterable[Source], out: int, *, total: int = 0, progress: Progress | None = None
) -> list[tuple[str, int]]:
    """Compress the parts into one zstd frame; the SHA-256 and length of each as it was."""
    return _core.pack(parts, out, total=total, progress=progress)


def unpack(source: int, out: int) -> int:
    """Write what a zstd frame holds to ``out``."""
    return _core.unpack(source, out)


def canonical_json(data: bytes) -> bytes:
    """One JSON value in canonical form."""
    return _core.canonical_json(data)


def scan(
    source: Input,
    *,
    key: bytes | None = None,
    limit: int = 0,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> list[Finding]:
    """The places that hold secrets (docs/secrets.md), never the values; fingerprints only with ``key``."""
    with as_source(source) as src:
        return _core.scan(src, key=key, limit=limit, jobs=jobs, max_line=max_line, progress=progress)


def redact(
    source: Input,
    out: int | None = None,
    *,
    key: bytes | None = None,
    allow: Iterable[str] | None = None,
    jobs: int = DEFAULT_JOBS,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> Redaction:
    """Write one session without its secrets; those whose fingerprint is in ``allow`` stay."""
    with as_source(source) as src:
        return _core.redact(src, out, key=key, allow=allow, jobs=jobs, max_line=max_line, progress=progress)


def secret_rules() -> list[SecretRule]:
    """What :func:`scan` looks for, the most telling rule first."""
    return _core.secret_rules()


def build() -> str:
    """The SHA-256 of the compiled module: what it found, another build may not find, and the other way round."""
    return copy(_core.__file__)[0]


@contextmanager
def as_source(source: Input) -> Iterator[Source]:
    """``source`` as the binding takes it; a descriptor may be a pipe."""
    if isinstance(source, bool):
        raise UsageError("a source is a path, a descriptor, bytes or a binary file, not a truth value")
    if isinstance(source, bytes | int):
        yield source
    elif isinstance(source, bytearray | memoryview):
        yield bytes(source)
    elif isinstance(source, str | os.PathLike):
        yield os.fsdecode(source)
    elif isinstance(source, io.BytesIO):
        yield source.read()
    elif (fd := _descriptor(source)) is not None:
        yield fd
    elif not callable(getattr(source, "read", None)):
        raise UsageError(
            f"a source is a path, a descriptor, bytes or a binary file, not {type(source).__name__!r}"
        )
    else:
        with temporary_file() as spool:
            _drain(source, spool)
            yield spool


@contextmanager
def opened(source: Input, *, spool: Spool | None = None) -> Iterator[int]:
    """``source`` as a descriptor that can be read twice; what cannot is first copied to a file without a name."""
    with as_source(source) as src:
        if isinstance(src, str):
            fd = open_input(src)
            try:
                with opened(fd, spool=spool) as seekable:  # the path may name a pipe
                    yield seekable
            finally:
                os.close(fd)
        elif isinstance(src, int) and is_seekable(src):
            yield src
        elif spool is not None:
            with spool(src) as copied:
                yield copied
        else:
            with temporary_file() as copied:
                _core.copy(src, copied)
                os.lseek(copied, 0, os.SEEK_SET)
                yield copied


@contextmanager
def _rereadable(source: Input) -> Iterator[Source]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield bytes(source)
    else:
        with opened(source) as fd:
            yield fd


def open_input(path: str) -> int:
    """A descriptor for a file that the user named."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        message = f"cannot read {path!r}: {error.strerror}"
        raise from_core("unreadable", message, errno=error.errno) from error


def is_seekable(fd: int) -> bool:
    """Whether a descriptor can be read twice."""
    try:
        os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return False
    return True


def _descriptor(file: object) -> int | None:
    """The descriptor of a plain open file, set to where its reader stands; None for any other file object.

    Only a plain file's descriptor can be used: gzip and zip files hand out that of the compressed file.
    """
    if isinstance(file, io.TextIOBase):
        raise UsageError("the file is open as text; open it with mode 'rb'")
    raw = getattr(file, "raw", file)
    if not (
        isinstance(raw, io.FileIO) and isinstance(file, io.BufferedReader | io.BufferedRandom | io.FileIO)
    ):
        return None
    fd = raw.fileno()
    if not is_seekable(fd):
        return None
    os.lseek(fd, file.tell(), os.SEEK_SET)
    return fd


def _drain(file: BinaryIO, spool: int) -> None:
    while piece := file.read(_PIECE):
        view = memoryview(piece)
        while view:
            view = view[os.write(spool, view) :]
    os.lseek(spool, 0, os.SEEK_SET)


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
