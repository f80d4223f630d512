"""Taking things away: one session on request, garbage by rule.

Owns what may go and what may not: nothing an artifact cites, no temporary file of a living writer, and no
session without being asked. Each name is taken away under the root's exclusive lock, after a last look at
what it is.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time

from opensession.errors import NotFoundError, RefusedError, UsageError
from opensession.light import contextmanager
from opensession.settings import quoted
from opensession.store.artifacts import Citations, citations
from opensession.store.folders import Folder, storage
from opensession.store.layout import ARTIFACTS, OBJECTS, QUARANTINE, SUFFIX, object_path
from opensession.store.records import GcItem, GcReport, Removed
from opensession.store.tree import Tree, is_temporary, remove_file
from opensession.uri import ArtifactUri, format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.store.tree import Found

QUARANTINE_SECONDS = 30 * 86_400
_UNLOCKABLE_SECONDS = 86_400
"""Where the file system has no locks a temporary file counts as left behind after a day, longer than any
write.
"""


def remove(tree: Tree, sha256: str, *, force: bool) -> Removed:
    """Remove one session; refused while an artifact cites it, unless forced."""
    name = sha256 + SUFFIX
    with tree.leaf(sha256, make=False) as leaf:
        found = None if leaf is None else leaf.lstat(name)
        if leaf is None or found is None:
            raise NotFoundError(
                f"there is no object {sha256} in the store {str(tree.root.path)!r}", next=["opensession ls"]
            )
        # No artifact becomes visible while this lock is held: what is not cited now is not cited when it goes.
        with tree.root.locked(exclusive=True):
            if not force:
                _refuse_if_cited(citations(tree.root), sha256)
            remove_file(leaf, name)
        return Removed(format_local(sha256), sha256, found.st_size, leaf.path / name)


def _refuse_if_cited(cited: Citations, sha256: str) -> None:
    if artifacts := cited.by_session.get(sha256):
        names = ", ".join(str(ArtifactUri(a)) for a in artifacts)
        raise RefusedError(
            f"the session {format_local(sha256)} is cited by {names}",
            next=[f"opensession rm --force {format_local(sha256)}"],
        )
    if cited.unreadable:
        raise RefusedError(
            f"the artifact {str(cited.unreadable[0])!r} cannot be read and may cite the session",
            next=["opensession fsck", f"opensession rm --force {format_local(sha256)}"],
        )


def collect(
    tree: Tree,
    *,
    apply: bool,
    sessions: bool = False,
    older_than: float | None = None,
    now: float | None = None,
) -> GcReport:
    """Find garbage and, with ``apply``, remove it. Sessions only where asked, with an age in seconds."""
    if sessions and older_than is None:
        raise UsageError(
            "removing sessions needs an age: --sessions goes with --older-than",
            next=["opensession gc --sessions --older-than 365d"],
        )
    if older_than is not None and (older_than < 0 or not sessions):
        raise UsageError(
            "--older-than takes an age that is not negative, and goes with --sessions",
            next=["opensession gc --sessions --older-than 365d"],
        )
    moment = time.time() if now is None else now
    items = [*_temporaries(tree.root, moment, apply=apply), *_quarantined(tree.root, moment, apply=apply)]
    kept = 0
    if older_than is not None:
        old, kept = _old_sessions(tree, moment, older_than, apply=apply)
        items += old
    return GcReport(tree.root.path, apply, tuple(items), kept)


def temporaries(root: Folder) -> Iterator[tuple[Folder, str]]:
    """Every temporary file of a store: where they are made here, and where another program may make them, beside
    the objects.
    """
    yield from ((root, name) for name in root.names() if is_temporary(name))
    for kind in (OBJECTS, ARTIFACTS):
        yield from ((f.folder, f.name) for f in Tree(root, set(), kind).walk() if is_temporary(f.name))


@contextmanager
def left_behind(folder: Folder, name: str, now: float) -> Iterator[os.stat_result | None]:
    """The state of a temporary file whose writer is gone, which stays so inside the block; else None.

    A living writer holds the first file of its group locked; here that lock is held as long as the block lasts.
    """
    found = folder.lstat(name)
    if found is None or not stat.S_ISREG(found.st_mode):
        yield found
        return
    leader = f"{name.rpartition('-')[0]}-0"
    fd = folder.file(name if folder.lstat(leader) is None else leader)
    if fd is None:
        yield None
        return
    try:
        held = _lock(fd)
        if held is None:  # the file system has no locks
            yield found if now - found.st_mtime > _UNLOCKABLE_SECONDS else None
        else:
            yield found if held else None
    finally:
        os.close(fd)


def _lock(fd: int) -> bool | None:
    """Lock a file unless somebody else has; None where that cannot be told."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _temporaries(root: Folder, now: float, *, apply: bool) -> Iterator[GcItem]:
    for folder, name in temporaries(root):
        with left_behind(folder, name, now) as found:
            if found is None:
                continue
            if apply:
                remove_file(folder, name)
            yield GcItem("temporary", folder.path / name, found.st_size, max(0.0, now - found.st_mtime))


def _quarantined(root: Folder, now: float, *, apply: bool) -> Iterator[GcItem]:
    quarantine = root.child(QUARANTINE)
    if quarantine is None:
        return
    with quarantine:
        for name in quarantine.names():
            found = quarantine.lstat(name)
            # The change time is when it came in: linking or renaming sets it, and nothing here can set it
            # back.
            if found is None or now - found.st_ctime <= QUARANTINE_SECONDS:
                continue
            if stat.S_ISDIR(found.st_mode):
                continue  # a folder that stood where an object belongs: whoever made it takes it away
            if apply:
                remove_file(quarantine, name)
            yield GcItem("quarantine", quarantine.path / name, found.st_size, now - found.st_ctime)


def _old_sessions(tree: Tree, now: float, older_than: float, *, apply: bool) -> tuple[list[GcItem], int]:
    cited = citations(tree.root)
    if cited.unreadable:
        raise RefusedError(
            f"the artifact {str(cited.unreadable[0])!r} cannot be read and may cite any session",
            next=["opensession fsck", f"ls -l {quoted(cited.unreadable[0])}"],
        )
    items, kept = [], 0
    for found in tree.walk():
        state = found.folder.lstat(found.name)
        if found.sha256 is None or state is None or now - state.st_mtime <= older_than:
            continue
        if found.sha256 in cited.by_session:
            kept += 1
            continue
        if apply and not _remove_if_same(tree, found, state, cited):
            kept += found.sha256 in cited.by_session
            continue
        path = object_path(tree.root.path, found.sha256)
        items.append(GcItem("session", path, state.st_size, now - state.st_mtime))
    return items, kept


def _remove_if_same(tree: Tree, found: Found, seen: os.stat_result, cited: Citations) -> bool:
    """Remove a session unless it was registered again, or cited, since it was looked at."""
    folder, name = found.folder, found.name
    with tree.root.locked(exclusive=True), storage(folder.path / name, "remove"):
        now = folder.lstat(name)
        if now is None or (now.st_ino, now.st_mtime_ns) != (seen.st_ino, seen.st_mtime_ns):
            return False
        cited.look_again(tree.root)
        if found.sha256 in cited.by_session or cited.unreadable:
            return False
        remove_file(folder, name)
    return True
