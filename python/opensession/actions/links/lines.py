"""When two lines are the same, and which lines an edit adds.

Owns the rules for white space and for lines that are too short to say anything. Pure.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST = 8
"""Characters that a line needs besides white space; shorter ones (`}`, `else:`, `return`) stand in every file."""
_WHITE = b" \t\n\v\f\r"
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def normal(line: bytes) -> bytes | None:
    """What of a line is compared: all but its white space, as in a patch id; None for a line that is too short.

    So neither a formatter, nor a move into a block, nor the line ends of another system hide who wrote it.
    """
    text = bare(line)
    if len(text) >= LEAST and (text.isascii() or len(text.decode("utf-8", "replace")) >= LEAST):
        return text
    return None


def bare(line: bytes) -> bytes:
    """A line without its white space."""
    return line.translate(None, _WHITE)


def key(line: bytes) -> int | None:
    """A number that stands for :func:`normal` of a line, valid in this process; None where that is None."""
    text = normal(line)
    return None if text is None else hash(text)


def changed_by(diff: str) -> tuple[list[str], list[str]]:
    """The lines that a ``FileEdit.diff`` really adds, and those it really removes.

    An agent states an edit as the old text and the new one, with unchanged lines around what it changes. What is equal
    at the beginning and at the end of both was there before: whoever wrote it, this edit did not.
    """
    added: list[str] = []
    removed: list[str] = []
    old: list[str] = []
    new: list[str] = []
    for kind, text in (*_kinds(diff.split("\n")), (" ", "")):
        if kind == "+":
            new.append(text)
        elif kind == "-" and not new:
            old.append(text)
        else:
            _trim(old, new)
            removed += old
            added += new
            old, new = [text] if kind == "-" else [], []
    return added, removed


def _trim(old: list[str], new: list[str]) -> None:
    """Take away what both begin and end with."""
    start, most = 0, min(len(old), len(new))
    while start < most and _same(old[start], new[start]):
        start += 1
    end = 0
    while end < most - start and _same(old[-1 - end], new[-1 - end]):
        end += 1
    for lines in (old, new):
        del lines[len(lines) - end :]
        del lines[:start]


def _same(a: str, b: str) -> bool:
    return a == b or a.rstrip("\r") == b.rstrip("\r")


def _kinds(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each line of a diff as what it does (``+``, ``-``, else a space) and its text, as docs/hail.md counts them."""
    before = after = 0
    heading = False
    for at, line in enumerate(lines):
        if before > 0 or after > 0:  # inside of a hunk its counts decide
            kind = line[:1] if line[:1] in ("+", "-") else " "
            before -= kind != "+" and not line.startswith("\\")
            after -= kind != "-" and not line.startswith("\\")
            yield kind, line[1:]
        elif hunk := _HUNK.match(line):
            before, after = (int(n) if n else 1 for n in hunk.groups())
            yield " ", ""
        elif heading or (line.startswith("--- ") and lines[at + 1 : at + 2] and _is_new_name(lines[at + 1])):
            heading = not heading
            yield " ", ""
        else:
            yield (line[:1], line[1:]) if line[:1] in ("+", "-") else (" ", "")


def _is_new_name(line: str) -> bool:
    return line.startswith("+++ ")


def keys(lines: Iterable[str]) -> Iterator[int]:
    """The numbers of the lines that count."""
    for line in lines:
        number = key(line.encode("utf-8", "surrogatepass"))
        if number is not None:
            yield number
