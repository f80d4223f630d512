"""Names inside a store (docs/store.md), and nothing else: no file is touched here."""

from __future__ import annotations

import os

TYPE_CHECKING = False
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

_DIGITS = frozenset("0123456789abcdef")
_WHOLE = 64
_FAN = 2
MIN_PREFIX = 8
"""Two fan-out folders are named by the first four digits; eight is what people paste, and git's habit for
short names.
"""

FOLDER_MODE = 0o700
WRITING_MODE = 0o600
VISIBLE_MODE = 0o400

CHECK_FIRST_BELOW = 64 * 1024 * 1024
"""Objects up to this size are hashed before their first byte leaves; larger ones stream."""


def is_sha256(text: str) -> bool:
    """Whether the text is spelled like a whole address."""
    return len(text) == _WHOLE and _DIGITS.issuperset(text)


def is_prefix(text: str) -> bool:
    """Whether the text is spelled like an address or the beginning of one."""
    return MIN_PREFIX <= len(text) <= _WHOLE and _DIGITS.issuperset(text)


def is_fan(name: str) -> bool:
    """Whether the name is one that a fan-out folder has."""
    return len(name) == _FAN and _DIGITS.issuperset(name)


def object_place(root: str, sha256: str, *, kind: str = OBJECTS) -> str:
    """Where the object of this address is, whether it exists or not."""
    return os.path.join(root, kind, ALGORITHM, sha256[:2], sha256[2:4], sha256 + SUFFIX)


def object_path(root: Path, sha256: str, *, kind: str = OBJECTS) -> Path:
    """The same as a path."""
    from pathlib import Path

    return Path(object_place(os.fspath(root), sha256, kind=kind))
