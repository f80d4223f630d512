"""Removes a stored session.

Owns that the whole address is found before anything goes: a short name that fits two sessions removes neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensession.store import Removed, Stores


def rm(stores: Stores, address: str, *, force: bool = False) -> Removed:
    """Remove the session at ``address`` from the first store that has it; refused while an artifact there cites it."""
    store, sha256 = stores.find(address)
    return store.rm(sha256, force=force)
