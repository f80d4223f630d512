"""Which file of a repository a session means by a path.

Owns how a session's folder and an absolute path become a path of the repository: in its work trees, in work trees that
are gone, and in another clone on another machine. Pure, but for one look whether a folder is still there.
"""

from __future__ import annotations

import os
import posixpath
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Whereabouts:
    """Where one session worked, seen from the repository."""

    def __init__(self, cwd: str | None, tops: Iterable[str], *, gone: bool) -> None:
        """``tops`` are the work trees of the repository; ``gone`` says that ``cwd`` is no folder of them now: a work
        tree that was removed, or another machine's.
        """
        self._windows = cwd is not None and _DRIVE.match(cwd) is not None
        self._cwd = None if cwd is None else self._spelled(cwd)
        self._tops = sorted({posixpath.normpath(top) for top in tops}, key=len, reverse=True)
        self._gone = gone

    @classmethod
    def of(cls, cwd: str | None, tops: Iterable[str]) -> Whereabouts:
        """Where a session with this working directory worked; it is looked up whether the folder is still there."""
        tops = list(tops)
        if cwd is None or not cwd.startswith("/") or "\0" in cwd:  # no folder of this machine has such a name
            return cls(cwd, tops, gone=True)
        real = os.path.realpath(cwd)
        inside = next((top for top in sorted(tops, key=len, reverse=True) if _below(real, top)), None)
        if inside is None or not os.path.isdir(cwd):
            return cls(cwd, tops, gone=True)
        tail = real[len(inside) :]
        if cwd != real and tail and cwd.endswith(tail):
            tops.append(cwd[: -len(tail)])  # the same folder by the name that the session knew
        elif cwd != real and not tail:
            tops.append(cwd)
        return cls(cwd, tops, gone=False)

    def find(self, path: str, wanted: Container[str]) -> str | None:
        """The path of the repository among ``wanted`` that ``path`` means, or None."""
        whole = self._absolute(path)
        if whole is None:
            return None
        if not whole.startswith("/"):
            return whole if whole in wanted else None
        owner = next((top for top in self._tops if _below(whole, top)), None)
        cut = 0
        while cut >= 0:  # the longest name first: `docs/README.md` is no `README.md`
            name = whole[cut + 1 :]
            if name in wanted and self._is_top(whole[:cut] or "/", owner):
                return name
            cut = whole.find("/", cut + 1)
        return None

    def _is_top(self, folder: str, owner: str | None) -> bool:
        """Whether a folder is, or was, the top of a clone or work tree of this repository."""
        if folder == owner or _holds_trees(posixpath.basename(posixpath.dirname(folder))):
            return True
        if not self._gone or self._cwd is None:
            return False
        return folder == self._cwd or (owner is None and _below(self._cwd, folder))

    def _absolute(self, path: str) -> str | None:
        path = self._spelled(path)
        if path.startswith("/") or self._cwd is None:
            return path
        return posixpath.normpath(posixpath.join(self._cwd, path))

    def _spelled(self, path: str) -> str:
        """A path with slashes, from the root; a drive of Windows is a folder like any other."""
        if self._windows or _DRIVE.match(path):
            path = path.replace("\\", "/")
            path = "/" + path if _DRIVE.match(path) else path
        return posixpath.normpath(path) if path else path


def _holds_trees(name: str) -> bool:
    """Whether a folder of this name is where people and agents put work trees, which they remove when they are done."""
    return name == "worktrees" or name.endswith((".worktrees", "-worktrees"))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
