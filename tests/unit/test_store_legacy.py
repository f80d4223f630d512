"""An older program's objects in a work tree: read where nobody else can have put them there, never written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from opensession.errors import IntegrityError, NotFoundError, RefusedError
from opensession.settings import find_repository
from opensession.store import Store, Stores
from opensession.store.legacy import is_tracked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(env) -> Path:
    folder = env.work / "repo"
    env.git("init", "-q", "-b", "main", str(folder))
    return folder


@pytest.fixture
def old(env, repo, hail) -> str:
    """The address of an object as an older program leaves it: not canonical, and readable by all."""
    import hashlib

    data = hail.session("old")
    sha256 = hashlib.sha256(data).hexdigest()
    path = repo / ".opensession" / "objects" / "sha256" / sha256[:2] / sha256[2:4] / f"{sha256}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return sha256


def discover(env, cwd: Path) -> Stores:
    return Stores.discover(cwd, env.variables)


def tree(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_mtime_ns) for p in folder.rglob("*"))


def test_an_old_object_is_found_after_the_two_stores(env, repo, old):
    stores = discover(env, repo)

    assert [s.root for s in stores] == [repo / ".git" / "opensession", env.store, repo / ".opensession"]
    store, sha256 = stores.find(old[:8])
    assert (store.root, sha256) == (repo / ".opensession", old)
    store.check(old)
    assert [e.session_id for e in stores.ls()] == ["old"]


def test_reading_leaves_the_folder_as_it_was(env, repo, old):
    before = tree(repo / ".opensession")
    stores = discover(env, repo)
    list(stores.ls())
    store, _ = stores.find(old)
    store.open(old).close()
    store.open(old).close()
    store.fsck()

    assert tree(repo / ".opensession") == before


def test_it_is_never_written_to(env, repo, old, hail):
    stores = discover(env, repo)
    store, _ = stores.find(old)

    assert stores.write.root == repo / ".git" / "opensession"
    for work in (lambda: store.put_hail(hail.session()), lambda: store.rm(old), lambda: store.gc(apply=True)):
        with pytest.raises(RefusedError):
            work()


def test_its_bytes_are_checked_like_any_others(env, repo, old):
    store, _ = discover(env, repo).find(old)
    path = store.path_of(old)
    path.write_bytes(path.read_bytes().replace(b"hello", b"jello"))

    with pytest.raises(IntegrityError):
        store.open(old)


def test_modes_there_are_not_ours_to_judge(env, repo, old):
    store, _ = discover(env, repo).find(old)
    store.path_of(old).chmod(0o644)
    (repo / ".opensession" / "VERSION").write_text("1\n")

    assert store.fsck().findings == ()
    assert store.fsck().objects == 1


def test_a_whole_address_is_found_though_a_further_store_cannot_be_read(env, repo, hail):
    [stored] = discover(env, repo).write.put_hail(hail.session())
    env.store.mkdir(parents=True)
    (env.store / "VERSION").write_text("9\n")

    assert discover(env, repo).find(stored.sha256)[1] == stored.sha256
    with pytest.raises(RefusedError, match="version 1"):
        discover(env, repo).find(stored.sha256[:8])


def test_a_version_file_there_means_nothing(env, repo, old):
    (repo / ".opensession" / "VERSION").write_text("9\n")
    store, _ = discover(env, repo).find(old)

    store.check(old)


def test_a_checked_db_there_is_not_believed(env, repo, old):
    store, _ = discover(env, repo).find(old)
    path = store.path_of(old)
    os.utime(path, (1e9, 1e9))
    trusting = Store(repo / ".opensession")
    trusting.open(old).close()
    assert (repo / ".opensession" / "checked.db").exists()
    state = path.stat()
    path.write_bytes(b"x" * state.st_size)
    import sqlite3

    now = path.stat()
    db = sqlite3.connect(repo / ".opensession" / "checked.db")
    db.execute(
        "UPDATE passed SET inode=?, mtime_ns=?, ctime_ns=?", (now.st_ino, now.st_mtime_ns, now.st_ctime_ns)
    )
    db.commit()
    db.close()

    with pytest.raises(IntegrityError):
        store.open(old)


def reason(env, repo: Path) -> str:
    stores = discover(env, repo)
    assert [s.root for s in stores] == [repo / ".git" / "opensession", env.store]
    [(folder, why)] = stores.not_read
    assert folder == repo / ".opensession"
    return why


def test_one_that_git_tracks_is_not_read_and_the_error_says_so(env, repo, old):
    env.git("add", "-f", ".opensession", cwd=repo)

    assert "git tracks it" in reason(env, repo)
    with pytest.raises(NotFoundError, match="git tracks it"):
        discover(env, repo).find(old)


def test_one_tracked_file_is_enough(env, repo, old):
    (repo / ".opensession" / "config.toml").write_text("")
    env.git("add", "-f", ".opensession/config.toml", cwd=repo)

    assert "git tracks it" in reason(env, repo)


def test_one_that_is_a_link_is_not_read(env, repo, old):
    (repo / ".opensession").rename(env.work / "elsewhere")
    (repo / ".opensession").symlink_to(env.work / "elsewhere")

    assert "symbolic link" in reason(env, repo)


def test_one_whose_objects_are_a_link_is_not_read(env, repo, old):
    (repo / ".opensession" / "objects").rename(env.work / "elsewhere")
    (repo / ".opensession" / "objects").symlink_to(env.work / "elsewhere")

    assert "symbolic link" in reason(env, repo)


def test_one_that_another_user_owns_is_not_read(env, repo, old, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    assert "another user" in reason(env, repo)


def test_one_whose_index_cannot_be_read_is_not_read(env, repo, old):
    (repo / ".git" / "index").write_bytes(b"DIRC\0\0\0\x09nonsense")

    assert "cannot be told" in reason(env, repo)


def test_a_config_alone_is_no_store(env, repo):
    (repo / ".opensession").mkdir()
    (repo / ".opensession" / "config.toml").write_text("")

    assert [s.root for s in discover(env, repo)] == [repo / ".git" / "opensession", env.store]
    assert discover(env, repo).not_read == ()


# ---- reading git's index without git ----

NAMES = [
    ".opensesame",
    ".opensession-not",
    "a/.opensession/x",
    f"{'a' * 150}/{'b' * 150}",
    "z",
    "é/ü",
    ".opensessio/n",
]


def fill(repo: Path, names: list[str]) -> None:
    for name in names:
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("x")


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("tracked", [False, True])
def test_the_index_is_read_in_every_version(env, version, object_format, tracked):
    repo = env.work / "repo"
    env.git("init", "-q", f"--object-format={object_format}", str(repo))
    names = [*NAMES, ".opensession/objects/x"] if tracked else NAMES
    fill(repo, names)
    env.git("add", ".", cwd=repo)
    if version == "3":
        env.git("update-index", "--skip-worktree", "z", cwd=repo)  # an extended flag makes it version 3
    else:
        env.git("update-index", "--index-version", version, cwd=repo)
    assert int.from_bytes((repo / ".git" / "index").read_bytes()[4:8], "big") == int(version)

    assert is_tracked(find_repository(repo, env.variables)) is tracked


def test_a_split_index_is_read_with_its_shared_part(env, repo):
    fill(repo, [*NAMES, ".opensession/objects/x"])
    env.git("add", ".", cwd=repo)
    env.git("update-index", "--split-index", cwd=repo)
    assert list((repo / ".git").glob("sharedindex.*"))

    assert is_tracked(find_repository(repo, env.variables))


def test_an_empty_or_missing_index_tracks_nothing(env, repo):
    assert not is_tracked(find_repository(repo, env.variables))
    fill(repo, ["a"])
    env.git("add", "a", cwd=repo)
    env.git("rm", "-q", "--cached", "a", cwd=repo)
    assert not is_tracked(find_repository(repo, env.variables))


def test_a_linked_worktree_has_an_index_of_its_own(env, repo):
    fill(repo, ["a"])
    env.git("add", "a", cwd=repo)
    env.git("commit", "-q", "-m", "one", cwd=repo)
    linked = env.work / "linked"
    env.git("worktree", "add", "-q", str(linked), cwd=repo)
    fill(linked, [".opensession/objects/x"])
    env.git("add", "-f", ".opensession", cwd=linked)

    assert is_tracked(find_repository(linked, env.variables))
    assert not is_tracked(find_repository(repo, env.variables))
