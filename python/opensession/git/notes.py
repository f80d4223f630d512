"""Notes on commits: which sessions belong to a pushed tip, as ``git log --notes=opensession`` shows them.

Owns ``refs/notes/opensession``: one line an address. A note is text, so two machines' notes on one commit are merged
line by line. Must not know remotes; the merge is pure and is done where the remote's notes are (union.py).
"""

from __future__ import annotations

import re

from opensession.errors import BusyError
from opensession.git.failures import Held, busy
from opensession.git.links import LIMIT
from opensession.git.objects import commit_of, pause, turn
from opensession.git.refs import NOTES
from opensession.git.state import State
from opensession.git.trees import BLOB, Entry, object_id
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opensession.git.batch import Batch
    from opensession.git.ledger import Ledger

_MESSAGE = "opensession notes"
_HEX = re.compile(r"[0-9a-f]+")


class Merged(NamedTuple):
    """What makes one notes tree into the union of two."""

    edits: dict[str, Entry | None]
    """For the first of the two trees."""
    blobs: list[bytes]
    """Blobs that must be written first."""


def lines_of(note: bytes) -> set[bytes]:
    """The lines of a note."""
    return {line for line in note.split(b"\n") if line}


def note_of(lines: Iterable[bytes]) -> bytes:
    """A note of these lines: sorted, each once, as ``git notes merge -s cat_sort_uniq`` would write it."""
    return b"".join(line + b"\n" for line in sorted(set(lines)))


def annotated(path: str, object_format: str) -> str | None:
    """The object that the note at a path of a notes tree is about; git spreads its id over folders as it likes."""
    oid = path.replace("/", "")
    width = 64 if object_format == "sha256" else 40
    return oid if len(oid) == width and _HEX.fullmatch(oid) else None


def merge(
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    read: Callable[[str], bytes | None],
    object_format: str,
) -> Merged:
    """The union of two notes trees, given as path to blob; ``read`` gives a blob's bytes, None for one too large.

    Files that are no notes stay where they are in ours and are not taken from theirs.
    """
    mine, other = _by_object(ours, object_format), _by_object(theirs, object_format)
    edits: dict[str, Entry | None] = {}
    blobs: list[bytes] = []
    for oid, paths in other.items():
        here = mine.get(oid, [])
        lines: set[bytes] = set()
        for blob in {*(ours[path] for path in here), *(theirs[path] for path in paths)}:
            lines |= lines_of(read(blob) or b"")
        note = note_of(lines)
        new = object_id("blob", note, object_format)
        path = here[0] if here else f"{oid[:2]}/{oid[2:]}"
        if len(here) == 1 and (ours[path] == new or lines == lines_of(read(ours[path]) or b"")):
            continue
        edits |= dict.fromkeys(here)  # several notes on one object become one
        edits[path] = Entry(BLOB, new)
        blobs.append(note)
    return Merged(edits, blobs)


def _by_object(tree: Mapping[str, str], object_format: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(tree):
        oid = annotated(path, object_format)
        if oid is not None:
            found.setdefault(oid, []).append(path)
    return found


def add(ledger: Ledger, commit: str, addresses: Sequence[str], *, attempts: int = 50) -> bool:
    """Note the addresses on a commit, beside what is noted there; False where all were noted already.

    ``ledger`` is any ledger of the repository: its time is the notes' time, and its git writes them.
    """
    note = note_of(address.encode() for address in addresses)
    lock: Held | None = None
    with ledger.reading() as batch:
        for attempt in range(attempts):
            try:
                with turn(ledger.objects.common_dir):
                    done = _attempt(ledger, batch, commit, note)
            except Held as held:
                held.refuse_old()
                lock, done = held, None
            if done is not None:
                return done
            pause(attempt)
    if lock is not None:
        raise busy(lock.lock)
    raise BusyError(f"{NOTES} was changed by others {attempts} times while it was being written")


def _attempt(ledger: Ledger, batch: Batch, commit: str, note: bytes) -> bool | None:
    """One try on top of what the notes are now; None where somebody else was first."""
    state = State.of(batch, NOTES, ledger.object_format)
    written = object_id("blob", note, ledger.object_format)
    edits, blobs = merge(
        dict(state.files()),
        {f"{commit[:2]}/{commit[2:]}": written},
        lambda oid: note if oid == written else state.small(oid, LIMIT),
        ledger.object_format,
    )
    if not edits:
        if state.tip is not None:
            ledger.objects.sync_ref(NOTES)
        return False
    edited = state.edit(edits)
    when = max(state.time, State.of(batch, ledger.ref, ledger.object_format).time)
    commit_data = commit_of(edited.root, [state.tip] if state.tip else [], _MESSAGE, when)
    trees = list(edited.objects.values())
    (*_, (tip,)) = ledger.objects.write_all([("blob", blobs), ("tree", trees), ("commit", [commit_data])])
    ledger.objects.sync()
    return True if ledger.objects.swap(NOTES, tip, state.tip) else None
