"""Where things live: the git repository around a folder, and the store roots of spec "Where" (docs/store.md).

Owns the rules that turn a working directory and an environment into paths. Everything comes in as an
argument: this module keeps no state, reads no global environment, never starts git and creates nothing.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opensession.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE_NAME = "opensession"
LEGACY_NAME = ".opensession"
_HEADER_LIMIT = 4096
"""``.git`` files, ``commondir`` and ``HEAD`` hold one short line; PATH_MAX is the longest sense they can
make.
"""


class Repository(NamedTuple):
    """A git repository as seen from one folder."""

    common_dir: Path
    """What ``git rev-parse --git-common-dir`` names: shared by all linked worktrees."""
    git_dir: Path
    """This worktree's own git directory (index, HEAD)."""
    worktree: Path | None
    """The top of the working tree; None in a bare repository or inside a git directory."""


class StoreRoots(NamedTuple):
    """The roots of the stores that a command works with."""

    write: Path
    """The one that is written to, and read first."""
    read: tuple[Path, ...]
    """Further ones that are read, in order."""
    legacy: Path | None
    """``<repo>/.opensession``, whose ``objects`` may be read once it has passed the store's own checks."""
    repository: Repository | None


def store_roots(cwd: Path, env: Mapping[str, str], *, store: str | Path | None = None) -> StoreRoots:
    """The store roots for a command that runs in ``cwd``; ``store`` is the value of ``--store``."""
    if store is not None:
        if not str(store):
            raise UsageError("--store needs a folder and got an empty name")
        explicit = _absolute(cwd, str(store))
        refuse_symlinked_root(explicit)
        return StoreRoots(explicit, (), None, None)
    shared = global_root(cwd, env)
    repository = find_repository(cwd, env)
    if repository is None:
        refuse_symlinked_root(shared)
        return StoreRoots(shared, (), None, None)
    own = repository.common_dir / STORE_NAME
    refuse_symlinked_root(own, inside_repository=True)
    refuse_symlinked_root(shared)
    legacy = None if repository.worktree is None else repository.worktree / LEGACY_NAME
    return StoreRoots(own, (shared,) if shared != own else (), legacy, repository)


def global_root(cwd: Path, env: Mapping[str, str]) -> Path:
    """The store outside of repositories: ``OPENSESSION_HOME``, else below ``XDG_DATA_HOME``, else below the
    home.
    """
    if chosen := env.get("OPENSESSION_HOME"):
        return _absolute(cwd, chosen)
    data = env.get("XDG_DATA_HOME", "")
    # The XDG specification tells programs to ignore a relative value.
    base = Path(data) if data.startswith("/") else home(env) / ".local" / "share"
    return base / STORE_NAME


def home(env: Mapping[str, str]) -> Path:
    """The home folder: ``HOME``, else what the user database says."""
    if env.get("HOME"):
        return Path(env["HOME"])
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise UsageError(
            f"there is no home folder: HOME is not set and user {os.getuid()} is not in the user database",
            next=["export OPENSESSION_HOME=/var/lib/opensession"],
        ) from None


def refuse_symlinked_root(root: Path, *, inside_repository: bool = False) -> None:
    """Refuse a root that is a symbolic link where a repository could have planted it.

    Elsewhere a link is the user's own way to keep the data on another disk, and is followed.
    """
    if root.is_symlink() and (inside_repository or find_repository(root.parent, {}) is not None):
        raise RefusedError(
            f"the store {str(root)!r} is a symbolic link inside a git repository: it is not followed",
            next=[f"ls -ld {quoted(root)}", f"rm {quoted(root)}"],
        )


def find_repository(cwd: Path, env: Mapping[str, str]) -> Repository | None:
    """The repository that git would find from ``cwd``, or None.

    Follows git's own discovery: ``GIT_DIR`` first, then upwards for a ``.git`` folder, a ``.git`` file
    (linked worktrees, submodules) or a bare repository, up to a file system boundary or a ceiling.
    """
    cwd = Path(os.path.abspath(cwd))
    if chosen := env.get("GIT_DIR"):
        git_dir = Path(os.path.abspath(cwd / chosen))
        if git_dir.is_file():
            git_dir = _gitdir_of(git_dir) or git_dir
        found = _as_git_dir(git_dir, cwd, env)
        if found is None:
            raise UsageError(f"GIT_DIR names {chosen!r}, which is no git repository", next=["unset GIT_DIR"])
        worktree = env.get("GIT_WORK_TREE")
        return Repository(found, git_dir, Path(os.path.abspath(cwd / worktree)) if worktree else cwd)
    crosses = env.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in ("1", "true", "yes", "on")
    ceilings = {
        os.path.abspath(c) for c in env.get("GIT_CEILING_DIRECTORIES", "").split(":") if c.startswith("/")
    }
    device = _device(cwd)
    for folder in (cwd, *cwd.parents):
        if folder != cwd and str(folder) in ceilings:
            return None
        if not crosses and _device(folder) != device:
            return None
        if found_here := _repository_at(folder, cwd, env):
            return found_here
    return None


def _repository_at(folder: Path, cwd: Path, env: Mapping[str, str]) -> Repository | None:
    dot_git = folder / ".git"
    git_dir = _gitdir_of(dot_git) if dot_git.is_file() else dot_git
    if git_dir is not None and (common := _as_git_dir(git_dir, cwd, env)) is not None:
        return Repository(common, git_dir, folder)
    if (common := _as_git_dir(folder, cwd, env)) is not None:
        return Repository(common, folder, None)
    return None


def _gitdir_of(file: Path) -> Path | None:
    """The folder that a ``.git`` file points to."""
    text = _one_line(file)
    if text is None or not text.startswith("gitdir:"):
        return None
    return Path(os.path.normpath(file.parent / text.removeprefix("gitdir:").strip()))


def _as_git_dir(git_dir: Path, cwd: Path, env: Mapping[str, str]) -> Path | None:
    """The common directory of ``git_dir``, or None where it is no git directory.

    The test is git's own: a HEAD that is a ref or an object name, with ``objects`` and ``refs`` beside it.
    """
    if not _is_head(git_dir / "HEAD"):
        return None
    if chosen := env.get("GIT_COMMON_DIR"):
        common = Path(os.path.abspath(cwd / chosen))
    else:
        text = _one_line(git_dir / "commondir")
        common = Path(os.path.normpath(git_dir / text)) if text else git_dir
    elsewhere = env.get("GIT_OBJECT_DIRECTORY")
    objects = cwd / elsewhere if elsewhere else common / "objects"
    return common if objects.is_dir() and (common / "refs").is_dir() else None


def _is_head(head: Path) -> bool:
    if head.is_symlink():  # git before 1.5 made HEAD a link
        return os.readlink(head).startswith("refs/")
    text = _one_line(head) or ""
    if text.startswith("ref:"):
        return text.removeprefix("ref:").strip().startswith("refs/")
    return len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text)


def _one_line(file: Path) -> str | None:
    """The first line of a small file, or None where there is none that can be read."""
    try:
        with open(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return None
            data = opened.read(_HEADER_LIMIT)
    except OSError:
        return None
    return os.fsdecode(data).partition("\n")[0].rstrip("\r")


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def _absolute(cwd: Path, name: str) -> Path:
    return Path(os.path.abspath(cwd / name))


def quoted(path: Path | str) -> str:
    """A path, or any other word, as it can be pasted into a shell.

    What cannot be shown as it is (a control character, a mark that reorders text, a byte that is no text) is spelled
    in the quotes that bash, zsh and ksh know for that.
    """
    import shlex

    text = str(path)
    return shlex.quote(text) if text.isprintable() else "$'" + "".join(map(_spelled, text)) + "'"


def _spelled(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    # Octal has at most three digits, so that no digit after it can belong to it.
    kept = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", kept))
