"""The lines that commits add, commit by commit and file by file, as a stream; and what they say of it.

Owns which commits a push brings, how their differences are asked for and read. What is read may be anything: a line
that looks like a header is one only outside of a hunk, and how long a hunk is its own header says. Must not know what
the lines are looked at for.
"""

from __future__ import annotations

import os
import re
import threading

from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from opensession.git.repository import Repository

_COMMIT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_HUNK = re.compile(rb"(@@+) (.*?) @@+")
_RANGE = re.compile(rb"[-+]\d+(?:,(\d+))?")
_FILE = b"+++ "
PIECE = 1 << 20
"""Bytes of added lines that are handed out at most at once; a file of a gigabyte comes in pieces."""


class Added(NamedTuple):
    """Lines that a commit adds to a file, next to each other."""

    commit: str
    path: str
    """As git shows it: in quotes where it holds odd characters."""
    text: bytes


def new_commits(
    repository: Repository, pushed: Iterable[str], known: Iterable[str], remote: str | None, *, timeout: float
) -> list[str]:
    """Commits that the remote does not have, the newest first.

    ``pushed`` are the objects that it gets, ``known`` those that it says it has, as far as they are here too; the rest
    is what was last seen of it. Without a ``remote`` by name, what any remote was seen to have counts.
    """
    seen = "--remotes" if remote is None else f"--remotes={remote}"
    wanted = [*pushed, *(f"^{oid}" for oid in known)]
    done = repository.git.run(
        "rev-list", "--ignore-missing", "--stdin", "--not", seen,
        stdin="".join(f"{oid}\n" for oid in wanted).encode(), timeout=timeout, doing="list what is pushed",
    )  # fmt: skip
    return done.out.decode().split()


def added_lines(repository: Repository, commits: Sequence[str], *, timeout: float) -> Iterator[Added]:
    """What each of the commits adds; of a merge, what none of its parents has."""
    reader, writer = os.pipe()
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            repository.git.run(
                "diff-tree", "--stdin", "-r", "-p", "--root", "--cc", "--unified=0", "--no-renames", "--no-color",
                "--no-ext-diff", "--no-textconv", "--full-index", "--src-prefix=a/", "--dst-prefix=b/",
                stdin="".join(f"{oid}\n" for oid in commits).encode(), stdout=writer, timeout=timeout,
                doing="show what is pushed",
            )  # fmt: skip
        except BaseException as error:  # noqa: BLE001  raised below, where somebody listens
            failures.append(error)
        finally:
            os.close(writer)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    with os.fdopen(reader, "rb", buffering=1 << 16) as stream:
        yield from read(stream)
        thread.join()
    if failures:
        raise failures[0]


def messages(repository: Repository, oids: Iterable[str], kind: str) -> Iterator[Added]:
    """What those of the objects that are of this kind, ``commit`` or ``tag``, say in words."""
    with repository.git.batch() as batch:
        for oid in oids:
            info = batch.info(oid)
            if info is not None and info.type == kind and info.size <= PIECE:
                yield Added(oid, f"the {kind}'s message", batch.typed(oid, kind).partition(b"\n\n")[2])


def read(stream: BinaryIO) -> Iterator[Added]:
    """The added lines in what ``git diff-tree --stdin -p --cc -U0`` prints."""
    commit, path = "", ""
    for line in stream:
        if (hunk := _HUNK.match(line)) is not None:
            parents = len(hunk[1]) - 1
            counts = [_count(word) for word in hunk[2].split(b" ")]
            for text in _pieces(_hunk(stream, parents, counts)):
                yield Added(commit, path, text)
        elif line.startswith(_FILE):
            path = os.fsdecode(line[len(_FILE) :].rstrip(b"\n").removesuffix(b"\t"))
            path = path.removeprefix("b/") if not path.startswith('"') else '"' + path[3:]
        elif _COMMIT.fullmatch(line):
            commit = line.decode().strip()


def _count(word: bytes) -> int:
    found = _RANGE.match(word)
    return 0 if found is None else 1 if found[1] is None else int(found[1])


def _hunk(stream: BinaryIO, parents: int, counts: list[int]) -> Iterator[bytes]:
    """The lines that no parent has. ``counts`` are the lines that the hunk shows of each parent and of the result."""
    left = counts[: parents + 1]
    while any(count > 0 for count in left):
        line = stream.readline()
        if not line:
            return
        marks, text = line[:parents], line[parents:]
        if marks[:1] == b"\\":  # "\ No newline at end of file" is no line
            continue
        gone = b"-" in marks
        for at, mark in enumerate(marks):
            # A line that is gone is in those parents that show a minus; one that is there, in those without a plus.
            if mark == 0x2D or (mark == 0x20 and not gone):
                left[at] -= 1
        if not gone:
            left[-1] -= 1
        if marks == b"+" * parents:
            yield text


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)
