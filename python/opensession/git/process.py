"""One run of a program: fed, read and, at the time limit, killed with all its children.

Owns the traffic with it, the time limits and the limit on what is kept of an answer. Must not know git: it is handed a
finished argument list and a finished environment.
"""

from __future__ import annotations

import os
import select
import time

from opensession.git.child import DEVNULL, PIPE, Child, TimedOut, start
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ANSWER_LIMIT", "DEVNULL", "PIPE", "Child", "Done", "TimedOut", "TooMuch", "finish", "start"]

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


class TooMuch(Exception):
    """The process was killed because its answer went beyond the limit."""


def finish(
    child: Child,
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
        code = child.wait(deadline - time.monotonic())
        return Done(code, bytes(out), err.text())
    finally:
        child.kill()


def _traffic(
    child: Child,
    stdin: bytes | None,
    deadline: float,
    idle: float,
    watch: Callable[[], None] | None,
) -> Iterator[tuple[bool, bytes]]:
    """All that the process says, piece by piece, while it is fed; True marks what comes on standard error."""
    waiting = memoryview(stdin or b"")
    until = min(deadline, time.monotonic() + idle)
    poll = select.poll()
    pipes = {pipe for pipe in (child.stdout, child.stderr) if pipe is not None}
    for pipe in pipes:
        poll.register(pipe, select.POLLIN)
    if child.stdin is not None:
        os.set_blocking(child.stdin, False)
        poll.register(child.stdin, select.POLLOUT)
        pipes.add(child.stdin)
    while pipes:
        ready = _wait(poll, until, watch)
        until = min(deadline, time.monotonic() + idle)
        for pipe in ready:
            if pipe == child.stdin:
                waiting = _feed(pipe, waiting)
                if waiting:
                    continue
                child.close(pipe)
            elif piece := os.read(pipe, _PIECE):
                yield pipe == child.stderr, piece
                continue
            poll.unregister(pipe)
            pipes.remove(pipe)


def _wait(poll: select.poll, until: float, watch: Callable[[], None] | None) -> list[int]:
    """The ends that have something to do; TimedOut where there is none in time."""
    while (left := until - time.monotonic()) > 0:
        # Never a wait of zero: the last millisecond would be spent asking.
        ready = poll.poll(max(1, round(1000 * (left if watch is None else min(left, _LOOK)))))
        if watch is not None:
            watch()
        if ready:
            return [pipe for pipe, _ in ready]
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
