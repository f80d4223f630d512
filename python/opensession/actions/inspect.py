"""Tells what a session is: its header, its numbers, its ledger, where it is kept.

Owns that a stored session is checked before it is described. Must not know how the answer is shown.
"""

from __future__ import annotations

from opensession import core
from opensession.actions import inputs, targets
from opensession.actions.verify import verify
from opensession.errors import CODES, IntegrityError, NotFoundError
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.actions.targets import Origin, Place
    from opensession.core import Problem, SessionInfo
    from opensession.store import Stores


class Inspected(NamedTuple):
    """One session, described."""

    info: SessionInfo
    sha256: str
    """The address it has or would have. For a stored object the hash of its bytes, canonical or not."""
    bytes: int
    path: str | None
    """Where its bytes are; None for standard input."""
    stored: bool
    origin: Origin | None = None
    """Where it came from, for the URI of a remote."""


def inspect(
    stores: Stores,
    named: str,
    *,
    place: Place | None = None,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> list[Inspected]:
    """Describe each session of the target; a stored one only after its bytes were found to be the right ones."""
    target = targets.resolve(stores, named, place)
    verified = verify(target, jobs=jobs, progress=progress)
    report = verified.report
    if verified.address is False:
        raise IntegrityError(f"the bytes of {named!r} hash to {report['sha256']}, not to their address")
    if report["error"] is not None:
        raise _error(report["error"])
    if target.store is not None and target.sha256 is not None:
        path = target.store.place_of(target.sha256)
        return [
            Inspected(info, target.sha256, report["bytes"], path, True, target.origin)
            for info in report["sessions"]
        ]
    file = None if named == inputs.STDIN else named
    return [
        Inspected(info, info["sha256"], info["bytes"], file, _is_stored(stores, info["sha256"]))
        for info in report["sessions"]
    ]


def _is_stored(stores: Stores, sha256: str) -> bool:
    try:
        stores.find(sha256)
    except NotFoundError:
        return False
    return True


def _error(problem: Problem) -> Exception:
    return CODES[problem["code"]](problem["message"], line=problem["line"], column=problem["column"])
