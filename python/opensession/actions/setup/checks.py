"""The checks: what was seen, judged.

Owns the levels, the order, and what a person is told to do. Pure: it looks at nothing but the facts. A clone that was
just set up has nothing at WARN or FAIL that setting up could have put right. The checks of the machine are
checks_machine.py.
"""

from __future__ import annotations

from enum import Enum

from opensession.actions.setup import hook
from opensession.actions.setup.modes import is_mode, mode_of
from opensession.errors import OpensessionError
from opensession.light import NamedTuple
from opensession.settings import quoted, quoted_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.actions.setup.facts import CloneFacts, RemoteFact
    from opensession.actions.setup.place import Place

FIX = "opensession doctor --fix"


class Level(Enum):
    """How a check came out."""

    OK = " OK "
    INFO = "INFO"
    WARN = "WARN"
    FAIL = "FAIL"


class Check(NamedTuple):
    """One line of the report."""

    label: str
    level: Level
    text: str
    steps: tuple[str, ...] = ()
    """Commands that lead on: recommended where something is wrong, optional elsewhere."""

    @property
    def issue(self) -> bool:
        """Whether something is wrong."""
        return self.level in (Level.WARN, Level.FAIL)


def hook_checks(found: Place | OpensessionError) -> Iterator[Check]:
    """Whether pushes from here run our hook, and whether it is this version's."""
    label = "opensession hooks"
    if isinstance(found, OpensessionError):
        yield Check(label, Level.FAIL, found.message, found.next)
        return
    if found.off:
        text = f"hooks are switched off here: core.hooksPath ({found.origin}) is {found.setting!r}"
        yield Check(label, Level.WARN, text, (f"git config --{_scope(found)} --unset core.hooksPath",))
        return
    if not found.installed:
        where = f" in {str(found.folder)!r}" if found.origin != "usual" else ""
        yield Check(label, Level.WARN, f"the pre-push hook is not installed{where}", (FIX,))
        return
    via = f", run by {str(found.entry.path)!r}" if found.calls_us else ""
    shared = f" (core.hooksPath, {found.origin})" if found.origin != "usual" else ""
    yield Check(label, Level.OK, f"pre-push: {str(found.ours.path)!r}{via}{shared}")
    yield _runs(found)
    yield _version(found)


def _scope(found: Place) -> str:
    return found.origin if found.origin in ("worktree", "global", "system") else "local"


def _runs(found: Place) -> Check:
    label = "hook executable"
    stub = found.folder / found.entry.path.name
    # A stub that starts the file with `sh` does not need it to be executable.
    started = [each for each in (found.ours, found.entry) if each is found.ours or stub == found.entry.path]
    for each in started:
        if not each.executable:
            step = f"chmod +x {quoted(each.path)}"
            return Check(label, Level.WARN, f"git ignores {str(each.path)!r}: it is not executable", (step,))
    return Check(label, Level.OK, "yes")


def _version(found: Place) -> Check:
    label = "hook version"
    version = found.ours.version or "unknown"
    if found.ours.kind is hook.Kind.CURRENT:
        return Check(label, Level.OK, f"{version}, this program's")
    if found.ours.kind is hook.Kind.OUTDATED:
        return Check(
            label, Level.WARN, f"{version}, and this program has {hook.version(hook.text())}", (FIX,)
        )
    return Check(
        label, Level.WARN, "it was changed by hand, or another program of this name wrote it", (FIX,)
    )


def clone_checks(clone: CloneFacts) -> Iterator[Check]:
    """All checks of the clone, in the order of the report."""
    yield from hook_checks(clone.hook)
    yield _mode(clone)
    yield from _consent(clone)
    yield _readiness(clone)
    yield _ignored(clone)
    yield _mirror(clone)
    yield _case(clone)
    yield from _branches(clone)


def _mode(clone: CloneFacts) -> Check:
    label = "fanout mode"
    mode = mode_of(clone.mode)
    if clone.mode is None:
        return Check(label, Level.OK, f"{mode} (default)")
    if not is_mode(clone.mode):
        text = f"{clone.mode!r} is no mode, so {mode} is used"
        return Check(label, Level.WARN, text, (f"git config --local opensession.fanout-mode {mode}",))
    return Check(label, Level.OK, f"{mode} (configured)")


def _consent(clone: CloneFacts) -> Iterator[Check]:
    label = "fan-out consent"
    if not clone.remotes:
        yield Check(label, Level.INFO, "there is no remote, so nothing is sent anywhere")
    for remote in clone.remotes:
        yield _consent_for(clone, remote, label)


def _consent_for(clone: CloneFacts, remote: RemoteFact, label: str) -> Check:
    if remote.problem is not None:
        return Check(label, Level.INFO, f"{remote.name}: never sent to: {remote.problem}")
    found = clone.standing(remote)
    grant = f"{FIX} --fanout-remote {quoted(remote.name)}"
    if found.changed:
        text = f"{remote.name}: its address is not the one that was agreed to, so nothing is sent"
        return Check(label, Level.WARN, text, ("git remote -v", grant))
    if found.missing:
        return Check(label, Level.INFO, f"{remote.name}: not agreed to, so nothing is sent", (grant,))
    return Check(label, Level.OK, f"{remote.name}: sessions go to {', '.join(remote.normal)}")


def _readiness(clone: CloneFacts) -> Check:
    label = "review readiness"
    refs = clone.refs
    ready = not isinstance(clone.hook, OpensessionError) and clone.hook.installed
    counts = [
        f"{number} {kind}"
        for number, kind in ((refs.ledgers, "own"), (refs.mirrored, "mirrored"), (refs.tracked, "fetched"))
        if number
    ]
    fanout = f"hidden-fanout={'ok' if ready else 'missing'}"
    text = f"{fanout} hidden-refs={'present (' + ', '.join(counts) + ')' if counts else 'none'}"
    if not ready:
        return Check(label, Level.WARN, text, (FIX,))
    if counts:
        return Check(label, Level.OK, text)
    steps = tuple(_fetch(remote) for remote in clone.remotes[:1] if remote.problem is None)
    return Check(label, Level.INFO, text, steps)


def _fetch(remote: RemoteFact) -> str:
    # Not `git fetch`: what that puts below refs/remotes is nothing that `log` and `why` read.
    return quoted_words("opensession", "log", "--fetch", remote.name)


def _ignored(clone: CloneFacts) -> Check:
    label = "ignored by git"
    if clone.bare:
        return Check(label, Level.OK, "a bare repository has no working tree")
    if clone.ignored:
        return Check(label, Level.OK, ".opensession/* stays out of commits")
    text = "`git add` would commit raw sessions below .opensession"
    if not clone.raw:
        return Check(label, Level.INFO, f"{text}; there is no such folder now", (FIX,))
    return Check(label, Level.WARN, text, (FIX,))


def _mirror(clone: CloneFacts) -> Check:
    label = "mirror pushes"
    count = clone.refs.ledgers
    hidden = ("1 ledger" if count == 1 else f"{count} ledgers") + (" and notes" if clone.refs.notes else "")
    text = (
        f"`git push --mirror` publishes refs/opensession too ({hidden}), without a scan and without consent"
    )
    always = [remote.name for remote in clone.remotes if remote.mirror]
    if always:
        steps = tuple(f"git config --unset {quoted(f'remote.{name}.mirror')}" for name in always)
        return Check(label, Level.WARN, f"every push to {', '.join(always)} is one: {text}", steps)
    return Check(label, Level.INFO, text)


def _case(clone: CloneFacts) -> Check:
    label = "branch names"
    folded: dict[str, list[str]] = {}
    for branch in clone.refs.branches:
        folded.setdefault(branch.casefold(), []).append(branch)
    clashes = [names for names in folded.values() if len(names) > 1]
    if not clashes:
        return Check(label, Level.OK, "none differ only by case")
    shown = "; ".join(" and ".join(map(repr, names)) for names in clashes[:3])
    more = f" and {len(clashes) - 3} more" if len(clashes) > 3 else ""
    text = f"{shown}{more} differ only by case: a disk that ignores case keeps one of them"
    steps = tuple(quoted_words("git", "branch", "-m", names[-1], f"{names[-1]}-2") for names in clashes[:1])
    return Check(label, Level.WARN if clone.ignores_case else Level.INFO, text, steps)


def _branches(clone: CloneFacts) -> Iterator[Check]:
    if clone.branch is not None:
        yield Check("current branch", Level.OK, clone.branch)
    else:
        yield Check("current branch", Level.INFO, "none: HEAD is detached")
    if clone.ledger_branch is None or clone.ledger_ref is None:
        yield Check("ledger branch", Level.INFO, "none: there is no commit yet")
        return
    if clone.ledger_branch != clone.branch:
        yield Check("ledger branch", Level.INFO, clone.ledger_branch)
    yield Check("expected ledger ref", Level.OK, clone.ledger_ref)
