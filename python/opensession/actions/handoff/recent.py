"""Which sessions belong to the repository somebody stands in, by what their headers say.

Owns the two ways to belong: the recorded folder lies in a work tree of it, or the recorded remote is one of its
remotes, both in normal form. Reads the stores themselves; there need be no index. Must not start git.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from opensession.errors import BadUriError, NotFoundError
from opensession.exactjson import loads
from opensession.light import NamedTuple
from opensession.remotes import normal_form
from opensession.settings import find_repository
from opensession.store.lines import first_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from opensession.store import Entry, Stores

_LIMIT = 1 << 20
"""Bytes of a git configuration that are read."""
_SECTION = re.compile(r'\s*\[\s*remote\s+"((?:[^"\\]|\\.)*)"\s*\]\s*')
_URL = re.compile(r"\s*url\s*=\s*(\S.*?)\s*", re.IGNORECASE)


class Here(NamedTuple):
    """Where somebody stands."""

    folders: tuple[str, ...]
    """The work trees of the repository; outside of any, the current folder."""
    remotes: frozenset[str]
    """Its remotes in normal form."""
    shown: str
    """How a message calls it."""
    repository: bool = True
    """What lies in another repository inside of the folders is that one's."""


def here(cwd: Path, env: Mapping[str, str]) -> Here:
    """The repository around ``cwd``, else ``cwd`` itself."""
    repository = find_repository(cwd, env)
    if repository is None:
        return Here(_spellings(cwd, env), frozenset(), f"the folder {str(cwd)!r}", repository=False)
    trees = [repository.worktree] if repository.worktree is not None else []
    if repository.common_dir.name == ".git":
        trees.append(repository.common_dir.parent)
    trees += _linked(repository.common_dir)
    folders = [spelled for tree in trees for spelled in _spellings(tree, env)]
    shown = str(trees[0] if trees else repository.common_dir)
    return Here(
        tuple(dict.fromkeys(folders)), frozenset(_remotes(repository.common_dir)), f"the repository {shown!r}"
    )


def sessions(stores: Stores, place: Here, count: int) -> list[Entry]:
    """The last ``count`` sessions that belong to ``place``, the newest first, ties by address."""
    found = []
    for entry in stores.ls():
        if entry.problem is None and belongs(_header(entry), place):
            found.append(entry)
            if len(found) == count:
                return found
    if not found:
        raise NotFoundError(
            f"no stored session belongs to {place.shown}",
            next=["opensession ls", "opensession handoff build --help"],
        )
    return found


def belongs(header: dict[str, Any], place: Here) -> bool:
    """Whether a session with this header was held there."""
    context = header.get("context")
    attributes = context.get("attributes") if isinstance(context, dict) else None
    if not isinstance(attributes, dict):
        return False
    cwd, git = attributes.get("cwd"), attributes.get("git")
    if isinstance(cwd, str) and _inside(os.path.normpath(cwd), place):
        return True
    remote = git.get("remote") if isinstance(git, dict) else None
    return isinstance(remote, str) and _normal(remote) in place.remotes


def _inside(path: str, place: Here) -> bool:
    around = [folder for folder in place.folders if _below(path, folder)]
    if not around or not place.repository:
        return bool(around)
    # A home folder may be a repository: what is done in the projects below it is none of its business.
    nearest = max(around, key=len)
    while path != nearest:
        try:
            if os.path.lexists(os.path.join(path, ".git")):
                return False
        except ValueError:  # a folder that no disk could have
            return True
        path = os.path.dirname(path)
    return True


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _header(entry: Entry) -> dict[str, Any]:
    try:
        with entry.path.open("rb") as file:
            value = loads(first_line(file.fileno()))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _spellings(folder: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """The folder as it is, and as a shell that came by a link calls it: agents record either."""
    real = os.path.realpath(folder)
    named = env.get("PWD", "")
    if named.startswith("/") and os.path.realpath(named) == real:
        return (real, os.path.normpath(named))
    return (real,) if str(folder) == real else (real, str(folder))


def _linked(common: Path) -> Iterator[Path]:
    """The other work trees: each has a folder in the repository that says where it is."""
    try:
        names = sorted(os.listdir(common / "worktrees"))
    except OSError:
        return
    for name in names:
        text = _text(common / "worktrees" / name / "gitdir").strip()
        if text.startswith("/") and text.endswith("/.git"):
            yield Path(text).parent


def _remotes(common: Path) -> Iterator[str]:
    inside = False
    for line in _text(common / "config").splitlines():
        if line.lstrip().startswith("["):
            inside = _SECTION.fullmatch(line) is not None
        elif inside and (url := _URL.fullmatch(line)) and (normal := _normal(url[1].strip('"'))):
            yield normal


def _normal(remote: str) -> str | None:
    try:
        return normal_form(remote)
    except BadUriError:
        return None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
