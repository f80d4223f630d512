"""The contract of a ledger (docs/git.md): every kind of repository keeps it."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from opensession.errors import BusyError, IntegrityError, NotFoundError, StorageFailedError, UsageError
from opensession.git.entries import flat_path, gone_path, link_path, meta_path, session_path
from opensession.git.ledger import Changes, Ledger, LedgerEntry, Link
from opensession.git.notes import add
from opensession.git.refs import NOTES, ledger_ref
from opensession.git.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Place(NamedTuple):
    """A repository of one kind."""

    repository: Repository
    folder: Path
    git: Callable[..., str]

    def ledger(self) -> Ledger:
        return self.repository.ledger(self.repository.ledger_ref())

    def tree(self, ref: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", ref).splitlines()


def with_a_commit(env, folder: Path, *options: str) -> Path:
    env.git("init", "-q", "-b", "main", *options, str(folder))
    (folder / "toast.txt").write_text("brown\n")
    env.git("add", ".", cwd=folder)
    env.git("commit", "-q", "-m", "toast", cwd=folder)
    return folder


def plain(env) -> Path:
    return with_a_commit(env, env.work / "repo")


def unborn(env) -> Path:
    env.git("init", "-q", "-b", "main", str(env.work / "repo"))
    return env.work / "repo"


def bare(env) -> Path:
    env.git("init", "-q", "--bare", "-b", "main", str(env.work / "repo.git"))
    return env.work / "repo.git"


def linked_worktree(env) -> Path:
    with_a_commit(env, env.work / "repo")
    env.git("worktree", "add", "-q", "-b", "feature/crumbs", str(env.work / "linked"), cwd=env.work / "repo")
    return env.work / "linked"


def submodule(env) -> Path:
    with_a_commit(env, env.work / "part")
    whole = with_a_commit(env, env.work / "whole")
    env.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(env.work / "part"),
        "part",
        cwd=whole,
    )
    return whole / "part"


def sha256(env) -> Path:
    return with_a_commit(env, env.work / "repo", "--object-format=sha256")


def reftable(env) -> Path:
    try:
        return with_a_commit(env, env.work / "repo", "--ref-format=reftable")
    except subprocess.CalledProcessError:
        pytest.skip("this git keeps no refs in tables: they came with 2.45")


def detached(env) -> Path:
    folder = plain(env)
    env.git("checkout", "-q", "--detach", cwd=folder)
    return folder


def packed_refs(env) -> Path:
    folder = plain(env)
    repository = Repository.discover(folder, env.variables)
    repository.ledger(repository.ledger_ref()).record(Changes(extra={}, gone=["0" * 64]), "first")
    env.git("pack-refs", "--all", cwd=folder)
    env.git("gc", "-q", cwd=folder)
    return folder


def with_odd_characters(env) -> Path:
    return with_a_commit(env, env.work / "sp ace'\"é\n$x")


# Between them, the first four differ in everything that the code asks about.
QUICK = [unborn, linked_worktree, sha256, reftable]
KINDS = [*QUICK, plain, bare, submodule, detached, packed_refs, with_odd_characters]


@pytest.fixture(
    params=[pytest.param(f, marks=() if f in QUICK else pytest.mark.slow, id=f.__name__) for f in KINDS]
)
def place(request, env) -> Place:
    folder = request.param(env)
    return Place(
        Repository.discover(folder, env.variables), folder, lambda *words: env.git(*words, cwd=folder)
    )


@pytest.fixture
def usual(env) -> Place:
    """The repository of most people, for what does not depend on its kind."""
    folder = plain(env)
    return Place(
        Repository.discover(folder, env.variables), folder, lambda *words: env.git(*words, cwd=folder)
    )


class Shelf:
    """Invented sessions as open files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def session(self, text: str, updated_at: str = "2026-01-02T03:04:05Z") -> tuple[str, int, bytes]:
        data = text.encode() + b"\n"
        digest = hashlib.sha256(data).hexdigest()
        path = self._folder / digest
        path.write_bytes(data)
        return digest, os.open(path, os.O_RDONLY), b'{"updated_at":"%s"}' % updated_at.encode()


@pytest.fixture
def shelf(env, tmp_path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


def read(ledger: Ledger, digest: str, tmp_path: Path) -> bytes:
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        ledger.open(digest, out)
    finally:
        os.close(out)
    return (tmp_path / "out").read_bytes()


def user_s_own(place: Place) -> dict[str, bytes]:
    """Everything of the user's repository that a ledger must leave alone."""
    mine = place.repository
    seen: dict[str, bytes] = {}
    for top in {mine.git_dir, mine.common_dir, *([mine.worktree] if mine.worktree else [])}:
        for path in sorted(p for p in top.rglob("*") if p.is_file()):
            name = str(path)
            if not any(part in name for part in ("/objects/", "refs/opensession", "/reftable/")):
                seen[name] = path.read_bytes()
    seen["branches"] = place.git("for-each-ref", "refs/heads", "refs/tags").encode()
    return seen


def test_an_empty_ledger_answers(place):
    ledger = place.repository.ledger("refs/opensession/branches/bm90aGluZw")
    assert ledger.tip() is None
    assert list(ledger.sessions(meta=True)) == list(ledger.links()) == list(ledger.links("a" * 40)) == []
    assert not ledger.has("a" * 64)
    assert not ledger.is_gone("a" * 64)
    with pytest.raises(NotFoundError, match="no session"):
        ledger.open("a" * 64, 1)


def test_what_was_recorded_is_read_back(place, shelf, tmp_path):
    one, two = shelf.session("one"), shelf.session("two")
    commit = "c" * len(place.repository.zero)
    link = Link(commit, one[0], ("content", "time"), 0.75, "d" * 40)
    ledger = place.ledger()
    done = ledger.record(Changes(sessions=[one, two], links=[link]), "share")
    assert done.changed
    assert done.tip == ledger.tip() == place.repository.resolve(ledger.ref)
    assert read(ledger, one[0], tmp_path) == b"one\n"
    found = {entry.sha256: entry for entry in ledger.sessions(meta=True)}
    assert set(found) == {one[0], two[0]} | set(found) - {one[0], two[0]}
    assert found[one[0]] == LedgerEntry(
        one[0], found[one[0]].oid, session_path(one[0]), {"updated_at": "2026-01-02T03:04:05Z"}
    )
    assert list(ledger.links(commit)) == list(ledger.links()) == [link]
    assert set(place.tree(ledger.ref)) >= {session_path(one[0]), meta_path(one[0]), link_path(commit, one[0])}
    assert place.git("fsck", "--strict", "--no-dangling") == ""


def test_nothing_is_committed_where_nothing_changes(place, shelf):
    one = shelf.session("one")
    link = Link("c" * len(place.repository.zero), one[0], ("cwd",), 0.0)
    ledger = place.ledger()
    first = ledger.record(Changes(sessions=[one], links=[link]), "share")
    again = ledger.record(Changes(sessions=[one], links=[link]), "share once more")
    assert (again.changed, again.tip, again.before) == (False, first.tip, first.tip)
    assert ledger.record(Changes(), "nothing").changed is False


def test_the_same_state_is_the_same_commit_in_every_repository(place, shelf, env):
    one = shelf.session("one", "2026-02-03T04:05:06.789Z")
    ledger = place.repository.ledger(ledger_ref("alone"))
    tip = ledger.record(Changes(sessions=[one]), "share").tip
    other = env.work / "elsewhere"
    env.git("init", "-q", f"--object-format={place.repository.object_format}", str(other))
    there = Repository.discover(other, env.variables | {"GIT_COMMITTER_NAME": "Eve", "TZ": "Asia/Tokyo"})
    assert there.ledger(ledger_ref("alone")).record(Changes(sessions=[one]), "share").tip == tip
    shown = place.git("log", "-1", "--format=%an %ae %cn %ce %at %ct %ai", ledger.ref)
    who = "opensession opensession@localhost"
    assert shown == f"{who} {who} 1770091506 1770091506 2026-02-03 04:05:06 +0000"


def test_a_commit_is_never_older_than_the_one_before(usual, shelf):
    ledger = usual.ledger()
    ledger.record(Changes(sessions=[shelf.session("new", "2026-02-03T04:05:06Z")]), "share")
    ledger.record(Changes(sessions=[shelf.session("old", "2020-01-01T00:00:00Z")]), "share")
    assert usual.git("log", "-1", "--format=%ct", ledger.ref) == "1770091506"


def test_what_is_the_user_s_stays_as_it_is(place, shelf):
    hooks = place.repository.common_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-commit", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    place.git("config", "core.logAllRefUpdates", "always")
    place.git("config", "user.name", "Somebody Else")
    ledger = place.ledger()
    before = user_s_own(place)
    one = shelf.session("one")
    ledger.record(Changes(sessions=[one]), "share")
    ledger.record(Changes(gone=[one[0]]), "unshare", rewrite=True)
    assert user_s_own(place) == before


def test_what_was_taken_back_is_gone_from_tree_and_history(place, shelf):
    one, two = shelf.session("one"), shelf.session("two")
    commit = "c" * len(place.repository.zero)
    ledger = place.ledger()
    changes = Changes(sessions=[one, two], links=[Link(commit, h, ("time",), 0.5) for h, _, _ in (one, two)])
    ledger.record(changes, "share")
    before = place.tree(ledger.ref)
    done = ledger.record(Changes(gone=[one[0]]), "unshare", rewrite=True)
    assert not ledger.has(one[0])
    assert ledger.is_gone(one[0])
    assert ledger.has(two[0])
    assert one[0] not in {entry.sha256 for entry in ledger.sessions()}
    assert [link.sha256 for link in ledger.links()] == [two[0]]
    lost = {session_path(one[0]), meta_path(one[0]), link_path(commit, one[0])}
    assert set(place.tree(ledger.ref)) == set(before) - lost | {gone_path(one[0])}
    assert place.git("rev-list", "--count", ledger.ref) == "1"
    assert ledger.record(Changes(gone=[one[0]]), "unshare", rewrite=True).tip == done.tip
    back = ledger.record(changes, "share again")
    assert (back.changed, back.left_out) == (False, (one[0],))


def test_of_two_links_the_one_with_the_smaller_hash_stays(usual, shelf):
    one = shelf.session("one")
    commit = "c" * len(usual.repository.zero)
    links = [Link(commit, one[0], ("time",), share / 10) for share in range(5)]
    winner = min(links, key=lambda link: hashlib.sha256(link.to_json()).hexdigest())
    ledger = usual.ledger()
    for link in [*links, *links]:
        ledger.record(Changes(sessions=[one], links=[link]), "link")
    assert list(ledger.links()) == [winner]


def test_sessions_of_an_older_program_are_read_and_stay(usual, shelf, tmp_path):
    ledger = usual.ledger()
    old, flat = b'{"old":1}\n', b'{"flat":1}\n'
    digest = hashlib.sha256(flat).hexdigest()
    blobs = ledger.objects.write("blob", [old, flat, b"{}"])
    legacy = {
        "v1/ab/abc.hail.jsonl": blobs[0],
        "v1/ab/abc.meta.json": blobs[2],
        flat_path(digest): blobs[1],
        "logs/mine.jsonl": blobs[0],
        "README": blobs[0],
    }
    write_tree(usual, ledger.ref, legacy)
    found = {entry.path: entry.sha256 for entry in ledger.sessions()}
    assert found == {"v1/ab/abc.hail.jsonl": None, flat_path(digest): digest, "logs/mine.jsonl": None}
    assert read(ledger, digest, tmp_path) == flat
    ledger.record(Changes(sessions=[shelf.session("one")]), "share")
    assert set(usual.tree(ledger.ref)) > set(legacy)


def write_tree(place: Place, ref: str, files: dict[str, str], mode: str = "100644") -> None:
    """Make a ledger of these files with git alone."""
    index = place.folder.parent / "index"
    index.unlink(missing_ok=True)
    listing = "".join(f"{mode} {oid}\t{path}\n" for path, oid in files.items())
    env = {**os.environ, "GIT_INDEX_FILE": str(index)}

    def git(*words: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *words], cwd=place.folder, env=env, input=stdin.encode(), capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    git("update-index", "--add", "--index-info", stdin=listing)
    git("update-ref", ref, git("commit-tree", "-m", "old", git("write-tree")))


def test_bytes_that_do_not_hash_to_their_name_are_an_error(usual, tmp_path):
    ledger = usual.ledger()
    digest = "e" * 64
    write_tree(usual, ledger.ref, {session_path(digest): ledger.objects.write("blob", [b"other\n"])[0]})
    with pytest.raises(IntegrityError, match="hash to"):
        read(ledger, digest, tmp_path)


def test_a_session_whose_file_is_not_what_it_is_called_is_not_recorded(usual, shelf):
    _, fd, meta = shelf.session("one")
    ledger = usual.ledger()
    before = ledger.tip()
    with pytest.raises(IntegrityError, match="damaged"):
        ledger.record(Changes(sessions=[("f" * 64, fd, meta)]), "share")
    assert ledger.tip() == before


@pytest.mark.parametrize(("small", "held"), [(1 << 20, 1), (1 << 20, 1 << 24), (0, 1)])
def test_sessions_are_recorded_by_the_byte_whether_many_at_once_or_each_by_git_itself(
    usual, shelf, tmp_path, monkeypatch, small, held
):
    monkeypatch.setattr("opensession.git.changes._SMALL", small)
    monkeypatch.setattr("opensession.git.changes._HELD", held)
    sessions = [shelf.session(name) for name in ("one", "two", "three")]
    ledger = usual.ledger()
    ledger.record(Changes(sessions=sessions), "share")
    assert {entry.sha256 for entry in ledger.sessions()} == {sha256 for sha256, _, _ in sessions}
    for sha256, _, _ in sessions:
        read(ledger, sha256, tmp_path)

    tip = ledger.tip()
    _, fd, meta = shelf.session("four")
    with pytest.raises(IntegrityError, match="damaged"):
        ledger.record(Changes(sessions=[("f" * 64, fd, meta)]), "share")
    assert ledger.tip() == tip


def test_links_that_are_links_on_disk_are_not_followed(usual):
    ledger = usual.ledger()
    digest = "e" * 64
    write_tree(
        usual, ledger.ref, {session_path(digest): ledger.objects.write("blob", [b"/etc/passwd"])[0]}, "120000"
    )
    assert not ledger.has(digest)
    assert list(ledger.sessions()) == []


def test_documents_that_are_none_are_passed_over(usual, shelf):
    one = shelf.session("one")
    commit = "c" * len(usual.repository.zero)
    ledger = usual.ledger()
    bad = ledger.objects.write("blob", [b"{", b"[]", b'{"commit":1}'])
    paths = [link_path(commit, f"{n}" * 64) for n in range(3)]
    write_tree(usual, ledger.ref, dict(zip(paths, bad, strict=True)))
    link = Link(commit, one[0], ("time",), 1.0)
    ledger.record(Changes(sessions=[one], links=[link]), "share")
    assert list(ledger.links()) == [link]
    assert set(paths) < set(usual.tree(ledger.ref))


def test_a_path_of_one_s_own_holds_a_session(usual, shelf):
    _, fd, _ = shelf.session("one")
    ledger = usual.ledger()
    oid = ledger.objects.blob_of(fd)
    ledger.record(Changes(extra={"notes/week 1/é.jsonl": oid}, time=5), "share")
    assert usual.git("cat-file", "blob", f"{ledger.ref}:notes/week 1/é.jsonl") == "one"
    for path in ("../x.jsonl", "v2/sessions/x.jsonl", "a//b.jsonl", "/a.jsonl", ".git/x.jsonl", "a.txt"):
        with pytest.raises(UsageError):
            ledger.record(Changes(extra={path: oid}), "share")


def test_a_ref_that_points_to_a_branch_does_not_lead_there(place, shelf):
    ledger = place.repository.ledger("refs/opensession/branches/c3lt")
    place.git("symbolic-ref", ledger.ref, "refs/heads/victim")
    ledger.record(Changes(sessions=[shelf.session("one")]), "share")
    assert place.git("for-each-ref", "refs/heads/victim") == ""
    assert ledger.tip() is not None


def test_whoever_is_overtaken_tries_again(usual, shelf, monkeypatch):
    one, two = shelf.session("one"), shelf.session("two")
    ledger, rival = usual.ledger(), usual.ledger()
    swap = ledger.objects.swap

    def late(ref: str, new: str, old: str | None) -> bool:
        monkeypatch.setattr(ledger.objects, "swap", swap)
        rival.record(Changes(sessions=[two]), "the faster")
        return swap(ref, new, old)

    monkeypatch.setattr("opensession.git.objects._LONGEST_TURN", 0.0)
    monkeypatch.setattr(ledger.objects, "swap", late)
    before = usual.git("rev-list", "--count", ledger.ref) if ledger.tip() else "0"
    ledger.record(Changes(sessions=[one]), "the slower")
    assert ledger.has(one[0])
    assert ledger.has(two[0])
    assert int(usual.git("rev-list", "--count", ledger.ref)) == int(before) + 2


def test_it_gives_up_after_so_many_tries(usual, shelf, monkeypatch):
    ledger = usual.ledger()
    monkeypatch.setattr(ledger.objects, "swap", lambda *_: False)
    with pytest.raises(BusyError, match="changed by others 3 times"):
        ledger.record(Changes(sessions=[shelf.session("one")]), "share", attempts=3)


def test_a_lock_left_behind_is_named_with_its_age_and_stays(place, shelf):
    ledger = place.ledger()
    if (place.repository.common_dir / "reftable").is_dir():
        lock = place.repository.common_dir / "reftable" / "tables.list.lock"
    else:
        lock = place.repository.common_dir / f"{ledger.ref}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("")
    os.utime(lock, (1_700_000_000, 1_700_000_000))
    with pytest.raises(BusyError, match=r"\.lock.* days old") as caught:
        ledger.record(Changes(sessions=[shelf.session("one")]), "share")
    assert lock.name in caught.value.message
    assert lock.exists()
    lock.unlink()
    assert ledger.record(Changes(sessions=[shelf.session("one")]), "share").changed


def test_notes_list_the_addresses_and_add_up(place, shelf):
    ledger = place.ledger()
    ledger.record(Changes(sessions=[shelf.session("one")]), "share")
    commit = ledger.tip()
    assert commit is not None
    assert add(ledger, commit, ["b" * 64]) is True
    assert add(ledger, commit, ["a" * 64, "b" * 64]) is True
    assert add(ledger, commit, ["a" * 64]) is False
    assert place.git("notes", "--ref", NOTES, "show", commit) == f"{'a' * 64}\n{'b' * 64}"
    assert place.git("rev-list", "--count", NOTES) == "2"


@pytest.mark.parametrize("content", ["", "a" * 40 + "\n", "0" * 40 + "\n"], ids=["empty", "nowhere", "zero"])
def test_a_ref_that_leads_nowhere_is_damage_and_not_an_empty_ledger(usual, shelf, content):
    ledger = usual.ledger()
    path = usual.repository.common_dir / ledger.ref
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(IntegrityError, match="is damaged") as caught:
        ledger.record(Changes(sessions=[shelf.session("one")]), "share")
    assert path.read_text() == content
    look, remedy = caught.value.next
    assert look == "git fsck --lost-found"
    subprocess.run(remedy, shell=True, cwd=usual.folder, check=True)
    assert ledger.record(Changes(sessions=[shelf.session("one")]), "share").changed


def test_what_points_to_no_commit_is_no_ledger(usual):
    ledger = usual.ledger()
    usual.git("update-ref", ledger.ref, ledger.objects.write("blob", [b"x"])[0])
    with pytest.raises(IntegrityError, match="points to a blob"):
        ledger.tip()


def test_each_session_gets_its_own_description_and_some_have_none(usual):
    ledger = usual.ledger()
    digests = [f"{n:064x}" for n in (1 << 248, 2 << 248, 3 << 248, 3 << 248 | 1, 9 << 248)]
    described = digests[1::2]
    session, *about = ledger.objects.write("blob", [b"x\n", b"{", *(b'{"id":"%d"}' % n for n in range(2))])
    strays = {meta_path("0" * 64): about[1], meta_path("f" * 64): about[1], meta_path(digests[4]): about[0]}
    files = {session_path(digest): session for digest in digests}
    metas = {meta_path(digest): oid for digest, oid in zip(described, about[1:], strict=True)}
    write_tree(usual, ledger.ref, files | metas | strays | {flat_path("5" * 64): session})
    found = {entry.sha256: entry.meta for entry in ledger.sessions(meta=True)}
    assert found == {
        **dict.fromkeys([*digests, "5" * 64]),
        described[0]: {"id": "0"},
        described[1]: {"id": "1"},
    }
    assert ledger.meta(described[0]) == {"id": "0"}
    assert ledger.meta(digests[0]) is None


def test_a_disk_that_will_not_sync_leaves_the_ledger_as_it_was(usual, shelf, monkeypatch):
    ledger = usual.ledger()
    before = ledger.record(Changes(sessions=[shelf.session("one")]), "share").tip

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("opensession.git.objects.sync", broken)
    with pytest.raises(StorageFailedError, match="make durable"):
        ledger.record(Changes(sessions=[shelf.session("two")]), "share")
    assert ledger.tip() == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs the names of open files")
def test_every_object_and_every_folder_above_it_is_synced_before_the_ref_is_set(usual, shelf, monkeypatch):
    one = shelf.session("one")
    ledger = usual.ledger()
    synced: list[str] = []
    monkeypatch.setattr(
        "opensession.git.objects.sync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}"))
    )
    swap = ledger.objects.swap
    at_swap: list[set[str]] = []

    def watched(*words):
        at_swap.append(set(synced))
        return swap(*words)

    monkeypatch.setattr(ledger.objects, "swap", watched)
    ledger.record(Changes(sessions=[one]), "share")
    objects = usual.repository.common_dir / "objects"
    oids = usual.git("rev-list", "--objects", "--no-object-names", ledger.ref).split()
    files = {str(objects / oid[:2] / oid[2:]) for oid in oids}
    assert at_swap == [files | {str(objects / oid[:2]) for oid in oids} | {str(objects)}]
    ref = usual.repository.common_dir / ledger.ref
    assert set(synced) - at_swap[0] >= {str(ref), str(ref.parent), str(ref.parent.parent)}
