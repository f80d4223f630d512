"""Takes an artifact with its sources out of a store as one file, and such a file into a store.

Owns that a bundle is verified whole before any of it is visible, and that sources become visible before the artifact
that cites them. The layout of the file is `bundle`'s.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions import inputs
from opensession.actions.handoff import bundle, check
from opensession.actions.handoff.build import refuse_lost
from opensession.actions.handoff.leave import AS_IT_IS, Terms, whole
from opensession.actions.handoff.read import get
from opensession.actions.handoff.read import holder as holder_of
from opensession.actions.outputs import atomic_output
from opensession.errors import IntegrityError, LossesError, NotFoundError
from opensession.store.handoffs import Handoffs
from opensession.uri import ArtifactUri, format_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opensession.actions.handoff.artifact import Source
    from opensession.actions.handoff.read import Got
    from opensession.actions.parse import Progress
    from opensession.store import Store, Stores
    from opensession.store.reading import StoredObject


class Exported(NamedTuple):
    """A bundle that was written."""

    sha256: str
    path: str
    bytes: int
    sources: int
    redacted: Mapping[str, int]
    """How often each rule was applied; empty where the artifact is the one that was asked for."""

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))


class Imported(NamedTuple):
    """An artifact that came out of a bundle and is durably in the store."""

    sha256: str
    existed: bool
    sources: tuple[str, ...]

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))


def export(
    stores: Stores, named: str, out: str, *, terms: Terms = AS_IT_IS, progress: Progress | None = None
) -> Exported:
    """Write the artifact that ``named`` means with its sources to the file ``out``, whole or not at all.

    All of it went through the door; with ``terms.redact`` another artifact may be written in its place.
    """
    asked = get(stores, named)
    for source in asked.artifact().sources:
        _held(stores, asked, source)
    got, redacted = whole(stores, asked, terms, progress=progress)
    artifact = got.artifact()

    def opened(source: Source) -> StoredObject:
        # What is packed is hashed, so it is what was scanned under this address.
        return _held(stores, got, source).open_unchecked(source.sha256)

    with atomic_output(out) as fd:
        bundle.write(fd, artifact, got.data, opened, progress=progress)
        size = os.fstat(fd).st_size
    return Exported(got.sha256, out, size, len(artifact.sources), redacted)


def _held(stores: Stores, got: Got, source: Source) -> Store:
    """The store that has a source, before others that of the artifact."""
    store = holder_of(stores, stores.write if got.store is None else got.store, source.sha256)
    if store is None:
        raise NotFoundError(
            f"the source {format_local(source.sha256)} of {ArtifactUri(got.sha256)} is not here",
            next=[f"opensession handoff artifacts verify {ArtifactUri(got.sha256)}"],
        )
    return store


def import_(
    store: Store, named: str, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> Imported:
    """Put what the bundle ``named`` holds into ``store``, after all of it was verified."""
    with inputs.open_input(named, store.spool) as file:
        return import_file(store, file.fd, jobs=jobs, progress=progress)


def import_file(
    store: Store, fd: int, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> Imported:
    """The same for an open file."""
    with bundle.opened(fd) as packed, store.receiving() as batch:
        artifact = bundle.artifact_of(packed)
        if artifact is None:
            raise LossesError(
                "the bundle was made by rules that are not known here, so it cannot be verified",
                next=["opensession --version"],
            )

        @contextmanager
        def opened(source: Source) -> Iterator[check.Opened | None]:
            packed.source(source)
            held = batch.next_fd()
            core.copy(packed.stream, held, length=source.bytes)
            packed.after(source.bytes)
            os.lseek(held, 0, os.SEEK_SET)
            yield check.Opened(held, None)

        verified = check.verify(packed.data, packed.sha256, opened, jobs=jobs, progress=progress)
        _refuse(verified)
        packed.end()
        batch.publish(list(verified.sessions))
    sha256, existed = Handoffs(store).put(packed.data)
    refuse_lost(store, (source.sha256 for source in artifact.sources))
    return Imported(sha256, existed, tuple(source.sha256 for source in artifact.sources))


def _refuse(verified: check.Verified) -> None:
    bad = [c for c in verified.checks if c.status != check.OK]
    if bad:
        about = f" of {format_local(bad[0].source)}" if bad[0].source else ""
        raise IntegrityError(f"the bundle was not imported: {bad[0].name}{about}: {bad[0].detail}")
