"""Makes a copy of a session without its secrets, in the store.

Owns where the session comes from: a store, or a file of HAIL that is registered first. How secrets are replaced is the
core's.
"""

from __future__ import annotations

from opensession import core
from opensession.actions import inputs, targets
from opensession.actions.release import Door
from opensession.light import NamedTuple
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.core import Progress
    from opensession.store import Stores


class Redacted(NamedTuple):
    """A session that holds no secret but those that were allowed."""

    asked: str
    """The address of the session as it was."""
    sha256: str
    """The address of the copy: the same one where there was nothing to replace."""
    rules: Mapping[str, int]
    """How often each rule was applied."""

    @property
    def uri(self) -> str:
        return format_local(self.sha256)


def redact(
    stores: Stores,
    named: str,
    *,
    allow: Sequence[str] = (),
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Redacted:
    """A copy of what ``named`` means; what ``allow`` names by its fingerprint stays."""
    target = targets.resolve(stores, named)
    if target.store is None or target.sha256 is None:
        with inputs.open_input(named, stores.write.spool) as file:
            (stored,) = stores.write.put_hail(file.fd, jobs=jobs, single=True)
        sha256 = stored.sha256
    else:
        sha256 = target.sha256
    door = Door(stores.write, holders=stores, allow=allow, redact=True, jobs=jobs, progress=progress)
    passed = door.session(sha256)
    door.settle()
    return Redacted(passed.asked, passed.sha256, passed.rules)
