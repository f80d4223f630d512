"""Where git looks for the pre-push hook of a clone, and whether that file is one that may be changed.

Owns the rules: the configured folder before the usual one, never a file in a working tree, and the lines to add there
instead. It looks, and changes nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from opensession import settings
from opensession.actions.setup import files, hook
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.git.repository import Repository

_LOCAL = ("local", "worktree")
NO_WRITING = "you may not write there"
INCLUDED = "opensession-hooks"
"""Below the git directory: where our hook stands when a tracked file runs it."""
LINES = (
    "# opensession-managed: runs what `opensession doctor --fix` put into a clone, and nothing in other clones",
    f'ours="$(git rev-parse --git-common-dir)/{INCLUDED}/{hook.NAME}"; [ ! -x "$ours" ] || "$ours" "$@" || exit $?',
)
_CALLS_US = re.compile(rb"^[^#\n]*" + INCLUDED.encode() + rb"/" + hook.NAME.encode(), re.MULTILINE)
_BY_NAME = re.compile(
    rb"basename[^\n]*\$\{?0|\$\{0##|basename\(\$(?:0|PROGRAM_NAME)|basename\((?:sys\.argv\[0\]|__file__)|\bhusky\b"
)
_LEGACY = "pre-push.legacy"
"""What the pre-commit framework calls the hook that was there before its own, and runs."""


class HookFile(NamedTuple):
    """A hook as it stands on the disk."""

    path: Path
    kind: hook.Kind
    data: bytes | None
    mode: int
    executable: bool
    version: str | None


class Place(NamedTuple):
    """Where the hook of this clone is, and how it stands there."""

    folder: Path
    """Where git looks."""
    origin: str
    """``usual``, or the scope of the setting that named the folder: ``local``, ``worktree``, ``global``, ``system``."""
    off: bool
    """The setting names no folder: hooks are switched off."""
    entry: HookFile
    """What git runs; where a tool's stub stands between, what the stub runs."""
    closed: str | None
    """Why ``entry`` may not be changed; then it may hold :data:`LINES`."""
    calls_us: bool
    """``entry`` runs our hook."""
    ours: HookFile
    """Our hook: ``entry`` itself, or the file that it is to run."""
    setting: str = ""
    """The value of ``core.hooksPath``, where one is set."""

    @property
    def installed(self) -> bool:
        """Whether a push from here runs our hook."""
        return self.ours.kind.ours and (self.ours.path == self.entry.path or self.calls_us)


def find(repository: Repository, env: Mapping[str, str]) -> Place:
    """The place of this clone's pre-push hook."""
    configured = _configured(repository)
    usual = repository.common_dir / "hooks"
    if configured is None:
        folder, origin, value = usual, "usual", ""
    else:
        origin, value = configured
        base = repository.worktree or repository.git_dir
        folder = Path(os.path.abspath(base / value)) if value else usual
    off = configured is not None and (not configured[1] or (folder.exists() and not folder.is_dir()))
    entry = look(_entry(folder))
    closed = _closed(repository, entry.path, env)
    if closed is None and entry.kind is hook.Kind.FOREIGN and _BY_NAME.search(entry.data or b""):
        closed = "it does what its own file name says, and would lose that name"
    legacy = look(entry.path.parent / _LEGACY)
    if entry.kind is hook.Kind.FOREIGN and legacy.kind.ours and b"pre-commit" in (entry.data or b""):
        return Place(folder, origin, off, entry, closed, calls_us=True, ours=legacy)
    included = repository.common_dir / INCLUDED / hook.NAME
    calls_us = entry.data is not None and _CALLS_US.search(entry.data) is not None
    # A hook of ours that a repository has among its files runs like any other; it is only not refreshed from here.
    apart = calls_us or (closed is not None and not entry.kind.ours)
    ours = look(included) if apart else entry
    return Place(folder, origin, off, entry, closed, calls_us, ours, value)


def look(path: Path) -> HookFile:
    """The hook at ``path``."""
    found = files.read(path)
    data = None if found is None else found.data
    return HookFile(
        path,
        hook.kind(data),
        data,
        0 if found is None else found.mode,
        found is not None and os.access(path, os.X_OK),
        None if data is None else hook.version(data),
    )


def _configured(repository: Repository) -> tuple[str, str] | None:
    """The scope and the value of ``core.hooksPath``; one that was given for a single command does not count."""
    done = repository.git.with_(options=None).run(
        "config", "--show-scope", "--type=path", "-z", "--get-all", "core.hooksPath", ok=(0, 1)
    )
    words = os.fsdecode(done.out).split("\0")
    found = [
        (scope, value) for scope, value in zip(words[::2], words[1::2], strict=False) if scope != "command"
    ]
    return found[-1] if found else None


def _entry(folder: Path) -> Path:
    """The file that decides what happens: husky's own folder only holds stubs, which run the file above it."""
    if folder.name == "_" and (folder / "h").exists():
        return folder.parent / hook.NAME
    return folder / hook.NAME


def _closed(repository: Repository, path: Path, env: Mapping[str, str]) -> str | None:
    """Why the file may not be changed, or None."""
    real = Path(os.path.realpath(path.parent))
    worktree = repository.worktree
    if worktree is not None:
        top = Path(os.path.realpath(worktree))
        own = Path(os.path.realpath(repository.common_dir))
        if real.is_relative_to(top) and not real.is_relative_to(own):
            return "it is in the working tree, where a change is everybody's"
    if not real.is_relative_to(os.path.realpath(repository.common_dir)) and _tracked(real, path.name, env):
        return "another repository tracks it"
    above = next((each for each in (real, *real.parents) if each.exists()), real)
    return None if os.access(above, os.W_OK) else NO_WRITING


def _tracked(folder: Path, name: str, env: Mapping[str, str]) -> bool:
    around = settings.find_repository(folder, {k: v for k, v in env.items() if not k.startswith("GIT_DIR")})
    if around is None or around.worktree is None or not folder.is_dir():
        return False
    from opensession.git.run import Git

    git = Git(around.git_dir, worktree=around.worktree, env=env, cwd=folder)
    return git.run("ls-files", "--error-unmatch", "--", name, ok=(0, 1, 128)).code == 0
