"""Session bytes on a terminal: the same JSON, with nothing in it that the terminal would obey.

Owns the detour through a pipe that is only taken where standard output is a terminal; files and pipes get the bytes
themselves. Must not know what the lines mean.
"""

from __future__ import annotations

import os
import sys

from opensession.cli.report import JSON_ESCAPES
from opensession.light import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 16

# Canonical lines hold no raw control character; a damaged object may. Line ends and tabs stay.
_ESCAPES = JSON_ESCAPES | {code: f"\\u{code:04x}" for code in range(0x20) if code not in (0x09, 0x0A)}


@contextmanager
def standard_output() -> Iterator[int]:
    """A descriptor for the session's bytes."""
    if sys.stdout is None or not os.isatty(1):
        yield 1
        return
    import threading  # here and below: most output is no terminal

    reader, writer = os.pipe()
    thread = threading.Thread(target=_show, args=(reader, 1), daemon=True)
    thread.start()
    try:
        yield writer
    finally:
        os.close(writer)
        thread.join()


def _show(reader: int, terminal: int) -> None:
    import codecs

    # Bytes that are no UTF-8 can only come from an object that is damaged; they are shown, not sent.
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    try:
        while piece := os.read(reader, _PIECE):
            _write(terminal, escape(decoder.decode(piece)))
        _write(terminal, escape(decoder.decode(b"", final=True)))
    except OSError:
        return  # the terminal is gone; closing our end tells the writer
    finally:
        os.close(reader)


def escape(text: str) -> str:
    """JSON text in which what a terminal obeys stands as a JSON escape: the same value."""
    return text.translate(_ESCAPES)


def _write(fd: int, text: str) -> None:
    view = memoryview(text.encode("utf-8"))
    while view:
        view = view[os.write(fd, view) :]
