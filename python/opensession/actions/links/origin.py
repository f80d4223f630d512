"""Which event of a session wrote a line.

Owns the history of one line in one file: who put it there, who took it away again. Pure.
"""

from __future__ import annotations

from opensession.actions.links.changes import Change
from opensession.actions.links.evidence import SLACK
from opensession.actions.links.lines import bare
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from opensession.actions.links.changes import Failed
    from opensession.actions.links.paths import Whereabouts


class _Step(NamedTuple):
    change: Change
    adds: bool
    removes: bool


def wrote(
    changes: Iterable[Change | Failed],
    where: Whereabouts,
    names: Container[str],
    line: bytes,
    until: float,
) -> Change | None:
    """The change after which the line stood in the file, called one of ``names``, until the commit was made.

    A file that is written as a whole writes only those lines that were not there before. Where the line was taken away
    again the last change that wrote it is the answer: somebody put it back by other means.
    """
    steps: list[_Step] = []
    failed: set[str] = set()
    for change in changes:
        if not isinstance(change, Change):
            failed.add(change.call)
        elif where.find(change.path, names) is not None and (change.time or 0.0) <= until + SLACK:
            adds, removes = _has(change.added, line), _has(change.removed, line)
            if adds or removes or change.whole:
                light = change._replace(added=[], removed=[])
                steps.append(_Step(light, adds, removes or (change.whole and not adds)))
    writer: Change | None = None
    there = False
    for step in steps:
        if step.change.call in failed:
            continue
        if step.adds and not there:
            writer = step.change
        there = step.adds or (there and not step.removes)
    return writer


def _has(lines: Iterable[str], line: bytes) -> bool:
    return any(bare(each.encode("utf-8", "surrogatepass")) == line for each in lines)
