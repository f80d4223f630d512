"""Brings a remote's ledgers here to be read: all links, and only those sessions that are asked for.

Owns what is fetched. It goes into the private copy of the remote, never into the user's repository.
"""

from __future__ import annotations

from opensession.actions.remote import limits_of
from opensession.git.entries import COMMITS, META, session_path
from opensession.git.mirror import ledgers_in, mirror_of
from opensession.git.refs import BRANCHES
from opensession.git.remotes import remote_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.git.run import Git


def fetch_links(repository: Repository, store_root: Path, named: str, env: Mapping[str, str]) -> Remote:
    """Bring the copies of all ledgers of a remote up to date, with their links and descriptions."""
    remote = remote_of(repository, named)
    with mirror_of(repository, store_root, remote) as mirror:
        mirror.fetch(BRANCHES + "*", limits_of(env))
        small = {oid for tip in ledgers_in(mirror.git).values() for oid in _below(mirror.git, tip)}
        mirror.fetch_blobs(sorted(small), limits_of(env))
    return remote


def fetch_sessions(
    repository: Repository, store_root: Path, remote: Remote, sha256s: Iterable[str], env: Mapping[str, str]
) -> None:
    """Bring these sessions here, as far as the remote's ledgers have them."""
    wanted = list(sha256s)
    with mirror_of(repository, store_root, remote) as mirror:
        found: set[str] = set()
        for tip in ledgers_in(mirror.git).values():
            for sha256 in wanted:
                found.update(_below(mirror.git, tip, session_path(sha256)))
        mirror.fetch_blobs(sorted(found), limits_of(env))


def _below(git: Git, tip: str, *paths: str) -> Iterator[str]:
    """The blobs of a ledger at or below these paths; without any, its links and descriptions."""
    under = paths or (COMMITS, META)
    for record in git.records("ls-tree", "-r", "-z", "--full-tree", tip, "--", *under, doing="list a ledger"):
        facts = record.partition(b"\t")[0].decode("ascii", "replace").split(" ")
        if facts[:2] == ["100644", "blob"]:
            yield facts[2]
