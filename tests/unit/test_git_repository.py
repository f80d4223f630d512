"""The repository around a folder: found as git finds it, asked as git answers."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from opensession.errors import BusyError, NotFoundError, RefusedError, UsageError
from opensession.git.refs import hashed_ref, ledger_ref
from opensession.git.repository import Repository


def discover(env, folder=None, **more: str) -> Repository:
    return Repository.discover(folder or env.work, env.variables | more)


def commit(env, folder, message: str = "toast") -> None:
    env.git("commit", "-q", "--allow-empty", "-m", message, cwd=folder)


@pytest.fixture
def repo(env):
    env.git("init", "-q", "-b", "main")
    commit(env, env.work)
    return env.work


def test_outside_of_a_repository_the_way_into_one_is_shown(env):
    with pytest.raises(NotFoundError, match="not in a git repository") as caught:
        discover(env)
    assert caught.value.next == (f"git init {env.work}",)
    for step in caught.value.next:
        env.git(*shlex.split(step)[1:], "-q")
    assert discover(env).worktree == env.work


def test_a_repository_is_found_from_below(env, repo):
    (repo / "a" / "b").mkdir(parents=True)
    found = discover(env, repo / "a" / "b")
    assert (found.common_dir, found.git_dir, found.worktree) == (repo / ".git", repo / ".git", repo)
    assert found.object_format == "sha1"
    assert found.zero == "0" * 40
    assert found.resolve("HEAD") == env.git("rev-parse", "HEAD")


def test_a_linked_worktree_has_its_own_head_and_the_shared_folder(env, repo):
    env.git("worktree", "add", "-q", "-b", "other", str(env.work.parent / "linked"))
    found = discover(env, env.work.parent / "linked")
    assert found.common_dir == repo / ".git"
    assert found.git_dir == repo / ".git" / "worktrees" / "linked"
    assert found.branch() == "other"


def test_ids_of_a_sha256_repository_have_64_digits(env):
    env.git("init", "-q", "--object-format=sha256")
    found = discover(env)
    assert found.object_format == "sha256"
    assert found.zero == "0" * 64


def test_a_repository_that_keeps_its_refs_in_tables_is_found(env):
    try:
        env.git("init", "-q", "-b", "main", "--ref-format=reftable")
    except subprocess.CalledProcessError:
        pytest.skip("this git keeps no refs in tables: they came with 2.45")
    found = discover(env)
    assert found.common_dir == env.work / ".git"
    assert found.branch() == "main"
    commit(env, env.work)
    env.git("checkout", "-q", "--detach")
    assert found.branch() is None
    assert found.ledger_branch() == f"detached@{env.git('rev-parse', 'HEAD')[:8]}"


def test_a_branch_without_a_commit_has_a_ledger(env):
    env.git("init", "-q", "-b", "feature/toast")
    found = discover(env)
    assert found.branch() == found.ledger_branch() == "feature/toast"
    assert found.ledger_ref() == ledger_ref("feature/toast")


def test_a_detached_head_has_a_ledger_of_its_own(env, repo):
    env.git("checkout", "-q", "--detach")
    found = discover(env)
    assert found.branch() is None
    assert found.ledger_branch() == f"detached@{env.git('rev-parse', 'HEAD')[:8]}"


def test_a_branch_whose_name_is_no_utf_8_has_a_ledger(env, repo):
    name = os.fsdecode(b"caf\xe9")
    env.git("checkout", "-q", "-b", name)
    assert discover(env).branch() == name
    assert discover(env).ledger_ref() == ledger_ref(name)


def test_a_name_that_clashes_by_case_is_a_hash_once_the_other_is_there(env, repo):
    found = discover(env)
    assert found.ledger_ref("aaH") == ledger_ref("aaH")
    env.git("update-ref", ledger_ref("aab"), "HEAD")
    assert found.ledger_ref("aaH") == hashed_ref("aaH")
    assert found.ledger_ref("aab") == ledger_ref("aab")
    env.git("update-ref", hashed_ref("aaH"), "HEAD")
    assert found.ledgers() == {ledger_ref("aab"): "aab", hashed_ref("aaH"): None}


def test_git_s_refusal_of_another_owner_s_repository_is_passed_on(env, repo):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    os.chown(repo / ".git", 12345, 12345)
    os.chown(repo, 12345, 12345)
    with pytest.raises(RefusedError, match="another user owns it") as caught:
        discover(env)
    assert caught.value.next == (f"git config --global --add safe.directory {repo}",)


def test_git_dir_of_the_environment_is_followed(env, repo):
    (env.work.parent / "else").mkdir()
    found = discover(env, env.work.parent / "else", GIT_DIR=str(repo / ".git"), GIT_WORK_TREE=str(repo))
    assert found.resolve("HEAD") == env.git("rev-parse", "HEAD")


def test_a_git_that_is_too_old_is_refused_at_once(env, repo, tmp_path):
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "git"
    old.write_text('#!/bin/sh\ncase "$*" in *version) echo git version 2.30.2;; *) echo sha1; pwd;; esac\n')
    old.chmod(0o755)
    with pytest.raises(NotFoundError, match=r"git 2\.30\.2"):
        discover(env, PATH=f"{tmp_path / 'bin'}:{env.variables['PATH']}")


@pytest.mark.parametrize("rev", ["nope", "HEAD~7", "0" * 40, "@{u}"])
def test_a_revision_that_names_nothing_is_not_found(env, repo, rev):
    with pytest.raises(NotFoundError, match="names no commit"):
        discover(env).resolve(rev)


@pytest.mark.parametrize("rev", ["-n1", "--all", "HEAD\nHEAD"])
def test_a_revision_is_never_an_option(env, repo, rev):
    with pytest.raises(UsageError):
        discover(env).resolve(rev)


def test_the_configuration_is_the_user_s_and_not_what_we_run_git_with(env, repo):
    found = discover(env)
    assert found.config_get("core.hooksPath") is None
    assert found.config_get("core.fsync") is None
    env.git("config", "core.hooksPath", "~/hooks")
    found = discover(env)
    assert found.config_get("core.hookspath") == "~/hooks"
    assert found.config_get("core.hooksPath", "path") == str(env.home / "hooks")
    assert found.config_get("no.such.key", "bool") is None


def test_keys_are_set_added_and_unset(env, repo):
    found = discover(env)
    assert found.config_get_all("opensession.fanout-remote") == []
    found.config_set("opensession.fanout-remote", "origin https://example.com/a b")
    found.config_add("opensession.fanout-remote", "fork\nx")
    assert found.config_get_all("opensession.fanout-remote") == ["origin https://example.com/a b", "fork\nx"]
    assert found.config_get("opensession.Fanout-Remote") == "fork\nx"
    assert found.config_unset("opensession.fanout-remote", "fork\nx") is True
    assert found.config_get_all("opensession.fanout-remote") == ["origin https://example.com/a b"]
    found.config_set("opensession.fanout-remote", "one")
    assert found.config_get_all("opensession.fanout-remote") == ["one"]
    assert found.config_unset("opensession.fanout-remote") is True
    assert found.config_unset("opensession.fanout-remote") is False
    assert "opensession" not in (repo / ".git" / "config").read_text()


def test_a_part_of_a_key_between_dots_keeps_its_case(env, repo):
    env.git("config", "remote.My.Fork.url", "x")
    assert discover(env).config_get("REMOTE.My.Fork.URL") == "x"
    assert discover(env).config_get("remote.my.fork.url") is None


def test_a_key_without_a_value_is_true(env, repo):
    with open(repo / ".git" / "config", "a") as file:
        file.write("[opensession]\n\tshy\n")
    assert discover(env).config_get("opensession.shy") == "true"


def test_a_locked_configuration_is_busy(env, repo):
    (repo / ".git" / "config.lock").write_text("")
    with pytest.raises(BusyError, match=r"config\.lock"):
        discover(env).config_set("a.b", "c")
