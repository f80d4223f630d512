"""One file out of one ref of a remote, into a private repository that is thrown away.

Owns the order: the commit and its folders first, which are small, then the one blob; and the limits on both. A
stranger's repository never meets the user's: its objects are checked, and gone when the file has been copied out. Must
not know what the bytes mean.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from opensession import core
from opensession.errors import NotFoundError, RefusedError, RemoteFailedError
from opensession.git.run import Git, Trust
from opensession.git.state import State
from opensession.git.transport import PEER, Limits, failed, serving, transfer
from opensession.git.trees import BLOB, TREE
from opensession.light import NamedTuple, contextmanager
from opensession.settings import quoted
from opensession.store.folders import storage
from opensession.store.tree import opened_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opensession.errors import OpensessionError
    from opensession.git.remotes import Remote
    from opensession.git.trees import Entry

    Bind = Callable[[Path], tuple[Git, Git]]
    """For a private repository: git that talks to the remote, and git that does not."""

_WANTED = "refs/wanted/tip"
_REGULAR = (BLOB, "100755")
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABANDONED = 86_400.0
"""Seconds after which a folder of this kind was left behind by somebody who was killed."""
_ABSENT = ("couldn't find remote ref", "not our ref", "unadvertised object", "no such ref")
_FETCH = (
    "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules",
)  # fmt: skip


class Fetched(NamedTuple):
    """A file that was copied out."""

    sha256: str
    """Of the bytes as they are there."""
    bytes: int


class Source(NamedTuple):
    """Where a file is, and how to get there."""

    remote: Remote
    ref: str
    """As in a URI: a branch, a full name, or the id of a commit."""
    path: str
    bind: Bind
    object_format: str


def fetch_file(
    source: Source, store_root: Path, out_fd: int, env: Mapping[str, str], limits: Limits
) -> Fetched:
    """Copy the file to ``out_fd``.

    Raises NotFoundError where the ref or the path does not exist, RemoteFailedError where the remote does not take
    part, RefusedError for what is no plain file or larger than the limit.
    """
    try:
        return _fetch_file(source, store_root, out_fd, env, limits)
    except RemoteFailedError as error:
        if error.reason != "format":
            raise
    other = "sha256" if source.object_format == "sha1" else "sha1"
    return _fetch_file(source._replace(object_format=other), store_root, out_fd, env, limits)


def _fetch_file(
    source: Source, store_root: Path, out_fd: int, env: Mapping[str, str], limits: Limits
) -> Fetched:
    with _private(store_root, source, env) as job:
        job.limits = limits
        job.fetch_tip()
        with job.local.batch() as batch:
            state = State.of(batch, f"{_WANTED}^{{commit}}", source.object_format)
            oid = _plain(source, state.at(source.path))
        job.have(oid)
        with job.local.batch() as batch:
            found = batch.info(oid)
        if found is None or found.type != "blob":
            raise RemoteFailedError(f"{source.remote.shown} did not send the file {source.path!r}")
        if found.size > limits.bytes:
            raise _too_large(source, limits.bytes)
        sha256, size = job.local.pipe(
            "cat-file", "blob", oid, into=lambda fd: core.copy(fd, out_fd), doing="read the file"
        )
        return Fetched(sha256, size)


def _plain(source: Source, entry: Entry | None) -> str:
    """The blob of the entry, which must be a plain file."""
    where = f"{source.ref} of {source.remote.shown}"
    if entry is None:
        raise NotFoundError(f"there is no file {source.path!r} in {where}", next=_look(source))
    if entry.mode == TREE:
        raise NotFoundError(f"{source.path!r} in {where} is a folder, not a session", next=_look(source))
    if entry.mode not in _REGULAR:
        raise RefusedError(f"{source.path!r} in {where} is a link, not a file: it is not followed")
    return entry.oid


def _look(source: Source) -> list[str]:
    return [f"git ls-remote {quoted(source.remote.shown)} {quoted(source.ref)}"]


def _too_large(source: Source, limit: int) -> RefusedError:
    return RefusedError(
        f"what {source.remote.shown} sends for {source.path!r} is larger than {limit} bytes",
        next=[f"export OPENSESSION_MAX_FETCH={2 * limit}"],
    )


class _Job:
    """The work in one private repository."""

    def __init__(self, source: Source, git_dir: Path) -> None:
        self.source = source
        self.limits = Limits()
        self._git_dir = git_dir
        self._net, self.local = source.bind(git_dir)

    def fetch_tip(self) -> None:
        """The commit and its folders."""
        done = self._transfer(
            *_FETCH, "--depth=1", "--filter=blob:none", PEER, f"+{_full(self.source.ref)}:{_WANTED}"
        )
        if done is not None:
            raise done

    def have(self, oid: str) -> None:
        """The one blob: by its id, or with everything else from a server that gives single objects to nobody."""
        with self.local.batch() as batch:
            if batch.info(oid) is not None:
                return
        if self._transfer(*_FETCH, "--filter=blob:none", PEER, oid) is None:
            return
        failure = self._transfer(
            *_FETCH, "--depth=1", "--refetch", "--no-filter", PEER, f"+{_full(self.source.ref)}:{_WANTED}"
        )
        if failure is not None:
            raise failure

    def _transfer(self, *words: str) -> OpensessionError | None:
        source = self.source
        doing = f"fetch {source.ref}"
        before = _size(self._git_dir)

        def watch() -> None:
            if _size(self._git_dir) - before > self.limits.bytes:
                raise _too_large(source, self.limits.bytes)

        command, *rest = words
        done = transfer(
            self._net, command, *serving(self._net, source.remote), *rest,
            remote=source.remote, doing=doing, limits=self.limits, ok=range(256), watch=watch,
        )  # fmt: skip
        if done.code == 0:
            return None
        said = done.err.decode("utf-8", "replace").lower()
        if any(sign in said for sign in _ABSENT):
            return _no_ref(source)
        return failed(self._net, done, doing, source.remote)


def _no_ref(source: Source) -> NotFoundError:
    if _OBJECT_NAME.fullmatch(source.ref):
        return NotFoundError(
            f"{source.remote.shown} does not have the commit {source.ref}, or gives single commits to nobody",
            next=[f"git ls-remote {quoted(source.remote.shown)}"],
        )
    return NotFoundError(f"{source.remote.shown} has no ref {_full(source.ref)}", next=_look(source))


def _full(ref: str) -> str:
    """A ref of a URI as git spells it: a short name is a branch."""
    return ref if ref.startswith("refs/") or _OBJECT_NAME.fullmatch(ref) else f"refs/heads/{ref}"


def _size(folder: Path) -> int:
    """Bytes in all files below a folder in which somebody is at work."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size
            except OSError:
                continue
    return total


@contextmanager
def _private(store_root: Path, source: Source, env: Mapping[str, str]) -> Iterator[_Job]:
    """A fresh repository for one fetch, removed at the end."""
    root = Path(os.path.realpath(store_root))
    with opened_root(root, make=True) as top:
        assert top is not None
        with top.make("git") as kept:
            _sweep(kept.path)
            with storage(kept.path, "make a folder in"):
                folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=kept.path))
    try:
        Git(None, env=env, trust=Trust.STRANGER, cwd=folder).run(
            "init", "--quiet", "--bare", "--template=", f"--object-format={source.object_format}", "--", "repository",
            doing="make a private repository",
        )  # fmt: skip
        yield _Job(source, folder / "repository")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what others left behind who were killed."""
    for path in folder.glob("fetch-*"):
        try:
            old = time.time() - path.lstat().st_mtime > _ABANDONED
        except OSError:
            continue
        if old:
            shutil.rmtree(path, ignore_errors=True)
