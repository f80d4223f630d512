"""The log of secrets that a person let pass: ``<root>/allowed-secrets.jsonl``, one JSON object a line.

Owns that a line is whole and durable when :func:`log` returns. Must not know what a line says; values never stand here.
"""

from __future__ import annotations

import json
import os

from opensession.errors import RefusedError
from opensession.settings import quoted
from opensession.store.folders import Folder, storage, sync
from opensession.store.layout import ALLOWED_SECRETS, OBJECTS, WRITING_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.store.store import Store

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def log(store: Store, rows: Sequence[Mapping[str, object]]) -> None:
    """Append the rows; when this returns they survive a power cut."""
    if not rows:
        return
    text = "".join(json.dumps(row, ensure_ascii=True, sort_keys=True) + "\n" for row in rows).encode()
    with store.opened(OBJECTS, make=True) as tree:
        assert tree is not None
        with tree.root.locked(exclusive=True):
            _append(tree.root, text)
        tree.root.sync()


def passed(store: Store) -> set[tuple[str, str]]:
    """What was let pass so far: the thing's name and the fingerprint. A line that is not whole lets nothing pass."""
    with store.opened(OBJECTS, make=False) as tree:
        fd = None if tree is None else tree.root.file(ALLOWED_SECRETS)
        if fd is None:
            return set()
        with os.fdopen(fd, "rb") as file:
            rows = [_row(line) for line in file]
    return {(row["in"], row["fingerprint"]) for row in rows if row is not None}


def _row(line: bytes) -> dict[str, str] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    known = (
        isinstance(row, dict) and isinstance(row.get("in"), str) and isinstance(row.get("fingerprint"), str)
    )
    return row if known else None


def _append(root: Folder, text: bytes) -> None:
    path = root.path / ALLOWED_SECRETS
    if root.is_link(ALLOWED_SECRETS):
        raise RefusedError(
            f"{str(path)!r} in the store is a symbolic link, and such links are not followed",
            next=[f"ls -ld {quoted(path)}", f"rm {quoted(path)}"],
        )
    with storage(path, "write"):
        fd = os.open(ALLOWED_SECRETS, _APPEND, WRITING_MODE, dir_fd=root.fd)
        try:
            os.fchmod(fd, WRITING_MODE)
            size = os.fstat(fd).st_size
            # A power cut may have left half a line: it stays alone on its line.
            if size and os.pread(fd, 1, size - 1) != b"\n":
                text = b"\n" + text
            view = memoryview(text)
            while view:
                view = view[os.write(fd, view) :]
            sync(fd)
        finally:
            os.close(fd)
