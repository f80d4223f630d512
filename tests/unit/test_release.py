"""The door: what it lets through, what it keeps in mind, and what it never says."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import stat
import string
import threading
import time

import pytest

from opensession import core
from opensession.actions.release import Door, Scanner, release, release_bytes, scanner
from opensession.actions.release.refusal import shown_text
from opensession.errors import InternalError, NotFoundError, RefusedError, SecretsFoundError, UsageError
from opensession.store import Store, allowed, clean
from opensession.store.secret_key import find_key, key_of

DICE = random.Random("nobody's tokens")


def token() -> str:
    return "ghp_" + "".join(DICE.choices(string.ascii_letters + string.digits, k=36))


SECRET, OTHER = token(), token()


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


@pytest.fixture
def put(store, hail):
    """Stores a session with a text; its last change is long ago."""

    def put(text: str, session_id: str = "s-1") -> str:
        [stored] = store.put_hail(hail.session(session_id, text=text))
        os.utime(stored.path, (1e9, 1e9))
        return stored.sha256

    return put


@pytest.fixture
def scans(monkeypatch) -> list[object]:
    """What the core was asked to scan."""
    seen: list[object] = []
    original = core.scan

    def scan(source, **options):
        seen.append(source)
        return original(source, **options)

    monkeypatch.setattr(core, "scan", scan)
    return seen


def refusal(store, *sha256s, **options) -> SecretsFoundError:
    with pytest.raises(SecretsFoundError) as caught:
        release(store, sha256s, **options)
    assert SECRET not in json.dumps(caught.value.as_dict()) + str(caught.value)
    return caught.value


# ---- what passes ----


def test_a_clean_session_passes_as_it_is(store, put):
    sha256 = put("hello")
    released = release(store, [sha256, sha256])
    assert released.addresses == (sha256,)
    assert released.allowed == ()


def test_every_finding_is_told_once_for_each_secret_before_any_of_them_twice(store, put):
    first, second = put(f"{SECRET} " * 20), put(OTHER, "s-2")
    error = refusal(store, first, second)
    assert error.total == 2 * 20 + 2
    assert len(error.findings) == 10
    assert [f["in"][-64:] for f in error.findings[:2]] == [first, second]
    assert len(error.fingerprints) == 2
    assert "and 32 others" in error.message
    assert error.next == (
        f"opensession scan os://src/local/{first}",
        f"opensession scan os://src/local/{second}",
    )


def test_more_secrets_than_anybody_allows_one_by_one_are_not_offered_for_it(store, put):
    assert refusal(store, put(" ".join(token() for _ in range(11)))).fingerprints == ()


def test_an_allowed_secret_passes_and_is_in_the_log(store, put):
    sha256 = put(SECRET)
    [fingerprint] = refusal(store, sha256).fingerprints
    released = release(store, [sha256], allow=[fingerprint])
    assert released.addresses == (sha256,)
    path = store.root / "allowed-secrets.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [row] = [json.loads(line) for line in path.read_text().splitlines()]
    assert row.pop("time").endswith("Z")
    assert row == {
        "event_id": "e0",
        "fingerprint": fingerprint,
        "in": f"os://src/local/{sha256}",
        "line": 2,
        "places": 2,
        "pointer": "/content/blocks/0/text",
        "rule": "github-pat",
    }
    refusal(store, sha256)  # it passed once, not for ever


def test_nothing_is_logged_where_nothing_passes(store, put):
    [fingerprint] = refusal(store, put(SECRET)).fingerprints
    error = refusal(store, put(f"{SECRET} {OTHER}", "s-2"), allow=[fingerprint])
    assert fingerprint not in error.fingerprints
    assert not (store.root / "allowed-secrets.jsonl").exists()


@pytest.mark.parametrize("given", ["", "abc", "0" * 63, "G" * 64, SECRET])
def test_what_is_no_fingerprint_is_a_usage_error(store, put, given):
    with pytest.raises(UsageError, match="no fingerprint"):
        release(store, [put("hello")], allow=[given])


def test_a_fingerprint_of_nothing_that_leaves_is_a_usage_error(store, put):
    with pytest.raises(UsageError, match="nothing that would leave has the fingerprint 0000"):
        release(store, [put("hello")], allow=["0" * 64])


def test_a_line_that_a_power_cut_left_half_stays_alone(store):
    (store.root).mkdir()
    path = store.root / "allowed-secrets.jsonl"
    path.write_text('{"in": "x", "finger')
    allowed.log(store, [{"in": "a", "fingerprint": "f"}])
    assert allowed.passed(store) == {("a", "f")}
    assert len(path.read_text().splitlines()) == 2


def test_a_link_in_place_of_the_log_is_not_followed(store, env):
    store.root.mkdir()
    (store.root / "allowed-secrets.jsonl").symlink_to(env.work / "victim")
    with pytest.raises(RefusedError, match="symbolic link"):
        allowed.log(store, [{"in": "a", "fingerprint": "f"}])
    assert not (env.work / "victim").exists()


# ---- redacted ----


def test_a_redacted_copy_leaves_in_the_place_of_a_session_and_the_session_stays(store, put):
    sha256, clean_one = put(f"{SECRET} and {OTHER} and {SECRET}"), put("hello", "s-2")
    first, second = release(store, [sha256, clean_one], redact=True).sessions
    assert (first.asked, first.redacted, first.rules) == (sha256, True, {"github-pat": 6})
    assert (second.sha256, second.redacted) == (clean_one, False)
    text = store.path_of(first.sha256).read_text()
    assert "[REDACTED:github-pat:1] and [REDACTED:github-pat:2] and [REDACTED:github-pat:1]" in text
    assert store.has(sha256)
    assert release(store, [first.sha256]).addresses == (first.sha256,)


def test_what_is_allowed_stays_in_a_redacted_copy(store, put):
    sha256 = put(f"{SECRET} and {OTHER}")
    kept = refusal(store, sha256).fingerprints[0]
    [passed] = release(store, [sha256], redact=True, allow=[kept]).sessions
    text = store.path_of(passed.sha256).read_text()
    assert (SECRET in text, OTHER in text) == (True, False)


def test_a_copy_that_is_never_clean_does_not_leave(store, put, monkeypatch):
    sha256 = put(SECRET)
    original = core.redact
    monkeypatch.setattr(core, "redact", lambda *a, **o: original(*a, **o | {"allow": everything}))
    [everything] = [refusal(store, sha256).fingerprints]
    with pytest.raises(InternalError, match="still holds a secret"):
        release(store, [sha256], redact=True)


def test_more_findings_than_are_kept_cannot_be_allowed_but_are_redacted(store, put, monkeypatch):
    monkeypatch.setattr(scanner, "LIMIT", 3)
    monkeypatch.setattr("opensession.actions.release.door.LIMIT", 3)
    monkeypatch.setattr("opensession.actions.release.refusal.LIMIT", 3)
    sha256 = put(f"{SECRET} {OTHER} {token()}")
    error = refusal(store, sha256)
    refusal(store, sha256, allow=list(error.fingerprints))
    assert release(store, [sha256], redact=True).sessions[0].rules == {"github-pat": 6}


# ---- anything else ----


def test_lines_and_pages_are_held_to_the_same(store):
    assert release_bytes(store, {"a line": b'{"a":"b"}', "a page": "# Hello\n"}) == ()
    with pytest.raises(SecretsFoundError, match="github-pat in a line, line 1, at /a"):
        release_bytes(store, {"a line": json.dumps({"a": SECRET}).encode(), "a page": ""})
    with pytest.raises(SecretsFoundError, match="github-pat in a page, line 2"):
        release_bytes(store, {"a page": f"# Hello\n{SECRET}\n"})


def test_a_key_of_several_lines_is_found_in_a_page(store):
    body = "\n".join("".join(DICE.choices(string.ascii_letters + string.digits, k=64)) for _ in range(12))
    page = f"# Page\n\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
    with pytest.raises(SecretsFoundError, match="private-key in a page") as caught:
        release_bytes(store, {"a page": page})
    assert body[:40] not in str(caught.value)


def test_what_was_told_of_the_source_is_not_told_of_its_page_again(store):
    door = Door(store)
    door.data("the source", json.dumps({"a": SECRET}).encode())
    door.text("the page", f"{SECRET} {OTHER}")
    with pytest.raises(SecretsFoundError) as caught:
        door.settle()
    assert [f["in"] for f in caught.value.findings] == ["the source", "the page"]


def test_names_from_a_log_take_one_line_and_are_cut():
    assert shown_text('a\n"b"\x1b') == 'a\\n"b"\\u001b'
    assert len(shown_text("x" * 1000)) == 201


# ---- which bytes ----


def test_a_session_of_another_store_is_found_there(env, store, put, hail):
    [other] = Store(env.work / "other").put_hail(hail.session("s-9", text=SECRET))
    with pytest.raises(NotFoundError, match="there is no session"):
        release(store, [other.sha256])
    refusal(store, other.sha256, holders=[Store(env.work / "other")])
    [passed] = release(store, [other.sha256], holders=[Store(env.work / "other")], redact=True).sessions
    assert store.has(passed.sha256)


def test_bytes_that_are_not_those_of_the_address_do_not_leave(store, put):
    from opensession.errors import IntegrityError

    sha256 = put("hello")
    path = store.path_of(sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"hello", b"hallo"))
    with pytest.raises(IntegrityError):
        release(store, [sha256])


def test_a_session_that_changes_while_it_is_scanned_is_hashed_again(store, put, monkeypatch):
    sha256 = put("hello")
    path = store.path_of(sha256)
    original = core.scan

    def scan(source, **options):
        found = original(source, **options)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes().replace(b"hello", b"hallo"))
        return found

    monkeypatch.setattr(core, "scan", scan)
    from opensession.errors import IntegrityError

    with pytest.raises(IntegrityError):
        release(store, [sha256])
    assert not (store.root / "clean.db").exists()


def test_what_there_is_no_time_for_does_not_leave(store, put):
    sha256 = put("hello")
    with pytest.raises(RefusedError, match="no time to scan") as caught:
        release(store, [sha256], deadline=time.monotonic())
    assert caught.value.next[0] == f"opensession scan os://src/local/{sha256}"
    assert release(store, [sha256], deadline=time.monotonic() + 3600).addresses == (sha256,)


# ---- what is kept in mind ----


def test_a_clean_session_is_scanned_once(store, put, scans):
    sha256 = put("hello")
    release(store, [sha256])
    release(store, [sha256])
    assert len(scans) == 1
    assert Scanner(store).known_clean([sha256, "0" * 64]) == {sha256}


def test_who_asks_for_a_scan_gets_one_and_the_door_remembers_it(store, put, scans, command):
    sha256 = put("hello")
    for _ in range(2):
        assert command("scan", sha256, "--store", str(store.root)).code == 0
    release(store, [sha256])
    assert len(scans) == 2


def test_a_session_with_a_secret_is_scanned_every_time_even_if_it_was_allowed(store, put, scans):
    sha256 = put(SECRET)
    [fingerprint] = refusal(store, sha256).fingerprints
    release(store, [sha256], allow=[fingerprint])
    assert Scanner(store).known_clean([sha256]) == set()
    scans.clear()
    refusal(store, sha256)
    assert len(scans) == 1


def test_nothing_is_kept_of_a_file_that_changed_a_moment_ago(store, hail, scans):
    [stored] = store.put_hail(hail.session())
    release(store, [stored.sha256])
    release(store, [stored.sha256])
    assert len(scans) == 2


def test_another_build_of_the_scanner_looks_again(store, put, monkeypatch):
    sha256 = put("hello")
    release(store, [sha256])
    monkeypatch.setattr(scanner, "_build", lambda: "another")
    assert Scanner(store).known_clean([sha256]) == set()


def test_the_scanner_is_the_compiled_module():
    assert core.build() == core.copy(core._core.__file__)[0]


@pytest.mark.parametrize("forged", ["mark", "address", "another store's"])
def test_a_row_that_this_store_did_not_make_counts_for_nothing(store, put, env, forged):
    good, bad = put("hello"), put(SECRET, "s-2")
    release(store, [good])
    db = sqlite3.connect(store.root / "clean.db")
    [(sha256, mark)] = db.execute("SELECT sha256, mark FROM clean").fetchall()
    assert sha256 == good
    if forged == "mark":
        mark = bytes(len(mark))
    elif forged == "another store's":
        other = Store(env.work / "other")
        other.put_hail(store.path_of(good).read_bytes())
        clean.remember(other, key_of(other), core.build(), bad, store.path_of(good).stat())
        there = sqlite3.connect(other.root / "clean.db")
        [(mark,)] = there.execute("SELECT mark FROM clean").fetchall()
        there.close()
    db.execute("INSERT OR REPLACE INTO clean VALUES (?, ?)", (bad, mark))
    db.commit()
    db.close()
    assert Scanner(store).known_clean([good, bad]) == {good}
    refusal(store, bad)


def test_a_known_session_whose_file_changed_does_not_leave(store, put):
    from opensession.errors import IntegrityError

    sha256 = put("hello")
    release(store, [sha256])
    path = store.path_of(sha256)
    path.chmod(0o600)
    path.write_text(SECRET)
    with pytest.raises(IntegrityError):
        release(store, [sha256])


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_damaged_memory_costs_one_scan(store, put, scans, content):
    sha256 = put("hello")
    release(store, [sha256])
    (store.root / "clean.db").write_bytes(content)
    release(store, [sha256])
    release(store, [sha256])
    assert len(scans) == 2


# ---- the key ----


def test_a_key_is_made_only_where_something_needs_a_name(store, env):
    assert Scanner(store).source("x", b'{"a":"b"}') == []
    assert not store.root.exists()
    [found] = Scanner(store).source("x", json.dumps({"a": SECRET}).encode())
    assert len(found.fingerprint) == 64
    assert find_key(store) == key_of(store)


def test_the_key_is_for_its_owner_only_and_stays_what_it_is(store):
    before = os.umask(0)
    try:
        key = key_of(store)
    finally:
        os.umask(before)
    path = store.root / "secret.key"
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert key_of(Store(store.root)) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in store.root.iterdir() if p.name.startswith(".tmp-")] == []


def test_makers_at_the_same_time_agree(store):
    start, keys = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        keys.append(key_of(Store(store.root)))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_file_system_without_hard_links_gets_one_key_too(store, monkeypatch):
    import errno

    def link(*_args, **_options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    assert key_of(store) == key_of(Store(store.root))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_refused_with_steps(store, content):
    key_of(store)
    (store.root / "secret.key").write_bytes(content)
    with pytest.raises(RefusedError, match="32 bytes") as caught:
        key_of(store)
    assert any(step.startswith("rm ") for step in caught.value.next)


def test_a_link_in_place_of_the_key_is_not_followed(store, env):
    store.root.mkdir()
    (env.work / "victim").write_bytes(b"x" * 32)
    (store.root / "secret.key").symlink_to(env.work / "victim")
    with pytest.raises(RefusedError, match="symbolic link"):
        key_of(store)


def test_names_of_two_stores_have_nothing_in_common(env):
    text = json.dumps({"a": SECRET}).encode()
    one, two = (Scanner(Store(env.work / name)).source("x", text)[0] for name in ("one", "two"))
    assert one.fingerprint != two.fingerprint


def test_fsck_and_gc_leave_the_key_and_the_log_alone(store, put):
    sha256 = put(SECRET)
    [fingerprint] = refusal(store, sha256).fingerprints
    release(store, [sha256], allow=[fingerprint])
    assert store.fsck(repair=True).findings == ()
    store.gc(apply=True)
    assert refusal(store, sha256).fingerprints == (fingerprint,)
    assert (store.root / "allowed-secrets.jsonl").exists()
