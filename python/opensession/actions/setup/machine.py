"""What is seen of the machine around a clone: git, the launchers, the daemon, agents' folders, the store, the disk.

Owns the looking; nothing is judged, changed or sent. Must not know the clone's own state (facts.py) or the terminal.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from opensession import config, settings
from opensession.actions.setup import shim
from opensession.errors import OpensessionError
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.actions.setup.shim import Shim
    from opensession.store import Stores
    from opensession.store.health import Health

SAMPLE = 8
"""Objects that are hashed: enough to notice a disk that lies, few enough to wait for."""
SAMPLE_BYTES = 16 << 20
"""Larger objects are left to fsck."""
_DAEMON = "opensession-daemon"
_CHANGELOG = Path("/usr/share/doc/git/changelog.Debian.gz")
_CVE = b"CVE-2025-48384"


class GitFacts(NamedTuple):
    """The git program."""

    program: str | None
    version: tuple[int, ...]
    mended: bool
    """The distribution's list of changes names the repair of the hole that the version number suggests."""
    problem: OpensessionError | None = None
    """Why a git that is there does not tell its version."""


class Daemon(NamedTuple):
    """The capturing daemon, and what its file of the process id says."""

    program: str | None
    pid_file: Path
    text: str | None
    pid: int | None
    alive: bool
    ours: bool | None
    """Whether the process of that number is the daemon; None where the system does not tell."""


class LogFolder(NamedTuple):
    """Where an agent keeps its logs."""

    label: str
    path: Path
    exists: bool


class StoreFacts(NamedTuple):
    """One store, and the room on its disk."""

    root: Path
    health: Health
    free: int | None
    """Bytes left."""


class MachineFacts(NamedTuple):
    """The machine."""

    program: Path
    interpreter: str
    git: GitFacts
    shims: tuple[Shim, ...]
    on_path: bool
    """The folder of the launchers is on PATH."""
    daemon: Daemon
    logs: tuple[LogFolder, ...]
    stores: tuple[StoreFacts, ...]
    config: config.Config | OpensessionError


def gather(cwd: Path, env: Mapping[str, str], stores: Stores) -> MachineFacts:
    """Look at the machine."""
    folder = shim.folder(env)
    return MachineFacts(
        _program(),
        sys.executable,
        git_facts(env),
        tuple(shim.look(folder / name, sys.executable) for name in shim.NAMES),
        str(folder) in env.get("PATH", "").split(os.pathsep),
        daemon(env),
        _logs(env),
        tuple(_store(store.root) for store in stores if not store.readonly),
        _config(cwd, env),
    )


def _program() -> Path:
    """The running program: the script that was called, or the interpreter where a module was."""
    called = Path(os.path.abspath(sys.argv[0] or sys.executable))
    return called if called.suffix != ".py" and called.is_file() else Path(sys.executable)


def git_facts(env: Mapping[str, str]) -> GitFacts:
    """The git program of this PATH."""
    from opensession.git.run import Git, find_git

    try:
        program = find_git(env)
    except OpensessionError:
        return GitFacts(None, (), mended=False)
    try:
        version = Git(None, env=env).version()
    except OpensessionError as error:
        return GitFacts(program, (), mended=False, problem=error)
    return GitFacts(
        program, version, mended=os.path.realpath(program) == "/usr/bin/git" and _mended(_CHANGELOG)
    )


def _mended(changelog: Path) -> bool:
    """Distributions repair a version without changing its number; their list of changes says so."""
    import gzip

    try:
        with gzip.open(changelog) as file:
            return _CVE in file.read(1 << 20)
    except (OSError, EOFError):
        return False


def daemon(env: Mapping[str, str]) -> Daemon:
    """The daemon, by its file and by the process that the file names."""
    given = env.get("XDG_CONFIG_HOME", "")
    base = Path(given) if given.startswith("/") else settings.home(env) / ".config"
    file = base / settings.STORE_NAME / "daemon.pid"
    program = _on_path(_DAEMON, env)
    try:
        with open(file, "rb") as opened:
            text = opened.read(64).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return Daemon(program, file, None, None, alive=False, ours=None)
    except OSError as error:
        return Daemon(program, file, error.strerror or "unreadable", None, alive=False, ours=None)
    pid = int(text) if re.fullmatch(r"[1-9][0-9]{0,9}", text) else None
    alive = pid is not None and _alive(pid)
    return Daemon(program, file, text, pid, alive, _is_daemon(pid) if alive else None)


def _alive(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # another user's, but there
    return True


def _is_daemon(pid: int | None) -> bool | None:
    """Whether the process was started as the daemon: a number alone may have been given to another program."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    return b"opensession" in command


def _on_path(name: str, env: Mapping[str, str]) -> str | None:
    import shutil

    return shutil.which(name, path=env.get("PATH", os.defpath))


def _logs(env: Mapping[str, str]) -> tuple[LogFolder, ...]:
    from opensession.agents.discovery import homes

    return tuple(LogFolder(label, path, path.is_dir()) for label, path in homes(settings.home(env), env))


def _store(root: Path) -> StoreFacts:
    from opensession.store import health

    return StoreFacts(root, health.look(root, SAMPLE, SAMPLE_BYTES), _free(root))


def _free(root: Path) -> int | None:
    existing = next((each for each in (root, *root.parents) if each.exists()), root)
    try:
        found = os.statvfs(existing)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _config(cwd: Path, env: Mapping[str, str]) -> config.Config | OpensessionError:
    from opensession.actions import config as action

    try:
        return action.load(cwd, env)
    except OpensessionError as error:
        return error
