"""Brings the session that a ``gh``, ``gl`` or ``git`` URI names into the store (docs/uri.md, "Reading").

Owns the ways there and their order: what the store has, the user's own ledger, the remote that is configured here, the
public network; and which of them a URI alone may take. Must not know what is done with the session.
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from opensession.actions.targets import Origin
from opensession.errors import (
    HailError,
    IntegrityError,
    NotFoundError,
    OpensessionError,
    RefusedError,
    RemoteFailedError,
    UsageError,
)
from opensession.git import addresses, remotes
from opensession.git.fetch import Fetched, Source, fetch_file
from opensession.git.ledger import Ledger
from opensession.git.refs import NAMESPACE
from opensession.git.repository import Repository
from opensession.git.state import State
from opensession.git.transport import Limits, private, settings_of, strangers
from opensession.settings import quoted
from opensession.store.folders import storage
from opensession.uri import GithubUri, GitlabUri, GitUri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opensession.actions.targets import Place
    from opensession.git.remotes import Remote
    from opensession.store import Store, Stores

    RemoteUri = GithubUri | GitlabUri | GitUri
    Read = Callable[[int], Fetched]
    """Copies the file to a descriptor."""

_PROMISE = re.compile(r"(?:.*/)?([0-9a-f]{64})\.jsonl", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CANONICAL = "git/canonical"
_FOLDS_CASE = ("https://github.com/", "https://gitlab.com/")
SIZE = "OPENSESSION_MAX_FETCH"


def materialize(stores: Stores, uri: RemoteUri, place: Place) -> Origin:
    """Have the session in a store: where it is there already, nothing is asked.

    Raises NotFoundError for a ref or path that does not exist, RemoteFailedError where a remote does not take part,
    IntegrityError for bytes that are not those which the URI promises, RefusedError for a place that a URI alone may
    not lead to, and what the store raises for bytes that are no session.
    """
    match = _PROMISE.fullmatch(uri.path)
    promised = None if match is None else match[1]
    kept = None if promised is None else _kept(stores, promised)
    if kept is not None:
        return kept
    failure: OpensessionError | None = None
    for read in _ways(stores.write, uri, place, promised):
        try:
            return _stored(stores.write, uri, place, promised, read)
        except RemoteFailedError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _kept(stores: Stores, promised: str) -> Origin | None:
    """What a store has under the promised hash: these bytes, or their canonical form."""
    for store in stores:
        if store.has(promised):
            return Origin(store, promised, checked=True, canonical=True)
    for store in stores:
        try:
            canonical = (store.root / _CANONICAL / promised).read_text("ascii")
        except (OSError, UnicodeDecodeError):
            continue
        if _SHA256.fullmatch(canonical) and store.has(canonical):
            return Origin(store, canonical, checked=True, canonical=False)
    return None


def _remember(store: Store, promised: str, canonical: str) -> None:
    """Note under which address the canonical form of other bytes is kept; lost, it costs a transfer."""
    folder = store.root / _CANONICAL
    with storage(folder, "write to"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f".tmp-{os.urandom(8).hex()}"
        fresh.write_text(canonical, "ascii")
        fresh.replace(folder / promised)


def _stored(store: Store, uri: RemoteUri, place: Place, promised: str | None, read: Read) -> Origin:
    """Read the file and put it into the store, if it is what it should be."""
    with store.spool(b"") as fd:
        fetched = read(fd)
        if promised is not None and fetched.sha256 != promised:
            raise IntegrityError(
                f"the {fetched.bytes} bytes at {uri} hash to {fetched.sha256}, not to the address in their path",
                next=_history(uri, place),
            )
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            (kept,) = store.put_hail(fd, single=True)
        except HailError as error:
            error.message = f"what stands at {uri} is no session: {error.message}"
            raise
    if promised is not None and kept.sha256 != promised:
        _remember(store, promised, kept.sha256)
    return Origin(store, kept.sha256, promised is not None, canonical=kept.sha256 == fetched.sha256)


def _history(uri: RemoteUri, place: Place) -> list[str]:
    """How to see which commits put bytes where the URI leads: an earlier one may have the right ones."""
    remote, ref = quoted(place.remote or normal_of(uri)), quoted(uri.ref)
    if _repository(place) is None:
        return [f"git ls-remote {remote} {ref}"]
    return [f"git fetch {remote} {ref}", f"git log --stat FETCH_HEAD -- {quoted(uri.path)}"]


def _ways(store: Store, uri: RemoteUri, place: Place, promised: str | None) -> Iterator[Read]:
    """How the file may be read, the nearest first."""
    repository = _repository(place)
    chosen = _chosen(repository, uri, place)
    if repository is not None and chosen:
        own = _own(repository, uri, promised)
        if own is not None:
            yield own
    limits = limits_of(place.env)
    for remote in chosen:
        yield partial(_through, store.root, uri, place, limits, repository, remote)
    if place.remote is None:
        # Where the remote that is configured failed, its failure is what counts.
        yield partial(_in_public, store.root, uri, place, limits, None if chosen else _steps(repository, uri))


def _repository(place: Place) -> Repository | None:
    try:
        return Repository.discover(Path(place.cwd), place.env)
    except NotFoundError:
        return None


def _chosen(repository: Repository | None, uri: RemoteUri, place: Place) -> list[Remote]:
    """The remotes that may be read with the user's own settings: the one that was typed, else those configured here."""
    normal = normal_of(uri)
    if place.remote is not None:
        typed = remotes.remote_of(repository, place.remote, cwd=Path(place.cwd))
        if not any(_is_same(each.normal, normal) for each in (typed, *typed.destinations())):
            raise UsageError(
                f"{typed.shown!r} is another repository than {normal!r}, which the URI names",
                next=["git remote -v"],
            )
        return [typed]
    if repository is None:
        return []
    return [
        remote
        for remote in remotes.every(repository)
        if any(_is_same(each, normal) for each in remotes.normals_of(repository, remote))
    ]


def _own(repository: Repository, uri: RemoteUri, promised: str | None) -> Read | None:
    """The file out of this repository itself: its own ledger, or a commit, which is the same everywhere."""
    ref = uri.ref
    if not ref.startswith(NAMESPACE) and len(ref) not in (40, 64) and promised is None:
        return None  # a branch here may be another than the one there
    full = ref if ref.startswith("refs/") or len(ref) in (40, 64) else f"refs/heads/{ref}"
    with repository.git.batch() as batch:
        try:
            oid = State.of(batch, f"{full}^{{commit}}", repository.object_format).file(uri.path)
        except (IntegrityError, UsageError):
            return None
        found = None if oid is None else batch.info(oid)
    if oid is None or found is None:
        return None
    ledger = Ledger(
        repository.git, full, common_dir=repository.common_dir, object_format=repository.object_format
    )
    if promised is not None and ledger.copy_blob(oid, None)[0] != promised:
        return None
    return lambda fd: Fetched(*ledger.copy_blob(oid, fd))


def _through(
    root: Path,
    uri: RemoteUri,
    place: Place,
    limits: Limits,
    repository: Repository | None,
    remote: Remote,
    out: int,
) -> Fetched:
    """Through a remote of the user's, with the user's settings."""
    env = place.env if repository is None else repository.git.environment()
    settings = [] if repository is None else settings_of(repository)
    kind = "sha1" if repository is None else repository.object_format
    source = Source(
        remote,
        uri.ref,
        uri.path,
        lambda git_dir: (private(git_dir, settings, remote, env), private(git_dir, settings, None, env)),
        kind,
    )
    return fetch_file(source, root, out, env, limits)


def _steps(repository: Repository | None, uri: RemoteUri) -> list[str]:
    """How a remote is read that a URI alone does not lead to."""
    normal = quoted(normal_of(uri))
    typed = f"opensession inspect {uri} --remote {normal}"
    if repository is None:
        return [typed]
    taken = remotes.names_of(repository)
    free = next(name for name in ("shared", *(f"shared-{n}" for n in range(2, 99))) if name not in taken)
    return [f"git remote add {free} {normal}", typed]


def _in_public(
    root: Path, uri: RemoteUri, place: Place, limits: Limits, steps: list[str] | None, out: int
) -> Fetched:
    """Through the public network, as nobody in particular; ``steps`` are for a remote that is not public."""
    normal = normal_of(uri)
    try:
        pins = addresses.pinned(normal, place.env)
    except RefusedError as error:
        if steps is not None:
            error.remote = normal
            raise error.with_next(*steps) from None
        raise RemoteFailedError(error.message) from None
    fetch = partial(_as_nobody, root, uri, place, limits, pins, out)
    # A normal form is without `.git`. Servers need it that know their folders' names only, or that send the visitor
    # there: gitlab.com does, and no redirection is followed.
    urls = (f"{normal}.git", normal) if isinstance(uri, GitlabUri) else (normal, f"{normal}.git")
    try:
        return fetch(urls[0])
    except RemoteFailedError as error:
        if error.reason in ("hung", "network", "full"):
            raise
        try:
            return fetch(urls[1])
        except RemoteFailedError:
            raise error from None


def _as_nobody(
    root: Path, uri: RemoteUri, place: Place, limits: Limits, pins: tuple[str, ...], out: int, url: str
) -> Fetched:
    shown = normal_of(uri)
    remote = remotes.Remote(None, shown, url, shown, shown, ())
    source = Source(
        remote,
        uri.ref,
        uri.path,
        lambda git_dir: (strangers(git_dir, remote, place.env, pins), strangers(git_dir, None, place.env)),
        "sha256" if len(uri.ref) == 64 else "sha1",
    )
    return fetch_file(source, root, out, place.env, limits)


def normal_of(uri: RemoteUri) -> str:
    """The remote of a URI in normal form."""
    if isinstance(uri, GithubUri):
        return f"https://github.com/{uri.owner}/{uri.repo}"
    if isinstance(uri, GitlabUri):
        return f"https://gitlab.com/{uri.project}"
    return uri.remote


def limits_of(env: Mapping[str, str]) -> Limits:
    """The usual limits, with the size that the environment sets."""
    typed = env.get(SIZE)
    if not typed:
        return Limits()
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19 and int(typed)):
        raise UsageError(
            f"{SIZE} is a number of bytes, not {typed!r}", next=[f"export {SIZE}={Limits().bytes}"]
        )
    return Limits(bytes=int(typed))


def _is_same(one: str, other: str) -> bool:
    """Whether two normal forms name one repository; these two hosts do not tell letters' cases apart."""
    return one == other or (one.lower() == other.lower() and one.lower().startswith(_FOLDS_CASE))
