"""A session to read: header and stats at once, events one by one or by ordinal, in flat memory.

Owns how canonical lines become typed events. The bytes were checked before a session is made of them; this
module does not know where they came from, and writes nothing but a copy of them.
"""

from __future__ import annotations

import os
import re

from opensession import core
from opensession.errors import HailSchemaError, HailVersionError, WriteFailedError
from opensession.eventlines import EventLines, InMemory, OnDisk
from opensession.exactjson import loads
from opensession.model import Event, Header, Stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Any, Self, overload

    from opensession.eventlines import Backing

_READABLE = re.compile(r"hail-1\.0\.(0|[1-9][0-9]*)")


class Session:
    """One session. Iterate over it, ask for its length, take an event or a slice by ordinal.

    It holds its file open: close it, use it in a ``with`` block, or let it go out of scope.
    """

    def __init__(self, backing: Backing, *, sha256: str, uri: str | None = None) -> None:
        self._lines = EventLines(backing)
        self.sha256 = sha256
        """The session's address: SHA-256 of its canonical bytes."""
        self.uri = uri
        """Its ``os://`` URI where it is stored."""
        self.header: Header = self._header()
        self.stats: Stats = self._stats()

    @classmethod
    def from_fd(cls, fd: int, *, sha256: str, uri: str | None = None) -> Session:
        """A session in an open file of canonical bytes; the session owns the descriptor from now on."""
        try:
            return cls(OnDisk(fd), sha256=sha256, uri=uri)
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def from_bytes(cls, data: bytes, *, sha256: str, uri: str | None = None) -> Session:
        """A session whose canonical bytes are in memory."""
        return cls(InMemory(data), sha256=sha256, uri=uri)

    @property
    def size(self) -> int:
        """Length of the canonical form."""
        return self._lines.backing.size

    def __len__(self) -> int:
        return self.stats.event_count

    def __iter__(self) -> Iterator[Event]:
        return self.events()

    def events(self, start: int = 0) -> Iterator[Event]:
        """The events from the ordinal ``start`` on, each parsed when it is asked for."""
        for ordinal, line in enumerate(self.lines(start), start):
            yield _event(line, ordinal)

    def lines(self, start: int = 0) -> Iterator[bytes]:
        """The events' canonical lines from the ordinal ``start`` on, each without its LF, not parsed."""
        return self._lines.from_ordinal(start)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, which: int) -> Event: ...

        @overload
        def __getitem__(self, which: slice) -> EventSlice: ...

    def __getitem__(self, which: int | slice) -> Event | EventSlice:
        chosen = range(len(self))[which]
        return EventSlice(self, chosen) if isinstance(chosen, range) else self._at(chosen)

    def _at(self, ordinal: int) -> Event:
        for event in self.events(ordinal):
            return event
        raise HailSchemaError(
            f"the session's stats count {len(self)} events and event {ordinal} is not there"
        )

    def copy_to(self, out_fd: int) -> int:
        """Write the canonical bytes to a descriptor and return how many."""
        return core.copy(self.source(), out_fd)[1]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the canonical bytes to a file, which appears whole or not at all."""
        target = os.fspath(path)
        temporary = f"{target}.tmp-{os.urandom(6).hex()}"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                self.copy_to(fd)
                os.fsync(fd)
                os.replace(temporary, target)
            except BaseException:
                os.unlink(temporary)
                raise
            finally:
                os.close(fd)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WriteFailedError(f"cannot write {target!r}: {error.strerror}", errno=error.errno) from error

    def source(self) -> int | bytes:
        """The canonical bytes as the core takes them; the descriptor stays the session's."""
        backing = self._lines.backing
        if isinstance(backing, InMemory):
            return backing.data
        if isinstance(backing, OnDisk):
            os.lseek(backing.fd, 0, os.SEEK_SET)
            return backing.fd
        raise TypeError("this session has no source that can be copied")

    def close(self) -> None:
        """Close the file behind the session."""
        self._lines.backing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        lines = getattr(self, "_lines", None)  # not set where the constructor refused
        if lines is not None:
            lines.backing.close()

    def __repr__(self) -> str:
        return f"<Session {self.sha256[:12]} {self.header.tool}, {len(self)} events>"

    def _header(self) -> Header:
        fields = _object(self._lines.header, "first")
        if fields.get("type") != "header":
            raise HailSchemaError("the first line of a session is its header", line=1)
        version = fields.get("version")
        if not isinstance(version, str) or not _READABLE.fullmatch(version):
            raise HailVersionError(
                f"the session is of version {version!r}; this program reads hail-1.0.x", line=1
            )
        try:
            return Header.from_json(fields)
        except (KeyError, TypeError, AttributeError):
            raise HailSchemaError("the session's header lacks a field", line=1) from None

    def _stats(self) -> Stats:
        fields = _object(self._lines.stats, "last")
        if fields.get("type") != "stats":
            raise HailSchemaError("the last line of a session is its stats")
        try:
            return Stats.from_json(fields)
        except KeyError:
            raise HailSchemaError("the session's stats lack a field") from None


class EventSlice:
    """A part of a session's events, read when it is iterated; it can be sliced again."""

    def __init__(self, session: Session, ordinals: range) -> None:
        self._session = session
        self._ordinals = ordinals

    def __len__(self) -> int:
        return len(self._ordinals)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, which: int) -> Event: ...

        @overload
        def __getitem__(self, which: slice) -> EventSlice: ...

    def __getitem__(self, which: int | slice) -> Event | EventSlice:
        chosen = self._ordinals[which]
        return EventSlice(self._session, chosen) if isinstance(chosen, range) else self._session[chosen]

    def __iter__(self) -> Iterator[Event]:
        wanted = self._ordinals
        if wanted.step < 0:
            for ordinal in wanted:
                yield self._session[ordinal]
            return
        if not wanted:
            return
        for at, line in enumerate(self._session.lines(wanted.start), wanted.start):
            if at in wanted:
                yield _event(line, at)
            if at >= wanted[-1]:
                return

    def __repr__(self) -> str:
        return f"<{len(self)} events of {self._session!r}>"


def _event(line: bytes, ordinal: int) -> Event:
    try:
        return Event(loads(line), ordinal, line)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HailSchemaError("this line is no event of a canonical session", line=ordinal + 2) from None


def _object(line: bytes, which: str) -> Mapping[str, Any]:
    try:
        fields = loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise HailSchemaError(f"the {which} line is no JSON object")
    return fields
