"""What commits changed: the lines they added, file by file, and the id of each patch.

Owns the two commands behind that, so that both mean the same on every machine, and how long they may take. The id is
that of `git patch-id --stable`: it survives a rebase, an amended message and a cherry-pick. Must not know sessions.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import ExitStack

from opensession import core
from opensession.git import process
from opensession.git.failures import failure, timed_out
from opensession.git.patchtext import PatchText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opensession.git.patchtext import Patch
    from opensession.git.run import Git

_PIECE = 1 << 16
_DOING = "read what commits changed"
_SECONDS = 60.0

# Everything that a user or a repository may have configured about a patch is said here, or the answer would depend on
# the machine. No program that an attribute names is run.
_DIFF = (
    "diff-tree", "--stdin", "-p", "--root", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic",
    "--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--src-prefix=a/", "--dst-prefix=b/",
    "--submodule=short", "--no-relative",
)  # fmt: skip
_FOR_IDS = ("-U3", "--no-renames")
# A file that was moved would else count as written anew.
_FOR_LINES = ("-U0", "--find-renames=50%", "-l1000")


def patch_ids(git: Git, oids: Iterable[str], *, seconds: float = _SECONDS) -> dict[str, str]:
    """The id of each commit's patch; a merge, and a commit that changes nothing, has none."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        diffing = _diffing(git, stack, oids, *_FOR_IDS)
        if diffing is None:
            return {}
        assert diffing.stdout is not None
        hashing = git.start("patch-id", "--stable", stdin=diffing.stdout, stdout=process.PIPE)
        stack.callback(hashing.kill)
        # Only the other process reads it: were it still open here, a failure there would leave git waiting.
        diffing.close(diffing.stdout)
        answer = _ended(git, hashing, deadline, seconds)
        _ended(git, diffing, deadline, seconds)
        return {oid: patch_id for patch_id, _, oid in (li.partition(" ") for li in answer.splitlines())}


def read_patches(
    git: Git, oids: Iterable[str], each: Callable[[Patch], None], *, seconds: float = _SECONDS
) -> None:
    """Hand ``each`` what every commit added, in the order given; a merge adds nothing of its own."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        diffing = _diffing(git, stack, oids, *_FOR_LINES)
        if diffing is None:
            return
        text = PatchText(each)
        for piece in _pieces(diffing, deadline, seconds):
            text.feed(piece)
        _ended(git, diffing, deadline, seconds)
        text.close()


def _diffing(git: Git, stack: ExitStack, oids: Iterable[str], *more: str) -> process.Child | None:
    """A running git that writes the patches of these commits; None where there are no commits."""
    names = "".join(f"{oid}\n" for oid in oids).encode()
    if not names:
        return None
    # In a file, not through a pipe: git answers while it reads, and neither side may wait for the other.
    fd = stack.enter_context(core.temporary_file())
    with open(fd, "wb", closefd=False) as file:
        file.write(names)
    os.lseek(fd, 0, os.SEEK_SET)
    child = git.start(*_DIFF, *more, stdin=fd, stdout=process.PIPE)
    stack.callback(child.kill)
    return child


def _pieces(child: process.Child, deadline: float, seconds: float) -> Iterator[bytes]:
    assert child.stdout is not None
    fd = child.stdout
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise timed_out(_DOING, seconds, None)
        piece = os.read(fd, _PIECE)
        if not piece:
            return
        yield piece


def _ended(git: Git, child: process.Child, deadline: float, seconds: float) -> str:
    """The rest of what a process says, once it has ended well."""
    try:
        done = process.finish(child, timeout=max(0.0, deadline - time.monotonic()))
    except process.TimedOut:
        raise timed_out(_DOING, seconds, None) from None
    if done.code != 0:
        raise failure(done, cwd=git.cwd, doing=_DOING)
    return done.out.decode("ascii")
