"""Hands out the bytes of a stored session, checked.

Owns the order: where the session is comes first, its bytes second. Must not know where the bytes go.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.actions.targets import Target


def cat(target: Target, out: int, *, check_first: bool = False, progress: Progress | None = None) -> int:
    """Copy the session to the descriptor ``out`` and return its length in bytes."""
    assert target.store is not None
    assert target.sha256 is not None
    return target.store.copy_to(target.sha256, out, check_first=check_first, progress=progress)
