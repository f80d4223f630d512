"""Handoff artifacts and the aliases that point at them (docs/handoff.md, docs/store.md).

Owns where they are kept, that both survive a power cut, and that no order of pinning, unpinning and removing loses a
pinned artifact: all three hold the root's exclusive lock. Must not know what stands in an artifact.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.errors import BadUriError, IntegrityError, NotFoundError, RefusedError, UsageError
from opensession.store.folders import Folder, storage
from opensession.store.layout import ARTIFACTS, SUFFIX, is_sha256, object_path
from opensession.store.reading import StoredObject
from opensession.store.temporary import TemporaryFile
from opensession.store.tree import remove_file
from opensession.store.writing import publish
from opensession.uri import ArtifactUri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opensession.store.store import Store
    from opensession.store.stores import Stores
    from opensession.store.tree import Leaf, Tree

PINS = "pins"
ORIGIN_SUFFIX = ".origin.json"
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LIMIT = 256 * 1024 * 1024
"""An artifact is a summary; one that is larger than this is refused rather than read into memory."""


class Pin(NamedTuple):
    """An alias and what it points at."""

    alias: str
    sha256: str


def check_alias(alias: str) -> None:
    """Refuse a name that no alias may have."""
    if not ALIAS.fullmatch(alias):
        raise UsageError(
            f"{alias!r} is no alias: that is a letter or digit and at most 63 more of letters, digits, '.', '_', '-'",
            next=["opensession handoff artifacts pin --help", "opensession handoff artifacts list"],
        )
    if is_sha256(alias):
        raise UsageError(
            f"{alias!r} is no alias: it is spelled like an address",
            next=["opensession handoff artifacts list"],
        )


class Handoffs:
    """The artifacts of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # ---- artifacts ----

    def put(self, data: bytes) -> tuple[str, bool]:
        """Store an artifact; returns its address, and whether it was there. It survives a power cut then."""
        sha256, size = core.copy(data)
        with self._tree(make=True) as tree:
            assert tree is not None
            with tree.trunk(make=True) as trunk:
                assert trunk is not None
                file = TemporaryFile(trunk[0])
                try:
                    _write(file, data)
                    return sha256, publish(tree, file, sha256, size).existed
                finally:
                    file.close()

    def put_origin(self, sha256: str, text: bytes) -> None:
        """Write down where the sources of an artifact came from, beside it and outside of its hash."""
        with self._tree(make=True) as tree:
            assert tree is not None
            with tree.leaf(sha256, make=True) as leaf, tree.root.locked(exclusive=False):
                assert leaf is not None
                self._replace(tree, leaf, sha256 + ORIGIN_SUFFIX, text)

    def origin(self, sha256: str) -> bytes | None:
        """What :meth:`put_origin` wrote."""
        with self._leaf(sha256) as leaf:
            fd = None if leaf is None else leaf.file(sha256 + ORIGIN_SUFFIX)
            return None if fd is None else _read(fd)

    def path_of(self, sha256: str) -> Path:
        """Where the artifact is, or would be."""
        return object_path(self.store.root, sha256, kind=ARTIFACTS)

    def has(self, sha256: str) -> bool:
        """Whether there is an artifact of this address; its bytes are not looked at."""
        with self._leaf(sha256) as leaf:
            return leaf is not None and leaf.lstat(sha256 + SUFFIX) is not None

    def open(self, sha256: str) -> StoredObject:
        """Open the file as it is; whoever reads it hashes it."""
        with self._leaf(sha256) as leaf:
            fd = None if leaf is None else leaf.file(sha256 + SUFFIX)
            if leaf is None or fd is None:
                raise _no_artifact(sha256)
            return StoredObject(fd, sha256, leaf.place_of(sha256 + SUFFIX))

    def read(self, sha256: str) -> bytes:
        """The artifact's bytes; raises IntegrityError where they are not those of the address."""
        with self.open(sha256) as stored:
            if stored.size > LIMIT:
                raise IntegrityError(f"the artifact {sha256} has {stored.size} bytes; none is that large")
            data = _read(stored.detach())
        actual, length = core.copy(data)
        if actual != sha256:
            raise IntegrityError(
                f"the artifact {sha256} is damaged: its {length} bytes hash to {actual}",
                next=[
                    f"opensession handoff artifacts verify {ArtifactUri(sha256)}",
                    "opensession fsck --repair",
                ],
            )
        return data

    def addresses(self) -> list[str]:
        """The addresses of all artifacts here, sorted."""
        with self._tree(make=False) as tree:
            return [] if tree is None else sorted(f.sha256 for f in tree.walk() if f.sha256 is not None)

    def rm(self, sha256: str) -> int:
        """Remove an artifact and return its length; refused while an alias points at it."""
        with self._tree(make=True) as tree:
            assert tree is not None
            with tree.leaf(sha256, make=False) as leaf, tree.root.locked(exclusive=True):
                found = None if leaf is None else leaf.lstat(sha256 + SUFFIX)
                if leaf is None or found is None:
                    raise _no_artifact(sha256)
                if aliases := [p.alias for p in _pins(tree.root) if p.sha256 == sha256]:
                    raise RefusedError(
                        f"the artifact {ArtifactUri(sha256)} is pinned as {', '.join(aliases)}",
                        next=[f"opensession handoff artifacts unpin {alias}" for alias in aliases],
                    )
                if leaf.lstat(sha256 + ORIGIN_SUFFIX) is not None:
                    remove_file(leaf, sha256 + ORIGIN_SUFFIX)
                remove_file(leaf, sha256 + SUFFIX)
                return found.st_size

    # ---- aliases ----

    def pins(self, *, whole_only: bool = False) -> list[Pin]:
        """All aliases here, sorted; raises IntegrityError for one whose file does not hold an address, unless only
        the others are asked for.
        """
        with self._tree(make=False) as tree:
            return [] if tree is None else _pins(tree.root, whole_only=whole_only)

    def damaged_pins(self) -> list[str]:
        """The aliases whose file does not hold one address."""
        whole = {pin.alias for pin in self.pins(whole_only=True)}
        with self._tree(make=False) as tree:
            if tree is None:
                return []
            with _existing_pins(tree.root) as pins:
                names = [] if pins is None else [n for n in _aliases(pins) if n not in whole]
                return [n for n in names if pins is not None and not _is_whole(pins, n)]

    def has_alias(self, alias: str) -> bool:
        """Whether there is an alias of this name, whatever its file holds."""
        with self._tree(make=False) as tree:
            if tree is None:
                return False
            with _existing_pins(tree.root) as pins:
                return pins is not None and pins.lstat(alias) is not None

    def pinned(self, alias: str) -> str | None:
        """What an alias points at; None where there is no such alias.

        Raises IntegrityError where its file holds no address, or that of an artifact that is not here: nothing that
        is pinned is ever removed, so somebody changed the file.
        """
        while (sha256 := self._read_pin(alias)) is not None:
            if self.has(sha256):
                return sha256
            if self._read_pin(alias) == sha256:  # else it was moved between two looks
                raise IntegrityError(
                    f"the alias {alias!r} is damaged: it points at {ArtifactUri(sha256)}, which is not here",
                    next=[
                        f"opensession handoff artifacts unpin {alias}",
                        "opensession handoff artifacts list",
                    ],
                )
        return None

    def _read_pin(self, alias: str) -> str | None:
        with self._tree(make=False) as tree:
            if tree is None:
                return None
            with _existing_pins(tree.root) as pins:
                return None if pins is None else _pointed(pins, alias)

    def check_clash(self, alias: str) -> None:
        """Refuse an alias that differs from another one here only in case."""
        with self._tree(make=False) as tree:
            if tree is not None:
                with _existing_pins(tree.root) as pins:
                    if pins is not None:
                        _refuse_clash(pins, alias)

    def pin(self, alias: str, sha256: str) -> str | None:
        """Point an alias at an artifact; returns what it pointed at before. A crash leaves the old or the new one."""
        check_alias(alias)
        with self._tree(make=True) as tree:
            assert tree is not None
            with _pins_folder(tree.root) as pins, tree.root.locked(exclusive=True):
                with tree.leaf(sha256, make=False) as leaf:
                    if leaf is None or leaf.lstat(sha256 + SUFFIX) is None:
                        raise _no_artifact(sha256)
                _refuse_clash(pins, alias)
                before = _pointed(pins, alias) if _is_whole(pins, alias) else None
                self._replace(tree, pins, alias, f"{sha256}\n".encode())
                return before

    def unpin(self, alias: str) -> str | None:
        """Take an alias away; returns what it pointed at, None if its file was damaged. The artifact stays."""
        check_alias(alias)
        with self._tree(make=True) as tree:
            assert tree is not None
            with _pins_folder(tree.root) as pins, tree.root.locked(exclusive=True):
                if pins.lstat(alias) is None:
                    raise NotFoundError(
                        f"there is no alias {alias!r}", next=["opensession handoff artifacts list"]
                    )
                sha256 = _pointed(pins, alias) if _is_whole(pins, alias) else None
                remove_file(pins, alias)
                return sha256

    # ---- inside ----

    @contextmanager
    def _tree(self, *, make: bool) -> Iterator[Tree | None]:
        with self.store.opened(ARTIFACTS, make=make) as tree:
            yield tree

    @contextmanager
    def _leaf(self, sha256: str) -> Iterator[Leaf | None]:
        with self._tree(make=False) as tree:
            if tree is None:
                yield None
                return
            with tree.leaf(sha256, make=False) as leaf:
                yield leaf

    def _replace(self, tree: Tree, folder: Folder, name: str, data: bytes) -> None:
        """Give a name new bytes: all of the old or all of the new, whenever the machine stops."""
        with tree.trunk(make=True) as trunk:
            assert trunk is not None
            # Beside the artifacts that are being written: there gc looks for what was left behind.
            file = TemporaryFile(trunk[0])
            try:
                _write(file, data)
                file.make_durable(len(data))
                with storage(folder.path / name, "name"):
                    file.rename(folder, name)
            finally:
                file.close()
        folder.sync()


class Found(NamedTuple):
    """An artifact, and the store it is in."""

    handoffs: Handoffs
    sha256: str


def find(stores: Stores, named: str) -> Found:
    """What ``named`` means: a URI, then a hash, then an alias; in the first store that has it."""
    if ":" in named:
        uri = parse_uri(named)
        if not isinstance(uri, ArtifactUri):
            raise BadUriError(
                f"{named!r} is not the address of an artifact", next=["opensession handoff artifacts list"]
            )
        named = uri.sha256
    for store in stores:
        handoffs = Handoffs(store)
        if is_sha256(named):
            if handoffs.has(named):
                return Found(handoffs, named)
        elif store.readonly:
            continue  # an alias in a folder of the work tree came with a clone
        elif ALIAS.fullmatch(named) and (sha256 := handoffs.pinned(named)) is not None:
            return Found(handoffs, sha256)
    what = "artifact" if is_sha256(named) else "artifact or alias"
    raise NotFoundError(f"there is no {what} {named!r}", next=["opensession handoff artifacts list"])


def _no_artifact(sha256: str) -> NotFoundError:
    return NotFoundError(
        f"there is no artifact {ArtifactUri(sha256)}", next=["opensession handoff artifacts list"]
    )


def _write(file: TemporaryFile, data: bytes) -> None:
    view = memoryview(data)
    with storage(file.folder.path, "write to the store"):
        while view:
            view = view[os.write(file.fd, view) :]


def _read(fd: int, most: int = LIMIT + 1) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read(most)


@contextmanager
def _pins_folder(root: Folder) -> Iterator[Folder]:
    with root.make(ARTIFACTS) as artifacts, artifacts.make(PINS) as pins:
        if pins.created:
            artifacts.sync()
            root.sync()
        yield pins


@contextmanager
def _existing_pins(root: Folder) -> Iterator[Folder | None]:
    with ExitStack() as stack:
        artifacts = root.child(ARTIFACTS)
        pins = None if artifacts is None else stack.enter_context(artifacts).child(PINS)
        yield None if pins is None else stack.enter_context(pins)


def _aliases(pins: Folder) -> list[str]:
    return [name for name in pins.names() if ALIAS.fullmatch(name)]


def _pins(root: Folder, *, whole_only: bool = False) -> list[Pin]:
    with _existing_pins(root) as pins:
        if pins is None:
            return []
        names = [name for name in _aliases(pins) if not whole_only or _is_whole(pins, name)]
        pointed = [(name, _pointed(pins, name)) for name in names]
        return [Pin(name, sha256) for name, sha256 in pointed if sha256 is not None]


def _is_whole(pins: Folder, alias: str) -> bool:
    try:
        return _pointed(pins, alias) is not None
    except (IntegrityError, RefusedError):
        return False


def _pointed(pins: Folder, alias: str) -> str | None:
    """The address in an alias' file, which is one line of 64 digits and nothing else; None where there is no file."""
    found = pins.lstat(alias)
    if found is None:
        return None
    line = b""
    if stat.S_ISREG(found.st_mode):
        fd = pins.file(alias)
        if fd is None:
            return None
        line = _read(fd, 66)
    if len(line) == 65 and line[64:] == b"\n" and is_sha256(line[:64].decode("ascii", "replace")):
        return line[:64].decode()
    raise IntegrityError(
        f"the alias {alias!r} is damaged: its file does not hold one address",
        next=[f"opensession handoff artifacts unpin {alias}", "opensession handoff artifacts list"],
    )


def _refuse_clash(pins: Folder, alias: str) -> None:
    """Two aliases that differ only in case would be one on some file systems."""
    for name in pins.names():
        if name != alias and name.lower() == alias.lower():
            raise RefusedError(
                f"there is an alias {name!r} already, which differs from {alias!r} only in case",
                next=[f"opensession handoff artifacts unpin {name}"],
            )
