"""What a person means by a remote, and what is refused before git sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opensession.errors import NotFoundError, RefusedError, UsageError
from opensession.git import remotes
from opensession.git.remotes import protocol_of, remote_of, without_credentials
from opensession.git.repository import Repository


@pytest.fixture
def repository(env) -> Repository:
    env.git("init", "-q")
    env.git("remote", "add", "origin", "https://ada:s3cret@git.example/toaster.git")
    return Repository.discover(env.work, os.environ)


@pytest.mark.parametrize(
    "typed",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c true",
        "ext::sh",
        "fd::17/x",
        "foo://host/x",
        "ssh://-oProxyCommand=x/y",
        "ssh://ada@-oProxyCommand=x/y",
        "ada@-host:x",
        "-host:x",
        "host:-x",
        "ssh://[-x]/y",
        "https://host/\nx",
        "https://host/\x00x",
        "https://host/\x1b[31m",
        "a\x85b",
    ],
)
def test_what_could_start_a_program_is_refused(repository, typed):
    with pytest.raises(RefusedError) as failure:
        remote_of(repository, typed)
    assert failure.value.exit_code == 6


def test_an_address_that_git_would_rewrite_into_a_program_is_refused(env, repository):
    env.git("config", "url.ext::sh -c .insteadOf", "easy:")
    with pytest.raises(RefusedError):
        remote_of(repository, "easy:x")
    env.git("config", "remote.origin.url", "easy:x")
    with pytest.raises(RefusedError):
        remote_of(repository, "origin")


def test_an_empty_name_is_refused(repository):
    with pytest.raises(UsageError):
        remote_of(repository, "")


def test_a_name_is_one_of_git_s_and_nothing_like_it(repository):
    found = remote_of(repository, "origin")
    assert (found.name, found.shown, found.normal) == ("origin", "origin", "https://git.example/toaster")
    for typed in ("orign", "Origin", "origi"):
        with pytest.raises(NotFoundError, match="did you mean 'origin'"):
            remote_of(repository, typed)


def test_an_unknown_name_tells_the_known_ones(repository):
    with pytest.raises(NotFoundError, match="known are 'origin'"):
        remote_of(repository, "zzz")


def test_a_name_without_an_address_is_told(env, repository):
    env.git("config", "remote.empty.fetch", "+refs/heads/*:refs/remotes/empty/*")
    with pytest.raises(NotFoundError, match="has no address"):
        remote_of(repository, "empty")


def test_a_password_is_for_git_only(repository):
    found = remote_of(repository, "https://ada:s3cret@git.example/x.git")
    assert found.url == "https://ada:s3cret@git.example/x.git"
    for text in (repr(found), found.typed, found.shown, found.normal):
        assert "s3cret" not in text
        assert "ada" not in text
    assert "s3cret" not in repr(remote_of(repository, "origin"))


def test_a_refusal_does_not_repeat_a_password(repository):
    with pytest.raises(RefusedError) as failure:
        remote_of(repository, "https://ada:s3cret@git.example/x\n")
    assert "s3cret" not in failure.value.message


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("https://token@host/x", "https://host/x"),
        ("https://a:b@c:d@host/x", "https://host/x"),
        ("ssh://git:pw@host:2222/x", "ssh://git@host:2222/x"),
        ("git@host:x", "git@host:x"),
        ("/srv/a@b", "/srv/a@b"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://host:8443/a@b", "https://host:8443/a@b"),
        ("https://[::1]/a@b", "https://[::1]/a@b"),
        ("https://ada:s3/cret@host/x", "https://host/x"),
        ("https://host/x?private_token=s3cret", "https://host/x"),
        ("https://host/x#s3cret", "https://host/x"),
        ("file:///srv/a#1", "file:///srv/a#1"),
        ("git@host:a/b@c", "git@host:a/b@c"),
        ("ada:s3cret@host:x", "host:x"),
        ("https:/ada:s3cret@host/x", "https:/host/x"),
    ],
)
def test_what_is_shown_can_still_be_used(typed, shown):
    assert without_credentials(typed) == shown


@pytest.mark.parametrize("typed", ["ada:s3cret@host:x", "ada:s3cret@host/x", "https:/ada:s3cret@host/x"])
def test_an_address_that_lost_its_scheme_is_refused_before_its_password_becomes_a_path(repository, typed):
    with pytest.raises(RefusedError, match="without its scheme") as failure:
        remote_of(repository, typed)
    assert "s3cret" not in failure.value.message


def test_a_path_is_meant_from_where_the_person_stands(env, repository, monkeypatch):
    env.git("init", "-q", "--bare", "deep/remote.git")
    monkeypatch.chdir(env.work / "deep")
    for typed in ("remote.git", "./remote.git", "../deep/remote.git", str(env.work / "deep" / "remote.git")):
        found = remote_of(repository, typed)
        assert (found.name, found.url) == (None, str(env.work / "deep" / "remote.git"))
        assert found.normal == f"file://{env.work}/deep/remote"
        assert found.shown == typed


def test_a_path_that_is_not_there_is_told(repository):
    with pytest.raises(NotFoundError, match=r"no repository at '\.\./nothing'"):
        remote_of(repository, "../nothing")


def test_a_configured_relative_path_is_meant_from_the_top(env, repository, monkeypatch):
    env.git("remote", "add", "near", "../near.git")
    (env.work / "below").mkdir()
    monkeypatch.chdir(env.work / "below")
    assert remote_of(repository, "near").url == str(env.work.parent / "near.git")


def test_a_path_with_a_space_has_a_normal_form(env, repository):
    env.git("init", "-q", "--bare", "my remote.git")
    assert remote_of(repository, "./my remote.git").normal == f"file://{env.work}/my%20remote"


def test_git_s_own_rules_for_addresses_hold(env, repository):
    env.git("config", "url.ssh://git@git.example/.insteadOf", "ex:")
    env.git("config", "url.ssh://push@git.example/.pushInsteadOf", "ex:")
    env.git("remote", "add", "short", "ex:toaster")
    env.git("remote", "add", "both", "ex:toaster")
    env.git("config", "remote.both.pushurl", "https://write.example/toaster")
    for typed in ("ex:toaster", "short"):
        found = remote_of(repository, typed)
        assert found.url == "ssh://git@git.example/toaster"
        assert found.push_urls == ("ssh://push@git.example/toaster",)
        assert found.normal == "https://git.example/toaster"
    assert remote_of(repository, "both").push_urls == ("https://write.example/toaster",)


def test_each_push_address_is_a_destination_of_its_own(env, repository):
    for url in ("https://one.example/x", "https://two.example/x"):
        env.git("remote", "set-url", "--push", "--add", "origin", url)
    found = remote_of(repository, "origin").destinations()
    assert [(each.url, each.normal, each.shown) for each in found] == [
        ("https://one.example/x", "https://one.example/x", "origin"),
        ("https://two.example/x", "https://two.example/x", "origin"),
    ]


def test_remotes_that_cannot_be_used_do_not_hide_the_others(env, repository):
    env.git("remote", "add", "bad", "ext::sh")
    assert [each.name for each in remotes.every(repository)] == ["origin"]


def test_without_a_repository_there_are_urls_and_paths(env):
    assert remote_of(None, "https://git.example/x.git").normal == "https://git.example/x"
    with pytest.raises(NotFoundError, match="none is configured"):
        remote_of(None, "origin")


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("https://h/x", "https"),
        ("HTTP://h/x", "http"),
        ("git@h:x", "ssh"),
        ("git+ssh://h/x", "ssh"),
        ("git://h/x", "git"),
        ("/srv/x", "file"),
        ("file:///srv/x", "file"),
        ("./a:b", "file"),
    ],
)
def test_the_transport_follows_from_the_address(url, protocol):
    assert protocol_of(url) == protocol


def test_a_repository_s_own_place_is_not_needed_to_name_a_url(env, repository, tmp_path):
    assert remote_of(repository, "git@github.com:Ada/toaster.git", cwd=Path("/")).normal == (
        "https://github.com/Ada/toaster"
    )
