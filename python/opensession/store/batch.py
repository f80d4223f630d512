"""Several new objects from one input: all of them become visible, or none.

Owns the temporary files of one `put`. The core asks it for a descriptor at the start of each session and
gives the hashes at the end.
"""

from __future__ import annotations

import os

from opensession.errors import InternalError, WriteFailedError
from opensession.light import contextmanager
from opensession.store.folders import storage_failed
from opensession.store.layout import object_place
from opensession.store.records import Stored
from opensession.store.temporary import TemporaryFile
from opensession.store.writing import publish
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.core import SessionInfo
    from opensession.store.folders import Folder
    from opensession.store.tree import Tree

_HELD_OPEN = 32
"""Temporary files of one batch that are open at once; more are closed and opened again to be published."""


class Batch:
    """The temporary files of one `put`; whatever is not published is removed at the end."""

    def __init__(self, tree: Tree, folder: Folder, shown_root: str) -> None:
        self._tree = tree
        self._folder = folder
        self._shown_root = shown_root
        self._files: list[TemporaryFile] = []

    def close(self) -> None:
        """Remove what was not published; in reverse order, because the first file's lock protects the others."""
        try:
            while self._files:
                self._files.pop().close()
        finally:
            if self._files:  # one could not be closed; the others are
                self.close()

    def next_fd(self) -> int:
        """The descriptor that the next session is written to."""
        leader = self._files[0] if self._files else None
        file = TemporaryFile(self._folder, leader, len(self._files))
        self._files.append(file)
        if len(self._files) > _HELD_OPEN:
            # The core has its own descriptor for what it still has to write there.
            self._files[-_HELD_OPEN].park()
        return file.fd

    def publish(self, infos: list[SessionInfo]) -> list[Stored]:
        """Make every session visible and durable; the first one last, because its lock protects the others."""
        if len(infos) != len(self._files):
            raise InternalError(f"{len(self._files)} sessions were begun and {len(infos)} ended")
        stored = [self._publish(f, i) for f, i in zip(reversed(self._files), reversed(infos), strict=True)]
        new = {each.sha256 for each in stored if not each.existed}
        in_order = []
        for each in reversed(stored):  # of a session twice in one input the first one is the new one
            in_order.append(each._replace(existed=each.sha256 not in new))
            new.discard(each.sha256)
        return in_order

    def _publish(self, file: TemporaryFile, info: SessionInfo) -> Stored:
        sha256, size = info["sha256"], info["bytes"]
        existed = publish(self._tree, file, sha256, size).existed
        file.close()
        return Stored(
            format_local(sha256), sha256, size, object_place(self._shown_root, sha256), existed, info
        )


@contextmanager
def opened_batch(tree: Tree, shown_root: str) -> Iterator[Batch]:
    """A batch of new objects of this tree; `shown_root` is how the store is called."""
    with tree.trunk(make=True) as trunk:
        assert trunk is not None
        batch = Batch(tree, trunk[0], shown_root)
        try:
            yield batch
        finally:
            batch.close()


@contextmanager
def writes_into(root: str) -> Iterator[None]:
    """Inside the block the core writes to this store: a refusal is the store's failure, not that of some
    output.
    """
    try:
        yield
    except WriteFailedError as error:
        reason = OSError(error.errno or 0, os.strerror(error.errno) if error.errno else error.message)
        raise storage_failed(reason, root, "write to the store") from error
