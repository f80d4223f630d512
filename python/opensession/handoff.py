"""Handoffs from Python (docs/handoff.md): build, verify, read, pin, and take artifacts from one machine to another.

>>> from opensession import handoff
>>> built = handoff.build("session.hail.jsonl", pin="latest")
>>> handoff.verify("latest").ok
True
>>> print(handoff.get("latest").markdown())

Owns what a caller's argument means; the work is done below. Prints nothing.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from opensession import api, core
from opensession.actions.handoff import build as _build
from opensession.actions.handoff import leave, manage, recent, sources, transfer
from opensession.actions.handoff import read as _read
from opensession.actions.handoff import verify as _verify
from opensession.actions.handoff.bundle import is_bundle
from opensession.store.handoffs import check_alias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opensession.actions.handoff.artifact import Artifact
    from opensession.actions.handoff.build import Built
    from opensession.actions.handoff.check import Verified
    from opensession.actions.handoff.manage import Gone, Listing, Pinned
    from opensession.actions.handoff.transfer import Exported, Imported
    from opensession.api import Where
    from opensession.core import Progress
    from opensession.store import Stores

    Name = str | os.PathLike[str]


def build(
    *files: Name,
    sessions: Iterable[str] = (),
    last: int = 0,
    pin: str | None = None,
    validate: str | None = None,
    store: Where = None,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Built:
    """Build an artifact from files, stored ``sessions`` and the ``last`` ones of this repository.

    ``validate`` is None, ``"error"`` or ``"warn"``: the findings that are refused.
    """
    if pin is not None:
        check_alias(pin)
    stores = _stores(store)
    cited = sources.gather(
        stores,
        sources.Wanted([os.fspath(file) for file in files], [str(session) for session in sessions], last),
        here=recent.here(Path.cwd(), os.environ),
        guide=lambda _named: nullcontext(),
        jobs=jobs,
        progress=progress,
    )
    return _build.build(stores.write, cited, alias=pin, validate=validate, jobs=jobs, progress=progress)


def verify(
    what: Name, *, store: Where = None, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> Verified:
    """Verify an artifact (URI, hash or alias), or a bundle (a path, or text that names a file)."""
    if isinstance(what, os.PathLike) or is_bundle(what):
        return _verify.in_bundle(os.fspath(what), jobs=jobs, progress=progress)
    return _verify.in_store(_stores(store), what, jobs=jobs, progress=progress)


class Handoff:
    """An artifact whose bytes are those of its address."""

    def __init__(self, got: _read.Got, where: Where = None) -> None:
        self._got = got
        self._where = where

    @property
    def sha256(self) -> str:
        return self._got.sha256

    @property
    def data(self) -> bytes:
        """Its canonical lines."""
        return self._got.data

    @property
    def artifact(self) -> Artifact:
        """Its sources, summaries and reports."""
        return self._got.artifact()

    def markdown(self, *, allow: Iterable[str] = (), redact: bool = False) -> str:
        """The page for a person; raises SecretsFoundError where it would show a secret (docs/secrets.md)."""
        return leave.markdown(_stores(self._where), self._got, leave.Terms(tuple(allow), redact))

    def prompt(self, budget: int | None = None, *, allow: Iterable[str] = (), redact: bool = False) -> str:
        """The text for the next agent; a token is four bytes. Secrets as in :meth:`markdown`."""
        return leave.prompt(_stores(self._where), self._got, budget, leave.Terms(tuple(allow), redact))


def get(what: Name, *, store: Where = None) -> Handoff:
    """Read an artifact by URI, hash or alias, or the one in a bundle."""
    if isinstance(what, os.PathLike) or is_bundle(what):
        return Handoff(_read.from_bundle(os.fspath(what)), store)
    return Handoff(_read.get(_stores(store), str(what)), store)


def artifacts(*, store: Where = None) -> Listing:
    """All artifacts, and the aliases that lead nowhere."""
    return manage.list_(_stores(store))


def pin(alias: str, what: str, *, store: Where = None) -> Pinned:
    """Let an alias point at an artifact."""
    return manage.pin(_stores(store), alias, str(what))


def unpin(alias: str, *, store: Where = None) -> str | None:
    """Take an alias away; returns what it pointed at."""
    return manage.unpin(_stores(store), alias)


def rm(what: str, *, store: Where = None) -> Gone:
    """Remove an artifact that no alias points at."""
    return manage.rm(_stores(store), str(what))


def export(
    what: str,
    out: Name,
    *,
    allow: Iterable[str] = (),
    redact: bool = False,
    store: Where = None,
    progress: Progress | None = None,
) -> Exported:
    """Write an artifact with its sessions to one file; raises SecretsFoundError where one holds a secret.

    ``allow`` holds fingerprints that may pass; ``redact`` writes an artifact over redacted copies (docs/secrets.md).
    """
    terms = leave.Terms(tuple(allow), redact)
    return transfer.export(_stores(store), str(what), os.fspath(out), terms=terms, progress=progress)


def import_(
    file: Name, *, store: Where = None, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None
) -> Imported:
    """Take in a file of :func:`export`, after all of it was verified."""
    return transfer.import_(_stores(store).write, os.fspath(file), jobs=jobs, progress=progress)


def _stores(where: Where) -> Stores:
    return api.readable(where)
