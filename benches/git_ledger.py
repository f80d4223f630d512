"""What a ledger of any size costs: its trees, one more session, the push of it, a fetch of all.

    python benches/git_ledger.py 10000 bench-data/ledger
    python benches/git_ledger.py 1000000 bench-data/ledger --bytes 300

Builds a repository with a ledger of invented sessions by `git fast-import`, packed as after a clone, and prints JSON.
The folder is made anew. Times are medians in milliseconds; syncs are real. Every session has a description
and belongs to one commit. docs/decisions/003-git.md quotes its figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from opensession.git.entries import link_path, meta_path, session_path
from opensession.git.ledger import Changes, Link
from opensession.git.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = "refs/opensession/branches/bWFpbg"
ONE_MORE = (
    "import os, sys; from pathlib import Path; from opensession.git.ledger import Changes, Link; "
    "from opensession.git.repository import Repository; r = Repository.discover(Path(sys.argv[1]), os.environ); "
    "h = sys.argv[2]; fd = os.open(sys.argv[3], os.O_RDONLY); "
    "c = Changes([(h, fd, sys.argv[4].encode())], [Link(sys.argv[5], h, ('time',), 0.5)]); "
    "assert r.ledger(r.ledger_ref()).record(c, 'share').changed"
)


def session(number: int, size: int) -> tuple[str, bytes, bytes, str]:
    """Address, bytes, description and commit of an invented session; its text compresses as prose does."""
    words = (hashlib.sha256(b"%d %d" % (number, n)).hexdigest()[:5] for n in range(size))
    text = [f'{{"session":{number}}}\n']
    length = 0
    while length < size:
        text.append(next(words) + " ")
        length += 6
    data = "".join(text).encode() + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    meta = json.dumps(
        {"bytes": len(data), "id": f"s-{number}", "title": text[1], "updated_at": "2026-01-02T03:04:05Z"},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    return digest, data, meta, hashlib.sha1(b"%d" % number, usedforsecurity=False).hexdigest()


def stream(count: int, size: int) -> Iterator[bytes]:
    """A ledger as `git fast-import` reads it."""
    yield (
        b"commit %s\ncommitter opensession <opensession@localhost> 1767323045 +0000\ndata 0\n\n"
        % REF.encode()
    )
    for number in range(count):
        digest, data, meta, commit = session(number, size)
        link = Link(commit, digest, ("time",), 0.5).to_json()
        for path, content in (
            (session_path(digest), data),
            (meta_path(digest), meta),
            (link_path(commit, digest), link),
        ):
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def git(repository: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), *words], capture_output=True, check=True, text=True
    ).stdout


def build(folder: Path, count: int, size: int) -> Path:
    """The repository with its ledger, and a bare remote that has all of it."""
    shutil.rmtree(folder, ignore_errors=True)
    repository = folder / "repo"
    repository.mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")
    git(
        repository,
        "-c",
        "user.name=b",
        "-c",
        "user.email=b@localhost",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "base",
    )
    importer = subprocess.Popen(
        ["git", "-C", str(repository), "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert importer.stdin is not None
    for piece in stream(count, size):
        importer.stdin.write(piece)
    importer.stdin.close()
    if importer.wait() != 0:
        sys.exit("git fast-import failed")
    git(repository, "repack", "-q", "-a", "-d", "--window=1")
    git(folder, "clone", "-q", "--mirror", "--no-hardlinks", str(repository), str(folder / "remote.git"))
    return repository


def timed(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return (time.perf_counter() - start) * 1000


def add_one(repository: Path, number: int, size: int, scratch: Path, *, whole: bool) -> float:
    """Milliseconds to record a new session: in a process of its own, or without its start."""
    digest, data, meta, commit = session(number, size)
    scratch.write_bytes(data)
    if whole:
        words = [sys.executable, "-c", ONE_MORE, str(repository), digest, str(scratch), meta.decode(), commit]
        return timed(lambda: subprocess.run(words, check=True))
    fd = os.open(scratch, os.O_RDONLY)
    changes = Changes([(digest, fd, meta)], [Link(commit, digest, ("time",), 0.5)])

    def work() -> None:
        found = Repository.discover(repository, os.environ)
        assert found.ledger(found.ledger_ref()).record(changes, "share").changed

    try:
        return timed(work)
    finally:
        os.close(fd)


def pushed(repository: Path, remote: Path) -> tuple[float, int]:
    """Milliseconds and bytes of pushing what is new."""
    wanted = f"{git(repository, 'rev-parse', REF)}^{git(remote, 'rev-parse', REF)}"
    pack = subprocess.run(
        ["git", "-C", str(repository), "pack-objects", "--revs", "--thin", "--stdout", "-q"],
        input=wanted.encode(),
        capture_output=True,
        check=True,
    ).stdout
    return timed(lambda: git(repository, "push", "-q", str(remote), f"{REF}:{REF}")), len(pack)


def trees(repository: Path) -> dict[str, int]:
    """Bytes of the trees on the way to a session, a description and a link."""
    path = git(repository, "ls-tree", "-r", "--name-only", REF, "v2/sessions/00/").splitlines()[0]
    commit = git(repository, "ls-tree", "--name-only", REF, "v2/commits/00/").splitlines()[0]
    names = [
        "",
        "v2",
        "v2/sessions",
        "v2/sessions/00",
        path.rsplit("/", 1)[0],
        "v2/commits",
        "v2/commits/00",
        commit,
    ]
    return {name or "/": int(git(repository, "cat-file", "-s", f"{REF}:{name}")) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, help="sessions in the ledger")
    parser.add_argument("folder", type=Path, help="where to build; its content is deleted")
    parser.add_argument("--bytes", type=int, default=3000, help="size of a session")
    parser.add_argument("--times", type=int, default=9, help="how often to add one")
    given = parser.parse_args()
    size, scratch = given.bytes, given.folder / "session"
    start = time.perf_counter()
    repository = build(given.folder, given.count, size)
    remote = given.folder / "remote.git"
    answer: dict[str, object] = {"sessions": given.count, "built_s": round(time.perf_counter() - start, 1)}
    answer["trees_bytes"] = trees(repository)
    answer["pack_bytes"] = sum(p.stat().st_size for p in (repository / ".git/objects/pack").glob("*.pack"))
    inside, whole, push_ms, push_bytes = [], [], [], []
    for n in range(given.times):
        inside.append(add_one(repository, -2 * n - 1, size, scratch, whole=False))
        whole.append(add_one(repository, -2 * n - 2, size, scratch, whole=True))
        took, sent = pushed(repository, remote)
        push_ms.append(took)
        push_bytes.append(sent)
    answer["add_one_ms"] = round(statistics.median(inside), 1)
    answer["add_one_whole_process_ms"] = round(statistics.median(whole), 1)
    answer["push_two_ms"] = round(statistics.median(push_ms), 1)
    answer["push_two_bytes"] = int(statistics.median(push_bytes))
    found = Repository.discover(repository, os.environ)
    ledger = found.ledger(REF)
    answer["list_all_ms"] = round(timed(lambda: sum(1 for _ in ledger.sessions())), 1)
    answer["list_with_descriptions_ms"] = round(timed(lambda: sum(1 for _ in ledger.sessions(meta=True))), 1)
    clone = given.folder / "clone.git"
    git(given.folder, "init", "-q", "--bare", str(clone))
    answer["fetch_all_ms"] = round(
        timed(lambda: git(clone, "fetch", "-q", f"file://{remote}", f"{REF}:{REF}")), 1
    )
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


if __name__ == "__main__":
    main()
