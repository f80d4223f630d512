"""Takes a session back: out of this machine's ledgers and out of a remote's, with a tombstone that keeps it out.

Owns what a person may name, which ledgers are meant, and that nothing but the tombstone is brought to the remote:
taking one thing back must not send another. What cannot be undone is said by whoever shows the answer.
"""

from __future__ import annotations

import re

from opensession.actions.share_plan import checked_ledger
from opensession.errors import BadUriError, NotFoundError, OpensessionError, UsageError
from opensession.git.entries import Kind, place_of
from opensession.git.ledger import Changes, Ledger
from opensession.git.refs import NAMESPACE
from opensession.light import NamedTuple
from opensession.uri import ArtifactUri, LocalUri, format_local, parse_uri, remote_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.store import Stores
    from opensession.uri import GithubUri, GitlabUri, GitUri

    RemoteUri = GithubUri | GitlabUri | GitUri

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Target(NamedTuple):
    """What is to be taken back, from where."""

    sha256: str
    refs: tuple[str, ...]
    """The ledgers that have it, or had it, or that its address names."""
    remote: Remote

    @property
    def uri(self) -> str:
        return format_local(self.sha256)


class Unshared(NamedTuple):
    """What became of it."""

    target: Target
    rewritten: tuple[str, ...]
    """Ledgers of this machine that were written anew."""
    pushed: tuple[str, ...]
    """Ledgers of the remote that are without it now."""
    failure: OpensessionError | None
    """Why a ledger of the remote may still have it; what was done here stays."""


def find(stores: Stores, repository: Repository, named: str, remote: Remote) -> Target:
    """What ``named`` means: the address that `share` printed, a local address, or the beginning of one."""
    refs: dict[str, None] = {}
    if named[:3].lower() == "os:":
        uri = parse_uri(named)
        if isinstance(uri, ArtifactUri):
            raise BadUriError(f"{named!r} is an artifact, and those are not shared through git")
        if isinstance(uri, LocalUri):
            sha256 = uri.sha256
        else:
            _refuse_other_remote(uri, remote)
            refs[checked_ledger(uri.ref)] = None
            sha256 = _at(repository, uri)
    else:
        sha256 = named if _SHA256.fullmatch(named) else stores.find(named)[1]
    for ref in repository.refs(NAMESPACE):
        with _ledger(repository, ref) as ledger:
            if ledger.has(sha256) or ledger.is_gone(sha256):
                refs[ref] = None
    if not refs:
        raise NotFoundError(
            f"no ledger of this repository has the session {sha256}",
            next=["git for-each-ref refs/opensession/", "opensession unshare --help"],
        )
    return Target(sha256, tuple(refs), remote)


def unshare(stores: Stores, repository: Repository, target: Target) -> Unshared:
    """Take it out of the ledgers here, then out of those of the remote."""
    rewritten: list[str] = []
    pushed: list[str] = []
    message = f"unshare {target.sha256}"
    for ref in target.refs:
        with _ledger(repository, ref) as ledger:
            if ledger.tip() is None:
                continue
            if ledger.record(Changes(gone=[target.sha256]), message, rewrite=True).changed:
                rewritten.append(ref)
    try:
        # One by one: those before a failure count.
        pushed.extend(ref for ref in target.refs if _push(stores, repository, target, ref, message))
    except OpensessionError as error:
        return Unshared(target, tuple(rewritten), tuple(pushed), error)
    return Unshared(target, tuple(rewritten), tuple(pushed), None)


def _push(stores: Stores, repository: Repository, target: Target, ref: str, message: str) -> bool:
    """Bring the tombstone, and nothing else, to the remote's ledger; False where the remote has none."""
    from opensession.git.mirror import mirror_of
    from opensession.git.push import push_ledger
    from opensession.git.tombstone import tombstone
    from opensession.git.transport import Limits

    root = stores.write.root
    there = []
    for place in target.remote.destinations():
        with mirror_of(repository, root, place) as mirror:
            there.append(mirror.fetch(ref, Limits()))
    if not any(there):
        return False
    with _ledger(repository, ref) as ledger:
        tip = tombstone(ledger, target.sha256, message)
    push_ledger(repository, root, ref, target.remote, rewrite=True, tip=tip)
    return True


def _refuse_other_remote(uri: RemoteUri, remote: Remote) -> None:
    if remote_uri(remote.normal, uri.ref, uri.path) != uri:
        raise UsageError(
            f"that address does not lie in {remote.shown!r}: name the remote that it was shared with",
            next=["git remote -v"],
        )


def _at(repository: Repository, uri: RemoteUri) -> str:
    """The hash of the session at an address of ours: in its name, else of the bytes that stand there here."""
    place = place_of(uri.path)
    if (
        place is not None
        and place.sha256 is not None
        and place.kind in (Kind.SESSION, Kind.FLAT, Kind.PLACED)
    ):
        return place.sha256
    with _ledger(repository, uri.ref) as ledger:
        for entry in ledger.sessions():
            if entry.path == uri.path:
                return ledger.copy_blob(entry.oid, None)[0]
    raise NotFoundError(
        f"there is nothing at {uri.path!r} in the ledger {uri.ref} here, so its hash is not known",
        next=[f"git ls-tree -r --name-only {uri.ref}", "opensession unshare --help"],
    )


def _ledger(repository: Repository, ref: str) -> Ledger:
    return Ledger(
        repository.git, ref, common_dir=repository.common_dir, object_format=repository.object_format
    )
