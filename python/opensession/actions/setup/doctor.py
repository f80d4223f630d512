"""Looks at the clone and the machine, and judges both: what `doctor` shows.

Owns the order of all checks, and that a folder outside of any repository is still told what can be told.
"""

from __future__ import annotations

from opensession.actions.setup import checks, checks_machine, facts, machine
from opensession.actions.setup.checks import FIX, Check, Level
from opensession.errors import OpensessionError
from opensession.git.repository import Repository
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from opensession.actions.setup.facts import CloneFacts
    from opensession.actions.setup.machine import MachineFacts
    from opensession.store import Stores


class Seen(NamedTuple):
    """What was seen."""

    clone: CloneFacts | OpensessionError
    """The error says why there is no clone to look at."""
    machine: MachineFacts


def look(cwd: Path, env: Mapping[str, str], stores: Stores) -> Seen:
    """Look at everything."""
    clone: CloneFacts | OpensessionError
    try:
        clone = facts.gather(Repository.discover(cwd, env), env, stores.write.root)
    except OpensessionError as error:
        clone = error
    return Seen(clone, machine.gather(cwd, env, stores))


def judge(seen: Seen) -> list[Check]:
    """All checks, in the order in which they are shown."""
    launchers = list(checks_machine.launcher_checks(seen.machine))
    rest = list(checks_machine.machine_checks(seen.machine))
    if isinstance(seen.clone, OpensessionError):
        error = seen.clone
        # Nowhere near a repository is no fault of anybody; one that git refuses to work in is.
        level = Level.INFO if error.code == "not_found" else Level.FAIL
        # Setting up needs a clone to set up.
        launchers = [check._replace(steps=tuple(s for s in check.steps if s != FIX)) for check in launchers]
        return [Check("repository", level, error.message, error.next), *launchers, *rest]
    found = list(checks.clone_checks(seen.clone))
    hooks = [check for check in found if check.label.startswith(("opensession hooks", "hook "))]
    return [*hooks, *launchers, *(check for check in found if check not in hooks), *rest]


def steps(found: Iterable[Check], *, issues: bool) -> list[str]:
    """The commands that lead on, each once: from what is wrong, or from everything else."""
    return list(dict.fromkeys(step for check in found if check.issue is issues for step in check.steps))
