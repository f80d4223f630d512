"""What the sessions of a store say of themselves is read once for each folder that does not change."""

from __future__ import annotations

import os

import pytest

from opensession.store import Store, described, listing


@pytest.fixture
def store(env, monkeypatch) -> Store:
    """A store whose folders count as settled at once."""
    monkeypatch.setattr(described, "SETTLED_NS", 0)
    return Store(env.store)


@pytest.fixture
def looked_at(monkeypatch) -> list[str]:
    """The sessions whose lines are read."""
    found: list[str] = []
    read = listing.described

    def noted(where, sha256):
        found.append(sha256)
        return read(where, sha256)

    monkeypatch.setattr(listing, "described", noted)
    return found


def addresses(store: Store) -> list[str]:
    return sorted(session.sha256 for session in described.described(store))


def put(store: Store, hail, name: str, **more) -> str:
    header = hail.header(name, **more)
    return store.put_hail(hail.lines(header, hail.event(), hail.stats()))[0].sha256


def test_a_session_is_described_by_its_first_and_last_line(store, hail):
    attributes = {"cwd": "/w", "git": {"remote": "https://git.example/a/b"}, "session_role": "auxiliary"}
    sha256 = put(store, hail, "one", attributes=attributes, title="Toast")
    for _ in range(2):  # from the lines, and from the cache
        [found] = described.described(store)
        [entry] = store.entries()
        assert (found.sha256, found.session_id, found.title, found.bytes) == (
            sha256,
            "one",
            "Toast",
            entry.bytes,
        )
        assert (found.cwd, found.remote, found.role) == ("/w", "https://git.example/a/b", "auxiliary")
        assert (found.created_at, found.updated_at, found.tool) == (
            entry.created_at,
            entry.updated_at,
            entry.tool,
        )


def test_a_folder_that_did_not_change_is_not_looked_into(store, hail, looked_at):
    first = put(store, hail, "one")
    assert addresses(store) == [first]
    assert addresses(store) == [first]
    second = put(store, hail, "two")
    assert addresses(store) == sorted([first, second])
    assert looked_at == [first, second]

    store.rm(first)
    assert addresses(store) == [second]


def test_a_folder_that_changed_just_now_is_looked_into_again(store, hail, looked_at, monkeypatch):
    monkeypatch.setattr(described, "SETTLED_NS", 10**15)
    first = put(store, hail, "one")
    assert addresses(store) == addresses(store) == [first]
    assert looked_at == [first, first]


def test_what_could_not_be_read_is_tried_again(store, hail):
    sha256 = put(store, hail, "one")
    [entry] = store.entries()
    whole = entry.path.read_bytes()
    entry.path.chmod(0o600)
    entry.path.write_bytes(b"nonsense\n")
    assert addresses(store) == []
    entry.path.write_bytes(whole)
    assert addresses(store) == [sha256]


@pytest.mark.parametrize("text", ["no JSON", "[[1, 2]]", "[7]", "7"])
def test_a_row_that_is_none_of_ours_is_not_believed(store, hail, text):
    first, second = put(store, hail, "one"), put(store, hail, "two")
    assert addresses(store) == sorted([first, second])
    import sqlite3

    db = sqlite3.connect(store.root / "described.db")
    db.execute("UPDATE described_1 SET sessions = ? WHERE folder = ?", (text, first[:4]))
    db.commit()
    db.close()
    for _ in range(2):
        assert addresses(store) == sorted([first, second])


def test_a_cache_in_a_store_that_is_only_read_is_neither_used_nor_made(store, hail, looked_at):
    first = put(store, hail, "one")
    addresses(store)
    (store.root / "described.db").rename(store.root / "kept")
    readonly = Store(store.root, readonly=True)
    assert addresses(readonly) == [first]
    assert not (store.root / "described.db").exists()
    (store.root / "kept").rename(store.root / "described.db")
    assert addresses(readonly) == [first]
    assert looked_at == [first, first, first]


def test_names_that_do_not_belong_are_passed_over(store, hail, tmp_path):
    sha256 = put(store, hail, "one")
    fan = store.root / "objects" / "sha256"
    (fan / "zz").mkdir()
    (fan / sha256[:2] / "file").write_text("x")
    (fan / sha256[:2] / sha256[2:4] / ("0" * 64 + ".jsonl")).write_text("x")
    os.symlink(tmp_path, fan / ("0" if sha256[0] != "0" else "1").ljust(2, "0"))
    assert addresses(store) == [sha256]
    assert addresses(Store(tmp_path / "none")) == []
