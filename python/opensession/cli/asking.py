"""Asks a person yes or no. Owns when one can be asked at all, and that anything but a clear yes is a no."""

from __future__ import annotations

import sys

from opensession.cli.report import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.cli.report import Report


def can_ask(report: Report) -> bool:
    """Whether somebody sits there: both ends are a terminal, and the answer is not meant for a program."""
    if report.json or sys.stdin is None or sys.stderr is None:
        return False
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Whether the answer is yes."""
    return answered(question + " [y/N] ").lower() in ("y", "yes")


def answered(question: str) -> str:
    """The line that is typed. The question goes to standard error, so that results can be piped."""
    sys.stderr.write(visible(question, lines=True))
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")  # the terminal was closed in the middle of the line
    return answer.strip()
