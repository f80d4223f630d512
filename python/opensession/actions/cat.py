"""Hands out the bytes of a stored session, checked.

Owns the choice of the store. Must not know where the bytes go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.store import Stores


def cat(
    stores: Stores, address: str, out: int, *, check_first: bool = False, progress: Progress | None = None
) -> int:
    """Copy the session at ``address`` to the descriptor ``out`` and return its length in bytes."""
    store, sha256 = stores.find(address)
    return store.copy_to(sha256, out, check_first=check_first, progress=progress)
