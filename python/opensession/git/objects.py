"""Objects and refs written through git, and made durable.

Owns how bytes become objects (a session from its open file, without passing through this process) and that what was
written survives a power cut. Must not know what the objects mean.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from contextlib import ExitStack

from opensession.errors import IntegrityError, InternalError
from opensession.git import scratch
from opensession.git.environment import BIG
from opensession.git.failures import Held, failure, lock_in
from opensession.git.trees import object_id
from opensession.light import contextmanager, suppress
from opensession.settings import quoted
from opensession.store.folders import storage, sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opensession.git.run import Git, Running

# What streams goes into a pack at the speed of loose objects: a third of the usual time, an eighth more bytes. A reflog
# would keep alive what is taken back.
_WRITE = ("pack.compression=1", "core.logAllRefUpdates=false")
_SLOWEST = 1 << 20
"""Bytes a second that the slowest machine compresses and writes; the time limit for a large object follows."""
_AT_ONCE = 8
_PROCESSES = 4
_WORTH_A_PROCESS = 8
_LONGEST_PAUSE = 0.25
_LONGEST_TURN = 10.0


class Objects:
    """The object database and the refs of one repository, for writing."""

    def __init__(self, git: Git, common_dir: Path, object_format: str) -> None:
        self._git = git.with_(options=_WRITE)
        self.common_dir = common_dir
        self.object_format = object_format
        self._fresh: set[str] = set()
        self._packed = False

    def blob_of(self, fd: int) -> str:
        """The blob of an open plain file. Git reads the descriptor itself: memory stays flat at any size."""
        return self.blobs_of([fd])[0]

    def blobs_of(self, fds: Sequence[int]) -> list[str]:
        """The blobs of open plain files, each a file of its own; a few are written at a time."""
        oids: list[str] = []
        with ExitStack() as stack:
            running: list[Running] = []
            for fd in fds:
                running.append(self._stream(fd))
                stack.callback(running[-1].kill)
                if len(running) - len(oids) == _PROCESSES:
                    oids.append(_id(running[len(oids)]))
            oids += [_id(command) for command in running[len(oids) :]]
        self._fresh.update(oids)
        return oids

    def _stream(self, fd: int) -> Running:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise InternalError("only a plain file can become a blob")
        os.lseek(fd, 0, os.SEEK_SET)
        self._packed = self._packed or status.st_size > BIG
        return self._git.begin(
            "hash-object", "-w", "--no-filters", "--stdin",
            stdin=fd, timeout=60.0 + status.st_size / _SLOWEST, doing="write a session into the repository",
        )  # fmt: skip

    def write(self, kind: str, contents: Sequence[bytes]) -> list[str]:
        """Small objects of one kind."""
        return self.write_all([(kind, contents)])[0]

    def write_all(self, groups: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[str]]:
        """Small objects of several kinds, in some processes at the same time: they wait for the disk and not for each
        other.
        """
        wanted = [
            [object_id(kind, data, self.object_format) for data in contents] for kind, contents in groups
        ]
        with ExitStack() as stack:
            running = [
                (kind, ids[part], self._hash(stack, kind, contents[part]))
                for (kind, contents), ids in zip(groups, wanted, strict=True)
                for part in _parts(len(contents))
            ]
            for kind, ids, command in running:
                if command.end().out.decode().split() != ids:
                    raise InternalError(f"git gave a {kind} another id than it has")
                self._fresh.update(ids)
        return wanted

    def _hash(self, stack: ExitStack, kind: str, contents: Sequence[bytes]) -> Running:
        names = stack.enter_context(_files(contents))
        command = self._git.begin(
            "hash-object", "-t", kind, "-w", "--no-filters", "--stdin-paths",
            stdin=names, timeout=60.0 + len(contents) / 100, doing="write into the repository",
        )  # fmt: skip
        stack.callback(command.kill)
        return command

    def commit(self, tree: str, parents: Sequence[str], message: str, when: int) -> str:
        """Write a commit by this program."""
        return self.write("commit", [commit_of(tree, parents, message, when)])[0]

    def sync(self) -> None:
        """Make everything durable that was written since the last time: files, and the folders that name them.

        Git syncs the files it writes, but not the folders; and it writes nothing where an object exists, which
        somebody else may have left unsynced.
        """
        if self._fresh:
            objects = self.common_dir / "objects"
            folders = {objects / oid[:2] for oid in self._fresh} | (
                {objects / "pack"} if self._packed else set()
            )
            _sync_all([*(objects / oid[:2] / oid[2:] for oid in self._fresh), *folders, objects])
        self._fresh.clear()
        self._packed = False

    def swap(self, ref: str, new: str, old: str | None) -> bool:
        """Set the ref to ``new`` if it still is ``old`` (None: if it does not exist); False if it is not.

        A lock that somebody holds raises :class:`Held`: it may be gone in a moment.
        """
        zero = "0" * len(new)
        # Without --no-deref a symbolic ref would lead the write to a branch.
        words = ("update-ref", "--no-deref", ref, new, old or zero)
        done = self._git.run(*words, ok=range(256), doing=f"set {ref}")
        if done.code == 0:
            self.sync_ref(ref)
            return True
        if b"reference broken" in done.err:
            # Git itself will not remove such a ref.
            raise damaged(ref, "an interrupted write left no id in it", f"rm {quoted(self.common_dir / ref)}")
        if self.tip(ref) != old:
            return False
        for lock in self._locks(ref):
            if os.path.lexists(lock):
                raise Held(lock)
        if lock_in(done.err, self._git.cwd) is not None:
            return False  # it was there, and is gone by now
        raise failure(done, cwd=self._git.cwd, doing=f"set {ref}")

    def _locks(self, ref: str) -> list[Path]:
        """The files by which git locks a ref, in whichever way the repository keeps its refs."""
        names = ("reftable/tables.list.lock", f"{ref}.lock", "packed-refs.lock")
        return [self.common_dir / name for name in names]

    def tip(self, ref: str) -> str | None:
        """What the ref points to now."""
        done = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, ok=(0, 1, 128))
        return done.out.decode().strip() if done.code == 0 else None

    def sync_ref(self, ref: str) -> None:
        """Make durable where the ref points to, in whichever way the repository keeps its refs."""
        table = self.common_dir / "reftable"
        if table.is_dir():
            paths = [*table.iterdir(), table]
        else:
            path = self.common_dir / ref
            above = [folder for folder in path.parents if folder.is_relative_to(self.common_dir)]
            paths = [path, self.common_dir / "packed-refs", *above]
        _sync_all([*paths, self.common_dir])


def _id(command: Running) -> str:
    return command.end().out.decode().strip()


def _parts(count: int) -> list[slice]:
    """Equal parts, so many that each is worth a process."""
    parts = min(_PROCESSES, -(-count // _WORTH_A_PROCESS))
    return [slice(count * n // parts, count * (n + 1) // parts) for n in range(parts)]


def _sync_all(paths: Sequence[Path]) -> None:
    """Make files or folders durable, many at a time: a disk's journal takes them together, and waiting for it is all
    that takes time.
    """
    pending = list(dict.fromkeys(paths))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while pending and not failed:
                _sync(pending.pop())
        except IndexError:
            return  # another one took the last
        except BaseException as error:  # noqa: BLE001  raised below, in the thread that asked
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(min(len(pending), _AT_ONCE) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _sync(path: Path) -> None:
    """Make one file or folder durable, if it is there: an object may be in a pack, a ref in another file."""
    with storage(path, "make durable"), suppress(FileNotFoundError, NotADirectoryError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync(fd)
        finally:
            os.close(fd)


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Let the writers of this program in one repository take turns for the moment in which they change a ref.

    Nothing depends on it: what other programs do is noticed when the ref is set. But whoever is overtaken has written
    trees that nobody needs, and thirty at once would leave thousands behind. So it is not waited for long, and not at
    all where the file system knows no locks.
    """
    fd = -1
    try:
        with suppress(OSError):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            deadline = time.monotonic() + _LONGEST_TURN
            while not _taken(fd) and time.monotonic() < deadline:
                pause(3)
        yield
    finally:
        if fd >= 0:
            os.close(fd)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def damaged(ref: str, how: str, remedy: str) -> IntegrityError:
    """A ref that cannot be followed. It is not replaced here: what it pointed to may still be found."""
    return IntegrityError(f"the ref {ref} is damaged: {how}", next=["git fsck --lost-found", remedy])


def commit_of(tree: str, parents: Sequence[str], message: str, when: int) -> bytes:
    """A commit by this program: it has neither the user's name nor the clock's time."""
    who = f"opensession <opensession@localhost> {when} +0000"
    lines = [
        f"tree {tree}",
        *(f"parent {p}" for p in parents),
        f"author {who}",
        f"committer {who}",
        "",
        message,
    ]
    return ("\n".join(lines) + "\n").encode()


def pause(attempt: int) -> None:
    """Wait a little before the next try, and not as long as the others who lost."""
    most = min(_LONGEST_PAUSE, 0.004 * 2 ** min(attempt, 10))
    time.sleep(most * int.from_bytes(os.urandom(2), "big") / 0xFFFF)


@contextmanager
def _files(contents: Sequence[bytes]) -> Iterator[int]:
    """The contents as files of a private folder, gone at the end: a descriptor from which their names can be read."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch.folder())
        names = [os.path.join(folder, str(number)) for number in range(len(contents))]
        try:
            for name, data in zip(names, contents, strict=True):
                with open(name, "xb") as file:
                    file.write(data)
            listed = stack.enter_context(open(os.path.join(folder, "names"), "x+b"))
            listed.write(os.fsencode("".join(f"{name}\n" for name in names)))
            listed.seek(0)
        except OSError as error:
            raise scratch.failed(error) from error
        yield listed.fileno()
