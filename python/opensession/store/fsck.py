"""Check everything in a store against its promises, and put right what can be put right.

Owns the list of what can be wrong. Repair never destroys: wrong bytes go to quarantine, and only `gc` takes
from there.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from opensession import core
from opensession.errors import InputError, OpensessionError
from opensession.store import checked
from opensession.store.folders import Folder, storage
from opensession.store.layout import ARTIFACTS, FOLDER_MODE, OBJECTS, VERSION_FILE, VISIBLE_MODE
from opensession.store.quarantine import set_aside
from opensession.store.records import Finding, FsckReport
from opensession.store.removal import left_behind, temporaries
from opensession.store.tree import Found, Tree, is_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opensession.core import Progress

_OTHERS = 0o077
"""Mode bits that let somebody else in; any other wrong mode harms nobody."""


class Fsck:
    """One check of one store."""

    def __init__(
        self, tree: Tree, *, repair: bool, modes: bool = True, progress: Progress | None = None
    ) -> None:
        self._tree = tree
        self._repair = repair
        self._modes = modes
        """Whether modes are looked at: an older program's are as the umask made them, and not ours to judge."""
        self._progress = progress
        self._passed: list[tuple[str, os.stat_result]] = []
        self._findings: list[Finding] = []
        self._count = {OBJECTS: 0, ARTIFACTS: 0}
        self._bytes = 0
        self._total = 0

    def run(self) -> FsckReport:
        """Hash every object and artifact, look at every mode and name."""
        root = self._tree.root
        trees = [Tree(root, set(), kind, cached=self._tree.cached) for kind in (OBJECTS, ARTIFACTS)]
        if self._progress is not None:
            self._total = sum(_size(found) for tree in trees for found in tree.walk())
        if root.lstat(VERSION_FILE) is not None:  # else it is a folder that may become a store
            self._folder_mode(root)
            self._version_mode(root)
        for tree in trees:
            self._folders(tree)
            for found in tree.walk():
                self._name(tree, found)
        if self._tree.cached:
            checked.remember(root, self._passed)
        self._left_behind(root)
        return FsckReport(
            root.path, self._count[OBJECTS], self._count[ARTIFACTS], self._bytes, tuple(self._findings)
        )

    def _name(self, tree: Tree, found: Found) -> None:
        if found.sha256 is not None:
            self._count[tree.kind] += 1
            self._object(tree, found, found.sha256)
        elif found.folder.is_link(found.name):
            self._link(tree, found)
        elif not (is_temporary(found.name) or _is_origin(tree, found.name)):
            path = found.folder.path / found.name
            self._findings.append(Finding("stray", path, "a name that does not belong here", False, False))

    def _object(self, tree: Tree, found: Found, sha256: str) -> None:
        path = found.folder.path / found.name
        state = found.folder.lstat(found.name)
        if state is None:
            return
        if not stat.S_ISREG(state.st_mode):
            kind = "symlink" if stat.S_ISLNK(state.st_mode) else "wrong_bytes"
            self._moved(tree, found, state, kind, "no plain file")
            return
        try:
            fd = found.folder.file(found.name)
        except OpensessionError as error:
            self._findings.append(Finding("unreadable", path, error.message, False, True))
            return
        if fd is None:
            return
        try:
            self._hash(tree, found, sha256, fd)
        finally:
            os.close(fd)

    def _hash(self, tree: Tree, found: Found, sha256: str, fd: int) -> None:
        before = os.fstat(fd)
        try:
            actual, length = core.copy(fd, progress=self._advance if self._progress else None)
        except InputError as error:
            path = found.folder.path / found.name
            self._findings.append(Finding("unreadable", path, error.message, False, True))
            return
        self._bytes += length
        self._advance(0, 0)
        if actual != sha256:
            self._moved(tree, found, before, "wrong_bytes", f"{length} bytes that hash to {actual}")
            return
        after = os.fstat(fd)
        if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (
            after.st_size,
            after.st_mtime_ns,
            after.st_ctime_ns,
        ):
            self._passed.append((sha256, after))
        self._file_mode(found.folder.path / found.name, fd, after)

    def _advance(self, done: int, _total: int) -> None:
        if self._progress is not None:
            self._progress(self._bytes + done, max(self._total, self._bytes + done))

    def _link(self, tree: Tree, found: Found) -> None:
        if (state := found.folder.lstat(found.name)) is not None:
            self._moved(tree, found, state, "symlink", "a symbolic link, which the store never makes")

    def _moved(self, tree: Tree, found: Found, bad: os.stat_result, kind: str, detail: str) -> None:
        """Record what is wrong with a name, and with ``repair`` set it aside."""
        path = found.folder.path / found.name
        repaired = False
        if self._repair:
            kept = set_aside(tree, found.folder, found.name, bad, move=True)
            repaired = kept is not None
            detail += f"; now in {str(kept)!r}" if kept else ""
        self._findings.append(Finding(kind, path, detail, repaired, True))

    def _version_mode(self, root: Folder) -> None:
        if (fd := root.file(VERSION_FILE)) is None:
            return
        try:
            self._file_mode(root.path / VERSION_FILE, fd, os.fstat(fd))
        finally:
            os.close(fd)

    def _file_mode(self, path: Path, fd: int, state: os.stat_result) -> None:
        if not self._modes or (mode := stat.S_IMODE(state.st_mode)) == VISIBLE_MODE:
            return
        if self._repair:
            with storage(path, "set the mode of"):
                os.fchmod(fd, VISIBLE_MODE)
        detail = f"mode {mode:04o} where {VISIBLE_MODE:04o} belongs"
        self._findings.append(Finding("wrong_mode", path, detail, self._repair, bool(mode & _OTHERS)))

    def _folders(self, tree: Tree) -> None:
        for folder in _folders(tree):
            self._folder_mode(folder)

    def _folder_mode(self, folder: Folder) -> None:
        if not self._modes or (mode := stat.S_IMODE(os.fstat(folder.fd).st_mode)) == FOLDER_MODE:
            return
        if self._repair:
            with storage(folder.path, "set the mode of"):
                os.fchmod(folder.fd, FOLDER_MODE)
        detail = f"mode {mode:04o} where {FOLDER_MODE:04o} belongs"
        self._findings.append(Finding("wrong_mode", folder.path, detail, self._repair, bool(mode & _OTHERS)))

    def _left_behind(self, root: Folder) -> None:
        now = time.time()
        for folder, name in temporaries(root):
            with left_behind(folder, name, now) as found:
                if found is not None:
                    detail = "left behind by a writer that did not end; `opensession gc --apply` removes it"
                    self._findings.append(Finding("temporary", folder.path / name, detail, False, False))


def _folders(tree: Tree) -> Iterator[Folder]:
    with tree.trunk(make=False) as trunk:
        if trunk is None:
            return
        yield from reversed(trunk)
        yield from _below(trunk[0], 2)


def _below(folder: Folder, depth: int) -> Iterator[Folder]:
    for name in folder.names() if depth else ():
        found = folder.lstat(name)
        if found is None or not stat.S_ISDIR(found.st_mode):
            continue
        if (child := folder.child(name)) is not None:
            with child:
                yield child
                yield from _below(child, depth - 1)


def _is_origin(tree: Tree, name: str) -> bool:
    """Where an artifact's sources came from stands beside it, outside its hash."""
    return tree.kind == ARTIFACTS and name.endswith(".origin.json")


def _size(found: Found) -> int:
    state = found.folder.lstat(found.name)
    return 0 if found.sha256 is None or state is None else state.st_size
