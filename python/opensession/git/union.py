"""The union of two ledgers: what their trees hold together (docs/git.md, "Union").

Owns which entries are taken, what a tombstone removes and where two ledgers differ. Pure: trees are read through a
function that it is handed, and the outcome is a list of edits to the other side's tree; who compares blobs, writes
and pushes is push.py.
"""

from __future__ import annotations

import os

from opensession.errors import RefusedError
from opensession.git.entries import GONE, Kind, flat_path, meta_path, place_of, session_path
from opensession.git.trees import BLOB, DEEPEST, TREE, Entry, lookup, object_id, parse_tree
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str], bytes]

LIMIT = 1 << 20
"""Entries that are taken from a remote's ledger."""


_FORBIDDEN = (b"", b".", b"..", b".git")


class Conflict(NamedTuple):
    """One path, two blobs."""

    path: str
    ours: str
    theirs: str
    promised: str | None
    """The SHA-256 that the path says its bytes have; without it the smaller one wins."""


class United(NamedTuple):
    """What makes the union out of their tree."""

    edits: dict[str, Entry | None]
    conflicts: list[Conflict]
    adds: bool
    """Whether any of the edits comes from us: without that, and without a conflict that we win, there is nothing to
    push."""
    withheld: bool
    """Whether a tombstone kept out something of ours, so that our history must stay out as well."""
    entries: int
    """How many entries of theirs were counted."""


class Clean(NamedTuple):
    """A tree of theirs that was looked through before."""

    root: str
    entries: int


def unite(
    ours: str, theirs: str, read: Read, object_format: str, *, clean: Clean | None = None, limit: int = LIMIT
) -> United:
    """The union of the trees ``ours`` and ``theirs``, as edits to ``theirs``.

    Folders that are the same on both sides, or the same as in ``clean``, are not looked into. Raises RefusedError
    where their tree has more than ``limit`` entries.
    """
    # What was counted before may be gone from the tree by now: the second time everything is counted.
    for known in (None,) if clean is None else (clean, None):
        try:
            return _Walk(ours, theirs, read, object_format, known, limit).run()
        except _TooMany:
            continue
    raise RefusedError(
        f"the remote's ledger has more than {limit} entries: it is not taken",
        next=["git for-each-ref refs/opensession/", "opensession doctor"],
    )


class _TooMany(Exception):
    pass


class _Walk:
    """One walk through both trees at once."""

    def __init__(
        self, ours: str, theirs: str, read: Read, object_format: str, clean: Clean | None, limit: int
    ) -> None:
        self._roots = (ours, theirs)
        self._read = read
        self._format = object_format
        self._clean = clean
        self._limit = limit
        self._empty = object_id("blob", b"", object_format)
        self._edits: dict[str, Entry | None] = {}
        self._conflicts: list[Conflict] = []
        self._blocked: list[str] = []
        self._adds = self._withheld = False
        self._entries = 0 if clean is None else clean.entries
        self._gone: set[str] = set()
        self._gone_blobs: set[str] = set()
        self._whole = False

    def run(self) -> United:
        ours, theirs = self._roots
        self._gone = self._tombstones(ours) | self._tombstones(theirs)
        self._gone_blobs = self._blobs_of_gone()
        whole = self._newly_gone()
        clean = None if self._clean is None or whole else Entry(TREE, self._clean.root)
        if whole:
            self._entries = 0
        self._whole = whole
        self._folder(b"", Entry(TREE, ours), Entry(TREE, theirs), clean)
        if self._blocked:
            raise RefusedError(
                f"the remote's ledger has something else where {self._blocked[0]!r} belongs",
                next=["opensession share --help"],
            )
        return United(self._edits, self._conflicts, self._adds, self._withheld, self._entries)

    def _tombstones(self, root: str) -> set[str]:
        """The sessions that a tree's tombstones name; a tombstone is an empty file."""
        folder = lookup(root, GONE.rstrip("/"), self._read, self._format)
        if folder is None or folder.mode != TREE:
            return set()
        names = parse_tree(self._read(folder.oid), self._format).items()
        places = (place_of(GONE + os.fsdecode(n)) for n, e in names if e == Entry(BLOB, self._empty))
        return {place.sha256 for place in places if place is not None and place.sha256 is not None}

    def _blobs_of_gone(self) -> set[str]:
        """What was taken back, as far as one of the trees still has it: it may stand at a path without its hash too."""
        found = (
            lookup(root, path(sha256), self._read, self._format)
            for root in self._roots
            for sha256 in self._gone
            for path in (session_path, flat_path)
        )
        return {entry.oid for entry in found if entry is not None and entry.mode == BLOB}

    def _newly_gone(self) -> bool:
        """Whether a tombstone names something that one of the trees still holds: then all of it is searched for."""
        ours, theirs = self._roots
        if self._tombstones(ours) - self._tombstones(theirs):
            return True
        return any(
            lookup(root, path(sha256), self._read, self._format) is not None
            for sha256 in self._gone
            for path in (session_path, meta_path, flat_path)
            for root in (ours, theirs)
        )

    def _folder(self, prefix: bytes, ours: Entry | None, theirs: Entry | None, clean: Entry | None) -> None:
        """Go through one folder; each side is its tree there, or None."""
        if prefix.count(b"/") > DEEPEST:
            raise RefusedError(f"the remote's ledger has more than {DEEPEST} folders in each other")
        if not self._whole and theirs is not None and theirs == clean and ours in (theirs, None):
            return
        left, right, known = self._entries_of(ours), self._entries_of(theirs), self._entries_of(clean)
        for name in sorted(left.keys() | right.keys()):
            if name.lower() in _FORBIDDEN or b"/" in name:
                raise RefusedError("the remote's ledger has a name in it that git forbids: it is not taken")
            self._name(prefix + name, left.get(name), right.get(name), known.get(name))

    def _name(self, path: bytes, mine: Entry | None, other: Entry | None, before: Entry | None) -> None:
        """Go on with what one name stands for on each side: a folder, a file, or nothing."""
        ours, theirs = _folder(mine), _folder(other)
        shown = os.fsdecode(path)
        changed = len(self._edits)
        if ours is not None or theirs is not None:
            self._folder(path + b"/", ours, theirs, _folder(before))
        if ours is not None and other is not None and theirs is None:
            # Ours is a folder and theirs a file, which makes room where it has no business there.
            if self._belongs(shown, other):
                self._blocked.append(shown)
            elif len(self._edits) == changed:
                self._edits[shown] = None
        elif theirs is not None and mine is not None and ours is None:
            if self._belongs(shown, mine):
                self._blocked.append(shown)
        elif ours is None and theirs is None:
            self._file(shown, mine, other, counted=before == other)

    def _file(self, path: str, mine: Entry | None, other: Entry | None, *, counted: bool) -> None:
        """Decide about one path that is a file on at least one side."""
        if other is not None and not counted:
            self._entries += 1
            if self._entries > self._limit:
                raise _TooMany
        place = place_of(path)
        taken_mine, taken_other = self._belongs(path, mine), self._belongs(path, other)
        if other is not None and not taken_other:
            self._edits[path] = None
            self._adds = self._adds or self._is_gone(path, other)
        if mine is not None and not taken_mine:
            self._withheld = self._withheld or self._is_gone(path, mine)
        if mine is None or not taken_mine or mine == other:
            return
        if other is None or not taken_other:
            self._adds = True
            self._edits[path] = mine
        else:
            promised = None if place is None or place.kind in (Kind.LINK, Kind.META) else place.sha256
            self._conflicts.append(Conflict(path, mine.oid, other.oid, promised))

    def _belongs(self, path: str, entry: Entry | None) -> bool:
        """Whether the union has this entry."""
        place = place_of(path)
        if entry is None or entry.mode != BLOB or place is None:
            return False
        if place.kind is Kind.GONE:
            return entry.oid == self._empty
        return not self._is_gone(path, entry)

    def _is_gone(self, path: str, entry: Entry) -> bool:
        place = place_of(path)
        if place is None or place.kind is Kind.GONE:
            return False
        if place.kind is Kind.PLACED and place.sha256 is None:
            return entry.oid in self._gone_blobs
        return place.sha256 in self._gone

    def _entries_of(self, folder: Entry | None) -> dict[bytes, Entry]:
        return {} if folder is None else parse_tree(self._read(folder.oid), self._format)


def _folder(entry: Entry | None) -> Entry | None:
    return entry if entry is not None and entry.mode == TREE else None
