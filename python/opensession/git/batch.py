"""Objects out of one running git: types, sizes and the bytes of small ones.

Owns the protocol of ``git cat-file --batch-command``. Large blobs do not go this way (ledger.py streams them from
descriptor to descriptor).
"""

from __future__ import annotations

import os

from opensession.errors import IntegrityError, StorageFailedError
from opensession.git import process, scratch
from opensession.git.failures import failure
from opensession.git.process import Done
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opensession.git.run import Git

_PIECE = 1 << 16
_GROUP = 128
LIMIT = 64 << 20
"""A tree, a commit, a link or a description is never larger; a larger object must be streamed."""


class ObjectInfo(NamedTuple):
    """What git says about an object."""

    oid: str
    type: str
    size: int


class Batch:
    """A running ``cat-file``; one question, one answer."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._said = scratch.file()
        try:
            self._child = process.start(
                *git.command("cat-file", "--batch-command"),
                stdin=process.PIPE,
                stdout=process.PIPE,
                stderr=self._said,
            )
        except BaseException:
            os.close(self._said)
            raise
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to = self._child.stdin
        self._from = self._child.stdout
        self._buffer = bytearray()

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        if self._said >= 0:
            os.close(self._said)
            self._said = -1

    def info(self, name: str) -> ObjectInfo | None:
        """The object that ``name`` (an id, a ref, ``<commit>:<path>``) stands for, or None."""
        self._ask("info", name)
        return self._header()

    def read(self, name: str, *, limit: int = LIMIT) -> tuple[ObjectInfo, bytes] | None:
        """The object and its bytes, or None where there is none; one larger than ``limit`` is refused."""
        self._ask("contents", name)
        header, data = self._answer(limit)
        if header is None:
            return None
        if data is None:
            raise IntegrityError(
                f"the git object {header.oid} has {header.size} bytes, which is too large for its kind"
            )
        return header, data

    def many(self, oids: Iterable[str], *, limit: int) -> Iterator[bytes | None]:
        """The bytes of each blob in turn; None for one that is missing, no blob, or larger than ``limit``.

        Questions go out together, a few at a time: fewer than a pipe holds, or both sides would wait for each other.
        All answers of a group are read before the first is handed on, so that others may ask in between.
        """
        from itertools import islice

        rest = iter(oids)
        while group := list(islice(rest, _GROUP)):
            for oid in group:
                self._ask("contents", oid)
            answers = [self._answer(limit) for _ in group]
            yield from (data if header and header.type == "blob" else None for header, data in answers)

    def _answer(self, limit: int) -> tuple[ObjectInfo | None, bytes | None]:
        """What it says about an object, and its bytes unless they are too many."""
        header = self._header()
        if header is None:
            return None, None
        if header.size <= limit:
            return header, self._take(header.size + 1)[:-1]
        left = header.size + 1
        while left > 0:
            left -= len(self._take(min(left, _PIECE)))
        return header, None

    def typed(self, oid: str, kind: str) -> bytes:
        """The bytes of an object that must exist and be of this kind."""
        found = self.read(oid)
        if found is None or found[0].type != kind:
            raise IntegrityError(f"the git object {oid} is no {kind} of this repository", next=["git fsck"])
        return found[1]

    def _ask(self, command: str, name: str) -> None:
        if "\n" in name:
            raise ValueError("the name of an object has one line")
        data = memoryview(os.fsencode(f"{command} {name}\n"))
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except BrokenPipeError:
            raise self._ended() from None

    def _header(self) -> ObjectInfo | None:
        line = os.fsdecode(self._line())
        if line.endswith((" missing", " ambiguous", " excluded")):
            return None
        oid, _, rest = line.partition(" ")
        kind, _, size = rest.partition(" ")
        if not size.isdigit():
            raise IntegrityError(
                f"git answered {line[:100]!r} where an object was asked for", next=["git fsck"]
            )
        return ObjectInfo(oid, kind, int(size))

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self) -> None:
        piece = os.read(self._from, _PIECE)
        if not piece:
            raise self._ended()
        self._buffer += piece

    def _ended(self) -> Exception:
        """The process ended in the middle of a question: what it said, or that it is gone."""
        code = self._child.wait()
        said = os.pread(self._said, _PIECE, 0)
        if not said:
            return StorageFailedError(
                f"git ended with exit code {code} while it read objects", next=["git fsck"]
            )
        return failure(Done(code, b"", said), cwd=self.git.cwd, doing="read objects")
