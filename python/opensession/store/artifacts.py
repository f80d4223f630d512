"""Which sessions the artifacts of a store cite: those must not be taken away.

Owns one question about artifact files; their first line lists the sources. Knows nothing else of handoffs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opensession.exactjson import loads
from opensession.store.layout import ARTIFACTS, is_sha256
from opensession.store.lines import first_line
from opensession.store.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from opensession.store.folders import Folder


class Citations:
    """The sessions cited by the artifacts of one store."""

    def __init__(self) -> None:
        self.by_session: dict[str, list[str]] = {}
        """Address of a session to the addresses of the artifacts that cite it."""
        self.unreadable: list[Path] = []
        """Artifacts whose sources cannot be told; they may cite anything."""
        self._seen: set[str] = set()

    def look_again(self, root: Folder) -> None:
        """Read the first line of every artifact that was not there before."""
        for entry in Tree(root, set(), ARTIFACTS).walk():
            if entry.sha256 is None or entry.sha256 in self._seen:
                continue
            self._seen.add(entry.sha256)
            sources = _sources(entry.folder, entry.name)
            if sources is None:
                self.unreadable.append(entry.folder.path / entry.name)
                continue
            for session in sources:
                self.by_session.setdefault(session, []).append(entry.sha256)


def citations(root: Folder) -> Citations:
    """Read the first line of every artifact."""
    found = Citations()
    found.look_again(root)
    return found


def _sources(folder: Folder, name: str) -> list[str] | None:
    fd = folder.file(name)
    if fd is None:
        return []  # removed since its name was read
    try:
        line = first_line(fd)
        sources = [source["sha256"] for source in loads(line)["sources"]]
        return sources if all(isinstance(s, str) and is_sha256(s) for s in sources) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(fd)
