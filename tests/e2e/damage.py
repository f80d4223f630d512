"""Does to a stored object what a failing disk does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def flip(store: Path, address: str) -> Path:
    """Change one bit in the middle of the object, leaving its name and mode as they are."""
    digest = address.removeprefix("os://src/local/")
    path = store / "objects" / "sha256" / digest[:2] / digest[2:4] / f"{digest}.jsonl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(path, 0o600)
    path.write_bytes(data)
    os.chmod(path, 0o400)
    return path
