"""Verifies an artifact: in a store by its name, or in a bundle without any store.

Owns which of the two a name means. The checks are `check`'s.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opensession import core
from opensession.actions import inputs
from opensession.actions.handoff import bundle, check
from opensession.actions.handoff.read import holder as holder_of
from opensession.errors import IntegrityError
from opensession.store.handoffs import LIMIT, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.actions.handoff.artifact import Source
    from opensession.actions.parse import Progress
    from opensession.store import Stores


def in_store(
    stores: Stores, named: str, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> check.Verified:
    """Verify the artifact that ``named`` means, with the sources in these stores."""
    handoffs, sha256 = find(stores, named)
    with handoffs.open(sha256) as stored:
        if stored.size > LIMIT:
            raise IntegrityError(f"the artifact {sha256} has {stored.size} bytes; none is that large")
        data = stored.read()

    @contextmanager
    def opened(source: Source) -> Iterator[check.Opened | None]:
        store = holder_of(stores, handoffs.store, source.sha256)
        if store is None:
            yield None
            return
        with store.open_unchecked(source.sha256) as object_:
            yield check.Opened(object_.fd, None)

    return check.verify(data, sha256, opened, jobs=jobs, progress=progress)


def in_bundle(
    named: str, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> check.Verified:
    """Verify the bundle in the file ``named``; no store is looked for."""
    with inputs.open_input(named, None) as file:
        return of_bundle(file.fd, jobs=jobs, progress=progress)


def of_bundle(fd: int, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None) -> check.Verified:
    """The same for an open file."""
    with bundle.opened(fd) as packed:
        bundle.artifact_of(packed)  # its limits hold before anything is read that it announces

        @contextmanager
        def opened(source: Source) -> Iterator[check.Opened | None]:
            packed.source(source)
            yield check.Opened(packed.stream, source.bytes)
            packed.after(source.bytes)

        verified = check.verify(packed.data, packed.sha256, opened, jobs=jobs, progress=progress)
        if verified.exit_code == 0:
            packed.end()
        return verified
