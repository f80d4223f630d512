"""Lists artifacts, moves aliases, removes artifacts.

Owns in which store each of these happens: an alias stands in the store of its artifact, and what is removed is what was
found. Must not know what stands in an artifact beyond its first line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opensession.actions.handoff import build
from opensession.errors import NotFoundError, OpensessionError, RefusedError
from opensession.exactjson import loads
from opensession.store.handoffs import Handoffs, check_alias, find
from opensession.store.lines import first_line
from opensession.uri import ArtifactUri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opensession.store import Stores


class Listed(NamedTuple):
    """An artifact as its first line and its aliases tell it; nothing is checked."""

    uri: str
    sha256: str
    path: Path
    bytes: int
    created_at: str | None
    """When it was built here; None for one that was imported."""
    summarizer: str | None
    sources: int | None
    pins: tuple[str, ...]
    problem: str | None


class Damage(NamedTuple):
    """An alias that does not lead to an artifact."""

    alias: str
    store: Path


class Listing(NamedTuple):
    """Everything there is, the newest first."""

    artifacts: tuple[Listed, ...]
    damaged: tuple[Damage, ...]


def list_(stores: Stores) -> Listing:
    """The artifacts of every store, each once, with the aliases that point at it."""
    found: dict[str, Listed] = {}
    damaged: list[Damage] = []
    for store in stores:
        handoffs = Handoffs(store)
        pins: dict[str, list[str]] = {}
        if not store.readonly:
            damaged += [Damage(alias, store.root) for alias in handoffs.damaged_pins()]
            for alias, sha256 in handoffs.pins(whole_only=True):
                pins.setdefault(sha256, []).append(alias)
        here = handoffs.addresses()
        damaged += [Damage(a, store.root) for sha256 in pins.keys() - set(here) for a in pins[sha256]]
        for sha256 in here:
            listed = _listed(handoffs, sha256, tuple(pins.get(sha256, ())))
            if sha256 not in found:
                found[sha256] = listed
    artifacts = sorted(found.values(), key=lambda a: a.sha256)
    artifacts.sort(key=lambda a: a.created_at or "", reverse=True)
    return Listing(tuple(artifacts), tuple(damaged))


def _listed(handoffs: Handoffs, sha256: str, pins: tuple[str, ...]) -> Listed:
    sources = summarizer = problem = None
    size = 0
    try:
        with handoffs.open(sha256) as stored:
            size = stored.size
            first = loads(first_line(stored.fd))
            sources, summarizer = len(first["sources"]), str(first["summarizer"])
    except (OpensessionError, OSError, ValueError, LookupError, TypeError):
        problem = "it does not begin with the first line of an artifact"
    created = build.built_at(handoffs.store, sha256)
    path = handoffs.path_of(sha256)
    uri = str(ArtifactUri(sha256))
    return Listed(uri, sha256, path, size, created, summarizer, sources, pins, problem)


class Pinned(NamedTuple):
    """An alias that points at an artifact now."""

    alias: str
    sha256: str
    before: str | None

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))


def pin(stores: Stores, alias: str, named: str) -> Pinned:
    """Point an alias at the artifact that ``named`` means, in the store that has it."""
    check_alias(alias)
    handoffs, sha256 = find(stores, named)
    _refuse_readonly(handoffs, named)
    return Pinned(alias, sha256, handoffs.pin(alias, sha256))


def unpin(stores: Stores, alias: str) -> str | None:
    """Take an alias away, in the first store that has it; what it pointed at, where that could be told."""
    check_alias(alias)
    for handoffs in _writable(stores):
        if handoffs.has_alias(alias):
            return handoffs.unpin(alias)
    raise NotFoundError(f"there is no alias {alias!r}", next=["opensession handoff artifacts list"])


class Gone(NamedTuple):
    """An artifact that was removed."""

    sha256: str
    bytes: int
    path: Path

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))


def rm(stores: Stores, named: str) -> Gone:
    """Remove the artifact that ``named`` means; its sources stay."""
    handoffs, sha256 = find(stores, named)
    _refuse_readonly(handoffs, named)
    return Gone(sha256, handoffs.rm(sha256), handoffs.path_of(sha256))


def _writable(stores: Stores) -> Iterator[Handoffs]:
    return (Handoffs(store) for store in stores if not store.readonly)


def _refuse_readonly(handoffs: Handoffs, named: str) -> None:
    if handoffs.store.readonly:
        raise RefusedError(
            f"{named!r} lies in {str(handoffs.store.root)!r}, which is only read from here",
            next=["opensession handoff artifacts list"],
        )
