"""Which commit a line is from.

Owns the question to git's blame for one line, and what can be wrong with it: no such file, no such line, a line that
is not committed yet. White space is ignored, so that a commit that only moved a line to the right does not hide the one
that wrote it. Must not know sessions.
"""

from __future__ import annotations

import os
import re

from opensession.errors import NotFoundError
from opensession.git.failures import failure
from opensession.git.patchtext import unquoted
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.process import Done
    from opensession.git.run import Git

_HEADER = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?) (\d+) (\d+)(?: \d+)?")
_SHORTER = re.compile(r"has only (\d+) lines?")


class Blamed(NamedTuple):
    """Where a line is from."""

    oid: str | None
    """The commit; None for a line that is not committed yet."""
    path: str
    """What the file was called in that commit."""
    line: int
    """Which line of that file it was, from 1."""
    text: bytes
    """The line as it is now, without its end."""


def blame(git: Git, path: str, line: int, commit: str | None = None) -> Blamed:
    """The origin of the line ``line`` (from 1) of ``path``, a path from the top of the work tree.

    The file is taken as it is in ``commit`` (an id, because blame cannot tell an option from a name), without one as it
    stands in the work tree.
    """
    words = ["blame", "--porcelain", "-w", "--no-progress", "-L", f"{line},{line}"]
    if commit is not None:
        words.append(commit)
    done = git.run(*words, "--", path, ok=(0, 128), doing="find the line's commit")
    if done.code != 0:
        raise _error(done, git, path, line)
    return _parsed(done.out)


def _parsed(answer: bytes) -> Blamed:
    lines = answer.split(b"\n")
    header = _HEADER.fullmatch(lines[0])
    assert header is not None, "blame --porcelain begins with the commit"
    fields = dict(line.split(b" ", 1) for line in lines[1:] if b" " in line and not line.startswith(b"\t"))
    text = next((line[1:] for line in lines[1:] if line.startswith(b"\t")), b"")
    committed = header[1].strip(b"0") != b""
    return Blamed(
        header[1].decode() if committed else None,
        os.fsdecode(unquoted(fields[b"filename"])),
        int(header[2]),
        text,
    )


def _repository_around(path: str, git: Git) -> str | None:
    """The submodule, or other repository below the top of this one, that the path leads into."""
    above = os.path.dirname(path)
    while above:
        if os.path.lexists(git.cwd / above / ".git"):
            return above
        above = os.path.dirname(above)
    return None


def _error(done: Done, git: Git, path: str, line: int) -> Exception:
    said = done.err.decode("utf-8", "replace")
    if (shorter := _SHORTER.search(said)) is not None:
        count = int(shorter[1])
        steps = [f"opensession why {quoted(f'{path}:{count}')}"] if count else [f"git log -- {quoted(path)}"]
        lines = f"{count} line{'' if count == 1 else 's'}"
        return NotFoundError(f"{path!r} has {lines}, and no line {line}", next=steps)
    if "no such path" in said or "cannot stat path" in said:
        if (inner := _repository_around(path, git)) is not None:
            place = f"{os.path.relpath(path, inner)}:{line}"
            return NotFoundError(
                f"{path!r} is in a repository of its own, {inner!r}",
                next=[f"cd {quoted(git.cwd / inner)}", f"opensession why {quoted(place)}"],
            )
        return NotFoundError(
            f"git knows no file {path!r} there", next=[f"git log --oneline --all -- {quoted(path)}"]
        )
    if "unsupported file type" in said:
        return NotFoundError(f"{path!r} is no file with lines", next=[f"git log --oneline -- {quoted(path)}"])
    if "no such ref: HEAD" in said:
        return NotFoundError("no commit is checked out here yet", next=["git log --all --oneline -5"])
    return failure(done, cwd=git.cwd, doing="find the line's commit")
