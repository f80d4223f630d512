"""One child process: fed, read and, at the time limit, killed with all its children.

Owns descriptors, the time limit and the limit on what is kept of an answer. Must not know git: it is handed a
finished argument list and a finished environment.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL

ANSWER_LIMIT = 256 << 20
"""Bytes of an answer that are kept in memory: a list of a million paths is a third of it."""
_NOISE_LIMIT = 64 << 10
"""Bytes kept of what a program says on standard error; a server may send any amount."""
_PIECE = 1 << 16
_LOOK = 0.5
"""Seconds between two looks at what a process writes elsewhere."""


class Done(NamedTuple):
    """A process that has ended by itself."""

    code: int
    out: bytes
    err: bytes
    """The beginning and the end of what it said on standard error, where that was long."""


class TimedOut(Exception):
    """The process was killed at its time limit."""


class TooMuch(Exception):
    """The process was killed because its answer went beyond the limit."""


def start(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    *,
    stdin: int = DEVNULL,
    stdout: int = PIPE,
    stderr: int = PIPE,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: it can be killed as a whole, and nothing in it can ask at the
    terminal.
    """
    return subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        bufsize=0,
    )


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and its children, if it has not ended, and close our ends."""
    if child.returncode is None:
        # The whole group, at once: helpers of git (ssh, remote-https) hold the pipes open otherwise.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def finish(
    child: subprocess.Popen[bytes],
    *,
    stdin: bytes | None = None,
    timeout: float,
    idle: float | None = None,
    watch: Callable[[], None] | None = None,
    limit: int = ANSWER_LIMIT,
) -> Done:
    """Feed and read the process until it ends; whatever goes wrong here, it is gone afterwards.

    ``idle`` is how long it may say nothing; ``watch`` is called about once a second and ends it by raising.
    """
    deadline = time.monotonic() + timeout
    out, err = bytearray(), _Noise()
    try:
        for is_noise, piece in _traffic(child, stdin, deadline, idle or timeout, watch):
            if is_noise:
                err.add(piece)
            else:
                out += piece
                if len(out) > limit:
                    raise TooMuch
        code = wait(child, deadline - time.monotonic())
        return Done(code, bytes(out), err.text())
    finally:
        kill(child)


def wait(child: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code of a process that has nothing left to say."""
    try:
        return child.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        raise TimedOut from None


def _traffic(
    child: subprocess.Popen[bytes],
    stdin: bytes | None,
    deadline: float,
    idle: float,
    watch: Callable[[], None] | None,
) -> Iterator[tuple[bool, bytes]]:
    """All that the process says, piece by piece, while it is fed; True marks what comes on standard error."""
    waiting = memoryview(stdin or b"")
    until = min(deadline, time.monotonic() + idle)
    with selectors.DefaultSelector() as selector:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ)
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            selector.register(child.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            ready = _wait(selector, until, watch)
            until = min(deadline, time.monotonic() + idle)
            for key, _ in ready:
                if key.fileobj is child.stdin:
                    waiting = _feed(key.fd, waiting)
                    if not waiting:
                        selector.unregister(child.stdin)
                        child.stdin.close()
                elif piece := os.read(key.fd, _PIECE):
                    yield key.fileobj is child.stderr, piece
                else:
                    selector.unregister(key.fileobj)


def _wait(
    selector: selectors.BaseSelector, until: float, watch: Callable[[], None] | None
) -> list[tuple[selectors.SelectorKey, int]]:
    """The ends that have something to do; TimedOut where there is none in time."""
    while (left := until - time.monotonic()) > 0:
        ready = selector.select(left if watch is None else min(left, _LOOK))
        if watch is not None:
            watch()
        if ready:
            return ready
    raise TimedOut


def _feed(pipe: int, waiting: memoryview) -> memoryview:
    try:
        return waiting[os.write(pipe, waiting[:_PIECE]) :]
    except BlockingIOError:
        return waiting
    except BrokenPipeError:  # it has ended early; its exit code says why
        return memoryview(b"")


class _Noise:
    """Keeps the beginning and the end of a stream of unknown length."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, piece: bytes) -> None:
        room = _NOISE_LIMIT // 2 - len(self._head)
        self._head += piece[:room] if room > 0 else b""
        self._tail += piece[max(room, 0) :]
        del self._tail[: -_NOISE_LIMIT // 2]

    def text(self) -> bytes:
        return bytes(self._head + self._tail)
