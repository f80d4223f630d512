"""A quick look at a store: its version, the modes of its folders, a few objects, its caches.

Owns what a look is: it reads a bounded amount however large the store is, changes nothing, and answers with what is
wrong. Everything else is fsck's.
"""

from __future__ import annotations

import os
import stat

from opensession import core
from opensession.errors import OpensessionError
from opensession.light import NamedTuple
from opensession.store import checked
from opensession.store.layout import FOLDER_MODE, OBJECTS, VERSION_FILE, is_fan
from opensession.store.tree import Tree, opened_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opensession.store.folders import Folder
    from opensession.store.tree import Found

_OTHERS = 0o077


class Health(NamedTuple):
    """What a look at a store found."""

    exists: bool
    problem: OpensessionError | None
    """What keeps the store from being used at all."""
    open_to_others: tuple[Path, ...]
    sampled: int
    damaged: tuple[str, ...]
    """Addresses whose bytes are not theirs, or cannot be read."""
    cache: str | None
    """Why the cache of checked files cannot be used."""


def look(root: Path, count: int, largest: int) -> Health:
    """Look at the store; at most ``count`` objects of at most ``largest`` bytes are hashed."""
    try:
        with opened_root(root, make=False) as folder:
            if folder is None or not any(folder.lstat(name) for name in (VERSION_FILE, OBJECTS)):
                return Health(False, None, (), 0, (), None)
            return _looked(folder, count, largest)
    except OpensessionError as error:
        return Health(True, error, (), 0, (), None)


def _looked(root: Folder, count: int, largest: int) -> Health:
    open_to_others = [root.path] if _open_to_others(os.fstat(root.fd)) else []
    damaged: list[str] = []
    sampled = 0
    for found in _sample(Tree(root, set()), count):
        if _open_to_others(os.fstat(found.folder.fd)):
            open_to_others.append(found.folder.path)
        state = found.folder.lstat(found.name)
        if found.sha256 is None or state is None or state.st_size > largest:
            continue
        sampled += 1
        if not _is_whole(found, found.sha256):
            damaged.append(found.sha256)
    return Health(True, None, tuple(open_to_others), sampled, tuple(damaged), checked.problem(root))


def _open_to_others(found: os.stat_result) -> bool:
    return bool(stat.S_IMODE(found.st_mode) & _OTHERS & ~FOLDER_MODE)


def _is_whole(found: Found, sha256: str) -> bool:
    try:
        fd = found.folder.file(found.name)
        if fd is None:
            return True  # removed since
        try:
            return core.copy(fd)[0] == sha256
        finally:
            os.close(fd)
    except OpensessionError:
        return False


def _sample(tree: Tree, count: int) -> Iterator[Found]:
    """The first object of folders that lie evenly spread among the addresses, which are random themselves."""
    with tree.trunk(make=False) as trunk:
        if trunk is None:
            return
        fans = [name for name in trunk[0].names() if is_fan(name)]
        step = max(1, len(fans) // count)
        for fan in fans[::step][:count]:
            yield from _first(tree, trunk[0], fan)


def _first(tree: Tree, trunk: Folder, fan: str) -> Iterator[Found]:
    folder = trunk.child(fan) if trunk.is_folder(fan) else None
    if folder is None:
        return
    with folder:
        for found in tree.below(folder, fan):
            if found.sha256 is not None:
                yield found
                return
