"""Lets pass what holds no secret, what a person allowed by its fingerprint, and what was redacted.

Owns the decision and the record of it. Must not know where things go: whoever sends them asks here first, and sends
what :attr:`Passed.sha256` names, nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime

from opensession import core
from opensession.actions.release.refusal import refused
from opensession.actions.release.scanner import LIMIT, Finding, Scanner
from opensession.errors import InternalError, UsageError
from opensession.light import NamedTuple
from opensession.store import allowed as allowed_log
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opensession.core import Progress
    from opensession.store import Store

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_ROUNDS = 3
"""A redacted session is clean at once, because every line is looked at until it is. More rounds are a bug of ours."""


class Passed(NamedTuple):
    """A session and what may leave in its place."""

    asked: str
    """The address that was asked about."""
    sha256: str
    """The address that may leave: the same one, or that of a redacted copy in the store."""
    rules: Mapping[str, int]
    """How often each rule was applied to make the copy; empty for the same one."""

    @property
    def redacted(self) -> bool:
        return self.sha256 != self.asked


class Released(NamedTuple):
    """What may leave, in the order it was asked for."""

    sessions: tuple[Passed, ...]
    allowed: tuple[Finding, ...]
    """What holds secrets that the caller allowed; it is in the log of the store."""

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(each.sha256 for each in self.sessions)


class Door:
    """One passage through the door: everything that leaves together, then :meth:`settle`, then the sending.

    ``store`` has the key and the log, and takes redacted sessions; ``holders`` are further stores that sessions may
    lie in.
    """

    def __init__(
        self,
        store: Store,
        *,
        holders: Iterable[Store] = (),
        allow: Sequence[str] = (),
        redact: bool = False,
        jobs: int = core.DEFAULT_JOBS,
        progress: Progress | None = None,
        deadline: float | None = None,
    ) -> None:
        for fingerprint in allow:
            if not _FINGERPRINT.fullmatch(fingerprint):
                raise UsageError(
                    f"{fingerprint!r} is no fingerprint: that is 64 digits of 0-9 and a-f, as a scan prints them",
                    next=["opensession scan --help"],
                )
        self._allow = frozenset(allow)
        self._redact = redact
        self._jobs = jobs
        self._store = store
        self._scanner = Scanner(store, holders=holders, jobs=jobs, progress=progress, deadline=deadline)
        self._open: list[Finding] = []
        self._allowed: list[Finding] = []

    def session(self, sha256: str) -> Passed:
        """What may leave in the place of this session, once everything is settled."""
        found = self._scanner.session(sha256)
        refusable = self._sorted_out(found)
        if not refusable:
            return Passed(sha256, sha256, {})
        if not self._redact:
            self._open += refusable
            return Passed(sha256, sha256, {})
        return self._redacted(sha256)

    def is_clear(self, data: bytes) -> bool:
        """Whether bytes may leave as they are; nothing is noted."""
        return all(one.fingerprint in self._allow for one in self._scanner.source("", data))

    def data(self, named: str, data: bytes) -> None:
        """Bytes that leave as they are: lines of JSON, most of the time."""
        self._open += self._sorted_out(self._scanner.source(named, data))

    def text(self, named: str, text: str) -> None:
        """A page or a prompt; what was found before in the thing it was made from is not told twice."""
        told = {(one.rule, one.fingerprint) for one in (*self._open, *self._allowed)}
        found = [one for one in self._scanner.text(named, text) if (one.rule, one.fingerprint) not in told]
        self._open += self._sorted_out(found)

    def settle(self) -> tuple[Finding, ...]:
        """Raise unless all of it may leave; what was allowed is in the log, durably, when this returns."""
        if self._open:
            raise refused(self._open)
        unknown = sorted(self._allow - {one.fingerprint for one in self._allowed})
        if unknown:
            raise UsageError(
                f"nothing that would leave has the fingerprint {unknown[0]}",
                next=["opensession scan --help"],
            )
        allowed_log.log(self._store, _rows(self._allowed))
        return tuple(self._allowed)

    def _sorted_out(self, found: list[Finding]) -> list[Finding]:
        """Those that nobody allowed; where there are too many to keep, nobody can have allowed them all."""
        if len(found) >= LIMIT:
            return found
        self._allowed += [one for one in found if one.fingerprint in self._allow]
        return [one for one in found if one.fingerprint not in self._allow]

    def _redacted(self, sha256: str) -> Passed:
        """A copy without the secrets, in the store, looked at again."""
        at = sha256
        for _ in range(_ROUNDS):
            holder = self._scanner.holder(at)
            with holder.open(at) as stored, self._store.receiving() as batch:
                done = core.redact(
                    stored.fd,
                    batch.next_fd(),
                    key=self._scanner.key,
                    allow=self._allow,
                    jobs=self._jobs,
                )
                (copy,) = batch.publish([done["session"]])
            at = copy.sha256
            if all(one.fingerprint in self._allow for one in self._scanner.session(at)):
                return Passed(sha256, at, done["rules"])
        raise InternalError(
            f"the session {format_local(sha256)} still holds a secret after it was redacted; this is a bug",
            next=[f"opensession scan {format_local(at)}"],
        )


def release(
    store: Store,
    sha256s: Iterable[str],
    *,
    holders: Iterable[Store] = (),
    allow: Sequence[str] = (),
    redact: bool = False,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
    deadline: float | None = None,
) -> Released:
    """For each session an address that may leave; raises SecretsFoundError (a RefusedError) where one may not.

    ``allow`` holds fingerprints of findings. With ``redact`` what else is found is replaced in a copy. ``deadline`` is
    a time of the monotonic clock; what could not be scanned by then is refused.
    """
    door = Door(
        store, holders=holders, allow=allow, redact=redact, jobs=jobs, progress=progress, deadline=deadline
    )
    sessions = tuple(door.session(sha256) for sha256 in dict.fromkeys(sha256s))
    return Released(sessions, door.settle())


def release_bytes(
    store: Store,
    items: Mapping[str, bytes | str],
    *,
    allow: Sequence[str] = (),
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
    deadline: float | None = None,
) -> tuple[Finding, ...]:
    """Raise SecretsFoundError unless all of it may leave: pages and prompts as ``str``, anything else as ``bytes``.

    The keys are what an error calls the things. Returns what was allowed.
    """
    door = Door(store, allow=allow, jobs=jobs, progress=progress, deadline=deadline)
    for named, item in items.items():
        if isinstance(item, str):
            door.text(named, item)
        else:
            door.data(named, item)
    return door.settle()


def _rows(allowed: Sequence[Finding]) -> list[dict[str, object]]:
    """One row for each secret of each thing, with the first place and how many there are."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    places = Counter((one.named, one.fingerprint) for one in allowed)
    first: dict[tuple[str, str], Finding] = {}
    for one in allowed:
        first.setdefault((one.named, one.fingerprint), one)
    return [
        {
            "time": now,
            "rule": one.rule,
            "in": one.named,
            "line": one.line,
            "event_id": one.event_id,
            "pointer": one.pointer,
            "fingerprint": one.fingerprint,
            "places": places[key],
        }
        for key, one in first.items()
    ]
