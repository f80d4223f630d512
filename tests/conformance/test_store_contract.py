"""The contract of a store (docs/store.md), in the words of its promises; every kind of root keeps it."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from opensession.errors import (
    AmbiguousError,
    BadUriError,
    HailSchemaError,
    HailSyntaxError,
    IntegrityError,
    NoEventsError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from opensession.store import Store
from opensession.uri import parse_uri

if TYPE_CHECKING:
    from pathlib import Path


def plain(env) -> Path:
    return env.work / "store"


def nested(env) -> Path:
    return env.work / "not" / "there" / "yet"


def in_repository(env) -> Path:
    env.git("init", "-q", str(env.work / "repo"))
    return env.work / "repo" / ".git" / "opensession"


def through_a_link(env) -> Path:
    (env.work / "disk").mkdir()
    (env.work / "link").symlink_to(env.work / "disk")
    return env.work / "link"


def with_odd_characters(env) -> Path:
    return env.work / "sp ace'\"é\n$x"


@pytest.fixture(
    params=[plain, nested, in_repository, through_a_link, with_odd_characters], ids=lambda f: f.__name__
)
def store(request, env) -> Store:
    return Store(request.param(env))


def content(store: Store, sha256: str) -> bytes:
    read, write = os.pipe()
    try:
        assert store.copy_to(sha256, write) == store.path_of(sha256).stat().st_size
        os.close(write)
        write = -1
        return os.read(read, 1 << 20)
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def damage(path: Path, at: int = 50) -> bytes:
    """Flip a bit of a stored object, as a bad disk would; returns the bad bytes."""
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    path.chmod(mode)
    return bytes(data)


# ---- what is put is there ----


def test_a_put_session_reads_back_as_its_canonical_bytes(store, hail):
    [stored] = store.put_hail(hail.session())
    data = content(store, stored.sha256)

    assert hashlib.sha256(data).hexdigest() == stored.sha256
    assert len(data) == stored.bytes == stored.info["bytes"]
    assert parse_uri(stored.uri).sha256 == stored.sha256
    assert stored.path == store.path_of(stored.sha256)
    assert stored.path.read_bytes() == data
    assert not stored.existed


def test_a_path_a_descriptor_bytes_and_a_file_give_the_same_address(store, hail, env):
    file = env.work / "x.hail.jsonl"
    file.write_bytes(hail.session())
    [by_path] = store.put_hail(file)
    [by_text] = store.put_hail(str(file))
    [by_bytes] = store.put_hail(hail.session())
    with file.open("rb") as opened:
        [by_file] = store.put_hail(opened)
    fd = os.open(file, os.O_RDONLY)
    try:
        [by_fd] = store.put_hail(fd)
    finally:
        os.close(fd)

    assert {s.sha256 for s in (by_path, by_text, by_bytes, by_file, by_fd)} == {by_path.sha256}
    assert [s.existed for s in (by_path, by_text, by_bytes, by_file, by_fd)] == [
        False,
        True,
        True,
        True,
        True,
    ]


def test_a_pipe_is_put_as_it_streams(store, hail):
    read, write = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(write, hail.session()), os.close(write)))
    writer.start()
    try:
        [stored] = store.put_hail(read)
    finally:
        writer.join()
        os.close(read)

    assert stored.sha256 == store.put_hail(hail.session())[0].sha256


def test_a_stream_of_sessions_gives_one_address_each_in_order(store, hail):
    stream = b"".join(hail.session(f"s-{n}") for n in range(5))
    stored = store.put_hail(stream)

    assert [s.info["session_id"] for s in stored] == [f"s-{n}" for n in range(5)]
    assert len({s.sha256 for s in stored}) == 5
    for each in stored:
        store.check(each.sha256)


def test_a_session_twice_in_one_stream_is_stored_once(store, hail):
    first, second = store.put_hail(hail.session() * 2)

    assert first.sha256 == second.sha256
    assert (first.existed, second.existed) == (False, True)


def test_a_stream_whose_last_session_is_bad_stores_nothing(store, hail):
    with pytest.raises((HailSyntaxError, HailSchemaError)):
        store.put_hail(hail.session("good") + b'{"type":"header"\n')

    assert list(store.ls()) == []
    assert files(store) == ["VERSION"]


def test_single_refuses_a_stream_of_several_and_stores_nothing(store, hail):
    with pytest.raises(UsageError, match="2 sessions"):
        store.put_hail(hail.session("a") + hail.session("b"), single=True)

    assert list(store.ls()) == []


def test_the_same_bytes_are_stored_once(store, hail):
    [first] = store.put_hail(hail.session())
    inode = first.path.stat().st_ino
    [second] = store.put_hail(hail.session())

    assert (second.sha256, second.existed) == (first.sha256, True)
    assert first.path.stat().st_ino == inode
    assert len([f for f in files(store) if f.endswith(".jsonl")]) == 1


def test_a_log_is_parsed_and_stored_in_one_call(store, claude_log):
    stored = store.put_log(claude_log, "claude-code", source_name="log.jsonl")

    assert stored.info["tool"] == "claude-code"
    store.check(stored.sha256)
    assert store.put_log(claude_log, "claude-code", source_name="log.jsonl").existed


def test_a_log_from_a_pipe_gives_the_same_address(store, claude_log):
    read, write = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(write, claude_log), os.close(write)))
    writer.start()
    try:
        stored = store.put_log(read, "claude-code")
    finally:
        writer.join()
        os.close(read)

    assert stored.sha256 == store.put_log(claude_log, "claude-code").sha256
    assert not [f for f in files(store) if ".tmp-" in f]


def test_a_log_that_is_none_stores_nothing(store):
    with pytest.raises(NoEventsError):
        store.put_log(b"hello\n", "claude-code")

    assert files(store) == ["VERSION"]


def test_an_interrupt_leaves_nothing(store, hail, monkeypatch):
    from opensession import core

    def interrupted(source, out, **options):
        os.write(out(), b"the first bytes of a session")
        os.write(out(), b"and of the next")
        raise KeyboardInterrupt

    monkeypatch.setattr(core, "canonicalize", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.put_hail(hail.session())

    assert files(store) == ["VERSION"]


# ---- promise 2 and 3: a name holds its bytes, and bytes are checked before they are trusted ----


def test_a_flipped_bit_anywhere_is_found_by_every_way_to_read(store, hail):
    [stored] = store.put_hail(hail.session())
    for at in (0, stored.bytes // 2, stored.bytes - 1):
        damage(stored.path, at)
        with pytest.raises(IntegrityError):
            store.check(stored.sha256)
        with pytest.raises(IntegrityError):
            store.open(stored.sha256)
        assert not store.fsck().ok
        read, write = os.pipe()
        with pytest.raises(IntegrityError):
            store.copy_to(stored.sha256, write)
        os.close(write)
        assert os.read(read, 10) == b"", "no byte of a small object leaves before it is checked"
        os.close(read)
        damage(stored.path, at)  # the same bit again
        store.check(stored.sha256)


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_truncated_object_is_found(store, hail, cut):
    [stored] = store.put_hail(hail.session())
    stored.path.chmod(0o600)
    os.truncate(stored.path, cut)

    with pytest.raises(IntegrityError):
        store.check(stored.sha256)


def test_a_large_object_streams_and_a_wrong_hash_ends_it(store, hail, monkeypatch):
    from opensession.store import reading

    monkeypatch.setattr(reading, "CHECK_FIRST_BELOW", 10)
    [stored] = store.put_hail(hail.session())
    bad = damage(stored.path)
    out = os.memfd_create("out") if hasattr(os, "memfd_create") else os.open("out", os.O_RDWR | os.O_CREAT)
    try:
        with pytest.raises(IntegrityError):
            store.copy_to(stored.sha256, out)
        assert os.pread(out, 1 << 20, 0) == bad, "it was streamed"
        os.ftruncate(out, 0)
        os.lseek(out, 0, os.SEEK_SET)
        with pytest.raises(IntegrityError):
            store.copy_to(stored.sha256, out, check_first=True)
        assert os.fstat(out).st_size == 0, "with check_first nothing leaves"
    finally:
        os.close(out)


def test_a_wrong_object_is_kept_in_quarantine_and_replaced_by_the_next_put(store, hail):
    [stored] = store.put_hail(hail.session())
    bad = damage(stored.path)
    [again] = store.put_hail(hail.session())

    assert not again.existed
    store.check(stored.sha256)
    kept = list((store.root / "quarantine").iterdir())
    assert [k.read_bytes() for k in kept] == [bad]
    assert kept[0].name.startswith(stored.sha256)


@pytest.mark.parametrize("what", ["empty", "directory", "link", "dangling link", "pipe"])
def test_whatever_stands_under_an_objects_name_is_replaced(store, hail, what, env):
    [stored] = store.put_hail(hail.session())
    good = stored.path.read_bytes()
    stored.path.unlink()
    target = env.work / "target"
    if what == "empty":
        stored.path.touch()
    elif what == "directory":
        stored.path.mkdir()
    elif what == "link":
        target.write_bytes(good)
        stored.path.symlink_to(target)
    elif what == "dangling link":
        stored.path.symlink_to(target)
    else:
        os.mkfifo(stored.path)
    [again] = store.put_hail(hail.session())

    assert not again.existed
    assert stat.S_ISREG(stored.path.lstat().st_mode)
    assert stored.path.read_bytes() == good
    assert not target.exists() or target.read_bytes() == good
    assert len(list((store.root / "quarantine").iterdir())) == 1


# ---- promise 4: writers at once ----


def test_two_writers_of_one_object_both_succeed(store, hail):
    data = hail.session(events=50)
    results: list[object] = []

    def put() -> None:
        try:
            results.append(store.put_hail(data)[0].sha256)
        except BaseException as error:  # noqa: BLE001  the test wants to see it
            results.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 8
    assert len(set(results)) == 1
    store.check(str(results[0]))
    assert [f for f in files(store) if ".tmp-" in f] == []


# ---- promise 5: modes and links ----


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o027])
def test_modes_do_not_depend_on_the_umask(store, hail, umask):
    before = os.umask(umask)
    try:
        [stored] = store.put_hail(hail.session())
        damage(stored.path)
        store.put_hail(hail.session())
    finally:
        os.umask(before)
    root = store.root.resolve()
    for path in [root, *root.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_dir():
            assert (path.name, oct(mode)) == (path.name, oct(0o700))
        elif path.parent.name == "quarantine":
            assert mode & 0o077 == 0
        else:
            assert (path.name, oct(mode)) == (
                path.name,
                oct(0o600 if path.name.startswith("checked.db") else 0o400),
            )


def test_a_file_is_0600_while_it_is_written(store, hail, monkeypatch):
    from opensession.store import batch

    seen = []
    original = batch.Batch.publish

    def look(self, infos):
        seen.extend(stat.S_IMODE(os.fstat(f.fd).st_mode) for f in self._files)
        return original(self, infos)

    monkeypatch.setattr(batch.Batch, "publish", look)
    before = os.umask(0)
    try:
        store.put_hail(hail.session())
    finally:
        os.umask(before)

    assert seen == [0o600]


@pytest.mark.parametrize("part", ["objects", "objects/sha256", "fan", "fan/fan"])
def test_a_link_in_place_of_a_folder_is_refused_and_nothing_is_written_through_it(store, hail, part, env):
    [stored] = store.put_hail(hail.session())
    fan = f"objects/sha256/{stored.sha256[:2]}"
    place = store.root / part.replace("fan/fan", f"{fan}/{stored.sha256[2:4]}").replace("fan", fan, 1)
    outside = env.work / "outside"
    place.rename(outside)
    place.symlink_to(outside)
    before = sorted(str(p) for p in outside.rglob("*"))

    for work in (
        lambda: store.put_hail(hail.session()),
        lambda: store.check(stored.sha256),
        lambda: store.rm(stored.sha256),
        lambda: store.open(stored.sha256),
    ):
        with pytest.raises(RefusedError, match="symbolic link") as caught:
            work()
        assert caught.value.exit_code == 6
    assert sorted(str(p) for p in outside.rglob("*")) == before


def test_a_link_in_place_of_an_object_is_not_read_through(store, hail, env):
    [stored] = store.put_hail(hail.session())
    stored.path.rename(env.work / "elsewhere")
    stored.path.symlink_to(env.work / "elsewhere")

    with pytest.raises(RefusedError, match="symbolic link"):
        store.check(stored.sha256)
    assert [e.problem for e in store.ls()] != [None]


# ---- names ----


def test_a_prefix_of_eight_or_more_digits_finds_its_object(store, hail):
    [stored] = store.put_hail(hail.session())

    for length in (8, 9, 63, 64):
        assert store.resolve(stored.sha256[:length]) == stored.sha256


def test_a_short_upper_case_or_odd_name_is_refused(store):
    for text in ("", "abc", "1234567", "0123456G", "../../etc", "0" * 65):
        with pytest.raises(BadUriError):
            store.resolve(text)
    with pytest.raises(BadUriError) as caught:
        store.resolve("ABCDEF01")
    assert caught.value.spelling == "abcdef01"


def test_a_prefix_that_fits_two_objects_is_ambiguous_and_names_both(store, hail):
    [stored] = store.put_hail(hail.session())
    twin = stored.sha256[:20] + ("0" if stored.sha256[20] != "0" else "1") + stored.sha256[21:]
    (stored.path.parent / f"{twin}.jsonl").write_bytes(b"")

    with pytest.raises(AmbiguousError) as caught:
        store.resolve(stored.sha256[:12])
    assert stored.sha256 in str(caught.value)
    assert twin in str(caught.value)
    assert store.resolve(stored.sha256) == stored.sha256


def test_what_is_not_there_is_not_found_by_every_method(store, hail):
    absent = "0" * 64
    for made in (False, True):
        if made:
            store.put_hail(hail.session())
        for work in (store.check, store.open, store.rm, store.resolve, lambda h: store.copy_to(h, 1)):
            with pytest.raises(NotFoundError):
                work(absent)
        assert not store.has(absent)


def test_reading_a_store_that_does_not_exist_creates_nothing(store):
    existed = store.root.exists()
    assert list(store.ls()) == []
    assert store.fsck().ok
    assert store.gc(apply=True).items == ()
    assert not store.has("0" * 64)
    assert store.root.exists() == existed
    assert not existed or list(store.root.iterdir()) == []


# ---- layout version ----


def test_a_new_store_says_its_layout_version(store, hail):
    store.put_hail(hail.session())

    assert (store.root / "VERSION").read_bytes() == b"1\n"


def test_a_version_file_that_was_left_writable_is_found_and_put_right(store, hail):
    store.put_hail(hail.session())
    version = store.root / "VERSION"
    for mode, serious, mend in (
        (0o600, False, lambda: store.put_hail(hail.session())),
        (0o644, True, lambda: store.fsck(repair=True)),
    ):
        version.chmod(mode)
        [found] = store.fsck().findings
        assert (found.kind, found.path.name, found.serious) == ("wrong_mode", "VERSION", serious)
        mend()
        assert oct(version.stat().st_mode) == oct(stat.S_IFREG | 0o400)
        assert store.fsck().findings == ()


@pytest.mark.parametrize("version", [b"2\n", b"", b"1.1\n", b"one\n"])
def test_a_store_of_another_version_is_left_alone(store, hail, version):
    [stored] = store.put_hail(hail.session())
    (store.root / "VERSION").chmod(0o600)
    (store.root / "VERSION").write_bytes(version)

    for work in (
        lambda: store.put_hail(hail.session()),
        lambda: list(store.ls()),
        lambda: store.check(stored.sha256),
        lambda: store.fsck(repair=True),
        lambda: store.rm(stored.sha256),
        lambda: store.gc(apply=True),
    ):
        with pytest.raises(RefusedError, match="version 1"):
            work()


def test_a_store_whose_version_was_lost_gets_it_back_with_the_next_put(store, hail):
    [stored] = store.put_hail(hail.session())
    (store.root / "VERSION").unlink()
    store.check(stored.sha256)
    store.put_hail(hail.session())

    assert (store.root / "VERSION").read_bytes() == b"1\n"


# ---- read-only ----


def test_a_readonly_store_reads_and_writes_nothing(store, hail):
    [stored] = store.put_hail(hail.session())
    before = files(store)
    reader = Store(store.root, readonly=True)

    reader.check(stored.sha256)
    reader.open(stored.sha256).close()
    assert [e.sha256 for e in reader.ls()] == [stored.sha256]
    for work in (
        lambda: reader.put_hail(hail.session()),
        lambda: reader.rm(stored.sha256),
        lambda: reader.gc(apply=True),
        lambda: reader.fsck(repair=True),
        lambda: reader.spool(b"").__enter__(),
    ):
        with pytest.raises(RefusedError):
            work()
    assert files(store) == before


# ---- spooling ----


def test_a_spool_is_seekable_private_and_leaves_nothing(store):
    with store.spool(b"some bytes") as fd:
        assert os.read(fd, 100) == b"some bytes"
        os.lseek(fd, 5, os.SEEK_SET)
        assert os.read(fd, 100) == b"bytes"
        assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
        assert os.fstat(fd).st_nlink == 0
        assert files(store) == ["VERSION"]
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(fd)


def files(store: Store) -> list[str]:
    """All files below the root, by their name in it."""
    root = store.root.resolve()
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir() or p.is_symlink())
