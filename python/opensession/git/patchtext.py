"""The text of patches, read as it comes: which lines each commit adds to which file.

Owns the form that git writes patches in, and the limits on what is kept of one. Pure: bytes in, patches out.
"""

from __future__ import annotations

import re

from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LINES = 50_000
"""Added lines of one commit that are kept: whoever adds more than that has not written them by hand."""
MOST_BYTES = 8 << 20
"""Bytes of added lines of one commit that are kept."""
LONGEST_LINE = 1 << 20
"""Bytes of a line that is kept; a longer one is no line that somebody wrote."""
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_NAMED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


class Patch(NamedTuple):
    """What one commit added."""

    oid: str
    added: dict[bytes, list[bytes]]
    """The lines, without their ends, by the file's path."""
    renamed: dict[bytes, bytes]
    """What the files that the commit moved were called before."""
    complete: bool
    """False where the commit added more than is kept."""


class PatchText:
    """A reader of the output of ``git diff-tree --stdin -p``."""

    def __init__(self, each: Callable[[Patch], None]) -> None:
        self._each = each
        self._rest = b""
        self._too_long = False
        self._oid: str | None = None
        self._path: bytes | None = None
        self._added: dict[bytes, list[bytes]] = {}
        self._renamed: dict[bytes, bytes] = {}
        self._old_name = b""
        self._lines = self._bytes = 0
        self._complete = True
        self._old = self._new = 0
        """Lines of the present hunk that are still to come."""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes, which may begin and end anywhere."""
        *lines, rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line[:1] if self._too_long else line)
            self._too_long = False
        if len(rest) > LONGEST_LINE:
            # Only its first character is needed, which says whether it was added.
            self._too_long, rest = True, rest[:1]
        self._rest = rest

    def close(self) -> None:
        """Take the end."""
        if self._rest:
            self._line(self._rest)
        self._end()

    def _line(self, line: bytes) -> None:
        if self._old > 0 or self._new > 0:
            self._changed(line)
        elif hunk := _HUNK.match(line):
            self._old, self._new = (int(n) if n else 1 for n in hunk.groups())
        elif line.startswith(b"+++ "):
            self._path = _path(line[4:])
        elif line.startswith(b"diff --git "):
            self._path = None
        elif line.startswith(b"rename from "):
            self._old_name = unquoted(line[12:])
        elif line.startswith(b"rename to "):
            self._renamed[unquoted(line[10:])] = self._old_name
        elif _OID.fullmatch(line):
            self._end()
            self._oid = line.decode("ascii")

    def _changed(self, line: bytes) -> None:
        """A line of a hunk: its first character says which side it is on."""
        kind = line[:1]
        if kind == b"\\":  # No newline at end of file
            return
        if kind != b"+":
            self._old -= 1
        if kind != b"-":
            self._new -= 1
        if kind == b"+" and self._path is not None:
            self._keep(self._path, line[1:])

    def _keep(self, path: bytes, line: bytes) -> None:
        self._lines += 1
        self._bytes += len(line)
        if self._too_long or self._lines > MOST_LINES or self._bytes > MOST_BYTES:
            self._complete = False
        else:
            self._added.setdefault(path, []).append(line)

    def _end(self) -> None:
        if self._oid is not None:
            self._each(Patch(self._oid, self._added, self._renamed, self._complete))
        self._oid, self._path = None, None
        self._added, self._renamed, self._complete = {}, {}, True
        self._lines = self._bytes = self._old = self._new = 0


def _path(name: bytes) -> bytes | None:
    """The path in a ``+++`` line; None for a file that is gone."""
    # Git ends a name that holds a space with a tab, so that other programs find its end.
    path = unquoted(name.removesuffix(b"\t"))
    return path.removeprefix(b"b/") if path != b"/dev/null" else None


def unquoted(name: bytes) -> bytes:
    """A name as git writes it, in quotes where it holds what a line cannot."""
    return _ESCAPE.sub(_unescaped, name[1:-1]) if name.startswith(b'"') else name


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _NAMED.get(code, code)
