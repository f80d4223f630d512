"""What setting up would change, worked out before anything is changed.

Owns which steps a clone needs and the words in which they are shown. Facts and wishes in, steps out; what must not be
done is refused here, so that applying a plan has nothing left to decide.
"""

from __future__ import annotations

import os

from opensession.actions.setup import consent, files, hook, place, shim
from opensession.actions.setup.facts import EXCLUDE_LINES
from opensession.actions.setup.modes import MODE_KEY, is_mode, mode_of
from opensession.actions.setup.steps import AddLines, AddValue, MoveFile, PutFile, SetKey
from opensession.errors import OpensessionError, RefusedError
from opensession.light import NamedTuple
from opensession.settings import quoted, quoted_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opensession.actions.setup.facts import CloneFacts, RemoteFact
    from opensession.actions.setup.place import HookFile, Place
    from opensession.actions.setup.shim import Shim
    from opensession.actions.setup.steps import Step

_HOOK_MODE = _SHIM_MODE = 0o755


class Wishes(NamedTuple):
    """What a person asked for."""

    mode: str | None
    """``hidden_ref`` or ``git_notes``; None keeps what is configured."""
    remotes: tuple[RemoteFact, ...]
    """Remotes that sessions may go to."""


class Plan(NamedTuple):
    """Steps, and what stays as it is."""

    root: Path
    clone: tuple[Step, ...]
    """In the clone."""
    shared: tuple[Step, ...]
    """Of the launchers, which all clones use, and of a hook in a folder that several may."""
    kept: tuple[str, ...]
    """What is as it should be already, for people."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order in which they are done: what starts to act comes last."""
        return (*self.shared, *self.clone)


def plan(clone: CloneFacts, shims: Sequence[Shim], interpreter: str, wishes: Wishes) -> Plan:
    """The plan; raises RefusedError where the hook is not to be touched."""
    steps: list[Step] = []
    kept: list[str] = []
    for part in (_mode, _grants, _exclude):
        part(clone, wishes, steps, kept)
    shared: list[Step] = []
    for found in shims:
        _shim(found, interpreter, shared, kept)
    _hook(clone, shared if _is_shared(clone) else steps, kept)
    return Plan(clone.root, tuple(steps), tuple(shared), tuple(kept))


def _mode(clone: CloneFacts, wishes: Wishes, steps: list[Step], kept: list[str]) -> None:
    known = clone.mode is not None and is_mode(clone.mode)
    wanted = wishes.mode or (None if known else mode_of(clone.mode))
    if wanted is None or clone.own_modes == (wanted,):
        kept.append(f"fanout mode: {mode_of(clone.mode)}")
    else:
        steps.append(SetKey(MODE_KEY, clone.own_modes, wanted))


def _grants(clone: CloneFacts, wishes: Wishes, steps: list[Step], kept: list[str]) -> None:
    for remote in wishes.remotes:
        found = clone.standing(remote)
        steps += [AddValue(consent.KEY, value, drop=True) for value in found.stale]
        steps += [AddValue(consent.KEY, grant.value) for grant in found.missing]
        kept += [f"fan-out consent: {grant.value}" for grant in found.granted]
    if not wishes.remotes:
        kept.append(
            "fan-out consent: none is added, so nothing is sent to a remote that was not agreed to before"
        )


def _exclude(clone: CloneFacts, _wishes: Wishes, steps: list[Step], kept: list[str]) -> None:
    if clone.ignored:
        kept.append("ignored by git: .opensession/*")
        return
    if os.path.islink(clone.exclude):
        raise RefusedError(
            f"{str(clone.exclude)!r} is a symbolic link, which is not written through: it needs these lines",
            next=["printf '%s\\n' " + quoted_words(*EXCLUDE_LINES) + f" >> {quoted(clone.exclude)}"],
        )
    data = clone.exclude_data
    ended = not data or data.endswith(b"\n")
    steps.append(AddLines(clone.exclude, EXCLUDE_LINES, existed=os.path.lexists(clone.exclude), ended=ended))


def _is_shared(clone: CloneFacts) -> bool:
    """Whether the hook lies outside of this clone, where ``core.hooksPath`` of others may lead too."""
    if isinstance(clone.hook, OpensessionError):
        return False
    inside = os.path.realpath(clone.common_dir)
    return os.path.commonpath([inside, os.path.realpath(clone.hook.ours.path.parent)]) != inside


def _hook(clone: CloneFacts, steps: list[Step], kept: list[str]) -> None:
    found = clone.hook
    if isinstance(found, OpensessionError):
        raise found
    if found.off:
        raise RefusedError(
            f"hooks are switched off in this clone: core.hooksPath ({found.origin}) is {found.setting!r}",
            next=["git config --show-origin --get-all core.hooksPath"],
        )
    if found.installed and found.ours.kind is hook.Kind.CURRENT and found.ours.executable:
        kept.append(f"pre-push hook: {found.ours.path}")
        return
    if found.closed is not None and not found.calls_us:
        raise _closed(found)
    steps += _hook_steps(found)


def _hook_steps(found: Place) -> Iterator[Step]:
    """Our hook in its place; whatever else is there gives way first, and is run by ours."""
    ours, folder = found.ours, found.ours.path.parent
    original = folder / hook.ORIGINAL
    taken = os.path.lexists(original)
    if not taken and os.path.lexists(folder / hook.OLDER_ORIGINAL):
        yield MoveFile(folder / hook.OLDER_ORIGINAL, original, "the older hook")
        taken = True
    # A link to what is not there at the moment is somebody's hook all the same.
    if ours.kind is hook.Kind.FOREIGN or (ours.kind is hook.Kind.ABSENT and os.path.lexists(ours.path)):
        if taken:
            yield MoveFile(
                original, files.free(original), "a hook that was set aside before and does not run now"
            )
        yield MoveFile(ours.path, original, "the hook that is there")
    elif ours.kind is hook.Kind.EDITED:
        yield MoveFile(ours.path, files.free(folder / hook.EDITED), "the changed hook")
    before = ours.data if ours.kind in (hook.Kind.OUTDATED, hook.Kind.CURRENT) else None
    yield PutFile(ours.path, before, hook.text(), _HOOK_MODE, "the pre-push hook")


def _closed(found: Place) -> RefusedError:
    entry = found.entry
    look = [f"ls -ld {quoted(entry.path.parent)}"]
    return RefusedError(
        f"the hook of this clone is {str(entry.path)!r}, which is not changed from here: {found.closed}. "
        "Once it has these lines, the rest can be set up:\n"
        + "\n".join(f"    {line}" for line in place.LINES),
        next=look if found.closed == place.NO_WRITING else _by_hand(entry),
    )


def _by_hand(entry: HookFile) -> list[str]:
    """The commands that add the lines."""
    add = "printf '%s\\n' " + quoted_words("", *place.LINES) + f" >> {quoted(entry.path)}"
    start = [] if entry.data is not None else [f"printf '%s\\n' '#!/bin/sh' > {quoted(entry.path)}"]
    run = [] if entry.executable else [f"chmod +x {quoted(entry.path)}"]
    return [*start, add, *run]


def _shim(found: Shim, interpreter: str, steps: list[Step], kept: list[str]) -> None:
    if found.current and found.works:
        kept.append(f"launcher: {found.path}")
        return
    after = shim.text(interpreter)
    if found.exists and not found.ours:
        target = files.free(found.path.with_name(found.path.name + shim.ORIGINAL))
        steps.append(MoveFile(found.path, target, "what is there instead of a launcher,"))
        steps.append(PutFile(found.path, None, after, _SHIM_MODE, "the launcher"))
        return
    before = found.path.read_bytes() if found.exists else None
    steps.append(PutFile(found.path, before, after, _SHIM_MODE, "the launcher"))


def described(steps: Sequence[Step]) -> list[str]:
    """The steps for people: what each changes, and the command that takes it back where one is enough."""
    lines = []
    for step in steps:
        lines.append(f"- {step.title}")
        if step.restore is not None:
            lines.append(f"    restore: {step.restore}")
    return lines


def as_rows(steps: Sequence[Step]) -> list[dict[str, object]]:
    """The steps for programs."""
    return [{"kind": type(step).__name__, "title": step.title, "restore": step.restore} for step in steps]


def hook_of(clone: CloneFacts) -> HookFile | None:
    """Our hook, where a push from here runs it."""
    found = clone.hook
    return None if isinstance(found, OpensessionError) or not found.installed else found.ours
