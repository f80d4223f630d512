"""The repository, the paths and the places in files that a command line about commits means.

Owns how a path that was typed becomes one of the repository. Must not know what is asked about it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from opensession.errors import UsageError
from opensession.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.report import Report

_PLACE = re.compile(r"(.+?):([0-9]{1,9})(?::[0-9]*)?:?", re.DOTALL)


def repository() -> Repository:
    """The repository around the current folder."""
    try:
        return Repository.discover(Path.cwd(), os.environ)
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more", next=["cd ~"]) from None


def place(typed: str) -> tuple[str, int]:
    """File and line of ``FILE:LINE``, as editors and grep write it: a column may follow."""
    found = _PLACE.fullmatch(typed)
    if found is None or int(found[2]) == 0:
        near = [f"opensession why {_quoted(typed)}:1"] if ":" not in typed and typed else []
        raise UsageError(
            f"{typed!r} is no place in a file: that is FILE:LINE, with lines from 1 on",
            next=[*near, "opensession why --help"],
        )
    return found[1], int(found[2])


def path_in(repository: Repository, typed: str, cwd: Path) -> str:
    """A path as git knows it, from the top of the work tree; without a work tree it is taken as it is."""
    if repository.worktree is None:
        return os.path.normpath(typed)
    whole = os.path.abspath(cwd / typed)
    # The folder is followed, the file is not: git keeps links as they are.
    parent = os.path.realpath(os.path.dirname(whole))
    top = os.path.realpath(repository.worktree)
    inside = os.path.relpath(os.path.join(parent, os.path.basename(whole)), top)
    if inside == ".." or inside.startswith("../"):
        raise UsageError(
            f"{typed!r} lies outside of the repository {str(repository.worktree)!r}",
            next=[f"cd {_quoted(os.path.dirname(whole))}"],
        )
    return inside


def note_left(report: Report, left: int) -> None:
    """Say that not all sessions were looked at."""
    if left:
        sessions = "1 session was" if left == 1 else f"{left} sessions were"
        report.note(f"note: {sessions} not looked at for want of time; `opensession link` does it once")


def _quoted(text: str) -> str:
    from opensession.settings import quoted

    return quoted(text)
