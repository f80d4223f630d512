"""A small editor of git's trees: some paths change, the trees above them are made anew, all else stays as it is.

Owns the bytes of tree objects and the ids of objects, in both object formats. Pure: it reads trees through a function
that it is handed and returns the new ones; who writes them is objects.py.
"""

from __future__ import annotations

import os

from opensession.errors import IntegrityError, UsageError
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Read = Callable[[str], bytes]

TREE = "40000"
BLOB = "100644"
DEEPEST = 64
"""Folders in a path; the ledger's own have five."""


class Entry(NamedTuple):
    """What stands under one name in a tree."""

    mode: str
    """As in the tree object: octal, ``40000`` for a tree, ``100644`` for a regular file."""
    oid: str


class Edited(NamedTuple):
    """A tree after an edit."""

    root: str
    objects: dict[str, bytes]
    """The trees that are new, children before their parents; some of them may exist already."""


_Node = dict[bytes, "Entry | _Node | None"]


def object_id(kind: str, data: bytes, object_format: str) -> str:
    """The id that git gives to an object."""
    import hashlib

    digest = hashlib.new(object_format, usedforsecurity=False)
    digest.update(b"%s %d\0" % (kind.encode(), len(data)))
    digest.update(data)
    return digest.hexdigest()


def parse_tree(data: bytes, object_format: str) -> dict[bytes, Entry]:
    """The entries of a tree object by name, in its order."""
    width = 32 if object_format == "sha256" else 20
    entries: dict[bytes, Entry] = {}
    at = 0
    while at < len(data):
        end = data.find(b"\0", at)
        mode, space, name = data[at:end].partition(b" ")
        oid = data[end + 1 : end + 1 + width]
        if end < 0 or not space or not name or len(oid) != width or name in entries:
            raise IntegrityError("a tree of the ledger is damaged", next=["git fsck"])
        entries[name] = Entry(mode.decode("ascii", "replace"), oid.hex())
        at = end + 1 + width
    return entries


def format_tree(entries: Mapping[bytes, Entry]) -> bytes:
    """The tree object of these entries."""
    # Git sorts a folder as if its name ended with a slash.
    ordered = sorted(entries.items(), key=lambda item: item[0] + b"/" if item[1].mode == TREE else item[0])
    return b"".join(
        b"%s %s\0%s" % (entry.mode.encode(), name, bytes.fromhex(entry.oid)) for name, entry in ordered
    )


def edit(root: str | None, edits: Mapping[str, Entry | None], read: Read, object_format: str) -> Edited:
    """The tree ``root`` (None: an empty one) with each path set to its entry, or removed where that is None.

    A path that leads through a file replaces it by a folder; removing a folder removes all in it; a folder in which
    nothing is left goes too.
    """
    made: dict[str, bytes] = {}

    def apply(oid: str | None, node: _Node) -> str | None:
        before = b"" if oid is None else read(oid)
        entries = parse_tree(before, object_format)
        for name, change in node.items():
            if isinstance(change, dict):
                old = entries.get(name)
                child = apply(old.oid if old is not None and old.mode == TREE else None, change)
                change = None if child is None else Entry(TREE, child)
                if change is None and old is not None and old.mode != TREE:
                    continue  # removing a path below a file removes nothing
            if change is None:
                entries.pop(name, None)
            else:
                entries[name] = change
        if not entries:
            return None
        after = format_tree(entries)
        if after == before and oid is not None:
            return oid
        new = object_id("tree", after, object_format)
        made[new] = after
        return new

    top = apply(root, _nested(edits))
    if top is None:
        top = object_id("tree", b"", object_format)
        if top != root:
            made[top] = b""
    return Edited(top, made)


def _nested(edits: Mapping[str, Entry | None]) -> _Node:
    """The edits as a tree of names."""
    top: _Node = {}
    for path, change in edits.items():
        *folders, name = segments(path)
        node = top
        for folder in folders:
            child = node.setdefault(folder, {})
            if not isinstance(child, dict):
                raise UsageError(f"{path!r} is asked for below a file")
            node = child
        if name in node:
            raise UsageError(f"{path!r} is asked for as a file and as a folder")
        node[name] = change
    return top


def segments(path: str) -> list[bytes]:
    """The names in a path, each of which a tree may hold."""
    names = os.fsencode(path).split(b"/")
    if len(names) > DEEPEST + 1:
        raise UsageError(f"the path {path[:80]!r}… has more than {DEEPEST} folders")
    for name in names:
        if name in (b"", b".", b"..") or b"\0" in name or name.lower() == b".git":
            raise UsageError(f"{path!r} is no path in a tree: it has an empty, '.', '..' or '.git' part")
    return names


def lookup(
    root: str,
    path: str,
    read: Read,
    object_format: str,
    parsed: dict[str, Mapping[bytes, Entry]] | None = None,
) -> Entry | None:
    """What stands at a path, or None. Who asks for many keeps in ``parsed`` the trees they go through."""
    parsed = {} if parsed is None else parsed
    found = Entry(TREE, root)
    for name in segments(path):
        if found.mode != TREE:
            return None
        if found.oid not in parsed:
            parsed[found.oid] = parse_tree(read(found.oid), object_format)
        entry = parsed[found.oid].get(name)
        if entry is None:
            return None
        found = entry
    return found


def walk(
    root: str, read: Read, object_format: str, under: Iterable[bytes] = ()
) -> Iterable[tuple[str, Entry]]:
    """Every entry below ``root`` that is no tree, with its path, in git's order."""
    prefix = b"".join(name + b"/" for name in under)
    pending = [(prefix, Entry(TREE, root))]
    while pending:
        path, entry = pending.pop()
        if entry.mode != TREE:
            yield os.fsdecode(path), entry
            continue
        if path.count(b"/") > DEEPEST:
            raise IntegrityError(f"a ledger has more than {DEEPEST} folders in each other")
        children = parse_tree(read(entry.oid), object_format).items()
        for name, child in reversed(children):
            pending.append((path + name + (b"/" if child.mode == TREE else b""), child))
