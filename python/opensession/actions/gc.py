"""Removes what nobody needs: left temporary files, old quarantine, and old sessions if asked.

Owns which stores are cleaned. What counts as garbage is the store's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensession.store import GcReport, Stores


def gc(
    stores: Stores, *, apply: bool = False, sessions: bool = False, older_than: float | None = None
) -> list[GcReport]:
    """Say what each writable store would lose, and with ``apply`` let it go."""
    return [
        store.gc(apply, sessions=sessions, older_than=older_than) for store in stores if not store.readonly
    ]
