"""What a change means for a ledger as it is now: which paths get which blob.

Owns the rules of one ledger (docs/git.md): what has been taken back stays out, the smaller hash wins where two differ,
what is there is not written again. The rules for two ledgers are union.py's.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.errors import IntegrityError
from opensession.git.entries import (
    Kind,
    checked_path,
    gone_path,
    link_path,
    meta_path,
    place_of,
    session_path,
)
from opensession.git.links import LIMIT, Link, seconds_of
from opensession.git.trees import BLOB, Entry, object_id
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.git.objects import Objects
    from opensession.git.state import State

_SMALL = 1 << 20
"""Bytes of a session up to which it is written together with others; it passes through this process then."""
_HELD = 16 << 20
"""Bytes of small sessions that are held at once."""


class Changes(NamedTuple):
    """What is to be in a ledger, or out of it."""

    sessions: Sequence[tuple[str, int, bytes]] = ()
    """Address, open file and description (:func:`opensession.git.links.meta_of`) of each session."""
    links: Sequence[Link] = ()
    gone: Sequence[str] = ()
    """Addresses of sessions to take back."""
    extra: Mapping[str, str] = {}
    """Paths that the user chose, and the blob for each (:meth:`Objects.blob_of`)."""
    time: int = 0
    """Of the newest session in ``extra``, in seconds since 1970."""


class Plan(NamedTuple):
    """A change as edits of a tree."""

    edits: dict[str, Entry | None]
    blobs: list[bytes]
    """Small blobs that must be written first; the sessions' own are written already."""
    time: int
    left_out: tuple[str, ...]


def plan(state: State, changes: Changes, objects: Objects, written: dict[str, str]) -> Plan:
    """The edits of a change; ``written`` remembers the sessions' blobs from one try to the next."""
    edits: dict[str, Entry | None] = {}
    small: list[bytes] = []
    newest = changes.time
    gone = set(changes.gone)
    wanted = {sha256 for sha256, _, _ in changes.sessions} | {link.sha256 for link in changes.links}
    out = {sha256 for sha256 in wanted if sha256 in gone or state.has(gone_path(sha256))}
    missing = {h: fd for h, fd, _ in changes.sessions if h not in out and not _is_there(state, h, fd)}
    _write(objects, missing, written)
    for sha256, _, meta in changes.sessions:
        if sha256 in out:
            continue
        newest = max(newest, seconds_of(meta))
        if sha256 in missing:
            edits[session_path(sha256)] = Entry(BLOB, written[sha256])
        _settle(state, meta_path(sha256), meta, edits, small)
    for link in changes.links:
        if link.sha256 not in out:
            _settle(state, link_path(link.commit, link.sha256), link.to_json(), edits, small)
    for path, oid in changes.extra.items():
        edits[checked_path(path)] = Entry(BLOB, oid)
    _take_back(state, gone, edits, small)
    return Plan(edits, small, newest, tuple(sorted(out)))


def _is_there(state: State, sha256: str, fd: int) -> bool:
    """Whether the ledger holds the session: the name says which bytes, the size that they are all there."""
    oid = state.file(session_path(sha256))
    info = None if oid is None else state.batch.info(oid)
    return info is not None and info.size == os.fstat(fd).st_size


def _write(objects: Objects, missing: Mapping[str, int], written: dict[str, str]) -> None:
    """Write the sessions that were not written in an earlier try; each must hash to its address.

    Small ones go together, as the very bytes that were hashed; git reads large ones itself.
    """
    small: dict[str, bytes] = {}
    large: dict[str, int] = {}
    held = 0
    for sha256, fd in missing.items():
        if sha256 in written:
            continue
        if os.fstat(fd).st_size > _SMALL:
            large[sha256] = fd
            continue
        small[sha256] = _checked(sha256, fd)
        held += len(small[sha256])
        if held > _HELD:
            _write_small(objects, small, written)
            held = 0
    _write_small(objects, small, written)
    for sha256, fd in large.items():
        os.lseek(fd, 0, os.SEEK_SET)
        _refuse_damaged(sha256, *core.copy(fd))
    written.update(zip(large, objects.blobs_of(list(large.values())), strict=True))


def _write_small(objects: Objects, small: dict[str, bytes], written: dict[str, str]) -> None:
    """Write what is held, by a few processes for all of it, and let it go."""
    if small:
        written.update(zip(small, objects.write("blob", list(small.values())), strict=True))
        small.clear()


def _checked(sha256: str, fd: int) -> bytes:
    """The bytes of a small session, read once, so that what was checked is what is written."""
    import hashlib

    data = os.pread(fd, _SMALL + 1, 0)
    _refuse_damaged(sha256, hashlib.sha256(data).hexdigest(), len(data))
    return data


def _refuse_damaged(sha256: str, found: str, length: int) -> None:
    if found != sha256:
        raise IntegrityError(
            f"the session {sha256} is damaged: its {length} bytes hash to {found}",
            next=["opensession fsck --repair"],
        )


def _settle(state: State, path: str, data: bytes, edits: dict[str, Entry | None], small: list[bytes]) -> None:
    """Put a small document at a path, unless the one that stands there wins: the smaller SHA-256, as between machines.

    Otherwise this machine and another would replace each other's for ever.
    """
    oid = object_id("blob", data, state.object_format)
    there = state.file(path)
    if there == oid:
        return
    if there is not None:
        import hashlib

        other = state.small(there, LIMIT)
        if other is not None and hashlib.sha256(other).digest() < hashlib.sha256(data).digest():
            return
    edits[path] = Entry(BLOB, oid)
    small.append(data)


def _take_back(state: State, gone: set[str], edits: dict[str, Entry | None], small: list[bytes]) -> None:
    """A tombstone for each session, and nothing of it anywhere else."""
    if not gone:
        return
    # A path that the user chose need not have the hash in it; what stands there tells.
    blobs = {state.find(sha256) for sha256 in gone}
    for path, oid in state.files():
        place = place_of(path)
        if place is None or place.kind is Kind.GONE:
            continue
        unnamed = place.kind is Kind.PLACED and place.sha256 is None
        if oid in blobs if unnamed else place.sha256 in gone:
            edits[path] = None
    for sha256 in sorted(gone):
        if not state.has(gone_path(sha256)):
            edits[gone_path(sha256)] = Entry(BLOB, object_id("blob", b"", state.object_format))
            small.append(b"")
