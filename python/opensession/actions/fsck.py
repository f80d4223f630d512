"""Checks every byte of every store.

Owns which stores are checked: all that are read, of which only writable ones are repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.store import FsckReport, Stores


def fsck(stores: Stores, *, repair: bool = False, progress: Progress | None = None) -> list[FsckReport]:
    """Check each store; with ``repair`` wrong bytes are set aside and modes put right."""
    return [store.fsck(repair=repair and not store.readonly, progress=progress) for store in stores]
