"""What a ledger is at one moment: its commit, its tree, and what stands at a path.

Owns reading through a running git (batch.py). Changes nothing. Must not know what an entry is for.
"""

from __future__ import annotations

import os
import re

from opensession.errors import IntegrityError
from opensession.git.entries import flat_path, session_path
from opensession.git.trees import BLOB, TREE, Edited, Entry, edit, lookup, parse_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from opensession.git.batch import Batch

_COMMITTER_TIME = re.compile(rb"^committer [^\n]*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)


class State:
    """One commit of a ledger, or none."""

    def __init__(
        self,
        batch: Batch,
        object_format: str,
        tip: str | None,
        root: str | None,
        parents: tuple[str, ...],
        time: int,
    ) -> None:
        self.batch = batch
        self.object_format = object_format
        self.tip = tip
        self.root = root
        """Its tree; None where there is no commit."""
        self.parents = parents
        self.time = time
        """The commit's own time."""
        self._trees: dict[str, bytes] = {}
        self._parsed: dict[str, Mapping[bytes, Entry]] = {}

    @classmethod
    def of(cls, batch: Batch, rev: str, object_format: str) -> Self:
        """The state that a ref or the id of a commit names."""
        found = batch.read(rev)
        if found is None:
            return cls(batch, object_format, None, None, (), 0)
        info, data = found
        if info.type != "commit":
            raise IntegrityError(f"{rev} is no ledger: it points to a {info.type}", next=["git fsck"])
        head = data.partition(b"\n\n")[0]
        root = re.match(rb"tree ([0-9a-f]+)\n", head)
        if root is None:
            raise IntegrityError(f"the commit {info.oid} is damaged", next=["git fsck"])
        parents = tuple(p.decode() for p in re.findall(rb"^parent ([0-9a-f]+)$", head, re.MULTILINE))
        when = _COMMITTER_TIME.search(head)
        return cls(batch, object_format, info.oid, root[1].decode(), parents, int(when[1]) if when else 0)

    def tree(self, oid: str) -> bytes:
        """The bytes of a tree."""
        known = self._trees.get(oid)
        if known is None:
            known = self._trees[oid] = self.batch.typed(oid, "tree")
        return known

    def at(self, path: str) -> Entry | None:
        """What stands at a path."""
        if self.root is None:
            return None
        return lookup(self.root, path, self.tree, self.object_format, self._parsed)

    def file(self, path: str) -> str | None:
        """The blob at a path, if that is a regular file."""
        entry = self.at(path)
        return entry.oid if entry is not None and entry.mode == BLOB else None

    def has(self, path: str) -> bool:
        """Whether there is a regular file at a path."""
        return self.file(path) is not None

    def find(self, sha256: str) -> str | None:
        """The blob of a session, in this layout or that of an older program."""
        return self.file(session_path(sha256)) or self.file(flat_path(sha256))

    def small(self, oid: str, limit: int) -> bytes | None:
        """The bytes of a blob, or None where it is larger than ``limit``, missing or no blob."""
        return next(self.batch.many([oid], limit=limit))

    def blob(self, path: str, limit: int) -> bytes | None:
        """The bytes of a small file."""
        oid = self.file(path)
        return None if oid is None else self.small(oid, limit)

    def files(self, *under: str) -> Iterator[tuple[str, str]]:
        """Path and blob of every regular file below a folder."""
        entry = self.at("/".join(under)) if under else Entry(TREE, self.root) if self.root else None
        if entry is not None and entry.mode == TREE:
            prefix = "".join(f"{name}/" for name in under)
            yield from self._below(entry.oid, prefix)

    def _below(self, oid: str, prefix: str) -> Iterator[tuple[str, str]]:
        # A process of its own: git walks a million entries in the time that asking for each tree would take for a few.
        for record in self.batch.git.records(
            "ls-tree", "-r", "-z", "--full-tree", oid, doing="list a ledger"
        ):
            facts, _, path = record.partition(b"\t")
            mode, kind, blob = facts.decode("ascii", "replace").split(" ")
            if mode == BLOB and kind == "blob":
                yield prefix + os.fsdecode(path), blob

    def sessions(self) -> Iterator[tuple[str, str]]:
        """Path and blob of every file but the descriptions, links and tombstones."""
        if self.root is None:
            return
        for name, entry in parse_tree(self.tree(self.root), self.object_format).items():
            text = os.fsdecode(name)
            if text == "v2":
                yield from self.files("v2", "sessions")
            elif entry.mode == TREE:
                yield from self._below(entry.oid, text + "/")
            elif entry.mode == BLOB:
                yield text, entry.oid

    def edit(self, edits: Mapping[str, Entry | None]) -> Edited:
        """The tree with these changes."""
        return edit(self.root, edits, self.tree, self.object_format)
