"""Shows checks: one line each with its level, then what to do about them.

Owns the layout and the colours. Must not know what is checked.
"""

from __future__ import annotations

import os
import sys

from opensession.actions.setup import doctor
from opensession.actions.setup.checks import Level
from opensession.cli.report import visible, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from opensession.actions.setup.checks import Check

_WIDTH = 18
_COLOURS = {Level.OK: "1;32", Level.INFO: "1;36", Level.WARN: "1;33", Level.FAIL: "1;31"}


def show(checks: Sequence[Check]) -> None:
    """The checks as text, on standard output."""
    coloured = sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    lines = [
        f"{_mark(check.level, coloured)} {check.label:<{_WIDTH}} {visible(check.text)}" for check in checks
    ]
    recommended, optional = (doctor.steps(checks, issues=issues) for issues in (True, False))
    optional = [step for step in optional if step not in recommended]
    for title, steps in (("recommended", recommended), ("optional", optional)):
        if steps:
            lines += ["", f"next actions ({title}):", *(f"- {visible(step)}" for step in steps)]
    lines += ["", f"doctor summary: {summary(checks)}"]
    # Not through the report, which would show the colours instead of sending them; every text above is made visible.
    write(sys.stdout, "\n".join(lines) + "\n")


def _mark(level: Level, coloured: bool) -> str:
    return f"[\x1b[{_COLOURS[level]}m{level.value}\x1b[0m]" if coloured else f"[{level.value}]"


def summary(checks: Sequence[Check]) -> str:
    """All checks in one line."""
    count = issues(checks)
    if count == 0:
        return "no blocking issues."
    return f"found issues in {count} {'category' if count == 1 else 'categories'}."


def issues(checks: Sequence[Check]) -> int:
    """How many of the things checked have something wrong."""
    return len({check.label for check in checks if check.issue})


def row(check: Check) -> dict[str, object]:
    """A check for programs."""
    return {
        "label": check.label,
        "level": check.level.value.strip().lower(),
        "text": check.text,
        "next": list(check.steps),
    }


def document(checks: Sequence[Check]) -> dict[str, object]:
    """All checks for programs."""
    recommended, optional = (doctor.steps(checks, issues=found) for found in (True, False))
    return {
        "checks": [row(check) for check in checks],
        "issues": issues(checks),
        "ok": issues(checks) == 0,
        "next": {"recommended": recommended, "optional": optional},
        "summary": summary(checks),
    }
