"""Checking, fixing and unfixing as a person sees them: the title, the questions, the plan, the answer.

Owns when is asked and what; `doctor` and `setup` share it. Must not know what a check or a step is about.
"""

from __future__ import annotations

import os
from pathlib import Path

from opensession import settings
from opensession.actions.setup import apply, doctor, facts, files, modes, plan, undo
from opensession.cli import checklist
from opensession.cli.arguments import again, nearest, quoted
from opensession.cli.asking import agreed, answered, can_ask
from opensession.cli.stores import stores_of
from opensession.errors import OpensessionError, RefusedError, UsageError
from opensession.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opensession.actions.setup.facts import CloneFacts, RemoteFact
    from opensession.actions.setup.plan import Plan, Wishes
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.store import Stores

ISSUES_EXIT = 10
_FULL = "opensession doctor --fix --yes --fanout-mode hidden_ref"
_MODES = [name for name in modes.MODES if not name.isdigit() and name != "note"]
_ORIGIN = "origin"


def check(args: Args, report: Report, *, strict: bool) -> int:
    """Show all checks."""
    stores = stores_of(args)  # first: it knows what to say where there is no current folder
    found = doctor.judge(doctor.look(Path.cwd(), os.environ, stores))
    if report.json:
        report.document({"mode": "check", **checklist.document(found)})
    else:
        report.out("OpenSession doctor (check mode)\n")
        checklist.show(found)
    return ISSUES_EXIT if strict and checklist.issues(found) else 0


def fix(args: Args, report: Report) -> int:
    """Plan, ask, apply, and show the checks as they are then."""
    mode = _wanted_mode(args)
    stores = stores_of(args)
    repository = Repository.discover(Path.cwd(), os.environ)
    asks = _may_ask(args, report)
    with _alone(repository):
        return _fixed(args, report, repository, stores, mode, asks=asks)


def _alone(repository: Repository) -> AbstractContextManager[None]:
    """The clone, and the launchers that all clones of a person share, are changed by one at a time."""
    return files.alone((repository.common_dir, settings.home(os.environ)))


def _fixed(
    args: Args, report: Report, repository: Repository, stores: Stores, mode: str | None, *, asks: bool
) -> int:
    seen = doctor.look(Path.cwd(), os.environ, stores)
    if isinstance(seen.clone, OpensessionError):
        raise seen.clone
    if not report.json:
        report.out(f"OpenSession doctor (apply mode)\nrepo: {seen.clone.root}")
    wishes = plan_wishes(args, repository, seen.clone, mode, asks=asks)
    planned = plan.plan(seen.clone, seen.machine.shims, seen.machine.interpreter, wishes)
    if not report.json:
        _show(report, planned, args)
    if planned.steps and asks and not agreed("Apply these changes?"):
        raise RefusedError("cancelled by user: nothing was changed", next=[again(args.argv, {})])
    apply.apply(repository, os.environ, planned)
    found = doctor.judge(doctor.look(Path.cwd(), os.environ, stores))
    if report.json:
        rows = {
            "plan": plan.as_rows(planned.steps),
            "kept": list(planned.kept),
            "applied": len(planned.steps),
        }
        report.document(
            {"mode": "apply", "repository": str(planned.root), **rows, **checklist.document(found)}
        )
        return 0
    report.out(f"applied: {_changes(len(planned.steps))} in {planned.root}\n")
    checklist.show(found)
    return 0


def _changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"


def _show(report: Report, planned: Plan, args: Args) -> None:
    lines = ["", "setup plan:", *(plan.described(planned.steps) or ["- nothing is to be changed"])]
    if planned.kept:
        lines += ["", "stays as it is:", *(f"- {each}" for each in planned.kept)]
    if planned.steps:
        skipped = args.flag("--yes")
        lines += [
            "",
            "undo: opensession doctor --unfix",
            f"confirmation: {'skipped (--yes)' if skipped else 'required'}",
        ]
    report.out("\n".join([*lines, ""]))


def _may_ask(args: Args, report: Report) -> bool:
    """Whether a person is to be asked; raises UsageError where one should be and there is none."""
    if args.flag("--yes"):
        return False
    if can_ask(report):
        return True
    raise UsageError(
        "this changes files, and there is no terminal to ask at: say --yes to have the plan carried out",
        next=[
            _FULL
            if args.text("--fanout-mode") is None and not args.flag("--unfix")
            else again([*args.argv, "--yes"], {})
        ],
    )


def _wanted_mode(args: Args) -> str | None:
    given = args.text("--fanout-mode")
    if given is None:
        return None
    if given.lower() not in _MODES:
        near = nearest(given, _MODES) or "hidden_ref"
        raise UsageError(
            f"there is no fanout mode {given!r}: there are hidden_ref and git_notes",
            next=[again(args.argv, {at: near for at, word in enumerate(args.argv) if word == given})],
        )
    return modes.MODES[given.lower()]


def plan_wishes(
    args: Args, repository: Repository, clone: CloneFacts, mode: str | None, *, asks: bool
) -> Wishes:
    """What is asked for, by options and by answers."""
    if mode is None and clone.mode is None:
        if not asks:
            raise UsageError(
                "no fanout mode is set in this clone, and none was given",
                next=[_FULL, "opensession doctor --fix"],
            )
        mode = _asked_mode()
    names = args.many("--fanout-remote")
    if names:
        return plan.Wishes(mode, tuple(facts.remote_fact(repository, name) for name in dict.fromkeys(names)))
    if asks:
        return plan.Wishes(mode, tuple(remote for remote in clone.remotes if _asked_remote(clone, remote)))
    return plan.Wishes(mode, tuple(r for r in clone.remotes if r.name == _ORIGIN and r.problem is None))


_MODE_QUESTION = """\
How should sessions go along with a push?
  1  in hidden refs
  2  in hidden refs, and in git notes on the pushed commits
1 or 2 [1]: """


def _asked_mode() -> str:
    return "git_notes" if answered(_MODE_QUESTION) == "2" else "hidden_ref"


def _asked_remote(clone: CloneFacts, remote: RemoteFact) -> bool:
    if remote.problem is not None or not clone.standing(remote).missing:
        return False
    places = " and ".join(remote.normal)
    return agreed(f"Send sessions to the remote {quoted(remote.name)} ({places}) whenever you push there?")


def unfix(args: Args, report: Report) -> int:
    """Show what goes back, ask, and take it back."""
    repository = Repository.discover(Path.cwd(), os.environ)
    asks = _may_ask(args, report)
    with _alone(repository):
        return _unfixed(args, report, repository, asks=asks)


def _unfixed(args: Args, report: Report, repository: Repository, *, asks: bool) -> int:
    planned = undo.plan_undo(repository, os.environ)
    titles = [step.title for step in planned.steps]
    if not report.json:
        lines = ["OpenSession doctor (undo mode)", f"repo: {planned.root}", "", "taken back:"]
        lines += [f"- {title}" for title in titles] or ["- nothing: no setup is on record here"]
        lines += ["", "stays as it is:", *(f"- {each}" for each in planned.stays), ""]
        report.out("\n".join(lines))
    if titles and asks and not agreed("Take these changes back?"):
        raise RefusedError("cancelled by user: nothing was changed", next=[again(args.argv, {})])
    left = undo.undo(repository, planned)
    if report.json:
        report.document(
            {
                "mode": "undo",
                "repository": str(planned.root),
                "undone": titles,
                "left": left,
                "stays": list(planned.stays),
            }
        )
        return 0
    if left:
        report.out("not taken back:\n" + "\n".join(f"- {each}" for each in left))
    report.out(f"undone: {len(titles) - len(left)} of {_changes(len(titles))} in {planned.root}")
    return 0
