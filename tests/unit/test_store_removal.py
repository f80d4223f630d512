"""Taking away: what may go, what may not, and that nothing goes by accident."""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from opensession.errors import BusyError, NotFoundError, RefusedError, UsageError
from opensession.store import Store, folders

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


def artifact(store: Store, *sessions: str, name: str = "a" * 64) -> Path:
    """Leave an artifact that cites sessions; its hash does not matter to who reads its sources."""
    path = store.root / "artifacts" / "sha256" / name[:2] / name[2:4] / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"type": "artifact", "version": "handoff-1.0.0", "sources": [{"sha256": s} for s in sessions]}
    path.write_text(json.dumps(head) + '\n{"type":"summary"}\n')
    return path


def temporary(store: Store, folder: str = "objects/sha256", name: str = ".tmp-0123456789abcdef-0") -> Path:
    path = store.root / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    return path


def kinds(report) -> list[str]:
    return [item.kind for item in report.items]


# ---- rm ----


def test_rm_removes_the_object_and_says_what_it_was(store, hail):
    [stored] = store.put_hail(hail.session())
    removed = store.rm(stored.sha256)

    assert (removed.uri, removed.sha256, removed.bytes) == (stored.uri, stored.sha256, stored.bytes)
    assert not stored.path.exists()
    with pytest.raises(NotFoundError):
        store.rm(stored.sha256)


def test_rm_is_refused_while_an_artifact_cites_the_session_and_names_it(store, hail):
    cited, other = store.put_hail(hail.session("cited") + hail.session("other"))
    artifact(store, "0" * 64, cited.sha256)

    with pytest.raises(RefusedError, match="os://artifact/" + "a" * 64) as caught:
        store.rm(cited.sha256)
    assert caught.value.exit_code == 6
    assert caught.value.next == (f"opensession rm --force {cited.uri}",)
    assert cited.path.exists()
    store.rm(other.sha256)
    store.rm(cited.sha256, force=True)
    assert not cited.path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"no json\n", b'{"type":"artifact"}\n', b'{"sources":[{"sha256":7}]}\n']
)
def test_rm_is_refused_while_an_artifact_cannot_be_read(store, hail, content):
    [stored] = store.put_hail(hail.session())
    artifact(store).write_bytes(content)

    with pytest.raises(RefusedError, match="cannot be read"):
        store.rm(stored.sha256)
    store.rm(stored.sha256, force=True)


def test_rm_of_a_damaged_object_is_possible(store, hail):
    [stored] = store.put_hail(hail.session())
    stored.path.unlink()
    stored.path.touch()
    store.rm(stored.sha256)

    assert not stored.path.exists()


# ---- gc ----


def test_gc_without_apply_removes_nothing(store, hail):
    store.put_hail(hail.session())
    path = temporary(store)
    report = store.gc()

    assert kinds(report) == ["temporary"]
    assert not report.applied
    assert report.bytes == len(b"left behind")
    assert path.exists()


@pytest.mark.parametrize("folder", [".", "objects/sha256", "artifacts/sha256"])
def test_gc_removes_temporary_files_that_were_left_behind(store, hail, folder):
    store.put_hail(hail.session())
    path = temporary(store, folder)
    report = store.gc(apply=True)

    assert [i.path.name for i in report.items] == [path.name]
    assert not path.exists()
    assert len(list(store.ls())) == 1


def test_gc_leaves_the_temporary_file_of_a_living_writer(store, hail, monkeypatch):
    from opensession.store import batch

    reports = []
    original = batch.Batch.publish

    def look(self, infos):
        reports.append(store.gc(apply=True))
        return original(self, infos)

    monkeypatch.setattr(batch.Batch, "publish", look)
    [stored] = store.put_hail(hail.session())

    assert [r.items for r in reports] == [()]
    store.check(stored.sha256)


def test_gc_leaves_all_temporary_files_of_a_stream_of_many_sessions(store, hail, monkeypatch):
    from opensession.store import batch

    seen = []
    original = batch.Batch.publish

    def look(self, infos):
        open_now = sum(f.fd >= 0 for f in self._files)
        seen.append((len(self._files), open_now, store.gc(apply=True).items))
        return original(self, infos)

    monkeypatch.setattr(batch.Batch, "publish", look)
    stored = store.put_hail(b"".join(hail.session(f"s-{n}", 1) for n in range(100)))

    assert seen == [(100, 32, ())]
    assert [s.info["session_id"] for s in stored] == [f"s-{n}" for n in range(100)]
    assert len({s.sha256 for s in stored}) == 100
    for each in stored:
        store.check(each.sha256)
    assert store.fsck().findings == ()


def test_gc_takes_every_file_of_a_group_whose_writer_is_gone(store, hail):
    store.put_hail(hail.session())
    for number in (0, 1, 2):
        temporary(store, name=f".tmp-0123456789abcdef-{number}")
    temporary(store, name=".tmp-fedcba9876543210-7")  # its first file was published, then its writer died
    temporary(store, name=".tmp-odd")

    assert kinds(store.gc(apply=True)) == ["temporary"] * 5
    assert [p.name for p in store.root.rglob(".tmp-*")] == []


def test_a_writer_whose_new_file_gc_took_makes_another(store, hail, monkeypatch):
    from opensession.store import temporary as module

    original = fcntl.flock
    taken = []

    def flock(fd, how):
        if not taken:
            [path] = (store.root / "objects" / "sha256").glob(".tmp-*")
            path.unlink()
            taken.append(path.name)
        return original(fd, how)

    store.put_hail(hail.session("before"))
    monkeypatch.setattr(module.fcntl, "flock", flock)
    [stored] = store.put_hail(hail.session())

    assert taken
    store.check(stored.sha256)


def test_gc_keeps_quarantine_for_thirty_days(store, hail):
    [stored] = store.put_hail(hail.session())
    stored.path.chmod(0o600)
    stored.path.write_bytes(b"bad")
    os.utime(stored.path, (1e9, 1e9))  # the bytes are old; what counts is when they came in
    store.put_hail(hail.session())
    [kept] = (store.root / "quarantine").iterdir()
    now = time.time()

    assert store.gc(apply=True, now=now + 29 * DAY).items == ()
    assert kept.exists()
    assert kinds(store.gc(apply=True, now=now + 31 * DAY)) == ["quarantine"]
    assert not kept.exists()


def test_a_temporary_file_beside_an_object_is_found_and_goes(store, hail):
    [stored] = store.put_hail(hail.session())
    cited = artifact(store, stored.sha256)
    left = [folder / ".tmp-0123" for folder in (stored.path.parent, stored.path.parents[1], cited.parent)]
    for path in left:
        path.write_bytes(b"left behind")

    assert {f.path for f in store.fsck().findings if f.kind == "temporary"} == set(left)
    assert {item.path for item in store.gc(apply=True).items} == set(left)
    assert not any(path.exists() for path in left)
    assert stored.path.exists()


def test_a_temporary_file_beside_an_object_stays_while_its_writer_lives(store, hail):
    [stored] = store.put_hail(hail.session())
    mine = stored.path.parent / ".tmp-0123456789abcdef-0"
    mine.write_bytes(b"being written")
    with mine.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert store.gc(apply=True).items == ()
        assert store.fsck().findings == ()
    assert mine.exists()


def test_gc_never_takes_sessions_or_artifacts_unasked(store, hail):
    [stored] = store.put_hail(hail.session())
    path = artifact(store, stored.sha256)
    os.utime(stored.path, (0, 0))
    os.utime(path, (0, 0))

    assert store.gc(apply=True).items == ()
    assert stored.path.exists()
    assert path.exists()


def test_gc_of_sessions_goes_by_age_and_keeps_what_is_cited(store, hail):
    old, cited, new = store.put_hail(hail.session("old") + hail.session("cited") + hail.session("new"))
    for each in (old, cited):
        os.utime(each.path, (time.time() - 40 * DAY,) * 2)
    path = artifact(store, cited.sha256)
    dry = store.gc(sessions=True, older_than=30 * DAY)
    done = store.gc(apply=True, sessions=True, older_than=30 * DAY)

    assert kinds(dry) == kinds(done) == ["session"]
    assert (dry.kept_cited, done.kept_cited) == (1, 1)
    assert not old.path.exists()
    assert cited.path.exists()
    assert new.path.exists()
    assert path.exists()


def test_a_session_that_was_registered_again_is_not_old(store, hail):
    [stored] = store.put_hail(hail.session())
    os.utime(stored.path, (0, 0))
    assert store.put_hail(hail.session())[0].existed

    assert store.gc(apply=True, sessions=True, older_than=DAY).items == ()


def test_a_session_that_is_registered_while_gc_runs_stays(store, hail, monkeypatch):
    [stored] = store.put_hail(hail.session())
    os.utime(stored.path, (0, 0))
    original = folders.Folder.locked

    def locked(self, *, exclusive):
        if exclusive:
            os.utime(stored.path)  # what a put does, just before the lock is had
        return original(self, exclusive=exclusive)

    monkeypatch.setattr(folders.Folder, "locked", locked)
    report = store.gc(apply=True, sessions=True, older_than=DAY)

    assert report.items == ()
    assert stored.path.exists()


def test_gc_of_sessions_is_refused_while_an_artifact_cannot_be_read(store, hail):
    [stored] = store.put_hail(hail.session())
    os.utime(stored.path, (0, 0))
    artifact(store).write_text("nonsense")

    with pytest.raises(RefusedError):
        store.gc(apply=True, sessions=True, older_than=DAY)
    assert stored.path.exists()


@pytest.mark.parametrize(
    "options", [{"sessions": True}, {"older_than": 1.0}, {"sessions": True, "older_than": -1.0}]
)
def test_sessions_and_an_age_go_together(store, hail, options):
    store.put_hail(hail.session())
    with pytest.raises(UsageError):
        store.gc(apply=True, **options)


def test_taking_away_waits_for_publishing_and_gives_up_after_a_while(store, hail, monkeypatch):
    [stored] = store.put_hail(hail.session())
    monkeypatch.setattr(folders, "_LOCK_PATIENCE", 0.05)
    fd = os.open(store.root, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        with pytest.raises(BusyError) as caught:
            store.rm(stored.sha256)
    finally:
        os.close(fd)

    assert caught.value.exit_code == 9
    assert stored.path.exists()
    store.rm(stored.sha256)


# ---- fsck ----


def findings(report) -> set[tuple[str, bool, bool]]:
    return {(f.kind, f.repaired, f.serious) for f in report.findings}


def test_fsck_counts_what_it_checked(store, hail):
    stored = store.put_hail(hail.session("one") + hail.session("two"))
    report = store.fsck()

    assert (report.objects, report.artifacts) == (2, 0)
    assert report.bytes == sum(s.bytes for s in stored)
    assert report.findings == ()
    assert report.ok


def test_fsck_repair_sets_wrong_bytes_aside_and_keeps_them(store, hail):
    good, bad = store.put_hail(hail.session("good") + hail.session("bad"))
    bad.path.chmod(0o600)
    bad.path.write_bytes(b"rubbish")
    bad.path.chmod(0o400)
    found = store.fsck()
    assert findings(found) == {("wrong_bytes", False, True)}
    assert not found.ok
    repaired = store.fsck(repair=True)

    assert findings(repaired) == {("wrong_bytes", True, True)}
    assert repaired.ok
    assert not bad.path.exists()
    assert [p.read_bytes() for p in (store.root / "quarantine").iterdir()] == [b"rubbish"]
    store.check(good.sha256)
    assert store.fsck().findings == ()


def test_a_file_where_a_folder_belongs_is_a_finding_and_no_end(store, hail):
    [stored] = store.put_hail(hail.session())
    stray = stored.path.parents[2] / ("00" if stored.sha256[:2] != "00" else "01")
    stray.write_bytes(b"")

    assert [(f.kind, f.path) for f in store.fsck().findings] == [("stray", stray)]
    assert [entry.sha256 for entry in store.ls()] == [stored.sha256]


def test_fsck_checks_artifacts_too(store, hail):
    store.put_hail(hail.session())
    path = artifact(store)
    path.chmod(0o400)
    for folder in (path.parent, *path.parent.parents[:3]):
        folder.chmod(0o700)
    report = store.fsck()

    assert report.artifacts == 1
    assert [(f.kind, f.path.name) for f in report.findings] == [("wrong_bytes", path.name)]


def test_fsck_finds_and_mends_modes(store, hail):
    [stored] = store.put_hail(hail.session())
    stored.path.chmod(0o644)
    stored.path.parent.chmod(0o755)
    store.root.chmod(0o750)
    found = store.fsck()
    assert [f.kind for f in found.findings] == ["wrong_mode"] * 3
    assert not found.ok
    assert store.fsck(repair=True).ok
    assert store.fsck().findings == ()


def test_fsck_names_strays_links_and_temporary_files(store, hail, env):
    [stored] = store.put_hail(hail.session())
    (stored.path.parent / "note.txt").touch()
    (stored.path.parent / f"{'0' * 64}.jsonl").symlink_to(env.work)
    temporary(store)
    report = store.fsck()

    assert findings(report) == {
        ("stray", False, False),
        ("symlink", False, True),
        ("temporary", False, False),
    }
    store.fsck(repair=True)
    assert (stored.path.parent / "note.txt").exists(), "what somebody else put there is not ours to take"
    assert store.fsck().ok


def test_fsck_repair_leaves_an_object_that_was_replaced_meanwhile(store, hail, monkeypatch):
    from opensession.store import fsck

    [stored] = store.put_hail(hail.session())
    good = stored.path.read_bytes()
    stored.path.chmod(0o600)
    stored.path.write_bytes(b"rubbish")
    original = fsck.set_aside

    def replaced(tree, folder, name, bad, *, move):
        fresh = stored.path.with_name("fresh")
        fresh.write_bytes(good)
        fresh.chmod(0o400)
        fresh.rename(stored.path)  # what a put does
        return original(tree, folder, name, bad, move=move)

    monkeypatch.setattr(fsck, "set_aside", replaced)
    store.fsck(repair=True)

    store.check(stored.sha256)


def test_fsck_says_how_far_it_is(store, hail):
    stored = store.put_hail(hail.session("one") + hail.session("two"))
    seen = []
    store.fsck(progress=lambda done, total: seen.append((done, total)))

    total = sum(s.bytes for s in stored)
    assert seen
    assert all(t == total and d <= total for d, t in seen)
