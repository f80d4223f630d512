"""Several new objects from one input: all of them become visible, or none.

Owns the temporary files of one `put`. The core asks it for a descriptor at the start of each session and
gives the hashes at the end.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opensession.errors import InternalError, WriteFailedError
from opensession.store.folders import storage_failed
from opensession.store.layout import object_path
from opensession.store.records import Stored
from opensession.store.writing import TemporaryFile, publish
from opensession.uri import format_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from opensession.core import SessionInfo
    from opensession.store.folders import Folder
    from opensession.store.tree import Tree


class Batch:
    """The temporary files of one `put`; whatever is not published is removed at the end."""

    def __init__(self, tree: Tree, shown_root: Path) -> None:
        self._tree = tree
        self._shown_root = shown_root
        self._files: list[TemporaryFile] = []
        self._trunk = tree.trunk(make=True)
        self._folder: Folder | None = None

    def __enter__(self) -> Self:
        trunk = self._trunk.__enter__()
        assert trunk is not None
        self._folder = trunk[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
        self._trunk.__exit__(kind, error, tb)

    def next_fd(self) -> int:
        """The descriptor that the next session is written to."""
        assert self._folder is not None
        file = TemporaryFile(self._folder)
        self._files.append(file)
        return file.fd

    def publish(self, infos: list[SessionInfo]) -> list[Stored]:
        """Make every session visible and durable, in the order of the input."""
        if len(infos) != len(self._files):
            raise InternalError(f"{len(self._files)} sessions were begun and {len(infos)} ended")
        return [self._publish(file, info) for file, info in zip(self._files, infos, strict=True)]

    def _publish(self, file: TemporaryFile, info: SessionInfo) -> Stored:
        sha256, size = info["sha256"], info["bytes"]
        existed = publish(self._tree, file, sha256, size).existed
        file.close()
        return Stored(
            format_local(sha256), sha256, size, object_path(self._shown_root, sha256), existed, info
        )


@contextmanager
def writes_into(root: Path) -> Iterator[None]:
    """Inside the block the core writes to this store: a refusal is the store's failure, not that of some
    output.
    """
    try:
        yield
    except WriteFailedError as error:
        reason = OSError(error.errno or 0, os.strerror(error.errno) if error.errno else error.message)
        raise storage_failed(reason, root, "write to the store") from error
