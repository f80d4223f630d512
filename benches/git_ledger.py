"""What a ledger of any size costs: its trees, one more session, the push of it, a fetch of all.

    python benches/git_ledger.py 10000 bench-data/ledger
    python benches/git_ledger.py 1000000 bench-data/ledger --bytes 300

Builds a repository with a ledger of invented sessions in one pack, as after a clone, and prints JSON.
The folder is made anew. Times are medians in milliseconds; syncs are real. Every session has a description
and belongs to one commit. docs/decisions/003-git.md quotes its figures.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from opensession.git.entries import link_path, meta_path, session_path
from opensession.git.ledger import Changes, Link
from opensession.git.objects import commit_of
from opensession.git.repository import Repository
from opensession.git.trees import BLOB, TREE, Entry, format_tree, object_id

if TYPE_CHECKING:
    from collections.abc import Callable

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


_KINDS = {"commit": 1, "tree": 2, "blob": 3}


class Pack:
    """A pack file as git reads it. `git fast-import` would search the folders of a million entries one by one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb+")
        self._file.write(struct.pack(">4sII", b"PACK", 2, 0))
        self._count = 0

    def add(self, kind: str, data: bytes) -> str:
        size, head = len(data) >> 4, bytearray([_KINDS[kind] << 4 | len(data) & 15])
        while size:
            head[-1] |= 0x80
            head.append(size & 0x7F)
            size >>= 7
        self._file.write(bytes(head) + zlib.compress(data, 1))
        self._count += 1
        return object_id(kind, data, "sha1")

    def close(self) -> None:
        self._file.seek(8)
        self._file.write(struct.pack(">I", self._count))
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, lambda: hashlib.sha1(usedforsecurity=False))
        self._file.write(digest.digest())
        self._file.close()


def tree_of(pack: Pack, files: list[tuple[str, str]], depth: int = 0) -> str:
    """The tree of sorted paths and blobs, all below one folder of this depth."""
    entries = {}
    for name, group in itertools.groupby(files, lambda file: file[0].split("/", depth + 1)[depth]):
        below = list(group)
        is_file = below[0][0].count("/") == depth
        entries[name.encode()] = (
            Entry(BLOB, below[0][1]) if is_file else Entry(TREE, tree_of(pack, below, depth + 1))
        )
    return pack.add("tree", format_tree(entries))


def write_pack(path: Path, count: int, size: int) -> str:
    """A whole ledger as one pack; its commit."""
    pack, files = Pack(path), []
    for number in range(count):
        digest, data, meta, commit = session(number, size)
        link = Link(commit, digest, ("time",), 0.5).to_json()
        files.append((session_path(digest), pack.add("blob", data)))
        files.append((meta_path(digest), pack.add("blob", meta)))
        files.append((link_path(commit, digest), pack.add("blob", link)))
    files.sort()
    tip = pack.add("commit", commit_of(tree_of(pack, files), [], "share", 1767323045))
    pack.close()
    return tip


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
    packs = repository / ".git" / "objects" / "pack"
    packs.mkdir(exist_ok=True)
    tip = write_pack(packs / "tmp.pack", count, size)
    name = git(repository, "index-pack", str(packs / "tmp.pack")).split()[-1]
    for suffix in ("pack", "idx", "rev"):
        if (packs / f"tmp.{suffix}").exists():
            (packs / f"tmp.{suffix}").rename(packs / f"pack-{name}.{suffix}")
    git(repository, "update-ref", REF, tip)
    git(folder, "clone", "-q", "--mirror", "--no-hardlinks", str(repository), str(folder / "remote.git"))
    return repository


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
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
