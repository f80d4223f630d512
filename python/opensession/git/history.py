"""Commits of a branch, and when they were made in this repository.

Owns what is asked of git's history: ids, parents, times, names, subjects, and the entries of the reflog that say that a
commit was made here rather than fetched. What a commit changed is patches.py. Must not know sessions.
"""

from __future__ import annotations

import os

from opensession.errors import NotFoundError, UsageError
from opensession.git.failures import failure
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from opensession.git.run import Git

MOST_COMMITS = 4096
"""Commits of a branch that are looked at in one go."""
_FORMAT = "%H%n%P%n%at%n%ct%n%an%n%ce%n%s"
_FIELDS = 7
_MADE = ("commit", "cherry-pick", "revert", "am")
"""What a reflog entry begins with that made a commit of this repository; a pull, a checkout, a reset and a fast-forward
only moved to one, and a rebase makes again what was made before."""
_UNKNOWN = (
    b"bad revision",
    b"unknown revision",
    b"ambiguous argument",
    b"bad object",
    b"Invalid revision range",
)


def cut(common_dir: Path) -> frozenset[str]:
    """The commits of a shallow clone whose parents are not here; whatever is older looks as if it were theirs."""
    try:
        return frozenset((common_dir / "shallow").read_text("ascii").split())
    except FileNotFoundError:
        return frozenset()


class Commit(NamedTuple):
    """A commit, as git lists it. Names and subjects are other people's words."""

    oid: str
    parents: tuple[str, ...]
    author_time: int
    """Seconds since 1970; an amended or rebased commit keeps it."""
    committer_time: int
    """Seconds since 1970, when this very commit was made."""
    author: str
    committer_email: str
    subject: str


def commits(git: Git, revision: str, *, most: int = MOST_COMMITS, paths: Sequence[str] = ()) -> list[Commit]:
    """The commits that a revision or range means, newest first; those only that changed one of ``paths``, if given."""
    if not revision or revision.startswith("-") or any(c in revision for c in "\0\n"):
        raise UsageError(f"{revision!r} is no revision")
    words = ("--no-commit-header", f"--format={_FORMAT}", f"--max-count={most}", "--end-of-options", revision)
    done = git.run("rev-list", "--encoding=UTF-8", *words, "--", *paths, ok=(0, 128), doing="list commits")
    if done.code != 0:
        if any(sign in done.err for sign in _UNKNOWN):
            raise NotFoundError(
                f"{revision!r} names no commits of this repository", next=["git log --all --oneline -5"]
            )
        raise failure(done, cwd=git.cwd, doing="list commits")
    return list(_parsed(done.out))


def _parsed(answer: bytes) -> Iterator[Commit]:
    lines = answer.decode("utf-8", "replace").split("\n")
    for at in range(0, len(lines) - _FIELDS, _FIELDS):
        oid, parents, authored, committed, author, email, subject = lines[at : at + _FIELDS]
        yield Commit(
            oid, tuple(parents.split()), int(authored or 0), int(committed or 0), author, email, subject
        )


def made_here(git: Git, refs: Iterable[str], *, most: int = 4 * MOST_COMMITS) -> dict[str, int] | None:
    """When commits were made in this repository, by the reflogs of ``refs``: commit to seconds since 1970.

    None where there is no reflog at all (a bare repository, a build server's clone, core.logAllRefUpdates off): then
    nothing is known, which is not the same as nothing made.
    """
    words = ("-g", "--format=%H %gd %gs", "--date=unix", "--no-show-signature", "--no-patch", "--no-color")
    done = git.run(
        "log", *words, f"--max-count={most}", "--end-of-options", *refs, "--", doing="read the reflog"
    )
    made: dict[str, int] = {}
    entries = 0
    for line in os.fsdecode(done.out).splitlines():
        oid, _, rest = line.partition(" ")
        selector, _, what = rest.partition("} ")
        time = selector.rpartition("@{")[2]
        entries += 1
        if time.isdigit() and what.partition(":")[0].partition(" ")[0] in _MADE:
            made.setdefault(oid, int(time))
    return made if entries else None
