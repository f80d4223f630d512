"""Links looked up by commit, in any number of ledgers at once.

Owns the shortest way to them: a commit's links stand at a path of its own, so that one question answers however many
sessions a ledger has. Only who looks for a patch id reads all links, in one go. Must not know what a link proves.
"""

from __future__ import annotations

import os
import re
from itertools import islice

from opensession import core
from opensession.errors import IntegrityError
from opensession.git.entries import COMMITS, META, gone_path, meta_path, session_path
from opensession.git.links import LIMIT, Link, read_meta
from opensession.git.trees import BLOB, TREE, parse_tree
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from opensession.git.batch import Batch
    from opensession.git.run import Git

_SHA256 = re.compile(rb"[0-9a-f]{64}")
_AT_ONCE = 20_000
"""Links that are read by one command; a link has a few hundred bytes."""
_HEADER = re.compile(rb"([0-9a-f]+) blob (\d+)\n")


class Found(NamedTuple):
    """A link and where it stands."""

    ledger: str
    link: Link


class Linked:
    """The links of some ledgers, each given as the name by which it is shown and the commit it is at."""

    def __init__(self, git: Git, batch: Batch, tips: Mapping[str, str], object_format: str) -> None:
        self._git = git
        self._batch = batch
        self._format = object_format
        self.tips = dict(tips)

    def of(self, commit: str) -> list[Found]:
        """The links of a commit, the surest first; each session once."""
        found: dict[str, Found] = {}
        for ledger, tip in self.tips.items():
            for sha256, oid in self._names(f"{tip}:{COMMITS}{commit[:2]}/{commit}"):
                link = self._link(oid, commit, sha256)
                if link is None or self._batch.info(f"{tip}:{gone_path(sha256)}") is not None:
                    continue
                known = found.get(sha256)
                if known is None or known.link.confidence < link.confidence:
                    found[sha256] = Found(ledger, link)
        return surest_first(found.values())

    def by_patch_id(self, wanted: Iterable[str]) -> dict[str, list[Found]]:
        """The links that bear one of these patch ids, the surest first. All links are read."""
        ids = set(wanted)
        found: dict[str, dict[str, Found]] = {}
        for ledger, tip in self.tips.items() if ids else ():
            for link in self._all(tip):
                if link.patch_id not in ids or self._batch.info(f"{tip}:{gone_path(link.sha256)}"):
                    continue
                known = found.setdefault(link.patch_id or "", {})
                if link.sha256 not in known or known[link.sha256].link.confidence < link.confidence:
                    known[link.sha256] = Found(ledger, link)
        return {patch_id: surest_first(links.values()) for patch_id, links in found.items()}

    def commits(self) -> set[str]:
        """Every commit that has links."""
        found: set[str] = set()
        for tip in self.tips.values():
            under = self._batch.read(f"{tip}:{COMMITS.rstrip('/')}")
            for entry in self._entries(under).values():
                below = self._entries(self._batch.read(entry.oid)) if entry.mode == TREE else {}
                found.update(name.decode("ascii", "replace") for name in below)
        return found

    def meta(self, ledger: str, sha256: str) -> Mapping[str, Any] | None:
        """What a ledger says about a session."""
        found = self._batch.info(f"{self.tips[ledger]}:{meta_path(sha256)}")
        if found is None or found.type != "blob" or found.size > LIMIT:
            return None
        return read_meta(self._batch.typed(found.oid, "blob"))

    def descriptions(self, ledger: str) -> list[str]:
        """The trees that hold what a ledger says about its sessions. An id says for ever what is in it."""
        under = self._entries(self._batch.read(f"{self.tips[ledger]}:{META.rstrip('/')}"))
        return [entry.oid for entry in under.values() if entry.mode == TREE]

    def described(self, tree: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The sessions of one of those trees, with what is said about each."""
        found: dict[str, str] = {}
        for below in self._entries(self._batch.read(tree)).values():
            for name, entry in (
                self._entries(self._batch.read(below.oid)).items() if below.mode == TREE else ()
            ):
                if entry.mode == BLOB and _SHA256.fullmatch(name.removesuffix(b".json")):
                    found[name[:64].decode()] = entry.oid
        for sha256, data in zip(found, self._batch.many(found.values(), limit=LIMIT), strict=True):
            meta = None if data is None else read_meta(data)
            if meta is not None:
                yield sha256, meta

    def records(self, ledger: str, sha256: str) -> bool:
        """Whether a ledger has a session that was not taken back from it."""
        tip = self.tips[ledger]
        has = self._batch.info(f"{tip}:{session_path(sha256)}") is not None
        return has and self._batch.info(f"{tip}:{gone_path(sha256)}") is None

    def has(self, sha256: str) -> bool:
        """Whether a ledger has the session and its bytes are here."""
        return any(self._batch.info(f"{tip}:{session_path(sha256)}") for tip in self.tips.values())

    def copy(self, sha256: str, out: int) -> bool:
        """Copy the session itself to a descriptor, from the first ledger that has it; False where none has.

        Raises IntegrityError where the bytes are not those of the address.
        """
        for ledger, tip in self.tips.items():
            found = self._batch.info(f"{tip}:{session_path(sha256)}")
            if found is None or found.type != "blob":
                continue
            hashed, length = self._git.pipe(
                "cat-file", "blob", found.oid, into=lambda fd: core.copy(fd, out), doing="read a session"
            )
            if hashed == sha256:
                return True
            raise IntegrityError(
                f"the session {sha256} in the ledger {ledger} is damaged: its {length} bytes hash to {hashed}",
                next=["git fsck"],
            )
        return False

    def _names(self, tree: str) -> Iterator[tuple[str, str]]:
        for name, entry in self._entries(self._batch.read(tree)).items():
            if entry.mode == BLOB and _SHA256.fullmatch(name):
                yield name.decode(), entry.oid

    def _entries(self, found: Any) -> Mapping[bytes, Any]:  # noqa: ANN401
        return {} if found is None or found[0].type != "tree" else parse_tree(found[1], self._format)

    def _link(self, oid: str, commit: str, sha256: str) -> Link | None:
        info = self._batch.info(oid)
        if info is None or info.type != "blob" or info.size > LIMIT:
            return None
        return Link.from_json(self._batch.typed(oid, "blob"), commit, sha256)

    def _all(self, tip: str) -> Iterator[Link]:
        """Every link of a ledger."""
        if self._batch.info(f"{tip}:{COMMITS.rstrip('/')}") is None:
            return
        places: dict[str, list[tuple[str, str]]] = {}
        words = ("ls-tree", "-r", "-z", "--full-tree", tip, "--", COMMITS)
        for record in self._git.records(*words, doing="list the links of a ledger"):
            facts, _, path = record.partition(b"\t")
            parts = os.fsdecode(path).split("/")
            if facts.startswith(b"100644 blob ") and len(parts) == 5:
                places.setdefault(facts[12:].decode("ascii"), []).append((parts[3], parts[4]))
        for oid, data in _blobs(self._git, places):
            for commit, sha256 in places[oid]:
                link = Link.from_json(data, commit, sha256)
                if link is not None:
                    yield link


def surest_first(found: Iterable[Found]) -> list[Found]:
    """Links by confidence, the highest first; ties by the session's address."""
    return sorted(found, key=lambda each: (-each.link.confidence, each.link.sha256))


def _blobs(git: Git, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Small blobs, many by one command; those that are missing or large are left out."""
    names = iter(oids)
    while some := list(islice(names, _AT_ONCE)):
        asked = "".join(f"{oid}\n" for oid in some).encode()
        told = git.run("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=asked).out
        fields = [line.split(b" ") for line in told.splitlines()]
        small = [f[0] for f in fields if len(f) == 3 and f[1] == b"blob" and int(f[2]) <= LIMIT]
        wanted = b"".join(oid + b"\n" for oid in small)
        answer = git.run("cat-file", "--batch", stdin=wanted, doing="read the links of a ledger").out
        at = 0
        while header := _HEADER.match(answer, at):
            start = header.end()
            at = start + int(header[2]) + 1
            yield header[1].decode(), answer[start : at - 1]
