"""Looks for secrets in what a person names, as the door would before it left (docs/secrets.md).

Owns which bytes a name means: a session, an artifact with its sessions, a bundle, any file. Lets nothing out. Whoever
asks wants to know, so nothing is taken from memory; what is found clean is kept in mind for the door.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.actions import inputs, targets
from opensession.actions.handoff import bundle
from opensession.actions.handoff.read import get
from opensession.actions.release import Scanner
from opensession.actions.release.scanner import LIMIT
from opensession.light import NamedTuple
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.release import Finding
    from opensession.core import Progress
    from opensession.store import Stores

_ARTIFACT = "os://artifact/"
_TEXT_BELOW = 64 * 1024 * 1024
"""Files of text up to this size are looked at as a whole too."""


class Scanned(NamedTuple):
    """What one target holds."""

    named: str
    findings: tuple[Finding, ...]

    @property
    def cut(self) -> bool:
        """There may be more of them than were kept."""
        return len(self.findings) >= LIMIT


def scan(
    stores: Stores, named: str, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> Scanned:
    """Look at everything that would leave with ``named``."""
    scanner = Scanner(stores.write, holders=stores, jobs=jobs, progress=progress)
    if named.startswith(_ARTIFACT):
        return Scanned(named, tuple(_artifact(stores, scanner, named)))
    target = targets.resolve(stores, named)
    if target.store is not None and target.sha256 is not None:
        return Scanned(named, tuple(scanner.session(target.sha256, afresh=True)))
    with inputs.open_input(named, stores.write.spool) as file:
        if named.endswith(bundle.SUFFIX):
            return Scanned(named, tuple(_bundle(scanner, file.fd)))
        found = scanner.source(file.shown, file.fd)
        if not found and _is_text(file.fd):
            os.lseek(file.fd, 0, os.SEEK_SET)
            found = scanner.text(file.shown, _read(file.fd).decode("utf-8", "replace"))
        return Scanned(named, tuple(found))


def _artifact(stores: Stores, scanner: Scanner, named: str) -> list[Finding]:
    got = get(stores, named)
    found = scanner.source(named, got.data)
    for source in got.artifact().sources:
        found += scanner.session(source.sha256, afresh=True)
    return found


def _bundle(scanner: Scanner, fd: int) -> list[Finding]:
    """Each member by itself: in the archive its first line would not stand alone."""
    with bundle.opened(fd) as packed:
        found = scanner.source(f"{_ARTIFACT}{packed.sha256}", packed.data)
        artifact = bundle.artifact_of(packed)
        for source in () if artifact is None else artifact.sources:
            packed.source(source)
            with core.temporary_file() as held:
                core.copy(packed.stream, held, length=source.bytes)
                os.lseek(held, 0, os.SEEK_SET)
                found += scanner.source(format_local(source.sha256), held)
            packed.after(source.bytes)
        if artifact is not None:
            packed.end()
    return found


def _is_text(fd: int) -> bool:
    """Whether a file may hold secrets that take several lines: lines of JSON never do."""
    return os.fstat(fd).st_size <= _TEXT_BELOW and os.pread(fd, 1, 0) not in (
        b"",
        b"{",
        b"[",
        b"\x1f",
        b"\x28",
    )


def _read(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as file:
        return file.read()
