"""The folder `<repo>/.opensession/objects`, where an older program keeps sessions: read, never written.

Owns when such a folder may be read at all. It lies in a work tree, so a clone or a checkout may have brought
it: one that git tracks, that is a link, or that another user owns is left alone. What is read from it is
hashed like any other object.
"""

from __future__ import annotations

import os
import stat

from opensession.settings import LEGACY_NAME
from opensession.store.layout import OBJECTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from opensession.settings import Repository

_PREFIX = f"{LEGACY_NAME}/".encode()
_ENTRY_FIXED = 62
"""Bytes of an index entry before its name, with SHA-1 names: ten 32-bit numbers, 20 bytes of name, 16 bits of
flags.
"""


def is_there(folder: str) -> bool:
    """Whether there is anything to read, or to refuse; `.opensession` may also hold just a config."""
    return os.path.lexists(os.path.join(folder, OBJECTS))


def refusal(folder: str, repository: Repository) -> str | None:
    """Why ``folder`` (``<repo>/.opensession``) may not be read, or None where it may."""
    for place in (folder, os.path.join(folder, OBJECTS)):
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            return "it does not exist"
        except OSError as error:
            return error.strerror or "it cannot be looked at"
        if not stat.S_ISDIR(found.st_mode):
            return "it is no folder, or a symbolic link"
        if found.st_uid != os.geteuid():
            return "another user owns it"
    try:
        tracked = is_tracked(repository)
    except (OSError, ValueError, IndexError):
        return "it cannot be told whether git tracks it"
    return "git tracks it" if tracked else None


def is_tracked(repository: Repository) -> bool:
    """Whether the index of this work tree names anything in ``.opensession``."""
    indexes = [repository.git_dir / "index", *repository.git_dir.glob("sharedindex.*")]
    return any(_names(path) for path in indexes if path.exists())


def _names(index: Path) -> bool:
    data = index.read_bytes()
    if data[:4] != b"DIRC":
        raise ValueError("no index")
    version = int.from_bytes(data[4:8], "big")
    if version not in (2, 3, 4):
        raise ValueError("unknown index version")
    if version < 4 and _PREFIX not in data:
        return False  # names stand in full: the common case needs no walk
    if version < 4:
        # An entry's name follows its flags and is padded with NUL, so a name that begins here follows no name
        # byte.
        return _walk_full(data)
    return _walk_compressed(data)


def _hash_size(data: bytes, count: int) -> int:
    """20 or 32: the index does not say which names it holds, its checksum's place in the first entry does."""
    if count == 0:
        return 20
    # Flags hold the length of the first name; only with the right size is it followed by NUL at that
    # distance.
    for size in (20, 32):
        flags = int.from_bytes(data[12 + 40 + size : 12 + 42 + size], "big")
        start = 12 + 42 + size
        length = flags & 0xFFF
        if (
            length
            and length < 0xFFF
            and b"\0" not in data[start : start + length]
            and data[start + length] == 0
        ):
            return size
    raise ValueError("the index cannot be read")


def _walk_full(data: bytes) -> bool:
    count = int.from_bytes(data[8:12], "big")
    fixed = 42 + _hash_size(data, count)
    at = 12
    for _ in range(count):
        extended = data[at + fixed - 2] & 0x40
        start = at + fixed + (2 if extended else 0)
        end = data.index(b"\0", start)
        if data.startswith(_PREFIX, start):
            return True
        at += (end - at + 8) // 8 * 8
    return False


def _walk_compressed(data: bytes) -> bool:
    count = int.from_bytes(data[8:12], "big")
    fixed = 42 + _compressed_hash_size(data, count)
    at, name = 12, b""
    for _ in range(count):
        extended = data[at + fixed - 2] & 0x40
        at += fixed + (2 if extended else 0)
        strip, at = _varint(data, at)
        end = data.index(b"\0", at)
        name = name[: len(name) - strip] + data[at:end]
        if name.startswith(_PREFIX):
            return True
        at = end + 1
    return False


def _compressed_hash_size(data: bytes, count: int) -> int:
    if count == 0:
        return 20
    for size in (20, 32):
        flags = int.from_bytes(data[12 + 40 + size : 12 + 42 + size], "big")
        start = 12 + 42 + size + (2 if flags & 0x4000 else 0)
        length = flags & 0xFFF
        # The first entry strips nothing (a zero byte), then its whole name follows.
        name = data[start + 1 : start + 1 + length]
        if data[start] == 0 and 0 < length < 0xFFF and b"\0" not in name and data[start + 1 + length] == 0:
            return size
    raise ValueError("the index cannot be read")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Git's offset encoding: seven bits a byte, each continued value one higher."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
