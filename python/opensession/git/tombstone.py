"""Tombstones: which sessions were taken back from a ledger here, and a commit that holds nothing but one.

Owns that such a commit says nothing of any other session: taking one back must not send another. Must not know
remotes.
"""

from __future__ import annotations

from opensession.errors import InternalError
from opensession.git.entries import GONE, gone_path, place_of
from opensession.git.objects import commit_of
from opensession.git.refs import NAMESPACE
from opensession.git.trees import BLOB, Entry, edit, object_id, parse_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.ledger import Ledger
    from opensession.git.repository import Repository


def taken_back(repository: Repository) -> set[str]:
    """The sessions that any ledger of this repository has a tombstone for.

    Who took a session back from one branch does not want it to come back by the next.
    """
    names: set[bytes] = set()
    with repository.git.batch() as batch:
        folders = {batch.info(f"{ref}:{GONE.rstrip('/')}") for ref in repository.refs(NAMESPACE)}
        for oid in {found.oid for found in folders if found is not None and found.type == "tree"}:
            names |= parse_tree(batch.typed(oid, "tree"), repository.object_format).keys()
    places = (place_of(GONE + name.decode("ascii", "replace")) for name in names)
    return {place.sha256 for place in places if place is not None and place.sha256 is not None}


def tombstone(ledger: Ledger, sha256: str, message: str) -> str:
    """The id of the commit. It is the same for everybody, and no ref points to it."""
    empty = object_id("blob", b"", ledger.object_format)
    tree = edit(None, {gone_path(sha256): Entry(BLOB, empty)}, _nothing, ledger.object_format)
    commit = commit_of(tree.root, [], message, 0)
    *_, [made] = ledger.objects.write_all(
        [("blob", [b""]), ("tree", list(tree.objects.values())), ("commit", [commit])]
    )
    ledger.objects.sync()
    return made


def _nothing(oid: str) -> bytes:
    raise InternalError(f"an empty ledger has no tree {oid}")
