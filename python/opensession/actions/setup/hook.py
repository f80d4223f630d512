"""The pre-push hook: its text, and what a file found in its place is.

Owns the marker, the version that the text carries, and the names beside the hook. Must not know which folder the
hook belongs in, nor change any file.
"""

from __future__ import annotations

import hashlib
import re
from enum import Enum
from pathlib import Path

MARKER = b"# opensession-managed"
NAME = "pre-push"
ORIGINAL = "pre-push.original.pre-opensession"
"""The older hook, which ours runs first."""
OLDER_ORIGINAL = "pre-push.pre-opensession"
"""What the Rust program of this name called it once."""
EDITED = "pre-push.edited.pre-opensession"
"""A hook of ours that somebody changed by hand: kept, not run."""

_TEMPLATE = "pre_push.sh"
_FORMAT = 1
_VERSION_LINE = re.compile(rb"^# opensession-hook: (\d+) ([0-9a-f]{64})\n", re.MULTILINE)
_PLACE = b"# opensession-hook: @VERSION@\n"


class Kind(Enum):
    """What a file in the hook's place is."""

    ABSENT = "absent"
    CURRENT = "current"
    OUTDATED = "outdated"
    """Ours as we wrote it, from another version."""
    EDITED = "edited"
    """It has our marker, and is not as we wrote it."""
    FOREIGN = "foreign"

    @property
    def ours(self) -> bool:
        """Whether the file is a hook of this program."""
        return self in (Kind.CURRENT, Kind.OUTDATED, Kind.EDITED)


def text() -> bytes:
    """The hook as it is installed: it carries the hash of itself without that line."""
    template = (Path(__file__).parent / _TEMPLATE).read_bytes()
    before, found, after = template.partition(_PLACE)
    assert found, "the template has a place for its version"
    digest = hashlib.sha256(before + after).hexdigest()
    return before + f"# opensession-hook: {_FORMAT} {digest}\n".encode() + after


def version(data: bytes) -> str | None:
    """The short name of the text's version, where it carries one."""
    found = _VERSION_LINE.search(data)
    return None if found is None else f"{int(found[1])}.{found[2][:8].decode()}"


def kind(data: bytes | None) -> Kind:
    """What these bytes, found in the hook's place, are."""
    if data is None:
        return Kind.ABSENT
    if not re.search(rb"^" + MARKER + rb"\s*$", data, re.MULTILINE):
        return Kind.FOREIGN
    if data == text():
        return Kind.CURRENT
    found = _VERSION_LINE.search(data)
    if found is None:
        return Kind.EDITED
    rest = data[: found.start()] + data[found.end() :]
    return Kind.OUTDATED if hashlib.sha256(rest).hexdigest().encode() == found[2] else Kind.EDITED
