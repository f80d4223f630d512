"""Looks for secrets in what a push of ours would send: the part of a ledger that the remote does not have.

Owns which part that is. What was found clean before is not looked at again, so that a ledger of ten thousand sessions
costs as much as what is new in it. Must not know how it is sent.
"""

from __future__ import annotations

import os
import time

from opensession.errors import IntegrityError, RemoteFailedError
from opensession.git import scratch
from opensession.git.entries import Kind, place_of
from opensession.git.mirror import mirror_of
from opensession.git.push import push_command
from opensession.git.transport import Limits
from opensession.git.trees import object_id
from opensession.light import contextmanager
from opensession.settings import quoted
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opensession.actions.release.scanner import Finding, Scanner
    from opensession.core import Progress
    from opensession.git.ledger import Ledger
    from opensession.git.mirror import Mirror
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.git.run import Git
    from opensession.store import Store, Stores

_SMALL = 1 << 20
"""A link or a description has a few hundred bytes; what is larger is looked at by itself."""


def check(
    repository: Repository,
    stores: Stores,
    ledger: Ledger,
    tip: str,
    remote: Remote,
    *,
    deadline: float | None = None,
    progress: Progress | None = None,
) -> bool:
    """Raise SecretsFoundError where something in the ledger that the remote does not have holds a secret.

    False where there is nothing that the remote does not have, as far as it was seen last. ``tip`` is the ledger's
    commit that will be sent: somebody may record more in the meantime, which nobody has looked at.
    """
    new = list(_new(repository, stores.write.root, ledger.ref, tip, remote, deadline))
    if not new:
        return False
    # Only now: most pushes have no new session, and this is half of what the hook would load.
    from opensession.actions.release.refusal import refused
    from opensession.actions.release.scanner import Scanner
    from opensession.store import allowed

    scanner = Scanner(stores.write, holders=stores, deadline=deadline, progress=progress)
    found = _scanned(scanner, stores, ledger, new, remote)
    # What a person let pass when it was recorded is not asked about again.
    passed = allowed.passed(stores.write) if found else set()
    found = [one for one in found if (_subject(one.named), one.fingerprint) not in passed]
    if found:
        raise refused(found)
    return True


def _subject(named: str) -> str:
    """What a person was asked about: of a description, the session whose words it repeats."""
    place = place_of(named)
    described = place.sha256 if place is not None and place.kind is Kind.META else None
    return named if described is None else format_local(described)


_BYTES = (Kind.SESSION, Kind.FLAT, Kind.PLACED)


def _scanned(
    scanner: Scanner, stores: Stores, ledger: Ledger, new: Sequence[tuple[str, str]], remote: Remote
) -> list[Finding]:
    found: list[Finding] = []
    with ledger:
        sessions = _sessions(scanner, stores, ledger, new, remote)
        clean = scanner.known_clean(sorted(set(sessions.values())))
        for path, oid in new:
            sha256 = sessions.get(oid)
            if sha256 not in clean:
                found += _scan(scanner, stores, ledger, path, oid, sha256)
    return found


def _sessions(
    scanner: Scanner, stores: Stores, ledger: Ledger, new: Sequence[tuple[str, str]], remote: Remote
) -> dict[str, str]:
    """The address of each blob that is a session: the hash of its bytes, whatever hash stands in its path.

    A path is no proof: what was found clean under that name may be other bytes.
    """
    hashes: dict[str, str] = {}
    named: set[str] = set()
    for path, oid in new:
        place = place_of(path)
        if place is None or place.kind not in _BYTES:
            continue
        if oid not in hashes:
            scanner.check_time(path)
            hashes[oid] = _hash(ledger, oid)
        if place.sha256 == hashes[oid]:
            named.add(oid)
        elif place.kind is Kind.SESSION:
            raise _damaged(ledger, str(place.sha256), hashes[oid], remote)
    # Bytes that neither a path nor a store knows by their hash are shown by their path.
    return {
        oid: sha256
        for oid, sha256 in hashes.items()
        if oid in named or any(store.has(sha256) for store in stores)
    }


def _hash(ledger: Ledger, oid: str) -> str:
    with ledger.reading() as batch:
        info = batch.info(oid)
        if info is None or info.size > _SMALL:
            return ledger.copy_blob(oid, None)[0]
        import hashlib

        return hashlib.sha256(batch.typed(oid, "blob")).hexdigest()


def _damaged(ledger: Ledger, sha256: str, found: str, remote: Remote) -> IntegrityError:
    named = quoted(remote.name or remote.shown)
    return IntegrityError(
        f"the session {sha256} in the ledger {ledger.ref} is damaged: its bytes hash to {found}, so nothing was sent",
        # This writes the ledger anew. Other bytes put in their place would leave them in its history.
        next=[f"opensession unshare {format_local(sha256)} --remote {named}"],
    )


_ADDED = ("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AM")


def _new(
    repository: Repository, root: Path, ref: str, ours: str, remote: Remote, deadline: float | None
) -> Iterator[tuple[str, str]]:
    """Path and blob of everything in ``ours`` and in its past that the remote's ledger does not have."""
    with mirror_of(repository, root, remote) as mirror:
        theirs = mirror.objects.tip(mirror.copy_of(ref)) or _fetched(mirror, ref, remote, deadline)
        if theirs == ours:
            return
        git = mirror.git
        base = theirs or object_id("tree", b"", repository.object_format)
        # By the commit: the private repository has the objects of this one, but not its refs.
        records = git.records(
            *_ADDED, "--end-of-options", base, ours, doing="compare a ledger with the remote's"
        )
        seen = set()
        for path, oid in _entries(records):
            seen.add(oid)
            yield path, oid
        past = {oid: path for path, oid in _past(git, ours, theirs) if oid not in seen}
        if past and theirs is not None:
            for line in git.records("ls-tree", "-r", "-z", theirs, doing="list the remote's ledger"):
                past.pop(line.partition(b"\t")[0].decode("ascii").split(" ")[2], None)
        yield from ((path, oid) for oid, path in past.items())


def _past(git: Git, ours: str, theirs: str | None) -> Iterator[tuple[str, str]]:
    """What each commit of ours added, that of no commit of theirs: a push sends what a later one took out, too."""
    commits = scratch.file()
    try:
        without = () if theirs is None else ("--not", theirs)
        git.run("rev-list", ours, *without, stdout=commits, doing="list the commits of a ledger")
        if os.lseek(commits, 0, os.SEEK_CUR) == 0:
            return
        os.lseek(commits, 0, os.SEEK_SET)
        words = (*_ADDED, "--stdin", "--root", "-m", "--no-commit-id")
        yield from _entries(git.records(*words, stdin=commits, doing="read the past of a ledger"))
    finally:
        os.close(commits)


def _entries(records: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for facts in records:
        yield os.fsdecode(next(records)), facts.decode("ascii").split(" ")[3]


def _fetched(mirror: Mirror, ref: str, remote: Remote, deadline: float | None) -> str | None:
    """The remote's ledger, which was never seen from here: what is in it need not be scanned."""
    left = Limits() if deadline is None else Limits(total=max(0.1, deadline - time.monotonic()))
    try:
        return mirror.fetch(ref, left)
    except RemoteFailedError as error:
        raise error.with_next(push_command(remote, ref), "git remote -v") from None


def _scan(
    scanner: Scanner, stores: Stores, ledger: Ledger, path: str, oid: str, sha256: str | None
) -> list[Finding]:
    if sha256 is not None and any(store.has(sha256) for store in stores):
        return scanner.session(sha256)
    named = path if sha256 is None else format_local(sha256)
    with ledger.reading() as batch:
        info = batch.info(oid)
        if info is not None and info.size <= _SMALL:
            return scanner.source(named, batch.typed(oid, "blob"))
    with _spooled(ledger, stores.write, oid) as fd:
        return scanner.source(named, fd)


@contextmanager
def _spooled(ledger: Ledger, store: Store, oid: str) -> Iterator[int]:
    """A blob as a file without a name: the scanner may have to read it twice."""
    with store.spool(b"") as fd:
        ledger.copy_blob(oid, fd)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
