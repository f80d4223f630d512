"""The package's functions: what `import opensession` offers besides the classes.

Owns the decision what a caller's argument means (address, file, bytes) and which store is meant. Prints
nothing and reads the process's working directory and environment only where no store is named.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions import parse as parse_action
from opensession.actions.register import register as register_action
from opensession.errors import UsageError
from opensession.session import Session
from opensession.store import Store, Stores
from opensession.store.layout import is_prefix
from opensession.uri import LocalUri, format_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.core import Input, Problem, Progress, SessionInfo
    from opensession.store import Stored

    Where = Store | Stores | str | os.PathLike[str] | None


class Verified(NamedTuple):
    """The three answers about some bytes, and where they fail."""

    address: bool | None
    """The bytes hash to the address they were asked for by; None where none was given."""
    canonical: bool
    valid: bool
    sha256: str
    bytes: int
    sessions: list[SessionInfo]
    first_difference: int | None
    """Offset of the first byte that is not canonical."""
    error: Problem | None
    warnings: list[Problem]

    @property
    def ok(self) -> bool:
        """Nothing is wrong; a session that is valid but not canonical is ok."""
        return self.valid and self.address is not False


def open(what: str | os.PathLike[str] | LocalUri, *, store: Where = None) -> Session:  # noqa: A001  as in gzip.open and tarfile.open
    """Open a session by ``os://`` URI, by hash (or a prefix of eight or more digits), or by path.

    Text that is spelled like an address is one; a file with such a name is opened as ``Path(name)``.
    """
    if isinstance(what, LocalUri):
        return _open_stored(str(what), store)
    if isinstance(what, str) and (what.startswith("os:") or is_prefix(what)):
        return _open_stored(what, store)
    return read(what)


def read(source: Input) -> Session:
    """Read one session of HAIL from a path, a binary file object, a descriptor or bytes.

    Any valid HAIL is accepted. What is canonical already is read where it is; anything else is first brought
    into canonical form in a temporary file without a name.
    """
    found = list(_sessions(source))
    if len(found) != 1:
        for session in found:
            session.close()
        raise UsageError(f"the input holds {len(found)} sessions; use opensession.read_all")
    return found[0]


def read_all(source: Input) -> list[Session]:
    """Read a stream of sessions, one after another as ``register`` and ``raw`` artifacts write them."""
    return list(_sessions(source))


def parse(
    source: Input,
    profile: str = "auto",
    *,
    source_name: str | None = None,
    final: bool = False,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Session:
    """Turn an agent's log into a session, kept in a temporary file without a name.

    ``profile`` is the agent's word, ``hail``, or ``auto``: then the log itself decides, and one that fits
    none is an error. ``final`` keeps a cut last line instead of leaving it for the next time.
    """
    name = _name_of(source) if source_name is None else source_name
    with core.opened(source) as src:
        fd = core.temporary_fd()
        try:
            parsed = parse_action.parse(
                src, fd, profile=profile, source_name=name, final=final, jobs=jobs, progress=progress
            )
            if len(parsed.sessions) != 1:
                raise UsageError(f"the input holds {len(parsed.sessions)} sessions; use opensession.read_all")
        except BaseException:
            os.close(fd)
            raise
    return Session.from_fd(fd, sha256=parsed.sessions[0]["sha256"])


def register(
    source: Input | Session,
    profile: str | None = None,
    *,
    source_name: str | None = None,
    final: bool = False,
    store: Store | str | os.PathLike[str] | None = None,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Stored:
    """Store one session durably and return its address.

    Without a profile the source is HAIL (or a Session); with one it is that agent's log, parsed and stored in
    one pass. ``store`` defaults to the one of the repository around the working directory, or the global one.
    """
    target = _writable(store)
    if isinstance(source, Session):
        return target.put_hail(source.source(), single=True, jobs=jobs, progress=progress)[0]
    name = _name_of(source) if source_name is None else source_name
    if profile in (None, parse_action.HAIL):
        return target.put_hail(source, single=True, jobs=jobs, progress=progress)[0]
    with core.opened(source, spool=target.spool) as fd:
        stored = register_action(
            target, fd, profile=profile, source_name=name, final=final, jobs=jobs, progress=progress
        )
    if len(stored) != 1:
        raise UsageError(
            f"the input held {len(stored)} sessions; all are stored: {', '.join(s.uri for s in stored)}"
        )
    return stored[0]


def verify(what: Input | LocalUri, *, store: Where = None, jobs: int = core.DEFAULT_JOBS) -> Verified:
    """Check a stored session (URI or hash) or any bytes: address, canonical form, validity; in one pass."""
    if isinstance(what, LocalUri):
        what = str(what)
    if not isinstance(what, str) or not (what.startswith("os:") or is_prefix(what)):
        return _verified(core.verify(what, jobs=jobs), None)
    holder, sha256 = readable(store).find(what)
    with holder.open_unchecked(sha256) as stored:
        return _verified(core.verify(stored.fd, jobs=jobs), sha256)


def _verified(report: core.VerifyReport, sha256: str | None) -> Verified:
    return Verified(
        address=None if sha256 is None else report["sha256"] == sha256,
        canonical=report["canonical"],
        valid=report["valid"],
        sha256=report["sha256"],
        bytes=report["bytes"],
        sessions=report["sessions"],
        first_difference=report["first_difference"],
        error=report["error"],
        warnings=report["warnings"],
    )


def _open_stored(text: str, where: Where) -> Session:
    holder, sha256 = readable(where).find(text)
    stored = holder.open(sha256)
    if holder.readonly:
        # An older program wrote it: its address holds, but it need not be in canonical form.
        with stored:
            session = read(stored.fd)
            session.uri = format_local(sha256)
            return session
    return Session.from_fd(stored.detach(), sha256=sha256, uri=format_local(sha256))


def _sessions(source: Input) -> Iterator[Session]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield from _of(bytes(source))
        return
    with core.opened(source) as fd:
        yield from _of(fd)


def _of(src: int | bytes) -> Iterator[Session]:
    start = os.lseek(src, 0, os.SEEK_CUR) if isinstance(src, int) else 0
    report = core.verify(src)
    if report["error"] is not None:
        raise _error(report["error"])
    if report["canonical"] and len(report["sessions"]) == 1 and start == 0 and _is_plain(src):
        sha256 = report["sha256"]
        if isinstance(src, bytes):
            yield Session.from_bytes(src, sha256=sha256)
        else:
            yield Session.from_fd(os.dup(src), sha256=sha256)
        return
    if isinstance(src, int):
        os.lseek(src, start, os.SEEK_SET)
    files: list[int] = []

    def next_fd() -> int:
        files.append(core.temporary_fd())
        return files[-1]

    try:
        for info in core.canonicalize(src, next_fd):
            yield Session.from_fd(files.pop(0), sha256=info["sha256"])
    finally:
        for fd in files:
            os.close(fd)


def _is_plain(src: int | bytes) -> bool:
    """A session's own bytes, and not those of a compressed file that the core reads through."""
    return (src[:1] if isinstance(src, bytes) else os.pread(src, 1, 0)) == b"{"


def _error(problem: Problem) -> Exception:
    from opensession.errors import from_core

    return from_core(problem["code"], problem["message"], problem["line"], problem["column"])


def _name_of(source: object) -> str:
    """The file's name, for agents that hide facts in it."""
    return os.path.basename(os.fsdecode(source)) if isinstance(source, str | os.PathLike) else ""


def readable(where: Where) -> Stores:
    """The stores that a caller means."""
    if isinstance(where, Stores):
        return where
    if where is None:
        return Stores.discover(Path.cwd(), os.environ)
    return Stores([where if isinstance(where, Store) else Store(where)])


def _writable(where: Store | str | os.PathLike[str] | None) -> Store:
    if where is None:
        return Stores.discover(Path.cwd(), os.environ).write
    return where if isinstance(where, Store) else Store(where)
