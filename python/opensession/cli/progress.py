"""One line of progress on a terminal, for work that lasts longer than a second.

Owns the line; must not know what the work is. In a pipe, a file or a job without a terminal nothing is ever printed.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

_PATIENCE = 1.0
"""Seconds before the line appears: what is done within a second needs no explanation."""
_CLEAR = "\r\x1b[K"
_BAR = 24
_USUAL_COLUMNS = 80


class Progress:
    """Called with ``(done, total)`` bytes; a context manager that leaves no trace of the line."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._began = time.monotonic()
        self._shown = False
        self.on = self._stream is not None and self._stream.isatty()

    def __enter__(self) -> Progress | None:
        return self if self.on else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._put(_CLEAR)

    def __call__(self, done: int, total: int) -> None:
        seconds = time.monotonic() - self._began
        if seconds >= _PATIENCE:
            self._shown = True
            # A line that wraps could not be cleared: the rest of it would stay on the screen.
            self._put(_CLEAR + line(self._label, done, total, seconds)[: self._columns() - 1])

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _USUAL_COLUMNS
        except (OSError, ValueError):
            return _USUAL_COLUMNS

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self.on = False  # the terminal went away; the work goes on


def line(label: str, done: int, total: int, seconds: float) -> str:
    """The text of the line: how much, how fast, how long still."""
    rate = done / seconds if seconds > 0 else 0.0
    if not total:
        return f"{label}  {size(done)}  {size(rate)}/s"
    left = (total - done) / rate if rate else 0.0
    filled = min(_BAR, _BAR * done // total)
    bar = "#" * filled + "-" * (_BAR - filled)
    return f"{label} [{bar}] {size(done)} of {size(total)}  {size(rate)}/s  {duration(left)} left"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds for people, rounded up: nothing is ever `0 s left`."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
