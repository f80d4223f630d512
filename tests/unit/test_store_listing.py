"""Lists: one entry an object, and of several readings of one log only the current one."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.store import Entry, Store, Stores, listing


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


def source(parser: str = "codex/1", blake3: str = "b" * 64, size: int = 100) -> dict[str, object]:
    return {
        "agent": parser.split("/", maxsplit=1)[0],
        "blake3": blake3,
        "bytes": size,
        "format": "rollout-jsonl",
        "parser": parser,
        "records": {"blank": 0, "damaged": 0, "folded": 0, "mapped": 1, "opaque": 0, "read": 1},
    }


def test_an_entry_says_what_the_first_and_the_last_line_say(store, hail):
    [stored] = store.put_hail(hail.session("s-9", 3, title="Fix the toaster", source=source()))
    [entry] = store.ls()

    assert entry.sha256 == stored.sha256
    assert entry.uri == stored.uri
    assert entry.bytes == stored.bytes
    assert entry.path == stored.path
    assert (entry.session_id, entry.tool, entry.model) == ("s-9", "toaster", "m-1")
    assert (entry.title, entry.event_count) == ("Fix the toaster", 3)
    assert entry.updated_at == "2026-01-02T03:04:05Z"
    assert entry.source == source()
    assert entry.current
    assert entry.problem is None


def test_only_the_ends_of_an_object_are_read(store, hail, monkeypatch):
    [stored] = store.put_hail(hail.session(events=30_000))
    read = 0
    original = os.pread

    def count(fd, size, offset):
        nonlocal read
        data = original(fd, size, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", count)
    [entry] = store.ls()

    assert entry.event_count == 30_000
    assert stored.bytes > 4_000_000
    assert read <= 2 * 64 * 1024


def test_a_header_and_a_stats_line_longer_than_one_read_are_read_whole(store, hail):
    title = "t" * 300_000
    store.put_hail(hail.session(title=title, source={**source(), "warnings": {"w" * 200_000: 1}}))
    [entry] = store.ls()

    assert entry.title == title
    assert entry.source is not None


def test_the_newest_comes_first_and_fractions_of_a_second_count(store, hail):
    times = [
        "2026-01-02T03:04:05.5Z",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:06Z",
        "2026-01-02T03:04:05.49Z",
    ]
    for n, time in enumerate(times):
        store.put_hail(hail.session(f"s-{n}", updated_at=time))

    assert [e.session_id for e in store.ls()] == ["s-2", "s-0", "s-3", "s-1"]


def test_an_object_that_is_no_session_is_listed_with_its_problem(store, hail):
    [stored] = store.put_hail(hail.session())
    for n, content in enumerate(
        [b"", b"\n\n", b"no json\n", b"[]\n", b'{"type":"header"}\n', b"\xff\n", b"{}\n{}\n"]
    ):
        digits = f"{n:064x}"
        path = store.path_of(digits)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    good, *bad = store.ls()

    assert good.sha256 == stored.sha256
    assert len(bad) == 7
    assert all(e.problem and e.session_id is None for e in bad)
    assert all("no json" not in (e.problem or "") for e in bad)


def test_names_that_are_no_objects_are_not_listed(store, hail):
    [stored] = store.put_hail(hail.session())
    (stored.path.parent / ".tmp-1").touch()
    (stored.path.parent / "note.txt").touch()
    (stored.path.parent / f"{'0' * 64}.jsonl").touch()
    (store.root / "objects" / "sha256" / "zz").mkdir()

    assert [e.sha256 for e in store.ls()] == [stored.sha256]


# ---- current and superseded ----


def current(store: Store) -> set[str]:
    return {e.source["parser"] + ":" + str(e.source["bytes"]) for e in store.ls() if e.source}


def put(
    store: Store, hail, parser: str, *, blake3: str = "b" * 64, size: int = 100, session: str = "s-1"
) -> None:
    store.put_hail(hail.session(session, source=source(parser, blake3, size)))


def test_of_one_log_the_highest_parser_is_current(store, hail):
    for parser in ("codex/2", "codex/10", "codex/9"):
        put(store, hail, parser)

    assert current(store) == {"codex/10:100"}
    assert sorted((e.source or {})["parser"] for e in store.ls(all=True)) == [
        "codex/10",
        "codex/2",
        "codex/9",
    ]
    assert [e.current for e in store.ls(all=True)].count(True) == 1


def test_a_higher_parser_supersedes_a_lower_one_that_read_at_most_as_much(store, hail):
    put(store, hail, "codex/1", blake3="1" * 64, size=50)
    put(store, hail, "codex/1", blake3="2" * 64, size=100)
    put(store, hail, "codex/1", blake3="3" * 64, size=101)
    put(store, hail, "codex/2", blake3="4" * 64, size=100)

    assert current(store) == {"codex/1:101", "codex/2:100"}


def test_one_parser_that_read_a_growing_log_leaves_all_readings_current(store, hail):
    put(store, hail, "codex/1", blake3="1" * 64, size=50)
    put(store, hail, "codex/1", blake3="2" * 64, size=100)

    assert current(store) == {"codex/1:50", "codex/1:100"}


def test_other_sessions_and_other_agents_are_not_superseded(store, hail):
    put(store, hail, "codex/1", session="s-1")
    put(store, hail, "codex/2", session="s-2")
    put(store, hail, "claude-code/3", session="s-1")

    assert current(store) == {"codex/1:100", "codex/2:100", "claude-code/3:100"}


def test_sessions_without_a_ledger_or_with_an_odd_one_are_always_current(store, hail):
    for n, odd in enumerate(
        [None, {}, {"parser": "codex"}, {"parser": 1}, {**source("codex/1"), "bytes": "x"}]
    ):
        store.put_hail(hail.session("s-1", events=n, source=odd))
    put(store, hail, "codex/9")

    assert len(list(store.ls())) == 6


readings = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from("abc"), st.integers(0, 3), st.sampled_from(["s", "t"])),
    max_size=8,
)


@given(readings)
def test_superseding_is_what_the_rule_says_pair_by_pair(found):
    def entry(n: int, parser: int, blake3: str, size: int, session: str) -> Entry:
        return Entry(
            *("", f"{n:064x}", 0, None, 0.0, session, None, None, None, None, None, 0),
            source={"parser": f"codex/{parser}", "blake3": blake3, "bytes": size},
            current=True,
            problem=None,
        )

    marked = list(listing.marked(entry(n, *reading) for n, reading in enumerate(found)))

    for mine, (parser, blake3, size, session) in zip(marked, found, strict=True):
        superseded = any(s == session and p > parser and (b == blake3 or size <= z) for p, b, z, s in found)
        assert mine.current == (not superseded)


# ---- several stores ----


def test_a_session_in_two_stores_is_listed_once_from_the_first(env, hail):
    first, second = Store(env.work / "one"), Store(env.work / "two")
    [stored] = first.put_hail(hail.session())
    second.put_hail(hail.session())
    second.put_hail(hail.session("other"))

    found = list(Stores([first, second]).ls())

    assert len(found) == 2
    assert [e.path for e in found if e.sha256 == stored.sha256] == [stored.path]


def test_a_reading_in_one_store_supersedes_that_in_another(env, hail):
    first, second = Store(env.work / "one"), Store(env.work / "two")
    put(first, hail, "codex/1")
    put(second, hail, "codex/2")
    stores = Stores([first, second])

    assert [(e.source or {})["parser"] for e in stores.ls()] == ["codex/2"]
    assert len(list(stores.ls(all=True))) == 2
