"""Lists what is stored.

Owns nothing but the question; which of several readings of one log is current is the store's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.store import Entry, Stores


def ls(stores: Stores, *, superseded: bool = False) -> Iterator[Entry]:
    """The sessions of every store, newest first; ``superseded`` shows those too that a later reading replaced."""
    return stores.ls(all=superseded)
