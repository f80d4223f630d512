"""Takes a setup back: what the record says was changed, and nothing that was changed since.

Owns what is taken back, what is left and why. The launchers go with the last clone that uses them.
"""

from __future__ import annotations

import os
from pathlib import Path

from opensession.actions.setup import consent, files, hook, place, record
from opensession.actions.setup.apply import own_record, shared_record
from opensession.actions.setup.modes import MODE_KEY
from opensession.actions.setup.steps import AddLines, AddValue, MoveFile, PutFile, SetKey
from opensession.errors import RefusedError
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.actions.setup.record import Record
    from opensession.actions.setup.steps import Step
    from opensession.git.repository import Repository


class Undo(NamedTuple):
    """What would be taken back."""

    root: Path
    own: Record
    shared: Record
    """After this clone has left it."""
    clone: tuple[Step, ...]
    launchers: tuple[Step, ...]
    """Empty where other clones use them."""
    stays: tuple[str, ...]
    """What is left as it is, for people."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are undone, in that order."""
        return (*reversed(self.clone), *reversed(self.launchers))


def plan_undo(repository: Repository, env: Mapping[str, str]) -> Undo:
    """What the records of this clone and of the launchers say is to be taken back."""
    own, shared = own_record(repository), shared_record(env)
    clone = str(repository.common_dir)
    users = tuple(each for each in shared.clones if each != clone and (Path(each) / record.NAME).exists())
    shared = shared._replace(clones=users)
    stays = [
        "stored sessions, ledgers (refs/opensession/*), notes; `opensession unshare` takes a session back"
    ]
    if users and shared.steps:
        hooks = dict.fromkeys(path for step in shared.steps if (path := _hook_of(step)) is not None)
        what = "".join(f" and the hook {str(path)!r}" for path in hooks)
        clones = f"{len(users)} other clone{'s' if len(users) > 1 else ''}"
        stays.append(f"the launchers{what}: of use to {clones}, {users[0]!r} among them")
    steps = own.steps or tuple(_without_record(repository, env, shared))
    _refuse_strange(repository, env, own.steps)
    root = repository.worktree or repository.git_dir
    return Undo(root, own, shared, steps, () if users else shared.steps, tuple(stays))


def _refuse_strange(repository: Repository, env: Mapping[str, str], steps: Sequence[Step]) -> None:
    """Refuse a record that would have files changed which setting up never touches.

    A folder that was unpacked from somewhere may bring a git directory, and with it such a record.
    """
    inside = Path(os.path.realpath(repository.common_dir))
    hooks = place.find(repository, env).ours.path.parent if steps else inside
    for step in steps:
        if isinstance(step, SetKey | AddValue):
            fine = step.key in (MODE_KEY, consent.KEY)
        elif isinstance(step, AddLines):
            fine = step.path == repository.common_dir / "info" / "exclude"
        elif isinstance(step, MoveFile):
            near = step.source.parent == step.target.parent and step.source.name.startswith(hook.NAME)
            fine = near and (_is_below(step.source.parent, inside) or step.source.parent == hooks)
        else:
            elsewhere = step.path == hooks / hook.NAME and step.before is None
            fine = step.path.name == hook.NAME and (_is_below(step.path.parent, inside) or elsewhere)
        if not fine:
            raise RefusedError(
                f"the record of this clone would have something changed that setting up never touches: {step.title}",
                next=[f"cat {quoted(repository.common_dir / record.NAME)}"],
            )


def _is_below(folder: Path, inside: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(inside)


def _hook_of(step: Step) -> Path | None:
    """The hook that the step puts in its place, where it is about one."""
    return step.path if isinstance(step, PutFile) and step.path.name == hook.NAME else None


def _without_record(repository: Repository, env: Mapping[str, str], shared: Record) -> list[Step]:
    """The hook alone, where it is ours and no record says so."""
    found = place.find(repository, env)
    ours = found.ours
    if not found.installed or ours.data is None or ours.kind is hook.Kind.EDITED:
        return []
    if any(_hook_of(step) == ours.path for step in shared.steps):
        return []  # a record says so, and who else needs it
    original = ours.path.parent / hook.ORIGINAL
    steps: list[Step] = [PutFile(ours.path, None, ours.data, ours.mode, "the pre-push hook")]
    if os.path.lexists(original):
        steps.insert(0, MoveFile(ours.path, original, "the hook that was there"))
    return steps


def _taken_back(step: Step, repository: Repository) -> str | None:
    """Undo a step. A hook of ours goes even if somebody changed it: what was here before has that place."""
    if isinstance(step, PutFile) and _hook_of(step) is not None and step.before is None:
        found = files.read(step.path)
        kind = hook.kind(None if found is None or found.link else found.data)
        if kind is hook.Kind.EDITED:
            kept = files.free(step.path.parent / hook.EDITED)
            files.move(step.path, kept)
            return f"{kept} is kept: it is the hook as it was changed since, and does not run any more"
        if kind.ours:  # another version's, as that wrote it
            files.remove(step.path)
            return None
    return step.undo(repository)


def undo(repository: Repository, planned: Undo) -> list[str]:
    """Take it back; the answer names what stays because it was changed since."""
    left = [reason for step in planned.steps if (reason := _taken_back(step, repository)) is not None]
    planned.own._replace(steps=()).write()
    shared = planned.shared
    (shared if shared.clones else shared._replace(steps=())).write()
    files.remove_empty(repository.common_dir / place.INCLUDED)
    files.remove_empty(planned.shared.path.parent)
    return left
