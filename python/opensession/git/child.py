"""A running program: started in a session of its own, waited for within a time limit, killed with all its children.

Owns the descriptors between it and us, and that it is buried. It does what `subprocess` would do, whose import alone
takes a git hook longer than the git that it starts. Must not know git.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import time

from opensession.light import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PIPE, DEVNULL = -1, -3
"""Instead of a descriptor: a new pipe, of which we hold the other end, or nothing at all."""
_FOREVER = float("inf")
_LONGEST_LOOK = 0.05
# Python ignores these, and what it starts would too.
_AS_USUAL = [_signal.SIGPIPE, _signal.SIGXFSZ]


class TimedOut(Exception):
    """The time was up before the process ended."""


class Child:
    """A process of which we are the parent."""

    def __init__(self, pid: int, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self.pid = pid
        self.code: int | None = None
        """Its exit code, once it has one; negative for a signal."""
        self.stdin = stdin
        """Our end of a pipe, as the others are."""
        self.stdout = stdout
        self.stderr = stderr

    def wait(self, seconds: float = _FOREVER) -> int:
        """Its exit code; raises TimedOut where it has not ended by then."""
        until, pause = time.monotonic() + seconds, 0.0005
        while self.code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Whoever started us ignores SIGCHLD, and so do we: the system has buried it, and its code is lost.
                pid, status = self.pid, 0
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                break
            left = until - time.monotonic()
            if left <= 0:
                raise TimedOut
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_LOOK)
        return self.code

    def kill(self) -> None:
        """End it and its children, if it has not ended, and close our ends."""
        if self.code is None:
            # The whole group, at once: helpers of git (ssh, remote-https) hold the pipes open otherwise.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, _signal.SIGKILL)
            self.wait()
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                os.close(pipe)
        self.stdin = self.stdout = self.stderr = None

    def close(self, pipe: int) -> None:
        """Close one of our ends."""
        os.close(pipe)
        self.stdin = None if pipe == self.stdin else self.stdin
        self.stdout = None if pipe == self.stdout else self.stdout
        self.stderr = None if pipe == self.stderr else self.stderr


def start(argv: list[str], env: Mapping[str, str], *, stdin: int, stdout: int, stderr: int) -> Child:
    """Start a program of this absolute path; nothing in it can ask at the terminal."""
    ours: list[int | None] = []
    theirs: list[int] = []
    opened: list[int] = []
    try:
        for number, given in enumerate((stdin, stdout, stderr)):
            end, other = given, None
            if given == DEVNULL:
                opened.append(end := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
            elif given == PIPE:
                read, write = os.pipe()
                end, other = (read, write) if number == 0 else (write, read)
                opened.append(end)
            ours.append(other)
            theirs.append(end)
        return Child(_spawn(argv, env, theirs), *ours)
    except BaseException:
        for pipe in ours:
            if pipe is not None:
                os.close(pipe)
        raise
    finally:
        for fd in opened:
            os.close(fd)


def _spawn(argv: list[str], env: Mapping[str, str], fds: Sequence[int]) -> int:
    moves = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)]
    if min(fds) < len(fds):  # a move would end what a later one begins with
        return _spawn_slowly(argv, env, fds)
    try:
        return os.posix_spawn(argv[0], argv, env, file_actions=moves, setsid=True, setsigdef=_AS_USUAL)
    except NotImplementedError:  # this Python was built for a C library of before 2017
        return _spawn_slowly(argv, env, fds)


def _spawn_slowly(argv: list[str], env: Mapping[str, str], fds: Sequence[int]) -> int:
    import subprocess

    stdin, stdout, stderr = fds
    child = subprocess.Popen(argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True)
    child.returncode = 0  # it is not his to wait for
    return child.pid
