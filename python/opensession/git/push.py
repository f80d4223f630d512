"""Brings a ledger to a remote: what is there already is kept, and whoever else pushes at the same time loses nothing.

Owns the loop: fetch, unite, push, again where somebody else was first; the words of a failed push and the command that
does it by hand. The ref is never forced: a push names the commit that it replaces. The user's repository is only read.
"""

from __future__ import annotations

import os
import time

from opensession.errors import (
    IntegrityError,
    InternalError,
    NotFoundError,
    RemoteFailedError,
    StorageFailedError,
)
from opensession.git.failures import told
from opensession.git.meeting import Meeting
from opensession.git.mirror import Mirror, mirror_of
from opensession.git.refs import NOTES, checked_ref
from opensession.git.transport import PEER, Limits, Pushing, failed, hooks_folder, settings_of, transfer
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from opensession.errors import OpensessionError
    from opensession.git.process import Done
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository

ATTEMPTS = 50
_DOING = "push the ledger"
_LONGEST_PAUSE = 1.5
_PATIENCE_WITH_LOCKS = 8
"""A lock that is still there after so many attempts was left behind."""

# What a server says when somebody else was first.
_OVERTAKEN = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
    "failed to lock",
    "needs force",
)


class Pushed(NamedTuple):
    """What became of a push."""

    tip: str
    """The commit that the remote's ledger is at."""
    changed: bool
    """Whether anything was sent; to the last address, where the remote has several."""
    merged: bool
    """Whether the remote had something that was not here."""


def push_command(remote: Remote, ref: str) -> str:
    """The command that pushes the ledger by hand; it may be refused where the remote has more than this machine."""
    return f"git push {quoted(remote.shown)} {quoted(f'{ref}:{ref}')}"


def push_ledger(
    repository: Repository,
    store_root: Path,
    ref: str,
    remote: Remote,
    *,
    attempts: int = ATTEMPTS,
    timeout: float | None = None,
    hooks: bool = True,
    rewrite: bool = False,
    tip: str | None = None,
    limits: Limits | None = None,
) -> Pushed:
    """Push the ledger ``ref`` to the remote, united with what is there.

    ``timeout`` is for all of it; without one each transfer may take as long as it makes progress (``limits``).
    ``hooks`` lets the user's own pre-push hook look at it first, as at any push that the user starts. With ``rewrite``
    the remote's ledger starts anew, in one commit without a parent: what was taken back is then reachable no more.
    ``tip`` is a commit to bring in place of the ledger that is here. Notes are pushed in the same way.
    """
    pushed = None
    for destination in remote.destinations():
        job = _Job(repository, checked_ref(ref), destination, timeout, limits or Limits())
        try:
            with mirror_of(repository, store_root, destination) as mirror:
                try:
                    pushed = job.run(mirror, attempts, tip, hooks=hooks, rewrite=rewrite)
                except (IntegrityError, StorageFailedError):
                    # The mirror leans on objects of the user's repository, which may be gone by now.
                    mirror.renew()
                    pushed = job.run(mirror, attempts, tip, hooks=hooks, rewrite=rewrite)
        except RemoteFailedError as error:
            raise _guided(error, remote, ref) from None
    if pushed is None:
        raise InternalError("a remote without an address was not refused")
    return pushed


class _Job:
    """One push to one address."""

    def __init__(
        self, repository: Repository, ref: str, remote: Remote, timeout: float | None, limits: Limits
    ) -> None:
        self._repository = repository
        self._ref = ref
        self._remote = remote
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._limits = limits

    def run(self, mirror: Mirror, attempts: int, tip: str | None, *, hooks: bool, rewrite: bool) -> Pushed:
        ours = tip or self._tip()
        pushing = self._pushing(mirror, hooks=hooks, rewrite=rewrite)
        for attempt in range(attempts):
            theirs = mirror.fetch(self._ref, self._now(), blobs=self._ref == NOTES)
            meeting = Meeting(self._repository, mirror, self._ref, self._now())
            goal = ours if theirs is None else meeting.goal(ours, theirs, rewrite=rewrite)
            if goal == theirs:
                return Pushed(goal, changed=False, merged=theirs != ours)
            overtaken = self._send(pushing, goal, theirs)
            if overtaken is None:
                mirror.remember(self._ref, goal)
                return Pushed(goal, changed=True, merged=goal != ours)
            if b"File exists" in overtaken.err and attempt >= _PATIENCE_WITH_LOCKS:
                raise RemoteFailedError(
                    f"git could not {_DOING}: a lock was left behind on {self._remote.shown} ({told(overtaken.err)})"
                )
            self._pause(attempt)
        raise RemoteFailedError(
            f"git could not {_DOING}: others changed {self._remote.shown} each of {attempts} times"
        )

    def _tip(self) -> str:
        done = self._repository.git.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{self._ref}^{{commit}}", ok=(0, 1, 128)
        )
        if done.code != 0:
            raise NotFoundError(
                f"there is no ledger {self._ref} here to push", next=["git for-each-ref refs/opensession/"]
            )
        return done.out.decode().strip()

    def _now(self) -> Limits:
        """The limits with what is left of the time."""
        if self._deadline is None:
            return self._limits
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RemoteFailedError(
                f"git could not {_DOING} in time: {self._remote.shown} is too busy or too slow"
            )
        return self._limits._replace(total=min(left, self._limits.total))

    def _pause(self, attempt: int) -> None:
        """Wait as long as nobody else."""
        most = min(_LONGEST_PAUSE, 0.05 * 1.5 ** min(attempt, 20))
        if self._deadline is not None:
            most = max(0.0, min(most, self._deadline - time.monotonic()))
        time.sleep(most * int.from_bytes(os.urandom(2), "big") / 0xFFFF)

    def _pushing(self, mirror: Mirror, *, hooks: bool, rewrite: bool) -> Pushing:
        settings = settings_of(self._repository)
        return Pushing(
            self._repository,
            self._remote,
            mirror.git_dir / "objects",
            hooks=hooks_folder(self._repository, settings) if hooks else None,
            shallow=mirror.nothing_shallow() if rewrite else None,
        )

    def _send(self, pushing: Pushing, goal: str, theirs: str | None) -> Done | None:
        """Push the commit in place of ``theirs``; what git said where somebody else was first."""
        words = ["push", "--porcelain", "--progress", "--no-follow-tags", "--recurse-submodules=no"]
        words += [] if pushing.hooks else ["--no-verify"]
        # The lease makes it a compare-and-swap. It also makes sure that git counts all of theirs as known to the
        # server, so that no blob is sent that only their tree names.
        words += [f"--force-with-lease={self._ref}:{theirs or ''}", "--", PEER, f"{goal}:{self._ref}"]
        limits = self._now()
        done = transfer(
            pushing, *words, remote=self._remote, doing=_DOING, ok=range(256),
            limits=limits._replace(idle=limits.hooks if pushing.hooked else limits.server),
        )  # fmt: skip
        if done.code == 0:
            return None
        reason = _rejection(done)
        if reason is not None and any(sign in reason for sign in _OVERTAKEN):
            return done
        if reason is not None:  # said on standard output only
            done = done._replace(err=done.err + f"\nerror: rejected: {reason}".encode())
        raise failed(pushing, done, _DOING, self._remote)


def _rejection(done: Done) -> str | None:
    """Why the ref was rejected, from the line that git writes about it for programs."""
    for line in done.out.decode("utf-8", "replace").splitlines():
        flag, _, rest = line.partition("\t")
        if flag == "!":
            return rest.partition("\t")[2]
    return None


def _guided(error: RemoteFailedError, remote: Remote, ref: str) -> OpensessionError:
    """The error with the command that does it by hand."""
    look = "git remote -v" if error.reason == "missing" else f"git ls-remote {quoted(remote.shown)}"
    error.message += "; what was written here is kept"
    error.next = (push_command(remote, ref), look)
    return error
