"""Says whether bytes are what they should be: the right address, canonical, valid.

Owns the three answers of docs/hail.md ("Readers") and the exit code that follows from them. Must not repair anything.
"""

from __future__ import annotations

from opensession import core
from opensession.actions import inputs
from opensession.errors import HailInvalidError, IntegrityError, LossesError
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.actions.targets import Target
    from opensession.core import VerifyReport


class Verified(NamedTuple):
    """The answers about one target."""

    target: Target
    report: VerifyReport

    @property
    def address(self) -> bool | None:
        """Whether the bytes hash to the address; None where none was given."""
        given, origin = self.target.sha256, self.target.origin
        if given is None or (origin is not None and not origin.checked):
            return None
        return given == self.report["sha256"]

    @property
    def canonical(self) -> bool:
        """Whether the bytes are canonical; those at a remote may not be, though what is stored of them is."""
        origin = self.target.origin
        return self.report["canonical"] and (origin is None or origin.canonical)

    def exit_code(self, *, strict: bool) -> int:
        """0, or the code of the gravest answer: wrong bytes, then invalid, then (``strict``) not canonical."""
        if self.address is False:
            return IntegrityError.exit_code
        if not self.report["valid"]:
            return HailInvalidError.exit_code
        return LossesError.exit_code if strict and not self.canonical else 0


def verify(target: Target, *, jobs: int = core.DEFAULT_JOBS, progress: Progress | None = None) -> Verified:
    """Read the target once, from the first byte to the last."""
    if target.store is not None and target.sha256 is not None:
        with target.store.open_unchecked(target.sha256) as stored:
            return Verified(target, core.verify(stored.fd, jobs=jobs, progress=progress))
    with inputs.open_input(target.named, None) as source:
        return Verified(target, core.verify(source.fd, jobs=jobs, progress=progress))
