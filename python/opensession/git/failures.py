"""What a failed git command means, in one place: which error, which words, which steps.

Owns the reading of git's messages (always in English: the C locale is forced) and what may be shown of them. Must
not know why the command was run.
"""

from __future__ import annotations

import os
import re
import time

from opensession.errors import (
    BusyError,
    NotFoundError,
    OpensessionError,
    RefusedError,
    RemoteFailedError,
    StorageFailedError,
)
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from opensession.git.process import Done

_FRESH_LOCK = 5.0
"""Seconds. Git holds the lock of a ref for milliseconds; an older one was left behind, or somebody hangs."""
_LOCK = re.compile(
    r"[Uu]nable to create '(.+?\.lock)': File exists|could not lock config file ([^\n]+?): File exists",
    re.DOTALL,
)
_DUBIOUS = re.compile(r"detected dubious ownership in repository at '([^'\n]+)'")
_BAD_CONFIG = re.compile(r"bad config line (\d+) in file ([^\n]+)")
_USER_PART = re.compile(r"(?<=//)[^/\s'\"]*@")
_FULL = ("no space left on device", "disk quota exceeded", "file too large")
_READ_ONLY = ("read-only file system", "permission denied", "insufficient permission", "input/output error")
_TRANSPORTS = re.compile(r"transport '([^'\n]{1,40})' not allowed")

# The first that fits counts: a declined push also says "failed to push some refs".
_REMOTE_CLASSES = (
    ("full", (*_FULL, "unpacker error", "unable to write")),
    ("auth", (
        "authentication failed", "could not read username", "could not read password", "permission denied (",
        "terminal prompts disabled", "invalid credentials", "host key verification failed", "error: 401",
        "invalid username or", "no supported authentication",
    )),
    ("permission", (
        "permission to ", "access denied", "not allowed to push", "error: 403", "permission denied",
        "you are not allowed", "insufficient permission", "read-only file system", "unable to create",
    )),
    ("missing", (
        "repository not found", "does not appear to be a git repository", "does not exist", "not found",
        "no such remote", "error: 404", "couldn't find remote ref",
    )),
    ("network", (
        "could not resolve host", "couldn't connect", "failed to connect", "connection refused", "connection reset",
        "connection timed out", "network is unreachable", "no route to host", "operation too slow",
        "ssl", "tls", "early eof", "unexpected disconnect", "hung up unexpectedly", "could not read from remote",
        "operation timed out", "curl",
    )),
    ("declined", ("hook declined", "remote rejected", "protected branch", "deny updating", "prohibited", "declined")),
)  # fmt: skip

_REMOTE_SAYS = {
    "auth": "would not let this user in",
    "permission": "does not allow this",
    "network": "could not be reached",
    "declined": "declined",
    "full": "has no space left",
    "missing": "is no repository that git can find",
    "other": "failed",
}


def told(err: bytes) -> str:
    """What git said, fit to be repeated: one line, no user part of a URL, nothing that a terminal would obey."""
    text = _USER_PART.sub("", err.decode("utf-8", "backslashreplace"))
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n")]
    # A progress line, a hint and a warning are not what went wrong.
    grave = [li for li in lines if li.startswith(("fatal:", "error:", "remote:", "ERROR:", "ssh:"))]
    chosen = "; ".join(li for li in grave or lines if li)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in chosen[:400])


def failure(done: Done, *, cwd: Path, doing: str, remote: str | None = None) -> OpensessionError:
    """The error for a git command that ended with a code it should not have.

    ``doing`` completes "git could not …"; ``remote`` is the remote as it may be shown, where one took part.
    """
    said = done.err.decode("utf-8", "replace")
    if (error := _refusal(said)) is not None:
        return error
    if (lock := lock_in(done.err, cwd)) is not None and not said.lstrip().startswith("remote:"):
        return busy(lock)
    if (config := _BAD_CONFIG.search(said)) is not None and not said.lstrip().startswith("remote:"):
        return _bad_config(config[1], cwd / config[2])
    low = said.lower()
    if remote is not None:
        return _remote_failure(low, told(done.err), remote, doing)
    if "not a git repository" in low:
        return NotFoundError(f"git finds no repository in {str(cwd)!r}", next=["git init"])
    if any(sign in low for sign in _FULL):
        return StorageFailedError(
            f"git could not {doing}: no space left on the disk ({told(done.err)})",
            next=[f"df -h {quoted(cwd)}"],
        )
    if any(sign in low for sign in _READ_ONLY):
        return StorageFailedError(f"git could not {doing}: {told(done.err)}", next=[f"ls -ld {quoted(cwd)}"])
    reason = told(done.err) or f"it ended with {_code(done.code)}"
    return StorageFailedError(f"git could not {doing}: {reason}", next=[f"git -C {quoted(cwd)} fsck"])


def _code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _bad_config(line: str, file: Path) -> StorageFailedError:
    """No git command works until somebody mends the file, so none is named."""
    return StorageFailedError(
        f"git cannot read its configuration: line {line} of {str(file)!r} is wrong",
        next=[f"sed -n {line}p {quoted(file)}", f"${{EDITOR:-vi}} {quoted(file)}"],
    )


def _refusal(said: str) -> RefusedError | None:
    """Git's own refusals: the user may lift them, this program never does."""
    if (dubious := _DUBIOUS.search(said)) is not None:
        path = dubious[1]
        return RefusedError(
            f"git refuses to use {path!r}, because another user owns it",
            next=[f"git config --global --add safe.directory {quoted(path)}"],
        )
    if "safe.bareRepository" in said:
        return RefusedError(
            "git refuses to use this bare repository: safe.bareRepository is set to explicit",
            next=["export GIT_DIR=."],
        )
    if (transport := _TRANSPORTS.search(said)) is not None:
        return RefusedError(
            f"the transport {transport[1]!r} is not allowed: remotes are reached by https and ssh",
            next=["git remote -v"],
        )
    return None


class Held(Exception):
    """Somebody holds the lock of a ref at this moment."""

    def __init__(self, lock: Path) -> None:
        super().__init__(str(lock))
        self.lock = lock
        try:
            self.age = time.time() - os.lstat(lock).st_mtime
        except OSError:
            self.age = 0.0

    def refuse_old(self) -> None:
        """Raise BusyError unless the lock is so fresh that waiting for it makes sense."""
        if self.age > _FRESH_LOCK:
            raise busy(self.lock) from None


def lock_in(err: bytes, cwd: Path) -> Path | None:
    """The lock file that git met, where that is what it says."""
    found = _LOCK.search(err.decode("utf-8", "surrogateescape"))
    return None if found is None else cwd / (found[1] or f"{found[2]}.lock")


def busy(lock: Path) -> BusyError:
    """Somebody holds a lock of git, or died holding it; which of the two, only the user can know."""
    try:
        age = f"is {_span(max(0.0, time.time() - os.lstat(lock).st_mtime))} old"
    except OSError:
        age = "is gone by now"
    return BusyError(
        f"git's lock {str(lock)!r} is held by another program and {age}",
        next=[f"ls -l {quoted(lock)}", f"rm {quoted(lock)}  # only when no git command is running"],
    )


def _span(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{int(seconds)} second{'' if int(seconds) == 1 else 's'}"


def _remote_failure(low: str, said: str, remote: str, doing: str) -> RemoteFailedError:
    reason = next((name for name, signs in _REMOTE_CLASSES if any(sign in low for sign in signs)), "other")
    error = RemoteFailedError(
        f"git could not {doing}: {remote} {_REMOTE_SAYS[reason]}" + (f" ({said})" if said else ""),
        next=[f"git ls-remote {quoted(remote)}"],
    )
    error.reason = reason
    return error


def timed_out(doing: str, seconds: float, remote: str | None) -> OpensessionError:
    """A git command was killed at its time limit."""
    if remote is None:
        return BusyError(f"git could not {doing} within {seconds:.0f} s and was stopped", next=["git fsck"])
    error = RemoteFailedError(
        f"git could not {doing} within {seconds:.0f} s and was stopped: {remote} does not answer",
        next=[f"git ls-remote {quoted(remote)}"],
    )
    error.reason = "hung"
    return error


def too_much(doing: str, limit: int, remote: str | None) -> OpensessionError:
    """A git command was stopped because its answer had no end."""
    if remote is None:
        return StorageFailedError(
            f"git could not {doing}: its answer is longer than {limit >> 20} MiB", next=["git fsck"]
        )
    return RemoteFailedError(
        f"git could not {doing}: the answer of {remote} is longer than {limit >> 20} MiB",
        next=[f"git ls-remote {quoted(remote)}"],
    )
