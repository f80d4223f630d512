"""Pushing a ledger to remotes on this disk: nobody loses anything, and the user's repository stays as it is."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import pytest

from opensession.errors import NotFoundError, RefusedError, RemoteFailedError
from opensession.git.entries import gone_path, link_path, session_path
from opensession.git.ledger import Changes, Ledger, Link
from opensession.git.mirror import mirror_of
from opensession.git.push import push_command, push_ledger
from opensession.git.refs import NOTES, ledger_ref
from opensession.git.remotes import remote_of
from opensession.git.repository import Repository
from opensession.git.transport import Limits

sys.path.insert(0, str(Path(__file__).parent))

from githttp import served

REF = ledger_ref("main")
COMMIT = "c" * 40


class Clone(NamedTuple):
    """A repository of a user and the store in it."""

    path: Path
    env: object

    @property
    def repository(self) -> Repository:
        return Repository.discover(self.path, os.environ)

    @property
    def store(self) -> Path:
        return self.path / ".git" / "opensession"

    def ledger(self) -> Ledger:
        repository = self.repository
        return Ledger(
            repository.git, REF, common_dir=repository.common_dir, object_format=repository.object_format
        )

    def add(self, *texts: str, links: tuple[Link, ...] = ()) -> list[str]:
        found, sessions, open_ = [], [], []
        for text in texts:
            path = self.path.parent / f"{self.path.name}-{text}"
            path.write_bytes(text.encode())
            file = path.open("rb")
            open_.append(file)
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            sessions.append((sha256, file.fileno(), b"{}"))
            found.append(sha256)
        self.ledger().record(Changes(sessions=sessions, links=links), "add")
        for file in open_:
            file.close()
        return found

    def take_back(self, sha256: str) -> None:
        self.ledger().record(Changes(gone=[sha256]), "take back", rewrite=True)

    def push(self, remote: str = "origin", **more):
        return push_ledger(self.repository, self.store, REF, remote_of(self.repository, remote), **more)


@pytest.fixture
def bare(env, tmp_path) -> Path:
    env.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    return tmp_path / "remote.git"


@pytest.fixture
def clone(env, tmp_path, bare):
    def make(name: str = "one", *words: str) -> Clone:
        path = tmp_path / name
        env.git("init", "-q", *words, str(path))
        env.git("remote", "add", "origin", str(bare), cwd=path)
        return Clone(path, env)

    return make


def files(env, repository: Path, ref: str = REF) -> dict[str, str]:
    listed = env.git("ls-tree", "-r", ref, cwd=repository).splitlines()
    return {line.partition("\t")[2]: line.split()[2] for line in listed}


def sessions(env, repository: Path) -> set[str]:
    return {Path(path).stem for path in files(env, repository) if path.startswith("v2/sessions/")}


def by_hand(env, bare: Path, entries: dict[str, tuple[str, bytes | str]], ref: str = REF) -> str:
    """Put a commit with these entries under the ref, with git's own tools; an id is taken as it is."""

    def run(*words: str, stdin: bytes = b"") -> str:
        variables = env.variables | {"GIT_INDEX_FILE": str(bare / "by-hand")}
        done = subprocess.run(
            ["git", *words], cwd=bare, env=variables, input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    lines = ""
    for path, (mode, what) in entries.items():
        oid = what if isinstance(what, str) else run("hash-object", "-w", "--stdin", stdin=what)
        lines += f"{mode} {oid}\t{path}\n"
    run("read-tree", "--empty")
    run("update-index", "--add", "--index-info", stdin=lines.encode())
    commit = run("commit-tree", "-m", "x", run("write-tree", "--missing-ok"))
    run("update-ref", ref, commit)
    return commit


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a repository but those of the store in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if "opensession" not in path.relative_to(folder).parts[:2] and path.is_file():
            found[str(path.relative_to(folder))] = (path.stat().st_mode, path.read_bytes())
    return found


def test_a_first_push_puts_the_ledger_there(env, clone, bare):
    one = clone()
    (sha256,) = one.add("a")
    pushed = one.push()
    assert (pushed.changed, pushed.merged) == (True, False)
    assert sessions(env, bare) == {sha256}
    assert env.git("rev-parse", REF, cwd=bare) == pushed.tip == one.ledger().tip()


def test_a_second_push_of_the_same_sends_nothing(env, clone, bare):
    one = clone()
    one.add("a")
    first = one.push()
    assert one.push() == first._replace(changed=False)


def test_two_clones_never_fight(env, clone, bare):
    one, two = clone("one"), clone("two")
    a, b = *one.add("a"), *two.add("b")
    one.push()
    pushed = two.push()
    assert pushed.merged
    assert sessions(env, bare) == {a, b}
    (c,) = one.add("c")
    one.push()
    assert sessions(env, bare) == {a, b, c}
    assert not two.push().changed
    assert sessions(env, one.path) == {a, c}
    env.git("fsck", "--strict", cwd=bare)


def test_the_union_has_both_as_parents_and_no_name_of_the_user(env, clone, bare):
    one, two = clone("one"), clone("two")
    one.add("a")
    two.add("b")
    theirs = one.push().tip
    ours = two.ledger().tip()
    two.push()
    said = env.git("log", "-1", "--format=%P|%an <%ae>|%cn <%ce>|%at %ct", REF, cwd=bare)
    who = "opensession <opensession@localhost>"
    assert said == f"{theirs} {ours}|{who}|{who}|0 0"


def test_the_repository_is_the_same_before_and_after(env, clone, bare):
    one, two = clone("one"), clone("two")
    two.add("b")
    two.push()
    (one.path / "file").write_text("x")
    env.git("add", "file", cwd=one.path)
    env.git("commit", "-q", "-m", "x", cwd=one.path)
    one.add("a")
    before = snapshot(one.path)
    assert one.push().merged
    assert snapshot(one.path) == before


def test_the_private_repository_is_for_its_owner_only_and_holds_no_address(env, clone, bare):
    one = clone()
    one.add("a")
    one.push()
    folder = one.store / "git"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (config,) = folder.glob("*/repository/config")
    assert stat.S_IMODE(config.parent.parent.stat().st_mode) == 0o700
    assert str(bare) not in config.read_text()


def test_sessions_of_others_are_not_fetched(env, clone, bare):
    one, two = clone("one"), clone("two")
    (a,) = one.add("a")
    one.push()
    two.add("b")
    two.push()
    oid = files(env, bare)[session_path(a)]
    (mirror,) = (two.store / "git").glob("*/repository")
    found = subprocess.run(
        ["git", "cat-file", "-e", oid],
        cwd=mirror,
        env=env.variables | {"GIT_NO_LAZY_FETCH": "1"},
        check=False,
        capture_output=True,
    )
    assert found.returncode != 0


@pytest.mark.slow
def test_links_that_differ_are_decided_by_their_bytes(env, clone, bare):
    one, two = clone("one"), clone("two")
    h = hashlib.sha256(b"a").hexdigest()
    links = [Link(COMMIT, h, ("cwd",), share) for share in (0.25, 0.5)]
    smaller = min(links, key=lambda link: hashlib.sha256(link.to_json()).digest())
    one.add("a", links=(links[0],))
    two.add("a", links=(links[1],))
    one.push()
    two.push()
    oid = files(env, bare)[link_path(COMMIT, h)]
    assert env.git("cat-file", "blob", oid, cwd=bare).encode() == smaller.to_json()
    changed = [c.push().changed for c in (one, two, one)]
    assert changed[1:] == [False, False]


@pytest.mark.slow
def test_a_session_with_wrong_bytes_is_replaced_by_the_right_ones(env, clone, bare):
    one, two = clone("one"), clone("two")
    (a,) = one.add("a")
    one.push()

    by_hand(env, bare, {session_path(a): ("100644", b"wrong")})
    two.add("a")
    two.push()
    oid = files(env, bare)[session_path(a)]
    assert env.git("cat-file", "blob", oid, cwd=bare) == "a"


def test_what_was_taken_back_stays_away_and_is_not_in_the_history(env, clone, bare):
    one, two = clone("one"), clone("two")
    a, b = one.add("a", "b")
    (c,) = two.add("c")
    one.push()
    two.add("a")
    two.push()
    one.take_back(a)
    one.push(rewrite=True)
    assert sessions(env, bare) == {b, c}
    assert gone_path(a) in files(env, bare)
    two.push()
    two.add("d")
    two.push()
    assert a not in sessions(env, bare)
    objects = env.git("rev-list", "--objects", REF, cwd=bare)
    assert f"{a}.jsonl" not in objects
    assert f"{b}.jsonl" in objects


@pytest.mark.slow
def test_taking_back_a_second_time_pushes_nothing(env, clone, bare):
    one = clone()
    a, _ = one.add("a", "b")
    one.push()
    one.take_back(a)
    assert one.push(rewrite=True).changed
    assert not one.push(rewrite=True).changed


@pytest.mark.slow
def test_a_mirror_survives_the_removal_of_what_was_taken_back(env, clone, bare):
    one = clone()
    a, b = one.add("a", "b")
    one.push()
    one.take_back(a)
    env.git("reflog", "expire", "--expire=now", "--all", cwd=one.path)
    env.git("gc", "-q", "--prune=now", cwd=one.path)
    one.push(rewrite=True)
    assert sessions(env, bare) == {b}


@pytest.mark.slow
def test_somebody_who_is_faster_is_no_failure(env, clone, bare, monkeypatch):
    one, two = clone("one"), clone("two")
    a, b = *one.add("a"), *two.add("b")
    from opensession.git.mirror import Mirror

    real, calls = Mirror.fetch, []

    def fetch(self, *words, **more):
        found = real(self, *words, **more)
        if not calls:
            calls.append(1)
            one.push()
        return found

    monkeypatch.setattr(Mirror, "fetch", fetch)
    two.push()
    assert sessions(env, bare) == {a, b}


def hook(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_hook_of_the_server_that_declines_is_told_with_its_words_escaped(env, clone, bare):
    hook(bare / "hooks", "pre-receive", "printf 'no \\033[31msecrets\\n' >&2; exit 1")
    one = clone()
    one.add("a")
    with pytest.raises(RemoteFailedError, match=r"declined.*no \\x1b\[31msecrets") as failure:
        one.push()
    assert failure.value.reason == "declined"
    assert failure.value.next[0] == f"git push origin {REF}:{REF}"


def test_a_token_that_the_server_repeats_is_not_told(env, clone, bare):
    hook(
        bare / "hooks",
        "pre-receive",
        "echo 'ada: no access for t0ken/99 in https://ada:t0ken%2F99@host' >&2; exit 1",
    )
    one = clone()
    one.add("a")
    with served(bare.parent, needs="Basic " + b64encode(b"ada:t0ken/99").decode()) as server:
        env.git(
            "remote",
            "set-url",
            "origin",
            f"{server.url}/{bare.name}".replace("://", "://ada:t0ken%2F99@"),
            cwd=one.path,
        )
        with pytest.raises(RemoteFailedError, match=r"declined.*ada: no access for \*\*\* in") as failure:
            one.push()
    assert "t0ken" not in failure.value.message


def test_the_user_s_own_hook_sees_what_is_pushed_and_can_stop_it(env, clone, bare, tmp_path):
    one, two = clone("one"), clone("two")
    two.add("b")
    theirs = two.push().tip
    one.add("a")
    said = tmp_path / "said"
    hook(
        one.path / ".git" / "hooks",
        "pre-push",
        f'{{ git rev-parse --show-toplevel; echo "$OPENSESSION_INTERNAL_PUSH $2"; read l o r old; echo "$r $old"; '
        f'git log --format=%s "$old..$o"; }} > {said}; exit 1',
    )
    with pytest.raises(RemoteFailedError):
        one.push()
    assert said.read_text().splitlines() == [
        str(one.path), f"1 {bare}", f"{REF} {theirs}", "unite ledgers", "add",
    ]  # fmt: skip
    assert env.git("rev-parse", REF, cwd=bare) == theirs


@pytest.mark.slow
def test_a_hook_in_a_configured_folder_counts_and_can_be_left_out(env, clone, bare):
    one = clone()
    hook(one.path / "hooks here", "pre-push", "exit 1")
    env.git("config", "core.hooksPath", "hooks here", cwd=one.path)
    one.add("a")
    with pytest.raises(RemoteFailedError):
        one.push()
    assert one.push(hooks=False).changed


@pytest.mark.slow
def test_a_missing_repository_is_told(env, clone, bare):
    one = clone()
    one.add("a")
    env.git("remote", "set-url", "origin", str(bare.parent / "nothing.git"), cwd=one.path)
    with pytest.raises(RemoteFailedError, match="what was written here is kept") as failure:
        one.push()
    assert failure.value.reason == "missing"


def test_without_a_ledger_there_is_nothing_to_push(clone):
    with pytest.raises(NotFoundError, match="no ledger"):
        clone().push()


def test_a_branch_is_never_pushed_to(clone):
    one = clone()
    one.add("a")
    with pytest.raises(RefusedError):
        push_ledger(one.repository, one.store, "refs/heads/main", remote_of(one.repository, "origin"))


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_both_object_formats_are_pushed(env, clone, bare, kind, tmp_path):
    remote = tmp_path / "other.git"
    env.git("init", "-q", "--bare", f"--object-format={kind}", str(remote))
    one, two = clone("one", f"--object-format={kind}"), clone("two", f"--object-format={kind}")
    a, b = *one.add("a"), *two.add("b")
    one.push(str(remote))
    two.push(str(remote))
    assert sessions(env, remote) == {a, b}


@pytest.mark.slow
def test_a_remote_in_the_other_object_format_is_told(env, clone, bare):
    one = clone("one", "--object-format=sha256")
    one.add("a")
    with pytest.raises(RemoteFailedError, match="SHA-256"):
        one.push()
    other = clone("two")
    other.add("b")
    other.push()
    with pytest.raises(RemoteFailedError, match="SHA-256"):
        one.push()


@pytest.mark.slow
def test_every_push_url_gets_the_ledger(env, clone, bare, tmp_path):
    second = tmp_path / "second.git"
    env.git("init", "-q", "--bare", str(second))
    one, two = clone("one"), clone("two")
    b = two.add("b")
    two.push(str(second))
    for url in (bare, second):
        env.git("remote", "set-url", "--push", "--add", "origin", str(url), cwd=one.path)
    a = one.add("a")
    one.push()
    assert sessions(env, bare) == {*a}
    assert sessions(env, second) == {*a, *b}


@pytest.mark.slow
def test_an_unfinished_private_repository_is_made_again(env, clone, bare):
    one = clone()
    one.add("a")
    one.push()
    (mirror,) = (one.store / "git").glob("*/repository")
    (mirror / "packed-refs.lock").touch()
    one.add("b")
    one.push()
    assert not (mirror / "packed-refs.lock").exists()
    assert len(sessions(env, bare)) == 2


@pytest.mark.slow
def test_a_private_repository_with_many_packs_is_tidied_up(env, clone, bare, monkeypatch):
    monkeypatch.setattr("opensession.git.mirror._MOST_PACKS", 2)
    one, two = clone("one"), clone("two")
    for n in range(4):
        one.add(f"a{n}")
        two.add(f"b{n}")
        one.push()
        two.push()
    assert len(sessions(env, bare)) == 8
    (mirror,) = (two.store / "git").glob("*/repository")
    assert len(list(mirror.glob("objects/pack/*.pack"))) <= 3
    env.git("fsck", "--full", cwd=bare)


def test_the_command_that_pushes_by_hand_can_be_pasted(clone):
    one = clone()
    assert push_command(remote_of(one.repository, "origin"), REF) == f"git push origin {REF}:{REF}"


@pytest.mark.slow
def test_a_partial_clone_pushes_without_fetching_what_it_lacks(env, clone, bare, tmp_path):
    one = clone()
    (one.path / "big").write_text("big")
    env.git("add", "big", cwd=one.path)
    env.git("commit", "-q", "-m", "x", cwd=one.path)
    env.git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=one.path)
    env.git("config", "uploadpack.allowFilter", "true", cwd=bare)
    partial = tmp_path / "partial"
    env.git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{bare}", str(partial))
    two = Clone(partial, env)
    a = two.add("a")
    before = snapshot(partial)
    two.push()
    assert snapshot(partial) == before
    assert sessions(env, bare) == {*a}


@pytest.mark.slow
def test_a_remote_that_is_too_full_is_told(env, clone, bare, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(full)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no small file system can be mounted here")
    try:
        env.git("init", "-q", "--bare", "--template=", str(full / "remote.git"))
        one = clone()
        one.add(os.urandom(100).hex(), "y")
        path = one.path.parent / "large"
        path.write_bytes(os.urandom(1 << 20))
        with path.open("rb") as file:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            one.ledger().record(Changes(sessions=[(sha256, file.fileno(), b"{}")]), "add")
        with pytest.raises(RemoteFailedError) as failure:
            one.push(str(full / "remote.git"))
        assert failure.value.reason == "full"
    finally:
        subprocess.run(["umount", "-l", str(full)], check=True)


@pytest.mark.slow
def test_a_linked_worktree_and_a_bare_repository_push(env, clone, bare, tmp_path):
    one = clone()
    (one.path / "f").write_text("x")
    env.git("add", "f", cwd=one.path)
    env.git("commit", "-q", "-m", "x", cwd=one.path)
    env.git("worktree", "add", "-q", str(tmp_path / "linked"), cwd=one.path)
    one.add("a")
    repository = Repository.discover(tmp_path / "linked", os.environ)
    assert push_ledger(repository, one.store, REF, remote_of(repository, "origin")).changed
    own = tmp_path / "own.git"
    env.git("clone", "-q", "--mirror", str(one.path), str(own))
    repository = Repository.discover(own, os.environ)
    other = tmp_path / "other.git"
    env.git("init", "-q", "--bare", str(other))
    assert push_ledger(repository, own / "opensession", REF, remote_of(repository, str(other))).changed


def test_a_server_that_says_nothing_is_given_up(env, clone, bare):
    import socket

    one = clone()
    one.add("a")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.git"
        with pytest.raises(RemoteFailedError, match="does not answer") as failure:
            one.push(url, limits=Limits(idle=0.3))
    assert failure.value.reason == "hung"
    assert failure.value.next[0] == f"git push {url} {REF}:{REF}"


@pytest.mark.parametrize(("filters", "protocol"), [("true", "2"), ("false", "2"), ("true", "0")])
def test_two_clones_push_over_http(env, clone, bare, filters, protocol):
    env.git("config", "uploadpack.allowFilter", filters, cwd=bare)
    env.git("config", "http.receivepack", "true", cwd=bare)
    h = hashlib.sha256(b"a").hexdigest()
    links = [Link(COMMIT, h, ("cwd",), share) for share in (0.25, 0.5)]
    with served(bare.parent) as server:
        url = f"{server.url}/{bare.name}"
        one, two = clone("one"), clone("two")
        for each in (one, two):  # the older protocol gives single objects to nobody
            env.git("config", "protocol.version", protocol, cwd=each.path)
        one.add("a", "b", links=(links[0],))
        two.add("a", "c", links=(links[1],))
        one.push(url)
        two.push(url)
        one.push(url)
    assert len(sessions(env, bare)) == 3
    oid = files(env, bare)[link_path(COMMIT, h)]
    smaller = min(links, key=lambda link: hashlib.sha256(link.to_json()).digest())
    assert env.git("cat-file", "blob", oid, cwd=bare).encode() == smaller.to_json()


def test_an_entry_that_has_no_business_in_a_ledger_is_not_carried_on(env, clone, bare):
    one = clone()
    (a,) = one.add("a")
    by_hand(
        env,
        bare,
        {
            "v2/sessions/aa": ("120000", b"../../.git/config"),
            "v2/gone": ("160000", "c" * 40),
            "README": ("100644", b"hello"),
            "mine/run.jsonl": ("100755", b"x"),
            "mine/kept.jsonl": ("100644", b"x"),
        },
    )
    one.push()
    assert files(env, bare).keys() == {
        session_path(a),
        "v2/meta/" + session_path(a)[12:-1],
        "mine/kept.jsonl",
    }


@pytest.mark.slow
def test_a_tree_of_theirs_that_names_a_private_file_does_not_bring_it_there(env, clone, bare):
    one = clone()
    (one.path / "private").write_text("password")
    env.git("add", "private", cwd=one.path)
    oid = env.git("rev-parse", ":private", cwd=one.path)
    one.add("a")
    by_hand(env, bare, {"mine/stolen.jsonl": ("100644", oid)})
    one.push()
    one.add("b")
    one.push()
    missing = subprocess.run(["git", "cat-file", "-e", oid], cwd=bare, env=env.variables, check=False)
    assert missing.returncode != 0


def annotate(env, repository: Path, text: str) -> None:
    env.git("notes", "--ref=opensession", "append", "-m", text, "HEAD", cwd=repository)


def test_notes_of_two_clones_are_united_line_by_line(env, clone, bare):
    one, two = clone("one"), clone("two")
    (one.path / "f").write_text("x")
    env.git("add", "f", cwd=one.path)
    env.git("commit", "-q", "-m", "x", cwd=one.path)
    env.git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=one.path)
    env.git("pull", "-q", "origin", "main", cwd=two.path)
    for each, text in ((one, "os://src/one"), (two, "os://src/two")):
        annotate(env, each.path, text)
        push_ledger(each.repository, each.store, NOTES, remote_of(each.repository, "origin"))
    head = env.git("rev-parse", "HEAD", cwd=one.path)
    shown = env.git("notes", "--ref=opensession", "show", head, cwd=bare)
    assert shown.split() == ["os://src/one", "os://src/two"]
    again = push_ledger(one.repository, one.store, NOTES, remote_of(one.repository, "origin"))
    assert not again.changed


@pytest.mark.slow
def test_a_note_of_theirs_that_names_a_private_file_does_not_bring_it_there(env, clone, bare):
    one = clone()
    (one.path / "private").write_text("password")
    env.git("add", "private", cwd=one.path)
    env.git("commit", "-q", "-m", "x", cwd=one.path)
    oid, head = (env.git("rev-parse", name, cwd=one.path) for name in (":private", "HEAD"))
    by_hand(env, bare, {head: ("100644", oid)}, ref=NOTES)
    annotate(env, one.path, "os://src/one")
    with pytest.raises(RemoteFailedError):  # the server itself does not have what its tree names
        push_ledger(one.repository, one.store, NOTES, remote_of(one.repository, "origin"))
    with mirror_of(one.repository, one.store, remote_of(one.repository, "origin")) as mirror:
        with mirror.git.batch() as batch:
            assert batch.info(oid) is not None
        with mirror.alone() as alone:
            assert alone.info(oid) is None


@pytest.mark.slow
def test_a_lock_that_was_left_on_the_remote_is_told(env, clone, bare, monkeypatch):
    monkeypatch.setattr("opensession.git.push._PATIENCE_WITH_LOCKS", 1)
    one = clone()
    one.add("a")
    lock = bare / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(RemoteFailedError, match=r"\.lock"):
        one.push()


def test_a_push_ends_at_its_time_limit(clone):
    one = clone()
    one.add("a")
    with pytest.raises(RemoteFailedError, match="in time"):
        one.push(timeout=0.0)


def test_a_remote_that_may_only_be_read_is_told(env, clone, bare):
    one = clone()
    one.add("a")
    env.git("config", "http.receivepack", "false", cwd=bare)
    with served(bare.parent) as server, pytest.raises(RemoteFailedError) as failure:
        one.push(f"{server.url}/{bare.name}")
    assert failure.value.reason == "permission"


def test_a_server_that_sends_visitors_elsewhere_is_not_followed(clone, bare):
    one = clone()
    one.add("a")
    with served(bare.parent) as server, pytest.raises(RemoteFailedError, match=r"lacks its \.git") as failure:
        one.push(f"{server.url}/{bare.stem}")
    assert failure.value.reason == "missing"


@pytest.mark.slow
def test_thirty_two_clones_that_push_at_once_all_land(env, clone, bare):
    clones = [clone(f"c{n}") for n in range(32)]
    wanted = {sha256 for n, each in enumerate(clones) for sha256 in each.add(f"session {n}")}
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from opensession.git.push import push_ledger\n"
        "from opensession.git.remotes import remote_of\n"
        "from opensession.git.repository import Repository\n"
        "here = Repository.discover(Path.cwd(), os.environ)\n"
        "push_ledger(here, here.common_dir / 'opensession', sys.argv[1], remote_of(here, 'origin'), timeout=500)\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, REF], cwd=each.path, env=env.variables, stderr=subprocess.PIPE
        )
        for each in clones
    ]
    ends = [(child.communicate()[1].decode(), child.returncode) for child in running]
    assert [end for end in ends if end[1] != 0] == []
    assert sessions(env, bare) == wanted
    env.git("fsck", "--full", "--strict", cwd=bare)
