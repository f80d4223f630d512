"""Carries a plan out, all of it or nothing.

Owns the order of record and change, and what happens when a step fails: those before it are undone. Must not decide
what to change (plan.py).
"""

from __future__ import annotations

from opensession.actions.setup import record, shim
from opensession.errors import OpensessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.actions.setup.plan import Plan
    from opensession.actions.setup.record import Record
    from opensession.actions.setup.steps import Step
    from opensession.git.repository import Repository


def own_record(repository: Repository) -> Record:
    """The record of the clone."""
    return record.load(repository.common_dir / record.NAME)


def shared_record(env: Mapping[str, str]) -> Record:
    """The record of the launchers."""
    return record.load(shim.folder(env) / record.NAME)


def apply(repository: Repository, env: Mapping[str, str], plan: Plan) -> None:
    """Do every step of the plan; where one fails nothing has changed, and the failure is raised."""
    own, shared = own_record(repository), shared_record(env)
    clone = str(repository.common_dir)
    wanted = shared.with_steps(plan.shared)
    if clone not in wanted.clones:
        wanted = wanted._replace(clones=(*wanted.clones, clone))
    done: list[Step] = []
    try:
        if wanted != shared:
            wanted.write()
        if plan.clone:
            own.with_steps(plan.clone).write()
        for step in plan.steps:
            done.append(step)
            step.do(repository)
    except BaseException as error:
        left = _undone(repository, done)
        for each in (own, shared):
            _write_back(each, left)
        if left and isinstance(error, OpensessionError):
            error.message += "; and not all could be undone: " + "; ".join(left)
        raise


def _undone(repository: Repository, done: list[Step]) -> list[str]:
    """Undo the steps, the last one first, the one that failed too; what could not be undone is named."""
    left = []
    for number, step in enumerate(reversed(done)):
        try:
            reason = step.undo(repository)
        except OpensessionError as error:
            reason = error.message
        else:
            reason = (
                None if number == 0 else reason
            )  # the one that failed has nothing to take back, and says so
        if reason is not None:
            left.append(reason)
    return left


def _write_back(was: Record, left: list[str]) -> None:
    if left:
        return  # the record of what was tried is then the way back
    try:
        was.write()
    except OpensessionError as error:
        left.append(error.message)
