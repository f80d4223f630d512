"""What sharing would do is known before anything is done: the address, the commands, and what cannot be named."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.actions.share_plan import checked_ledger, checked_path, plan
from opensession.errors import OpensessionError, RefusedError, UsageError
from opensession.git.entries import Kind, classify, session_path
from opensession.git.remotes import Remote
from opensession.remotes import normal_form
from opensession.uri import parse_uri

SHA256 = "0d9fcc596aea56877f97cc08af03669ccabe2da0df9fcc596aea56877f97cc08"
REF = "refs/opensession/branches/bWFpbg"


def remote(url: str, name: str | None = "origin") -> Remote:
    shown = name or url
    return Remote(name, shown, url, shown, normal_form(url), (url,))


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://github.com/ada/toaster.git", "os://src/gh/ada/toaster/ref/"),
        ("git@github.com:ada/toaster.git", "os://src/gh/ada/toaster/ref/"),
        ("ssh://git@github.com/ada/toaster", "os://src/gh/ada/toaster/ref/"),
        ("https://gitlab.com/kitchen/ovens/toaster.git", "os://src/gl/a2l0Y2hlbi9vdmVucy90b2FzdGVy/ref/"),
        ("git@gitlab.com:kitchen/toaster.git", "os://src/gl/a2l0Y2hlbi90b2FzdGVy/ref/"),
        # A GitLab or anything else of one's own gives the git kind.
        ("https://gitlab.example.com/kitchen/toaster.git", "os://src/git/"),
        ("git@git.example.com:toaster", "os://src/git/"),
        ("/srv/git/toaster.git", "os://src/git/"),
    ],
)
def test_the_kind_of_the_address_follows_the_host_of_the_remote(url, begins):
    made = plan(SHA256, remote(url), REF, None)
    assert str(made.uri).startswith(begins)
    assert str(made.uri).endswith(f"/{SHA256}.jsonl")
    assert parse_uri(str(made.uri)) == made.uri


@pytest.mark.parametrize(
    "url", ["https://ada:hunter2@git.example.com/a.git", "https://hunter2@github.com/ada/toaster"]
)
def test_no_password_of_a_remote_gets_into_address_or_commands(url):
    made = plan(SHA256, remote(url), REF, "demo.jsonl")
    told = f"{made.uri} {made.push_cmd} {made.merge_cmd}"
    assert "hunter2" not in told
    assert "aHVudGVyMg" not in told


def test_a_remote_on_this_machine_is_private_and_named_whole():
    folder = "/srv/my git/toaster.git"
    there = Remote(
        None, "../toaster.git", folder, "../toaster.git", "file:///srv/my%20git/toaster", (folder,)
    )
    made = plan(SHA256, there, REF, None)
    assert made.private
    assert shlex.split(made.push_cmd) == ["git", "push", "/srv/my git/toaster.git", f"{REF}:{REF}"]


def test_the_commands_can_be_pasted_and_name_everything_again():
    made = plan(SHA256, remote("https://git.example.com/a"), REF, "my sessions/one.jsonl", ["f" * 64])
    assert shlex.split(made.merge_cmd) == [
        "opensession", "share", f"os://src/local/{SHA256}", "--git", "--remote", "origin", "--ref", REF,
        "--path", "my sessions/one.jsonl", "--allow-secret", "f" * 64, "--push",
    ]  # fmt: skip


def test_an_owner_that_github_cannot_have_is_refused_before_anything_is_written():
    with pytest.raises(OpensessionError, match="owner name on GitHub"):
        plan(SHA256, remote("https://github.com/a%20da/toaster"), REF, None)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "segment ''"),
        ("/a.jsonl", "relative"),
        ("a//b.jsonl", "segment ''"),
        ("a/", "segment ''"),
        ("./a.jsonl", "segment '.'"),
        ("a/../b.jsonl", "segment '..'"),
        ("a\\b.jsonl", "backslash"),
        ("a\nb.jsonl", "control"),
        ("a\x9bb.jsonl", "control"),
        ("v1/a.jsonl", "layout of its own"),
        ("v2/sessions/a.jsonl", "layout of its own"),
        (".git/a.jsonl", "git does not allow"),
        ("a/.GIT /b.jsonl", "git does not allow"),
        ("git~1/b.jsonl", "git does not allow"),
        (".gitmodules/b.jsonl", "git does not allow"),
        ("a/GITMOD~1/b.jsonl", "git does not allow"),
        (".gitAttributes. /b.jsonl", "git does not allow"),
        (".git:x/b.jsonl", "git does not allow"),
        (".g\u200cit/b.jsonl", "git does not allow"),
        ("a.txt", "must end with .jsonl"),
        (f"shown/{'0' * 64}.jsonl", "session of that hash"),
        ("x" * 250 + ".jsonl", "longer than 255"),
        ("/".join(["a"] * 70) + "/b.jsonl", "folders"),
        ("\udcff.jsonl", "Unicode"),
    ],
)
def test_a_path_that_cannot_stand_in_a_ledger_is_refused_with_the_reason(path, why):
    with pytest.raises(UsageError, match=why) as caught:
        checked_path(path, SHA256)
    assert repr(path) in caught.value.message


@pytest.mark.parametrize(
    "path", ["a.jsonl", "demo/one.jsonl", "ü/☃.jsonl", f"mine/{SHA256}.jsonl", "v1.jsonl"]
)
def test_an_ordinary_path_is_taken(path):
    assert checked_path(path, SHA256) == path


@given(st.text(max_size=30).map(lambda text: text + ".jsonl") | st.text(max_size=30))
def test_every_path_that_is_taken_can_be_named_by_a_uri_and_is_kept_by_a_union(path):
    try:
        checked_path(path, SHA256)
    except UsageError:
        return
    made = plan(SHA256, remote("https://git.example.com/a"), REF, path)
    assert parse_uri(str(made.uri)).path == path
    assert classify(path) in (Kind.PLACED, Kind.FLAT)


def test_the_ledger_s_own_path_needs_no_second_place():
    assert plan(SHA256, remote("https://git.example.com/a"), REF, None).placed is None
    assert plan(SHA256, remote("https://git.example.com/a"), REF, None).path == session_path(SHA256)


@pytest.mark.parametrize(
    "ref",
    ["refs/heads/main", "refs/tags/v1", "main", "HEAD", "refs/remotes/origin/main", "refs/notes/opensession"],
)
def test_a_branch_a_tag_or_notes_are_no_ledger(ref):
    with pytest.raises(RefusedError):
        checked_ledger(ref)


def test_a_name_that_git_does_not_allow_is_no_ledger():
    with pytest.raises(UsageError):
        checked_ledger("refs/opensession/a..b")
