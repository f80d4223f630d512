"""The tree of one kind of content-addressed files: ``<root>/<kind>/sha256/ab/cd/<hash>.jsonl``.

Owns how an address becomes folders, how they are walked and in which order they are made durable. Knows
nothing of what the files hold.
"""

from __future__ import annotations

import os

from opensession.light import NamedTuple, contextmanager
from opensession.store.folders import Folder, make_root, open_root, storage
from opensession.store.layout import ALGORITHM, OBJECTS, SUFFIX, TEMPORARY, is_fan, is_sha256
from opensession.store.version import check_version, write_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.settings import AnyPath


class Leaf(Folder):
    """The folder an object lies in, with those above it up to ``sha256``."""

    above: tuple[Folder, ...]


class Found(NamedTuple):
    """One directory entry of the tree."""

    folder: Folder
    name: str
    sha256: str | None
    """None for a name that does not belong where it is."""


class Tree:
    """One kind of files below an open root."""

    def __init__(
        self, root: Folder, synced: set[tuple[int, int]], kind: str = OBJECTS, *, cached: bool = True
    ) -> None:
        self.root = root
        self.cached = cached
        """Whether checked.db of this root may be used; that of a folder in a work tree may not."""
        self.kind = kind
        self._synced = synced

    @contextmanager
    def trunk(self, *, make: bool) -> Iterator[tuple[Folder, ...] | None]:
        """``<kind>/sha256`` and ``<kind>``, innermost first; None where they do not exist and are not to be
        made.
        """
        opened: list[Folder] = []
        try:
            at: Folder | None = self.root
            for name in (self.kind, ALGORITHM):
                at = at and (at.make(name) if make else at.child(name))
                if at is None:
                    break
                opened.append(at)
            yield tuple(reversed(opened)) if at is not None else None
        finally:
            for folder in opened:
                folder.close()

    @contextmanager
    def leaf(self, sha256: str, *, make: bool) -> Iterator[Leaf | None]:
        """The folder that the object of this address lies in."""
        with self.trunk(make=make) as trunk:
            if trunk is None:
                yield None
                return
            opened: list[Folder] = []
            try:
                at: Folder | None = trunk[0]
                for name in (sha256[:2], sha256[2:4]):
                    at = at and (at.make(name) if make else at.child(name))
                    if at is None:
                        break
                    opened.append(at)
                yield _as_leaf(at, (opened[0], *trunk)) if at is not None else None
            finally:
                for folder in opened:
                    folder.close()

    def sync_above(self, leaf: Leaf) -> None:
        """Make a name in ``leaf`` durable: every folder up to ``sha256`` now, those above it once per
        process.
        """
        leaf.sync()
        fan, algorithm, kind = leaf.above
        fan.sync()
        algorithm.sync()
        self._sync_once(kind)
        self._sync_once(self.root)
        with Folder.open(os.path.dirname(self.root.place)) as parent:
            self._sync_once(parent)

    def _sync_once(self, folder: Folder) -> None:
        found = os.fstat(folder.fd)
        identity = (found.st_dev, found.st_ino)
        if folder.created or identity not in self._synced:
            folder.sync()
            folder.created = False
            self._synced.add(identity)

    def addresses_with(self, prefix: str) -> list[str]:
        """The addresses here that begin with ``prefix`` (at least four digits)."""
        with self.leaf(prefix, make=False) as leaf:
            names = [] if leaf is None else leaf.names()
        hashes = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
        return [sha256 for sha256 in hashes if sha256.startswith(prefix) and is_sha256(sha256)]

    def below(self, fan: Folder, prefix: str) -> Iterator[Found]:
        """Every name below one folder of the first level, whose addresses begin with ``prefix``."""
        return _walk(fan, prefix, 1)

    def walk(self) -> Iterator[Found]:
        """Every name below ``<kind>/sha256``, in the order of the addresses; folders open only while they are
        walked.
        """
        with self.trunk(make=False) as trunk:
            if trunk is not None:
                yield from _walk(trunk[0], "", 2)


def _walk(folder: Folder, prefix: str, depth: int) -> Iterator[Found]:
    for name in folder.names():
        if depth == 0:
            sha256 = name.removesuffix(SUFFIX)
            belongs = name.endswith(SUFFIX) and is_sha256(sha256) and sha256.startswith(prefix)
            yield Found(folder, name, sha256 if belongs else None)
        elif not is_fan(name) or not folder.is_folder(name):
            yield Found(folder, name, None)
        elif (below := folder.child(name)) is not None:
            with below:
                yield from _walk(below, prefix + name, depth - 1)


def _as_leaf(folder: Folder, above: tuple[Folder, ...]) -> Leaf:
    leaf = Leaf(folder.fd, folder.place, created=folder.created)
    leaf.above = above
    return leaf


def is_temporary(name: str) -> bool:
    """Whether a name is that of a file being written, or left behind while it was."""
    return name.startswith(TEMPORARY)


@contextmanager
def opened_root(root: AnyPath, *, make: bool, versioned: bool = True) -> Iterator[Folder | None]:
    """The root of a store with a layout version that is known here."""
    place = os.fspath(root)
    folder = make_root(place) if make else open_root(place)
    if folder is None:
        yield None
        return
    with folder:
        if versioned and not check_version(folder, mend=make) and make:
            write_version(folder)
        yield folder


def remove_file(folder: Folder, name: str) -> None:
    """Take a name away and make that durable."""
    with storage(folder.place_of(name), "remove"):
        os.unlink(name, dir_fd=folder.fd)
    folder.sync()
