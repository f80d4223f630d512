"""The cache of checked files: it may only ever save time."""

from __future__ import annotations

import os
import sqlite3
import stat
import time

import pytest

from opensession.errors import IntegrityError
from opensession.store import Store, reading


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


@pytest.fixture
def settled(store, hail):
    """An object whose last change is long ago."""
    [stored] = store.put_hail(hail.session())
    os.utime(stored.path, (1e9, 1e9))
    return stored


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """The addresses of the objects that were hashed."""
    seen: list[str] = []
    original = reading.check

    def check(tree, stored, progress=None):
        seen.append(stored.sha256)
        original(tree, stored, progress)

    monkeypatch.setattr(reading, "check", check)
    return seen


def rows(store: Store) -> list[tuple[object, ...]]:
    db = sqlite3.connect(store.root / "checked.db")
    try:
        return db.execute("SELECT * FROM passed").fetchall()
    finally:
        db.close()


def flip(path) -> None:
    """Change a byte and keep the size; the mode and the name stay."""
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    path.chmod(0o400)


def test_the_second_opening_does_not_hash_again(store, settled, hashed):
    store.open(settled.sha256).close()
    store.open(settled.sha256).close()

    assert hashed == [settled.sha256]


def test_a_row_is_the_identity_of_the_file_and_its_address(store, settled):
    store.open(settled.sha256).close()
    s = settled.path.stat()

    assert rows(store) == [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, settled.sha256)]


def test_no_row_is_written_within_two_seconds_of_the_last_change(store, hail, hashed):
    [stored] = store.put_hail(hail.session())
    store.open(stored.sha256).close()
    store.open(stored.sha256).close()

    assert hashed == [stored.sha256] * 2
    assert not (store.root / "checked.db").exists()


def test_no_row_is_written_for_a_file_from_the_future(store, hail, hashed):
    [stored] = store.put_hail(hail.session())
    os.utime(stored.path, (time.time() + 3600,) * 2)
    store.open(stored.sha256).close()
    store.open(stored.sha256).close()

    assert hashed == [stored.sha256] * 2


def test_a_changed_file_is_checked_again_and_found(store, settled):
    store.open(settled.sha256).close()
    flip(settled.path)

    with pytest.raises(IntegrityError):
        store.open(settled.sha256)


def test_a_changed_file_with_its_old_time_set_back_is_checked_again(store, settled):
    store.open(settled.sha256).close()
    flip(settled.path)
    os.utime(settled.path, (1e9, 1e9))

    with pytest.raises(IntegrityError):
        store.open(settled.sha256)


def test_another_file_under_the_name_is_checked_again(store, settled, hail):
    store.open(settled.sha256).close()
    other = settled.path.with_name("other")
    other.write_bytes(b"x" * settled.bytes)
    os.utime(other, (1e9, 1e9))
    other.rename(settled.path)

    with pytest.raises(IntegrityError):
        store.open(settled.sha256)


def test_a_file_that_passed_under_another_address_is_checked_for_this_one(store, hail):
    first, second = store.put_hail(hail.session("one") + hail.session("two"))
    os.utime(first.path, (1e9, 1e9))
    store.open(first.sha256).close()
    second.path.unlink()
    os.link(first.path, second.path)

    with pytest.raises(IntegrityError):
        store.open(second.sha256)


def test_check_always_hashes(store, settled, hashed):
    store.open(settled.sha256).close()
    store.check(settled.sha256)

    assert hashed == [settled.sha256] * 2


def test_copying_an_object_does_not_write_the_cache(store, settled):
    out = os.open(os.devnull, os.O_WRONLY)
    try:
        store.copy_to(settled.sha256, out)
    finally:
        os.close(out)

    assert not (store.root / "checked.db").exists()


def test_fsck_fills_the_cache(store, settled, hashed):
    store.fsck()
    store.open(settled.sha256).close()

    assert hashed == []


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_damaged_cache_is_replaced(store, settled, hashed, content):
    (store.root / "checked.db").write_bytes(content)
    store.open(settled.sha256).close()
    store.open(settled.sha256).close()

    assert hashed == [settled.sha256]


def test_a_cache_with_other_columns_is_replaced(store, settled, hashed):
    db = sqlite3.connect(store.root / "checked.db")
    db.execute("CREATE TABLE passed (x)")
    db.commit()
    db.close()

    store.open(settled.sha256).close()
    store.open(settled.sha256).close()

    assert hashed == [settled.sha256]


def test_a_locked_cache_is_no_error(store, settled, hashed):
    store.open(settled.sha256).close()
    db = sqlite3.connect(store.root / "checked.db")
    db.execute("BEGIN EXCLUSIVE")
    try:
        store.open(settled.sha256).close()
    finally:
        db.close()

    assert hashed == [settled.sha256] * 2


def test_a_link_in_place_of_the_cache_is_not_followed(store, settled, env):
    victim = env.work / "victim"
    (store.root / "checked.db").symlink_to(victim)
    store.open(settled.sha256).close()

    assert not victim.exists()


def test_the_cache_and_its_side_files_are_for_the_owner_only(store, settled):
    before = os.umask(0)
    try:
        store.open(settled.sha256).close()
        db = sqlite3.connect(store.root / "checked.db")
        db.execute("DELETE FROM passed")  # begins a transaction: the journal exists now
        side = [p for p in store.root.iterdir() if p.name.startswith("checked.db")]
        modes = {p.name: oct(stat.S_IMODE(p.stat().st_mode)) for p in side}
        db.close()
    finally:
        os.umask(before)

    assert len(modes) >= 2
    assert set(modes.values()) == {"0o600"}


def test_deleting_the_cache_costs_one_check(store, settled, hashed):
    store.open(settled.sha256).close()
    (store.root / "checked.db").unlink()
    store.open(settled.sha256).close()

    assert hashed == [settled.sha256] * 2


def test_a_readonly_store_neither_reads_nor_writes_the_cache(store, settled, hashed):
    reader = Store(store.root, readonly=True)
    reader.open(settled.sha256).close()
    reader.open(settled.sha256).close()

    assert hashed == [settled.sha256] * 2
    assert not (store.root / "checked.db").exists()
