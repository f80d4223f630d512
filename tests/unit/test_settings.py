"""Where stores are: git itself is the judge of what a repository is and where its common directory lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opensession.errors import RefusedError, UsageError
from opensession.settings import find_repository, global_root, home, store_roots


def common_dir(env, cwd: Path, **more: str) -> Path | None:
    """What git answers, as a real path; None where git finds no repository."""
    done = env._replace(variables={**env.variables, **more})
    try:
        return (cwd / done.git("rev-parse", "--git-common-dir", cwd=cwd)).resolve()
    except Exception:  # noqa: BLE001  git's own refusal is the answer
        return None


def ours(env, cwd: Path, **more: str) -> Path | None:
    found = find_repository(cwd, {**env.variables, **more})
    return None if found is None else found.common_dir.resolve()


@pytest.fixture
def repo(env) -> Path:
    folder = env.work / "repo"
    env.git("init", "-q", "-b", "main", str(folder))
    (folder / "file").write_text("x")
    env.git("add", "file", cwd=folder)
    env.git("commit", "-q", "-m", "one", cwd=folder)
    return folder


def test_outside_of_repositories_there_is_none(env):
    assert common_dir(env, env.work) is None
    assert find_repository(env.work, env.variables) is None


def test_a_folder_deep_in_a_work_tree_belongs_to_its_repository(env, repo):
    deep = repo / "a" / "b"
    deep.mkdir(parents=True)

    assert ours(env, deep) == common_dir(env, deep) == repo / ".git"
    assert find_repository(deep, env.variables).worktree == repo


def test_a_linked_worktree_shares_the_common_directory(env, repo):
    linked = env.work / "linked"
    env.git("worktree", "add", "-q", str(linked), cwd=repo)

    assert ours(env, linked) == common_dir(env, linked) == repo / ".git"
    found = find_repository(linked, env.variables)
    assert found.worktree == linked
    assert found.git_dir.resolve() == repo / ".git" / "worktrees" / "linked"


def test_a_linked_worktree_with_relative_links_shares_it_too(env, repo):
    linked = env.work / "linked"
    env.git("worktree", "add", "-q", str(linked), cwd=repo)
    (linked / ".git").write_text("gitdir: ../repo/.git/worktrees/linked\n")

    assert ours(env, linked) == common_dir(env, linked) == repo / ".git"


def test_a_submodule_has_a_common_directory_of_its_own(env, repo):
    outer = env.work / "outer"
    env.git("init", "-q", str(outer))
    env.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "sub", cwd=outer)

    assert ours(env, outer / "sub") == common_dir(env, outer / "sub") == outer / ".git" / "modules" / "sub"


def test_a_bare_repository_is_found_from_inside(env, repo):
    bare = env.work / "bare.git"
    env.git("clone", "-q", "--bare", str(repo), str(bare))

    for folder in (bare, bare / "refs", bare / "objects" / "info"):
        assert ours(env, folder) == common_dir(env, folder) == bare
    assert find_repository(bare, env.variables).worktree is None


def test_inside_the_git_directory_the_repository_is_the_same(env, repo):
    assert ours(env, repo / ".git" / "refs") == common_dir(env, repo / ".git" / "refs") == repo / ".git"


def test_a_detached_head_and_an_unborn_branch_are_repositories(env, repo):
    env.git("checkout", "-q", "--detach", cwd=repo)
    assert ours(env, repo) == common_dir(env, repo) == repo / ".git"

    unborn = env.work / "unborn"
    env.git("init", "-q", str(unborn))
    assert ours(env, unborn) == common_dir(env, unborn) == unborn / ".git"


def test_a_folder_named_dot_git_that_is_no_repository_is_passed_by(env, repo):
    inner = repo / "inner"
    (inner / ".git").mkdir(parents=True)
    assert ours(env, inner) == common_dir(env, inner) == repo / ".git"

    (inner / ".git" / "HEAD").write_text("nonsense\n")
    (inner / ".git" / "refs").mkdir()
    (inner / ".git" / "objects").mkdir()
    assert ours(env, inner) == common_dir(env, inner) == repo / ".git"


def test_a_linked_dot_git_is_followed_as_git_does(env, repo):
    other = env.work / "other"
    other.mkdir()
    (other / ".git").symlink_to(repo / ".git")

    assert ours(env, other) == common_dir(env, other) == repo / ".git"


def test_git_dir_wins_over_the_folder(env, repo):
    for value in (str(repo / ".git"), "repo/.git"):
        assert ours(env, env.work, GIT_DIR=value) == common_dir(env, env.work, GIT_DIR=value) == repo / ".git"
    assert find_repository(env.work, {**env.variables, "GIT_DIR": "repo/.git"}).worktree == env.work
    assert (
        find_repository(env.work, {**env.variables, "GIT_DIR": "repo/.git", "GIT_WORK_TREE": "repo"}).worktree
        == repo
    )


def test_git_dir_of_a_linked_worktree_names_the_common_directory(env, repo):
    env.git("worktree", "add", "-q", str(env.work / "linked"), cwd=repo)
    value = str(repo / ".git" / "worktrees" / "linked")

    assert ours(env, env.work, GIT_DIR=value) == common_dir(env, env.work, GIT_DIR=value) == repo / ".git"


def test_git_dir_that_names_nothing_is_said_and_not_passed_over(env):
    with pytest.raises(UsageError, match="GIT_DIR names 'nowhere'") as caught:
        find_repository(env.work, {**env.variables, "GIT_DIR": "nowhere"})
    assert caught.value.next == ("unset GIT_DIR",)


def test_git_common_dir_is_taken_over(env, repo):
    private = env.work / "private"
    private.mkdir()
    (private / "HEAD").write_text("ref: refs/heads/main\n")
    more = {"GIT_DIR": str(private), "GIT_COMMON_DIR": str(repo / ".git")}

    assert ours(env, env.work, **more) == common_dir(env, env.work, **more) == repo / ".git"


def test_a_ceiling_ends_the_search(env, repo):
    deep = repo / "a" / "b"
    deep.mkdir(parents=True)
    more = {"GIT_CEILING_DIRECTORIES": str(repo / "a")}

    assert ours(env, deep, **more) is common_dir(env, deep, **more) is None
    # The folder it starts in is looked at even if it is a ceiling.
    assert ours(env, repo, GIT_CEILING_DIRECTORIES=str(repo)) == common_dir(
        env, repo, GIT_CEILING_DIRECTORIES=str(repo)
    )


# ---- the roots ----


def test_in_a_repository_the_store_is_in_its_common_directory_then_the_global_one_is_read(env, repo):
    roots = store_roots(repo, env.variables)

    assert roots.write == str(repo / ".git" / "opensession")
    assert roots.read == (str(env.store),)
    assert roots.legacy == str(repo / ".opensession")


def test_all_worktrees_share_one_store(env, repo):
    linked = env.work / "linked"
    env.git("worktree", "add", "-q", str(linked), cwd=repo)

    assert os.path.realpath(store_roots(linked, env.variables).write) == os.path.realpath(
        store_roots(repo, env.variables).write
    )
    assert store_roots(linked, env.variables).legacy == str(linked / ".opensession")


def test_a_bare_repository_has_a_store_and_no_folder_of_an_older_program(env, repo):
    bare = env.work / "bare.git"
    env.git("clone", "-q", "--bare", str(repo), str(bare))
    roots = store_roots(bare, env.variables)

    assert roots.write == str(bare / "opensession")
    assert roots.legacy is None


def test_elsewhere_the_global_store_is_written_to(env):
    roots = store_roots(env.work, env.variables)

    assert roots.write == str(env.store)
    assert roots.read == ()
    assert roots.legacy is None


def test_the_global_root_follows_the_variables(env):
    v = env.variables
    assert global_root(env.work, v) == env.home / ".local" / "share" / "opensession"
    assert global_root(env.work, {**v, "XDG_DATA_HOME": "/data"}) == Path("/data/opensession")
    assert global_root(env.work, {**v, "XDG_DATA_HOME": "relative"}) == env.store
    assert global_root(env.work, {**v, "XDG_DATA_HOME": "", "OPENSESSION_HOME": ""}) == env.store
    assert global_root(env.work, {**v, "XDG_DATA_HOME": "/data", "OPENSESSION_HOME": "/mine"}) == Path(
        "/mine"
    )
    assert global_root(env.work, {**v, "OPENSESSION_HOME": "mine"}) == env.work / "mine"


def test_opensession_home_overrides_only_the_global_root(env, repo):
    roots = store_roots(repo, {**env.variables, "OPENSESSION_HOME": "/mine"})

    assert roots.write == str(repo / ".git" / "opensession")
    assert roots.read == ("/mine",)


def test_the_store_option_overrides_both(env, repo):
    roots = store_roots(repo, {**env.variables, "OPENSESSION_HOME": "/mine"}, store="here")

    assert roots == (str(repo / "here"), (), None, None)


def test_the_store_option_works_where_git_dir_is_wrong(env):
    roots = store_roots(env.work, {**env.variables, "GIT_DIR": "nowhere"}, store="here")

    assert roots.write == str(env.work / "here")


def test_an_empty_store_option_is_refused(env):
    with pytest.raises(UsageError):
        store_roots(env.work, env.variables, store="")


def test_without_home_the_user_database_decides(env):
    import pwd

    variables = {k: v for k, v in env.variables.items() if k != "HOME"}
    assert home(variables) == Path(pwd.getpwuid(os.getuid()).pw_dir)


def test_a_root_in_a_repository_that_is_a_link_is_refused(env, repo):
    (env.work / "elsewhere").mkdir()
    (repo / ".git" / "opensession").symlink_to(env.work / "elsewhere")

    with pytest.raises(RefusedError, match="symbolic link"):
        store_roots(repo, env.variables)


def test_a_link_in_a_work_tree_is_refused_as_the_store_option_too(env, repo):
    (env.work / "elsewhere").mkdir()
    (repo / "here").symlink_to(env.work / "elsewhere")

    with pytest.raises(RefusedError, match="symbolic link"):
        store_roots(env.work, env.variables, store=repo / "here")


def test_the_global_root_may_be_a_link_to_another_disk(env):
    (env.work / "disk").mkdir()
    env.store.parent.mkdir(parents=True)
    env.store.symlink_to(env.work / "disk")

    assert store_roots(env.work, env.variables).write == str(env.store)


def test_nothing_is_created_by_looking(env, repo):
    before = sorted(p for p in env.work.rglob("*"))
    store_roots(repo, env.variables)

    assert sorted(p for p in env.work.rglob("*")) == before
    assert not env.store.exists()


def test_git_is_never_started(env, repo, monkeypatch):
    import subprocess

    def refuse(*args, **kwargs):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    monkeypatch.setattr(os, "fork", refuse)

    assert store_roots(repo, env.variables).write == str(repo / ".git" / "opensession")
