"""The calls of the git hook: short questions, the sessions of the pushed branches, and what goes beside the push.

Owns the time limit that the hook hands over, and that whatever goes wrong is one short text on standard error. Must not
know what the calls do.
"""

from __future__ import annotations

import os
import sys
import time

from opensession.errors import OpensessionError, UsageError
from opensession.git.repository import Repository
from opensession.light import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.config import Config

DEADLINE = "OPENSESSION_DEADLINE"
_USUAL = 18.0
_FOR_RECORDING = 0.6
"""The share of the time that recording may take; the rest is for scanning and sending."""
_BUSY_EXIT = 9


class OutOfTime(BaseException):
    """The time is up. No error: nobody in between is to take it for a failure of his own."""


def answer(args: Args, report: Report) -> int | None:
    """The exit code of the hook's call that the line is; None where it is none."""
    if args.flag("--print-fanout-mode"):
        return _print_mode(report)
    if args.many("--print-ledger-ref"):
        return _print_refs(args, report)
    if args.many("--sync-branch-session"):
        return _in_time(_sync, args, report, _seconds() * _FOR_RECORDING)
    if args.text("--push-branches") is not None:
        return _in_time(_push, args, report, _seconds())
    return None


def _in_time(call: Callable[[Args, Report, float], int], args: Args, report: Report, seconds: float) -> int:
    try:
        with _alarm(seconds):
            # What ends by itself can say what it got done; the alarm is for what hangs.
            return call(args, report, time.monotonic() + seconds * 0.9)
    except OutOfTime:
        report.say("opensession: there was no time for everything; the next push goes on from here")
        return _BUSY_EXIT


def _seconds() -> float:
    """What is left of the hook's time; without a hook, as much as a hook has."""
    text = os.environ.get(DEADLINE, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        return _USUAL
    return max(0.05, min(_USUAL, int(text) - time.time()))


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block when the time is up, wherever it is: git calls end with all their children."""
    import signal

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _print_mode(report: Report) -> int:
    from opensession.actions.setup.modes import MODE_KEY, mode_of

    report.out(mode_of(Repository.discover(os.getcwd(), os.environ).config_get(MODE_KEY)))
    return 0


def _print_refs(args: Args, report: Report) -> int:
    repository = Repository.discover(os.getcwd(), os.environ)
    for branch in args.many("--print-ledger-ref"):
        report.out(repository.ledger_ref(branch))
    return 0


def _sync(args: Args, report: Report, deadline: float) -> int:
    from opensession.actions.setup.syncing import sync
    from opensession.cli.stores import stores_of

    branches, commits = args.many("--sync-branch-session"), args.many("--sync-branch-commit")
    if commits and len(commits) != len(branches):
        raise UsageError(
            f"{len(branches)} branches and {len(commits)} commits were given, which should be as many",
            next=["opensession setup --help"],
        )
    wanted = [(branch, commits[at] if commits else None) for at, branch in enumerate(branches)]
    repository = Repository.discover(os.getcwd(), os.environ)
    return sync(stores_of(args), repository, os.environ, wanted, deadline, _say(report))


def _say(report: Report) -> Callable[[str], None]:
    return lambda text: report.say(f"opensession: {text}")


def _push(args: Args, report: Report, deadline: float) -> int:
    from pathlib import Path

    from opensession.actions import config
    from opensession.actions.setup import pushed
    from opensession.cli.stores import stores_of

    found: Config | OpensessionError
    try:
        found = config.load(Path.cwd(), os.environ)
    except OpensessionError as error:
        found = error
    lines = os.fsdecode(sys.stdin.buffer.read()) if sys.stdin is not None else ""
    push = pushed.Push(args.one("--push-branches"), args.text("--push-url") or "", pushed.parse(lines))
    beside = pushed.Beside(
        Repository.discover(os.getcwd(), os.environ),
        stores_of(args),
        push,
        found,
        deadline=deadline,
        say=_say(report),
    )
    return beside.run(args.many("--ledger-ref"), args.text("--fanout-mode") or "")
