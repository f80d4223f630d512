"""A private copy of one remote's ledgers, beside the user's repository and never in it.

Owns a bare repository ``<store>/git/<name>/repository`` for each pair of a repository and a remote: it sees the user's
objects (``alternates``), holds what came from that remote and nothing from any other, and is worked on by one process
at a time. It is a cache: whatever is wrong with it, it is thrown away and made again. Must not know what a union is.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from opensession.errors import RemoteFailedError
from opensession.git.objects import Objects
from opensession.git.run import Git, Trust
from opensession.git.transport import PEER, Limits, failed, private, serving, settings_of, transfer
from opensession.git.union import Clean
from opensession.light import contextmanager
from opensession.store.folders import storage
from opensession.store.tree import opened_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opensession.git.batch import Batch
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.git.transport import Setting

FOLDER = "git"
_REPOSITORY = "repository"
_READY = "opensession-ready"
"""Written last, so that what was cut off while it was made is known by its absence."""
_MOST_PACKS = 40
"""Each fetch adds a pack, and each pack slows down every look-up."""
_ABSENT = "couldn't find remote ref"


class Mirror:
    """The open mirror of one remote."""

    def __init__(self, folder: Path, repository: Repository, remote: Remote, settings: list[Setting]) -> None:
        self.git_dir = folder / _REPOSITORY
        self.remote = remote
        self._folder = folder
        self._repository = repository
        # A cache need not survive a power cut; syncing it would take longer than making it again.
        env = repository.git.environment()
        self._net = private(self.git_dir, settings, remote, env).with_(options=("core.fsync=none",))
        # A missing session is no promise here: git before 2.44 would die in an attempt to fetch it.
        self.git = private(self.git_dir, settings, None, env).with_(options=("core.fsync=none",))
        self.objects = Objects(self.git, self.git_dir, repository.object_format)

    def prepare(self) -> None:
        """Make the repository, or make it anew where it is not as it should be."""
        if not self._is_sound():
            self.renew()
        elif sum(1 for _ in (self.git_dir / "objects" / "pack").glob("*.pack")) > _MOST_PACKS:
            # Only with the peer in view git puts up with what it promised and is not here.
            tidier = self._net.with_(protocols=())
            tidier.run("repack", "-a", "-d", "-l", "-q", timeout=600.0, doing="tidy up a private repository")

    def renew(self) -> None:
        """Throw everything away and begin anew."""
        self._discard()
        self._make()

    def _discard(self) -> None:
        import shutil  # with it come three compressors that no push needs

        with storage(self.git_dir, "remove"):
            if self.git_dir.is_dir():
                shutil.rmtree(self.git_dir)
            for name in self._folder.glob("seen-*"):
                name.unlink()

    def _is_sound(self) -> bool:
        # Nobody else works here, so a lock was left behind by somebody who was killed.
        ready = (self.git_dir / _READY).is_file() and self._alternates().is_file()
        return ready and not any(self.git_dir.glob("**/*.lock"))

    def _make(self) -> None:
        format_ = f"--object-format={self._repository.object_format}"
        Git(None, env=self._repository.git.environment(), trust=Trust.STRANGER, cwd=self._folder).run(
            "init", "--quiet", "--bare", "--template=", format_, "--", _REPOSITORY,
            doing="make a private repository",
        )  # fmt: skip
        with storage(self.git_dir, "write to"):
            self._alternates().parent.mkdir(exist_ok=True)
            self._alternates().write_bytes(_as_line(self._repository.common_dir / "objects"))
            self.nothing_shallow().touch()
            (self.git_dir / _READY).touch()

    def nothing_shallow(self) -> Path:
        """An empty list of shallow commits (see :class:`Pushing`)."""
        return self.git_dir / "opensession-shallow"

    def _alternates(self) -> Path:
        return self.git_dir / "objects" / "info" / "alternates"

    @contextmanager
    def alone(self) -> Iterator[Batch]:
        """Objects out of this repository without those of the user's: what came from the remote or was made here."""
        aside = self._alternates().with_name("opensession-aside")
        with storage(aside, "rename"):
            self._alternates().rename(aside)
        try:
            with self.git.batch() as batch:
                yield batch
        finally:
            with storage(aside, "rename"):
                aside.rename(self._alternates())

    def copy_of(self, ref: str) -> str:
        """Where the remote's ``ref`` is kept here."""
        return f"refs/remotes/{PEER}/{ref.removeprefix('refs/')}"

    def fetch(self, ref: str, limits: Limits, *, blobs: bool = False, again: bool = False) -> str | None:
        """Bring the copy of the remote's ref up to date and return its commit; None where the remote has none.

        Sessions stay where they are, if the server can leave them out, unless ``blobs`` asks for them; ``again`` asks
        for what should be here already.
        """
        try:
            return self._fetch(ref, limits, blobs=blobs, again=again)
        except RemoteFailedError as error:
            if error.reason != "other":
                raise
        # It may be us: what is kept here leans on objects of the user's repository, which may be gone by now.
        self.renew()
        return self._fetch(ref, limits, blobs=blobs, again=again)

    def _fetch(self, ref: str, limits: Limits, *, blobs: bool, again: bool) -> str | None:
        words = ["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
        words += [
            "--no-recurse-submodules",
            "--no-filter" if blobs else "--filter=blob:none",
            *(["--refetch"] if again else []),
            *serving(self._net, self.remote),
        ]
        doing = "fetch the remote's ledger"
        spec = f"+{ref}:{self.copy_of(ref)}"
        done = transfer(
            self._net, *words, PEER, spec, remote=self.remote, doing=doing, limits=limits, ok=range(256)
        )
        if done.code == 0:
            return self.objects.tip(self.copy_of(ref))
        if _ABSENT not in done.err.decode("utf-8", "replace"):
            raise failed(self._net, done, doing, self.remote)
        self.git.run("update-ref", "-d", self.copy_of(ref))
        return None

    def fetch_blobs(self, oids: Sequence[str], limits: Limits) -> None:
        """Have these blobs here as well."""
        with self.git.batch() as batch:
            missing = [oid for oid in oids if batch.info(oid) is None]
        if missing:
            transfer(
                self._net, "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                "--no-recurse-submodules", "--filter=blob:none", *serving(self._net, self.remote), "--stdin", PEER,
                remote=self.remote, doing="fetch what differs", limits=limits,
                stdin="".join(f"{oid}\n" for oid in missing).encode(),
            )  # fmt: skip

    def remember(self, ref: str, tip: str) -> None:
        """The remote's ref is known to be at ``tip`` now."""
        self.git.run("update-ref", "--no-deref", self.copy_of(ref), tip)

    def seen(self, ref: str) -> Clean | None:
        """The tree of this ref that was looked through last."""
        try:
            root, _, entries = self._seen_file(ref).read_text("ascii").strip().partition(" ")
        except (OSError, UnicodeDecodeError):
            return None
        with self.git.batch() as batch:
            found = batch.info(root) if root.isalnum() else None
        return Clean(root, int(entries)) if found and found.type == "tree" and entries.isdecimal() else None

    def saw(self, ref: str, clean: Clean) -> None:
        """Remember a tree that was looked through."""
        path = self._seen_file(ref)
        with storage(path, "write"):
            fresh = path.with_suffix(".new")
            fresh.write_text(f"{clean.root} {clean.entries}\n", "ascii")
            fresh.replace(path)

    def _seen_file(self, ref: str) -> Path:
        return self._folder / f"seen-{hashlib.sha256(ref.encode()).hexdigest()[:16]}"


@contextmanager
def mirror_of(repository: Repository, store_root: Path, remote: Remote) -> Iterator[Mirror]:
    """The mirror of ``remote``, locked: a second process waits, and raises BusyError when that takes too long."""
    root = Path(os.path.realpath(store_root))
    with opened_root(root, make=True) as top:
        assert top is not None
        with top.make(FOLDER) as kept, kept.make(_key(repository, remote)) as own, own.locked(exclusive=True):
            mirror = Mirror(own.path, repository, remote, settings_of(repository))
            mirror.prepare()
            yield mirror


def held(repository: Repository, store_root: Path, remote: Remote) -> int:
    """How many of the remote's ledgers are kept here; nothing is made, fetched or waited for."""
    kept = kept_for(repository, store_root, remote)
    return 0 if kept is None else len(ledgers_in(kept))


def kept_for(repository: Repository, store_root: Path, remote: Remote) -> Git | None:
    """The private repository as it is, to be read only; None where there is none."""
    git_dir = store_root / FOLDER / _key(repository, remote) / _REPOSITORY
    if not (git_dir / _READY).is_file():
        return None
    return Git(git_dir, env=repository.git.environment(), trust=Trust.STRANGER)


def ledgers_in(kept: Git) -> dict[str, str]:
    """The remote's ledgers that are kept: the ref there, and its commit."""
    ours = f"refs/remotes/{PEER}/"
    listed = kept.text(
        "for-each-ref", "--format=%(objectname) %(refname)", "--", ours + "opensession/branches/"
    )
    pairs = (line.partition(" ") for line in listed.splitlines())
    return {"refs/" + ref.removeprefix(ours): oid for oid, _, ref in pairs}


def _key(repository: Repository, remote: Remote) -> str:
    """The name of the folder of one repository's copy of one remote."""
    key = f"{repository.common_dir}\0{remote.normal}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(key).hexdigest()[:32]


def _as_line(folder: Path) -> bytes:
    """A folder as a line of ``alternates``; one with a line end in it is quoted as git does."""
    name = os.fsencode(folder)
    if b"\n" not in name and not name.startswith(b'"'):
        return name + b"\n"
    escaped = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"\n'
