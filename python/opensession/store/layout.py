"""Names inside a store (docs/store.md), and nothing else: no file is touched here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = "objects"
ARTIFACTS = "artifacts"
ALGORITHM = "sha256"
QUARANTINE = "quarantine"
VERSION_FILE = "VERSION"
VERSION = "1"
CHECKED_DB = "checked.db"
CLEAN_DB = "clean.db"
KEY_FILE = "secret.key"
ALLOWED_SECRETS = "allowed-secrets.jsonl"
TEMPORARY = ".tmp-"
SUFFIX = ".jsonl"

SHA256 = re.compile(r"[0-9a-f]{64}")
PREFIX = re.compile(r"[0-9a-f]{8,64}")
FAN = re.compile(r"[0-9a-f]{2}")
MIN_PREFIX = 8
"""Two fan-out folders are named by the first four digits; eight is what people paste, and git's habit for
short names.
"""

FOLDER_MODE = 0o700
WRITING_MODE = 0o600
VISIBLE_MODE = 0o400

CHECK_FIRST_BELOW = 64 * 1024 * 1024
"""Objects up to this size are hashed before their first byte leaves; larger ones stream."""


def object_path(root: Path, sha256: str, *, kind: str = OBJECTS) -> Path:
    """Where the object of this address is, whether it exists or not."""
    return root.joinpath(kind, ALGORITHM, sha256[:2], sha256[2:4], sha256 + SUFFIX)
