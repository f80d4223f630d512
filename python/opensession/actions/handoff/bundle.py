"""One file that holds an artifact and its sources: a tar archive in a zstd frame, the same bytes for the same artifact.

Owns the layout, and that nothing else is accepted: every header of the archive is compared with the one that `export`
would write, so there are no other names, no links, no owners and no sizes but those that the artifact's first line
states. Must not know where a store keeps things.

Layout: ``artifact/<sha256>.jsonl``, then ``sessions/<sha256>.jsonl`` for each source in the artifact's order, then the
end of the archive. Sources are copied from descriptor to descriptor; memory does not grow with them.
"""

from __future__ import annotations

import os
import re
import tarfile
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions.handoff.artifact import Artifact, read
from opensession.errors import InputChangedError, IntegrityError, OpensessionError, UnreadableError
from opensession.store.handoffs import LIMIT as ARTIFACT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opensession.actions.handoff.artifact import Source
    from opensession.actions.parse import Progress
    from opensession.store.reading import StoredObject

SUFFIX = ".tar.zst"
BLOCK = 512
END = bytes(2 * BLOCK)
MOST_SOURCES = 10_000
MOST_BYTES = 256 << 30
"""More sources or bytes than this are refused before the first of them is read."""
_ZSTD = b"\x28\xb5\x2f\xfd"
_ARTIFACT = re.compile(r"artifact/([0-9a-f]{64})\.jsonl")
_PIPE = 1 << 20


def is_bundle(named: str) -> bool:
    """Whether a name means a file rather than something in a store."""
    return named.endswith(SUFFIX) or ("/" in named and named[:3].lower() != "os:")


def artifact_name(sha256: str) -> str:
    return f"artifact/{sha256}.jsonl"


def session_name(sha256: str) -> str:
    return f"sessions/{sha256}.jsonl"


def header(name: str, size: int) -> bytes:
    """The one header for a member: no time, no owner, read-only."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o444
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """What fills the last block of a member."""
    return bytes(-size % BLOCK)


# ---- writing ----


def write(
    out: int,
    artifact: Artifact,
    data: bytes,
    opened: Callable[[Source], AbstractContextManager[StoredObject]],
    *,
    progress: Progress | None = None,
) -> None:
    """Write the bundle to ``out``; raises IntegrityError where a source is not what its address says."""
    total = len(data) + sum(source.bytes for source in artifact.sources)

    def parts() -> Iterator[bytes | int]:
        yield header(artifact_name(artifact.sha256), len(data)) + data + padding(len(data))
        for source in artifact.sources:
            yield header(session_name(source.sha256), source.bytes)
            with opened(source) as stored:
                yield stored.fd
            yield padding(source.bytes)
        yield END

    packed = core.pack(parts(), out, total=total, progress=progress)
    for source, (sha256, length) in zip(artifact.sources, packed[2:-1:3], strict=True):
        if (sha256, length) != (source.sha256, source.bytes):
            raise IntegrityError(
                f"the object {source.sha256} is damaged: its {length} bytes hash to {sha256}",
                next=["opensession fsck --repair"],
            )


# ---- reading ----


class Bundle(NamedTuple):
    """A bundle that is being read: the artifact now, the sources one after another."""

    data: bytes
    sha256: str
    """The address that the bundle promises for the artifact."""
    stream: int
    """A pipe that stands at the first source's header."""
    whole: Callable[[], None]
    """Waits until the frame was read to its end; raises what went wrong there (its checksum comes last)."""

    def source(self, source: Source) -> None:
        """Read the header of the next source, which must be this one; its bytes come next in the stream."""
        self._expect(header(session_name(source.sha256), source.bytes), "a source")

    def after(self, size: int) -> None:
        """Read what fills the last block of a source."""
        self._expect(padding(size), "what follows a source")

    def end(self) -> None:
        """Read the end of the archive; nothing may follow."""
        self._expect(END, "its end")
        if os.read(self.stream, 1):
            raise _wrong("something follows its end")
        self.whole()

    def _expect(self, right: bytes, what: str) -> None:
        if _exactly(self.stream, len(right)) != right:
            raise _wrong(f"{what} is not as export writes it")


def limited(artifact: Artifact) -> None:
    """Refuse an artifact that announces more than any bundle holds."""
    total = sum(source.bytes for source in artifact.sources)
    if len(artifact.sources) > MOST_SOURCES or total > MOST_BYTES:
        raise IntegrityError(
            f"the bundle announces {len(artifact.sources)} sources of {total} bytes; "
            f"at most {MOST_SOURCES} of {MOST_BYTES} bytes are read"
        )


@contextmanager
def opened(fd: int) -> Iterator[Bundle]:
    """The bundle in an open file; it is unpacked while it is read."""
    if os.pread(fd, len(_ZSTD), 0) != _ZSTD:
        raise IntegrityError("the file is no bundle: it does not begin like a zstd frame")
    reader, writer = os.pipe()
    _widen(writer)
    failed: list[BaseException] = []
    thread = threading.Thread(target=_unpack, args=(fd, writer, failed), daemon=True)
    thread.start()

    def whole() -> None:
        thread.join()
        if failed:
            raise _as_integrity(failed)

    try:
        yield _begin(reader, whole)
    except (InputChangedError, _EarlyEnd) as error:
        thread.join()
        raise _as_integrity(failed) from error
    finally:
        os.close(reader)  # a thread that still writes learns from it that nobody reads
        thread.join()


def _begin(stream: int, whole: Callable[[], None]) -> Bundle:
    head = _exactly(stream, BLOCK)
    try:
        info = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
    except (tarfile.TarError, UnicodeError) as error:
        raise _wrong("it holds no tar archive") from error
    named = _ARTIFACT.fullmatch(info.name)
    if named is None or not 0 <= info.size <= ARTIFACT_LIMIT or head != header(info.name, info.size):
        raise _wrong("it does not begin with an artifact as export writes it")
    data = _exactly(stream, info.size)
    bundle = Bundle(data, named[1], stream, whole)
    bundle.after(info.size)
    return bundle


class _EarlyEnd(Exception):
    """The stream ended in the middle of something."""


def _exactly(stream: int, size: int) -> bytes:
    pieces = []
    while size > 0:
        piece = os.read(stream, min(size, _PIPE))
        if not piece:
            raise _EarlyEnd
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _unpack(fd: int, writer: int, failed: list[BaseException]) -> None:
    try:
        core.unpack(fd, writer)
    except BaseException as error:  # noqa: BLE001  it is raised where the bundle is read
        failed.append(error)
    finally:
        os.close(writer)


def _as_integrity(failed: list[BaseException]) -> OpensessionError:
    """What went wrong where the frame was read; nothing is known there of a stream that just ended."""
    if failed and isinstance(failed[0], UnreadableError):
        return _wrong("its zstd frame is cut or damaged")
    if failed and isinstance(failed[0], OpensessionError):
        return failed[0]
    return _wrong("it ends too early")


def _wrong(what: str) -> IntegrityError:
    return IntegrityError(f"the bundle is damaged, or export did not write it: {what}")


def _widen(pipe: int) -> None:
    """Let more bytes wait between the two threads, where the system can."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def artifact_of(bundle: Bundle) -> Artifact | None:
    """The artifact in a bundle, read strictly; None for one that other rules made."""
    found = read(bundle.data)
    if not isinstance(found, Artifact):
        return None
    limited(found)
    return found
