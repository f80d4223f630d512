"""Where things live: the git repository around a folder, and the store roots of spec "Where" (docs/store.md).

Owns the rules that turn a working directory and an environment into paths. Everything comes in as an
argument: this module keeps no state, reads no global environment, never starts git and creates nothing.
"""

from __future__ import annotations

import os
import stat

from opensession.errors import RefusedError, UsageError
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    AnyPath = str | os.PathLike[str]

STORE_NAME = "opensession"
LEGACY_NAME = ".opensession"
_HEADER_LIMIT = 4096
"""``.git`` files, ``commondir`` and ``HEAD`` hold one short line; PATH_MAX is the longest sense they can
make.
"""


class Repository(NamedTuple):
    """A git repository as seen from one folder: its folders as text, and as paths for whoever works with them."""

    common: str
    git: str
    top: str | None

    @property
    def common_dir(self) -> Path:
        """What ``git rev-parse --git-common-dir`` names: shared by all linked worktrees."""
        return _path(self.common)

    @property
    def git_dir(self) -> Path:
        """This worktree's own git directory (index, HEAD)."""
        return _path(self.git)

    @property
    def worktree(self) -> Path | None:
        """The top of the working tree; None in a bare repository or inside a git directory."""
        return None if self.top is None else _path(self.top)


class StoreRoots(NamedTuple):
    """The roots of the stores that a command works with."""

    write: str
    """The one that is written to, and read first."""
    read: tuple[str, ...]
    """Further ones that are read, in order."""
    legacy: str | None
    """``<repo>/.opensession``, whose ``objects`` may be read once it has passed the store's own checks."""
    repository: Repository | None


def store_roots(cwd: AnyPath, env: Mapping[str, str], *, store: AnyPath | None = None) -> StoreRoots:
    """The store roots for a command that runs in ``cwd``; ``store`` is the value of ``--store``."""
    if store is not None:
        if not os.fspath(store):
            raise UsageError("--store needs a folder and got an empty name")
        explicit = _absolute(cwd, store)
        refuse_symlinked_root(explicit)
        return StoreRoots(explicit, (), None, None)
    shared = _global_root(cwd, env)
    repository = find_repository(cwd, env)
    if repository is None:
        refuse_symlinked_root(shared)
        return StoreRoots(shared, (), None, None)
    own = os.path.join(repository.common, STORE_NAME)
    refuse_symlinked_root(own, inside_repository=True)
    refuse_symlinked_root(shared)
    legacy = None if repository.top is None else os.path.join(repository.top, LEGACY_NAME)
    return StoreRoots(own, (shared,) if shared != own else (), legacy, repository)


def global_root(cwd: AnyPath, env: Mapping[str, str]) -> Path:
    """The store outside of repositories: ``OPENSESSION_HOME``, else below ``XDG_DATA_HOME``, else below the
    home.
    """
    return _path(_global_root(cwd, env))


def _global_root(cwd: AnyPath, env: Mapping[str, str]) -> str:
    if chosen := env.get("OPENSESSION_HOME"):
        return _absolute(cwd, chosen)
    data = env.get("XDG_DATA_HOME", "")
    # The XDG specification tells programs to ignore a relative value.
    base = data if data.startswith("/") else os.path.join(_home(env), ".local", "share")
    return _absolute(cwd, os.path.join(base, STORE_NAME))


def home(env: Mapping[str, str]) -> Path:
    """The home folder: ``HOME``, else what the user database says."""
    return _path(_home(env))


def _home(env: Mapping[str, str]) -> str:
    if found := env.get("HOME"):
        return found
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise UsageError(
            f"there is no home folder: HOME is not set and user {os.getuid()} is not in the user database",
            next=["export OPENSESSION_HOME=/var/lib/opensession"],
        ) from None


def refuse_symlinked_root(root: AnyPath, *, inside_repository: bool = False) -> None:
    """Refuse a root that is a symbolic link where a repository could have planted it.

    Elsewhere a link is the user's own way to keep the data on another disk, and is followed.
    """
    if os.path.islink(root) and (inside_repository or find_repository(os.path.dirname(root), {}) is not None):
        raise RefusedError(
            f"the store {os.fspath(root)!r} is a symbolic link inside a git repository: it is not followed",
            next=[f"ls -ld {quoted(root)}", f"rm {quoted(root)}"],
        )


def find_repository(cwd: AnyPath, env: Mapping[str, str]) -> Repository | None:
    """The repository that git would find from ``cwd``, or None.

    Follows git's own discovery: ``GIT_DIR`` first, then upwards for a ``.git`` folder, a ``.git`` file
    (linked worktrees, submodules) or a bare repository, up to a file system boundary or a ceiling.
    """
    cwd = os.path.abspath(cwd)
    if chosen := env.get("GIT_DIR"):
        git_dir = _absolute(cwd, chosen)
        if os.path.isfile(git_dir):
            git_dir = _gitdir_of(git_dir) or git_dir
        found = _as_git_dir(git_dir, cwd, env)
        if found is None:
            raise UsageError(f"GIT_DIR names {chosen!r}, which is no git repository", next=["unset GIT_DIR"])
        return Repository(found, git_dir, _absolute(cwd, env.get("GIT_WORK_TREE", "")))
    crosses = env.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in ("1", "true", "yes", "on")
    ceilings = {
        os.path.abspath(c) for c in env.get("GIT_CEILING_DIRECTORIES", "").split(":") if c.startswith("/")
    }
    device = _device(cwd)
    for folder in upwards(cwd):
        if folder != cwd and folder in ceilings:
            return None
        if not crosses and _device(folder) != device:
            return None
        if found_here := _repository_at(folder, cwd, env):
            return found_here
    return None


def upwards(place: str) -> Iterator[str]:
    """An absolute name, and those of all folders above it."""
    while True:
        yield place
        above = os.path.dirname(place)
        if above == place:
            return
        place = above


def _repository_at(folder: str, cwd: str, env: Mapping[str, str]) -> Repository | None:
    dot_git = os.path.join(folder, ".git")
    git_dir = _gitdir_of(dot_git) if os.path.isfile(dot_git) else dot_git
    if git_dir is not None and (common := _as_git_dir(git_dir, cwd, env)) is not None:
        return Repository(common, git_dir, folder)
    if (common := _as_git_dir(folder, cwd, env)) is not None:
        return Repository(common, folder, None)
    return None


def _gitdir_of(file: str) -> str | None:
    """The folder that a ``.git`` file points to."""
    text = _one_line(file)
    if text is None or not text.startswith("gitdir:"):
        return None
    return _absolute(os.path.dirname(file), text.removeprefix("gitdir:").strip())


def _as_git_dir(git_dir: str, cwd: str, env: Mapping[str, str]) -> str | None:
    """The common directory of ``git_dir``, or None where it is no git directory.

    The test is git's own: a HEAD that is a ref or an object name, with ``objects`` and ``refs`` beside it.
    """
    if not _is_head(os.path.join(git_dir, "HEAD")):
        return None
    if chosen := env.get("GIT_COMMON_DIR"):
        common = _absolute(cwd, chosen)
    else:
        text = _one_line(os.path.join(git_dir, "commondir"))
        common = _absolute(git_dir, text) if text else git_dir
    objects = os.path.join(cwd, env.get("GIT_OBJECT_DIRECTORY") or os.path.join(common, "objects"))
    return common if os.path.isdir(objects) and os.path.isdir(os.path.join(common, "refs")) else None


def _is_head(head: str) -> bool:
    if os.path.islink(head):  # git before 1.5 made HEAD a link
        return os.readlink(head).startswith("refs/")
    text = _one_line(head) or ""
    if text.startswith("ref:"):
        return text.removeprefix("ref:").strip().startswith("refs/")
    return len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text)


def _one_line(file: str) -> str | None:
    """The first line of a small file, or None where there is none that can be read."""
    try:
        with open(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return None
            data = opened.read(_HEADER_LIMIT)
    except OSError:
        return None
    return os.fsdecode(data).partition("\n")[0].rstrip("\r")


def _device(folder: str) -> int | None:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None


def _absolute(folder: AnyPath, name: AnyPath) -> str:
    return os.path.abspath(os.path.join(folder, name))


def _path(place: str) -> Path:
    from pathlib import Path  # here: importing it takes longer than all of this module's work

    return Path(place)


def quoted(path: AnyPath) -> str:
    """A path, or any other word, as it can be pasted into a shell.

    What cannot be shown as it is (a control character, a mark that reorders text, a byte that is no text) is spelled
    in the quotes that bash, zsh and ksh know for that.
    """
    import shlex

    text = os.fspath(path)
    return shlex.quote(text) if text.isprintable() else "$'" + "".join(map(_spelled, text)) + "'"


def quoted_words(*words: str) -> str:
    """A command line of these words, as it can be pasted into a shell."""
    return " ".join(map(quoted, words))


def _spelled(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    # Octal has at most three digits, so that no digit after it can belong to it.
    kept = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", kept))
