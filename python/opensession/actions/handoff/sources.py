"""What a handoff is about: files, addresses and the last sessions of this repository, as objects of one store.

Owns that every source stands in the store that is written to, in canonical form, before it is cited, and where each
came from. Must not know what is made of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions import inputs, parse, targets
from opensession.actions.handoff import recent
from opensession.actions.register import register
from opensession.errors import UsageError
from opensession.uri import format_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opensession.actions.parse import Progress
    from opensession.actions.targets import Place, Target
    from opensession.store import Store, Stores

    Guide = Callable[[str], "AbstractContextManager[None]"]
    from contextlib import AbstractContextManager


class Cited(NamedTuple):
    """A source, in the store that is written to."""

    sha256: str
    origin: dict[str, str]
    """Where it came from: kept beside the artifact, never in it."""


class Wanted(NamedTuple):
    """What a person asked a handoff to be about."""

    files: Sequence[str] = ()
    addresses: Sequence[str] = ()
    last: int = 0


def gather(
    stores: Stores,
    wanted: Wanted,
    *,
    here: recent.Here,
    guide: Guide,
    place: Place | None = None,
    jobs: int,
    progress: Progress | None,
) -> list[Cited]:
    """Every source, registered; ``guide`` wraps what concerns one name, so that an error can say what to do."""
    found: list[Cited] = []
    for named in wanted.files:
        with guide(named):
            found += _from_file(stores.write, named, jobs=jobs, progress=progress)
    for address in wanted.addresses:
        with guide(address):
            target = targets.find(stores, address, place)
            assert target.store is not None
            assert target.sha256 is not None
            cited = _from_store(
                stores.write, target.store, target.sha256, "address", jobs=jobs, progress=progress
            )
            found.append(cited if target.origin is None else _from_remote(cited, target))
    if wanted.last:
        for entry in recent.sessions(stores, here, wanted.last):
            store = _holder(stores, entry.sha256)
            found.append(_from_store(stores.write, store, entry.sha256, "last", jobs=jobs, progress=progress))
    if not found:
        raise UsageError(
            "there is nothing to build from: name files, --from addresses or --last N",
            next=["opensession ls", "opensession handoff build --help"],
        )
    return list(_once(found))


def from_stores(stores: Stores, sha256: str, *, jobs: int = core.DEFAULT_JOBS) -> Cited:
    """A session of any of the stores, in the one that is written to."""
    return _from_store(stores.write, _holder(stores, sha256), sha256, "address", jobs=jobs, progress=None)


def _from_file(store: Store, named: str, *, jobs: int, progress: Progress | None) -> Iterator[Cited]:
    with inputs.open_input(named, store.spool) as source:
        stored = register(
            store, source.fd, profile=parse.AUTO, source_name=source.name, jobs=jobs, progress=progress
        )
    where = {"kind": "stdin"} if named == inputs.STDIN else {"kind": "file", "path": os.path.abspath(named)}
    for each in stored:
        yield Cited(each.sha256, where)


def _from_store(
    write: Store, holder: Store, sha256: str, kind: str, *, jobs: int, progress: Progress | None
) -> Cited:
    origin = {"kind": kind, "uri": format_local(sha256), "store": str(holder.root)}
    if holder is write:
        return Cited(sha256, origin)
    # Another store may hold what an older program wrote, which need not be canonical: its address is then another.
    holder.check(sha256)
    with holder.open_unchecked(sha256) as stored:
        (kept,) = write.put_hail(stored.fd, jobs=jobs, progress=progress, single=True)
    return Cited(kept.sha256, origin)


def _from_remote(cited: Cited, target: Target) -> Cited:
    return cited._replace(origin={**cited.origin, "kind": "remote", "uri": target.named})


def _holder(stores: Stores, sha256: str) -> Store:
    return next(store for store in stores if store.has(sha256))


def _once(found: list[Cited]) -> Iterator[Cited]:
    seen: set[tuple[str, str]] = set()
    for cited in found:
        key = (cited.sha256, repr(sorted(cited.origin.items())))
        if key not in seen:
            seen.add(key)
            yield cited
