"""A commit that holds nothing but the tombstone of one session, to be brought to a remote's ledger.

Owns that it says nothing of any other session: taking one back must not send another. Must not know remotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.errors import InternalError
from opensession.git.entries import gone_path
from opensession.git.objects import commit_of
from opensession.git.trees import BLOB, Entry, edit, object_id

if TYPE_CHECKING:
    from opensession.git.ledger import Ledger


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
