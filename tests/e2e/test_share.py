"""Sharing between two clones and a bare remote: over a folder and over http, with everything that can go wrong."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import pytest

from opensession.cli.commands import share as share_command
from opensession.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from githttp import served
from terminals import shown_by

REF = "refs/opensession/branches/bWFpbg"
SECRET = "AKIA" + "QX7ZR2LMN4PBV3TW"


class Clone(NamedTuple):
    """A clone, and the command line in it."""

    env: object
    path: Path
    command: object

    def __call__(self, *words: str):
        """Run `opensession` here."""
        os.chdir(self.path)
        return self.command(*words)

    def git(self, *words: str) -> str:
        return self.env.git(*words, cwd=self.path)

    def register(self, data: bytes) -> str:
        [stored] = Store(self.path / ".git" / "opensession").put_hail(data)
        return stored.uri

    def share(self, uri: str, *words: str):
        """Share and push; must succeed."""
        done = self("share", uri, "--git", "--remote", "origin", "--push", "--json", *words)
        assert done.code == 0, done.err
        return done.json


class World(NamedTuple):
    """A bare remote and two clones of it."""

    remote: Path
    url: str
    ada: Clone
    bob: Clone

    def git(self, *words: str) -> str:
        """Run git in the remote."""
        return self.ada.env.git(*words, cwd=self.remote)

    def sessions(self) -> set[str]:
        """The addresses in the remote's ledger."""
        names = self.git("ls-tree", "-r", "--name-only", REF).splitlines()
        return {name[-70:-6] for name in names if name.startswith("v2/sessions/")}

    def everything(self) -> str:
        """Every path that the remote's refs lead to, over their whole history."""
        return self.git("rev-list", "--objects", "--all")


def sha256_of(uri: str) -> str:
    return uri.rpartition("/")[2]


def clone(env, url: str, path: Path, command) -> Clone:
    # Not by `git clone`: three processes for each of these tests are enough.
    env.git("init", "-q", "-b", "main", str(path))
    with (path / ".git" / "config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
    return Clone(env, path, command)


def build(env, url: str, remote: Path, command) -> World:
    return World(
        remote, url, clone(env, url, env.work / "ada", command), clone(env, url, env.work / "bob", command)
    )


@pytest.fixture
def remote(env) -> Path:
    """A bare repository."""
    folder = env.home.parent / "remotes"
    env.git("init", "-q", "--bare", "-b", "main", str(folder / "toaster.git"))
    return folder / "toaster.git"


@pytest.fixture
def world(env, remote, command) -> World:
    """Two clones of a remote in a folder."""
    return build(env, str(remote), remote, command)


@pytest.fixture(params=["folder", pytest.param("http", marks=pytest.mark.slow)])
def anywhere(env, remote, command, request):
    """Two clones of a remote in a folder, then of one behind a web server."""
    if request.param == "folder":
        yield build(env, str(remote), remote, command)
        return
    with served(remote.parent) as server:
        yield build(env, f"{server.url}/toaster.git", remote, command)


# ---- two clones ----


def test_two_clones_share_into_one_ledger_and_nobody_loses_anything(anywhere, hail):
    ada, bob = anywhere.ada, anywhere.bob
    first = ada.register(hail.session("s-1"))
    second = bob.register(hail.session("s-2"))
    third = ada.register(hail.session("s-3"))
    shared = [ada.share(first), bob.share(second), ada.share(third)]

    assert all(each["pushed"] for each in shared)
    assert anywhere.sessions() == {sha256_of(uri) for uri in (first, second, third)}
    assert anywhere.git("fsck", "--strict") == ""
    for each, uri in zip(shared, (first, second, third), strict=True):
        blob = anywhere.git("cat-file", "blob", f"{each['ref']}:{each['path']}") + "\n"
        holder = bob if uri == second else ada
        assert blob == Store(holder.path / ".git" / "opensession").path_of(sha256_of(uri)).read_text()


def test_what_one_clone_shares_another_reads_by_its_address(anywhere, hail):
    ada, bob = anywhere.ada, anywhere.bob
    uri = ada.register(hail.session(title="The toaster does not toast"))
    shared = ada.share(uri)["uri"]
    read = bob("inspect", shared, "--json").json
    assert read["title"] == "The toaster does not toast"
    assert bob("verify", shared, "--strict").code == 0
    # Read once, it is in the store here: the server is not needed any more.
    bob.git("remote", "remove", "origin")
    assert bob("inspect", uri, "--json").json["session_id"] == read["session_id"]


def test_the_users_repository_and_its_configuration_are_untouched(anywhere, hail):
    ada, bob = anywhere.ada, anywhere.bob
    bob.share(bob.register(hail.session("s-2")))
    uri = ada.register(hail.session("s-1"))
    config = (ada.path / ".git" / "config").read_bytes()
    refs = ada.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags")
    ada.share(uri)

    assert (ada.path / ".git" / "config").read_bytes() == config
    assert ada.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags") == refs
    assert ada.git("status", "--porcelain") == ""
    assert ada.git("fsck", "--strict") == ""


def test_sharing_again_sends_nothing(anywhere, hail):
    ada = anywhere.ada
    uri = ada.register(hail.session())
    ada.share(uri)
    tip = anywhere.git("rev-parse", REF)
    ada.share(uri)
    assert anywhere.git("rev-parse", REF) == tip


def test_the_printed_push_command_sends_and_the_other_one_merges(world, hail):
    ada, bob = world.ada, world.bob
    uri = ada.register(hail.session("s-1"))
    printed = ada("share", uri, "--git", "--remote", "origin", "--json").json
    assert world.git("for-each-ref", "refs/opensession") == ""
    subprocess.run(shlex.split(printed["push_cmd"]), cwd=ada.path, env=world.ada.env.variables, check=True)
    assert world.sessions() == {sha256_of(uri)}

    other = bob.register(hail.session("s-2"))
    printed = bob("share", other, "--git", "--remote", "origin", "--json").json
    refused = subprocess.run(
        shlex.split(printed["push_cmd"]),
        cwd=bob.path,
        env=bob.env.variables,
        capture_output=True,
        check=False,
    )
    assert b"fetch first" in refused.stderr or b"non-fast-forward" in refused.stderr
    words = shlex.split(printed["merge_cmd"])
    assert bob(*words[1:]).code == 0
    assert world.sessions() == {sha256_of(uri), sha256_of(other)}


def test_a_typed_address_works_like_a_name(anywhere, hail):
    ada = anywhere.ada
    uri = ada.register(hail.session())
    done = ada("share", uri, "--git", "--remote", anywhere.url, "--push", "--json")
    assert done.json["pushed"]
    assert anywhere.sessions() == {sha256_of(uri)}


@pytest.mark.slow
def test_a_path_is_placed_on_the_remote_and_the_first_one_there_stays(world, hail):
    ada, bob = world.ada, world.bob
    first, second = ada.register(hail.session("s-1")), bob.register(hail.session("s-2"))
    one, two = sorted([first, second], key=sha256_of)
    holders = {first: ada, second: bob}
    # The smaller hash wins a path that two clones chose, so the second one is told.
    holders[one].share(one, "--path", "shown/demo.jsonl")
    done = holders[two]("share", two, "--git", "--remote", "origin", "--push", "--path", "shown/demo.jsonl")
    assert done.code == 6
    assert "shown/demo.jsonl" in done.err
    assert world.sessions() == {sha256_of(first), sha256_of(second)}
    assert world.git("rev-parse", f"{REF}:shown/demo.jsonl") == world.git(
        "rev-parse", f"{REF}:v2/sessions/{sha256_of(one)[:2]}/{sha256_of(one)[2:4]}/{sha256_of(one)}.jsonl"
    )


@pytest.mark.slow
def test_linked_worktrees_share_from_their_own_branch(world, hail):
    ada = world.ada
    ada.git("commit", "-q", "--allow-empty", "-m", "first")
    ada.git("worktree", "add", "-q", "-b", "feature/crumbs", "../crumbs")
    uri = ada.register(hail.session())
    there = Clone(ada.env, ada.path.parent / "crumbs", ada.command)
    shared = there.share(uri)
    assert shared["ref"] == "refs/opensession/branches/ZmVhdHVyZS9jcnVtYnM"
    assert shared["ref"] in world.git("for-each-ref", "refs/opensession")


@pytest.mark.slow
def test_a_repository_with_sha256_names_shares_too(env, command, hail):
    env.git("init", "-q", "--bare", "-b", "main", "--object-format=sha256", "there.git")
    env.git("init", "-q", "-b", "main", "--object-format=sha256", "here")
    env.git("remote", "add", "origin", "../there.git", cwd=env.work / "here")
    here = Clone(env, env.work / "here", command)
    uri = here.register(hail.session())
    shared = here.share(uri)
    assert shared["path"] in env.git("ls-tree", "-r", "--name-only", REF, cwd=env.work / "there.git")


@pytest.mark.slow
def test_shares_at_the_same_time_all_land(world, hail):
    """Six processes in two clones, each with a session of its own."""
    uris = [
        (each, each.register(hail.session(f"s-{number}")))
        for number, each in enumerate([world.ada, world.bob] * 3)
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "opensession", "share", uri, "--git", "--remote", "origin", "--push"],
            cwd=each.path, env=each.env.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for each, uri in uris
    ]  # fmt: skip
    answers = [child.communicate() for child in running]
    assert [(child.returncode, err) for child, (_, err) in zip(running, answers, strict=True)] == [
        (0, b"note: the address names a folder of this machine: others cannot read it\n")
    ] * 6
    assert world.sessions() == {sha256_of(uri) for _, uri in uris}
    # What a push brought that somebody else overtook lies there unused; that is no damage.
    assert world.git("fsck", "--strict", "--no-dangling") == ""


# ---- quick, and consent ----


def test_consent_is_given_by_a_push_that_succeeded_and_holds_for_that_address_only(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    assert not ada("share", uri, "--quick", "--json").json["pushed"]
    assert ada("share", uri, "--quick", "--push", "--json").json["auto_push_consent"]
    second = ada.register(hail.session("s-2"))
    assert ada("share", second, "--quick", "--json").json["pushed"]
    assert sha256_of(second) in world.sessions()

    moved = world.remote.parent / "moved.git"
    shutil.copytree(world.remote, moved)
    ada.git("remote", "set-url", "origin", str(moved))
    third = ada.register(hail.session("s-3"))
    again = ada("share", third, "--quick", "--json").json
    assert (again["pushed"], again["auto_push_consent"]) == (False, False)


def test_consent_of_the_older_program_is_not_bound_to_an_address_and_counts_for_nothing(world, hail):
    ada = world.ada
    ada.git("config", "opensession.share.auto-push-consent", "true")
    assert not ada("share", ada.register(hail.session()), "--quick", "--json").json["pushed"]


def test_a_push_that_failed_gives_no_consent(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    ada.git("remote", "set-url", "origin", str(world.remote.parent / "nowhere.git"))
    done = ada("share", uri, "--quick", "--push")
    assert done.code == 7
    assert "consent" not in ada.git("config", "--list", "--local")


def test_a_person_who_says_yes_is_asked_once(world, hail, monkeypatch):
    ada, asked = world.ada, []
    monkeypatch.setattr(share_command, "can_ask", lambda _report: True)
    monkeypatch.setattr(share_command, "agreed", lambda question: asked.append(question) or True)
    for number in range(2):
        done = ada("share", ada.register(hail.session(f"s-{number}")), "--quick")
        assert "pushed: yes" in done.out.splitlines()
        assert "auto_push_consent: yes" in done.out.splitlines()
    [question] = asked
    assert f"git push origin {REF}:{REF}" in question
    assert str(world.remote).removesuffix(".git") in question


def test_a_person_who_says_no_has_nothing_written(world, hail, monkeypatch):
    ada = world.ada
    monkeypatch.setattr(share_command, "can_ask", lambda _report: True)
    monkeypatch.setattr(share_command, "agreed", lambda _question: False)
    done = ada("share", ada.register(hail.session()), "--quick")
    assert done.code == 6
    assert ada.git("for-each-ref", "refs/opensession") == ""
    assert world.git("for-each-ref", "refs/opensession") == ""
    assert "consent" not in ada.git("config", "--list", "--local")
    for step in done.steps:
        assert ada(*shlex.split(step)[1:]).code == 0


@pytest.mark.parametrize(("typed", "pushed"), [(b"\n", False), (b"y\n", True)])
def test_on_a_real_terminal_return_alone_means_no(world, hail, typed, pushed):
    ada = world.ada
    uri = ada.register(hail.session())
    shown = typed_at_a_terminal(ada, typed, "share", uri, "--quick")
    assert "[y/N]" in shown
    assert bool(world.git("for-each-ref", "refs/opensession")) is pushed


def typed_at_a_terminal(clone: Clone, typed: bytes, *words: str) -> str:
    """Run the command on a terminal, answer its question, and give what was shown."""
    return shown_by(words, clone.path, clone.env.variables, typed=typed)


# ---- pushes that fail ----


def failed(clone: Clone, uri: str, remote: str = "origin"):
    """Share, where the push must fail: the work here is kept, and the answer says what was done."""
    done = clone("share", uri, "--git", "--remote", remote, "--push", "--json")
    assert done.code == 7, done.err
    assert done.json["pushed"] is False
    assert done.json["error"]["code"] == "remote_failed"
    assert sha256_of(uri) in clone.git("ls-tree", "-r", "--name-only", done.json["ref"])
    return done.json


def test_a_declined_push_keeps_the_work_and_shows_the_servers_words_escaped(world, hail):
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'not \\033[2Jtoday\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    uri = world.ada.register(hail.session())
    error = failed(world.ada, uri)["error"]
    assert "\x1b" not in json.dumps(error)
    assert "declined" in error["message"]
    hook.unlink()
    again, *_ = error["next"]
    assert world.ada(*shlex.split(again)[1:]).code == 0
    assert world.sessions() == {sha256_of(uri)}


def test_a_remote_that_is_gone_keeps_the_work_and_names_the_command_to_send_it(world, hail):
    uri = world.ada.register(hail.session())
    moved = world.remote.with_name("moved.git")
    world.remote.rename(moved)
    answer = failed(world.ada, uri)
    moved.rename(world.remote)
    assert answer["push_cmd"] in answer["error"]["next"]
    subprocess.run(
        shlex.split(answer["push_cmd"]), cwd=world.ada.path, env=world.ada.env.variables, check=True
    )
    assert world.sessions() == {sha256_of(uri)}


def test_a_server_that_wants_a_password_is_told_apart_and_gets_one_from_git_only(env, remote, command, hail):
    needs = "Basic " + b64encode(b"ada:hunter2").decode()
    with served(remote.parent, needs=needs) as server:
        known = server.url.replace("://", "://ada:hunter2@")
        world = build(env, f"{known}/toaster.git", remote, command)
        uri = world.ada.register(hail.session())
        done = world.ada("share", uri, "--git", "--remote", "origin", "--push", "--json")
        assert done.json["pushed"]
        assert "hunter2" not in done.out + done.err
        world.ada.git("remote", "set-url", "origin", f"{server.url}/toaster.git")
        second = world.ada.register(hail.session("s-2"))
        error = failed(world.ada, second)["error"]
        assert "would not let this user in" in error["message"]
        assert "hunter2" not in json.dumps(error)
    private = [p for p in (world.ada.path / ".git" / "opensession").rglob("*") if p.is_file()]
    assert not [p for p in private if b"hunter2" in p.read_bytes()]


@pytest.mark.slow
def test_a_repository_that_the_server_does_not_have_is_told_apart(env, remote, command, hail):
    with served(remote.parent) as server:
        world = build(env, f"{server.url}/toaster.git", remote, command)
        world.ada.git("remote", "set-url", "origin", f"{server.url}/teapot.git")
        error = failed(world.ada, world.ada.register(hail.session()))["error"]
    assert "no repository" in error["message"]


def test_without_push_the_server_is_not_asked(env, remote, command, hail):
    with served(remote.parent) as server:
        world = build(env, f"{server.url}/toaster.git", remote, command)
        server.requests.clear()
        for words in (["--git", "--remote", "origin"], ["--quick"]):
            assert world.ada("share", world.ada.register(hail.session()), *words).code == 0
        assert server.requests == []


def test_a_stale_lock_is_named_and_never_removed(world, hail):
    lock = world.ada.path / ".git" / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (1, 1))
    uri = world.ada.register(hail.session())
    done = world.ada("share", uri, "--git", "--remote", "origin")
    assert done.code == 9
    assert str(lock) in done.err
    assert lock.exists()
    lock.unlink()
    assert world.ada("share", uri, "--git", "--remote", "origin").code == 0


# ---- nothing leaves unscanned ----


def test_a_secret_that_got_into_the_ledger_by_another_way_keeps_the_whole_ledger_here(world, hail):
    ada = world.ada
    leaky = ada.register(hail.session("s-2", text=f"use {SECRET}"))
    ada("share", leaky, "--git", "--remote", "origin", "--redact")
    # As if somebody had put it there by hand.
    blob = ada.git(
        "hash-object", "-w", str(Store(ada.path / ".git" / "opensession").path_of(sha256_of(leaky)))
    )
    index = {**ada.env.variables, "GIT_INDEX_FILE": str(ada.path / ".git" / "scratch")}
    for words in (
        ["read-tree", REF],
        ["update-index", "--add", "--cacheinfo", f"100644,{blob},sessions/{sha256_of(leaky)}.jsonl"],
    ):
        subprocess.run(["git", *words], cwd=ada.path, env=index, check=True)
    tree = subprocess.run(["git", "write-tree"], cwd=ada.path, env=index, check=True, capture_output=True)
    ada.git("update-ref", REF, ada.git("commit-tree", "-m", "by hand", tree.stdout.decode().strip()))

    uri = ada.register(hail.session())
    done = ada("share", uri, "--git", "--remote", "origin", "--push", "--json")
    assert done.code == 6
    assert done.json["error"]["code"] == "secrets_found"
    assert SECRET not in done.out + done.err
    assert world.git("for-each-ref", "refs/opensession") == ""
    out = next(step for step in done.json["error"]["next"] if step.startswith("opensession unshare"))
    assert ada(*shlex.split(out)[1:], "--yes").code == 0
    assert ada("share", uri, "--git", "--remote", "origin", "--push").code == 0
    assert SECRET not in world.git("log", "-p", "--all")


def test_what_a_person_let_pass_is_not_asked_about_again(world, hail):
    ada = world.ada
    leaky = ada.register(hail.session("s-2", text=f"use {SECRET}"))
    refused = ada("share", leaky, "--git", "--remote", "origin", "--json")
    step = next(s for s in refused.json["error"]["next"] if "--allow-secret" in s)
    assert ada(*shlex.split(step)[1:]).code == 0
    assert ada.share(ada.register(hail.session()))["pushed"]
    assert sha256_of(leaky) in world.sessions()


# ---- taking back ----


def test_what_is_taken_back_is_gone_from_both_sides_with_its_history(anywhere, hail):
    ada, bob = anywhere.ada, anywhere.bob
    kept, gone = ada.register(hail.session("s-1")), ada.register(hail.session("s-2"))
    ada.share(kept)
    shared = ada.share(gone, "--path", "shown/demo.jsonl")
    other = bob.register(hail.session("s-3"))
    bob.share(other)
    blob = anywhere.git("rev-parse", f"{REF}:shown/demo.jsonl")
    done = ada("unshare", shared["uri"], "--remote", "origin", "--yes", "--json")

    assert done.code == 0, done.err
    assert (done.json["uri"], done.json["pushed"], done.json["rewritten"]) == (gone, [REF], [REF])
    assert anywhere.sessions() == {sha256_of(kept), sha256_of(other)}
    assert blob not in anywhere.everything()
    assert blob not in ada.git("rev-list", "--objects", "--all")
    assert f"v2/gone/{sha256_of(gone)}" in anywhere.git("ls-tree", "-r", "--name-only", REF)
    assert anywhere.git("fsck", "--strict", "--no-dangling") == ""


def test_the_tombstone_keeps_it_out_of_what_other_clones_send(world, hail):
    ada, bob = world.ada, world.bob
    gone = hail.session("s-2")
    uri = ada.register(gone)
    ada.share(uri)
    bob.share(bob.register(gone))
    assert ada("unshare", uri, "--remote", "origin", "--yes").code == 0
    other = bob.register(hail.session("s-3"))
    bob.share(other)
    assert world.sessions() == {sha256_of(other)}
    assert f"/{sha256_of(uri)}.jsonl" not in world.everything()


def test_taking_back_sends_nothing_else(world, hail):
    ada = world.ada
    uri, waiting = ada.register(hail.session("s-1")), ada.register(hail.session("s-2"))
    ada.share(uri)
    ada("share", waiting, "--git", "--remote", "origin")
    assert ada("unshare", uri, "--remote", "origin", "--yes").code == 0
    assert world.sessions() == set()
    assert sha256_of(waiting) in ada.git("ls-tree", "-r", "--name-only", REF)


def test_what_was_taken_back_is_not_shared_again_by_mistake(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    ada.share(uri)
    ada("unshare", uri, "--remote", "origin", "--yes")
    tip = ada.git("rev-parse", REF)
    assert ada("share", uri, "--git", "--remote", "origin", "--push").code == 6
    assert ada.git("rev-parse", REF) == tip


def test_where_the_remote_has_no_ledger_only_this_side_changes(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    ada("share", uri, "--git", "--remote", "origin")
    done = ada("unshare", uri, "--remote", "origin", "--yes", "--json")
    assert (done.code, done.json["rewritten"], done.json["pushed"]) == (0, [REF], [])
    assert world.git("for-each-ref", "refs/opensession") == ""


def test_a_remote_that_fails_leaves_the_work_here_and_the_same_line_finishes_it(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    ada.share(uri)
    moved = world.remote.with_name("moved.git")
    world.remote.rename(moved)
    done = ada("unshare", uri, "--remote", "origin", "--yes", "--json")
    assert (done.code, done.json["rewritten"], done.json["pushed"]) == (7, [REF], [])
    moved.rename(world.remote)
    assert world.sessions() == {sha256_of(uri)}
    assert ada(*shlex.split(done.json["error"]["next"][0])[1:]).code == 0
    assert world.sessions() == set()


def test_taking_back_asks_first_and_without_a_terminal_needs_yes(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    ada.share(uri)
    done = ada("unshare", uri, "--remote", "origin")
    assert done.code == 2
    assert "[y/N]" in typed_at_a_terminal(ada, b"\n", "unshare", uri, "--remote", "origin")
    assert world.sessions() == {sha256_of(uri)}
    assert ada(*shlex.split(done.steps[0])[1:]).code == 0
    assert world.sessions() == set()


def test_what_was_never_shared_or_lies_elsewhere_is_said_so(world, hail):
    ada = world.ada
    uri = ada.register(hail.session())
    assert ada("unshare", uri, "--remote", "origin", "--yes").code == 4
    other = "os://src/gh/ada/toaster/ref/refs%2Fopensession%2Fx/path/demo.jsonl"
    done = ada("unshare", other, "--remote", "origin", "--yes")
    assert done.code == 2
    assert "does not lie in 'origin'" in done.err
