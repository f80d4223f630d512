"""Make a repository whose ledger holds many invented sessions, and its bare remote, in seconds.

    python ledger.py FOLDER COUNT

Writes FOLDER/work (one commit on main, a ledger of COUNT sessions) and FOLDER/origin.git, which has both. The sessions
go through `git fast-import`, not through the code that is measured later.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from opensession import core
from opensession.git.entries import meta_path, session_path
from opensession.git.links import meta_of
from opensession.git.refs import ledger_ref

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION = (
    '{"type":"header","version":"hail-1.0.0","session_id":"s-%d","agent":{"provider":"acme","model":"m-1","tool":"toaster"},'
    '"context":{"title":"Toast %d","tags":[],"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z",'
    '"attributes":{"cwd":"%s"}}}\n'
    '{"type":"event","event_id":"e1","timestamp":"2026-01-02T03:04:05Z","event_type":{"type":"UserMessage"},'
    '"content":{"blocks":[{"type":"Text","text":"Why is slice %d burnt?"}]}}\n'
    '{"type":"stats"}\n'
)
WHO = "opensession <opensession@localhost> 1767323045 +0000"
ENV = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


def git(folder: Path, *words: str, data: bytes | None = None) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, input=data, env=ENV, capture_output=True)


def sessions(count: int, cwd: str) -> Iterator[tuple[str, bytes]]:
    """Paths of a ledger with their bytes."""
    with tempfile.TemporaryFile() as out:
        for n in range(count):
            out.seek(0)
            out.truncate()
            (info,) = core.canonicalize((SESSION % (n, n, cwd, n)).encode(), lambda: os.dup(out.fileno()))
            out.seek(0)
            yield session_path(info["sha256"]), out.read()
            yield meta_path(info["sha256"]), meta_of(info)


def stream(count: int, ref: str, cwd: str) -> bytes:
    """What `git fast-import` reads."""
    parts = [f"commit {ref}\nauthor {WHO}\ncommitter {WHO}\ndata 5\nbench\n".encode()]
    for path, data in sessions(count, cwd):
        parts.append(b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(data), data))
    return b"".join(parts)


def make(folder: Path, count: int) -> None:
    work, origin = folder / "work", folder / "origin.git"
    work.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", str(work))
    git(folder, "init", "-q", "--bare", "-b", "main", str(origin))
    git(work, "commit", "-q", "--allow-empty", "-m", "base")
    git(work, "remote", "add", "origin", str(origin))
    ref = ledger_ref("main")
    git(work, "fast-import", "--quiet", data=stream(count, ref, str(work)))
    git(work, "push", "-q", "origin", "main:main", f"{ref}:{ref}")


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
