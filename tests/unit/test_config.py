"""The configuration of a repository: a clone brings it along, so it may only name an address and ask for more care."""

from __future__ import annotations

import os

import pytest

from opensession.actions import config as action
from opensession.config import EXAMPLE_URL, Config, checked_url
from opensession.errors import BadConfigError, RefusedError, UsageError


@pytest.fixture
def file(env):
    """The folder's configuration, which does not exist yet."""
    folder = env.work / ".opensession"
    folder.mkdir()
    return folder / "config.toml"


def load(env) -> Config:
    return action.load(env.work, env.variables)


CLONED = """\
# what a clone may bring
[share]
base_url = "https://sessions.example.com"
remote = "elsewhere"

[privacy]
redact = true
only_remotes = ["git@git.example.com:team/sessions.git"]

[hooks]
pre_push = "rm -rf ."
"""


def test_an_untrusted_file_may_name_an_address_and_ask_for_more_care_only(env, file):
    file.write_text(CLONED)
    config = load(env)

    assert config.base_url == "https://sessions.example.com"
    assert config.redact
    assert config.remote is None
    assert [each.key for each in config.ignored] == ["share.remote", "hooks.pre_push"]
    assert not config.trusted


def test_a_trusted_file_counts_whole_until_one_byte_of_it_changes(env, file):
    file.write_text(CLONED)
    action.trust(env.work, env.variables)

    assert (load(env).remote, load(env).ignored, load(env).trusted) == ("elsewhere", (), True)
    file.write_text(CLONED + "\n")
    assert (load(env).remote, load(env).trusted) == (None, False)


def test_trust_is_of_a_place_and_not_of_a_text(env, file):
    file.write_text(CLONED)
    action.trust(env.work, env.variables)
    other = env.work / "other"
    (other / ".opensession").mkdir(parents=True)
    (other / ".opensession" / "config.toml").write_text(CLONED)

    assert not action.load(other, env.variables).trusted


def test_trust_is_kept_outside_of_the_repository(env, file):
    env.git("init", "-q")
    file.write_text(CLONED)
    action.trust(env.work, env.variables)

    assert list((env.store / "trusted").iterdir())
    assert not list((env.work / ".git").rglob("trusted"))


def test_a_misspelled_key_of_ours_does_not_pass_unseen_even_when_trusted(env, file):
    file.write_text("[privacy]\nredcat = true\n")
    action.trust(env.work, env.variables)
    assert [each.key for each in load(env).ignored] == ["privacy.redcat"]


def test_init_keeps_the_trust_that_a_file_had(env, file):
    file.write_text(CLONED)
    action.trust(env.work, env.variables)
    action.init(env.work, env.variables, "https://other.example.com")

    assert load(env).trusted
    assert file.read_text() == CLONED.replace("https://sessions.example.com", "https://other.example.com")


def test_init_does_not_make_a_file_trusted(env, file):
    file.write_text(CLONED)
    action.init(env.work, env.variables, "https://other.example.com")
    assert not load(env).trusted


def test_only_the_named_remotes_may_get_sessions_however_they_are_spelled(env, file):
    file.write_text(CLONED)
    config = load(env)

    assert config.refusal_of_remote("https://git.example.com/team/sessions") is None
    assert "git.example.com/team/sessions" in (config.refusal_of_remote("https://github.com/a/b") or "")
    file.write_text("[privacy]\nonly_remotes = []\n")
    assert "nowhere" in (load(env).refusal_of_remote("https://git.example.com/team/sessions") or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[privacy]\nredact = 'yes'", "true or false"),
        ("[privacy]\nonly_remotes = 'origin'", "list"),
        ("[privacy]\nonly_remotes = ['origin']", "absolute path"),
        ("[share\n", "no TOML"),
        ("x = " + "[" * 3000, "nested too deeply"),
        ("x = 1\n" * 2, "no TOML"),
        ("# " + "x" * 70_000, "larger than"),
    ],
)
def test_a_file_that_cannot_be_meant_is_an_error_and_not_a_guess(env, file, text, said):
    file.write_text(text)
    with pytest.raises(BadConfigError) as caught:
        load(env)
    assert said in caught.value.message
    assert (caught.value.exit_code, bool(caught.value.next)) == (2, True)


def test_a_value_in_the_place_of_a_table_is_an_unknown_key(env, file):
    file.write_text("privacy = true\n")
    assert [each.key for each in load(env).ignored] == ["privacy"]


def test_a_file_that_is_no_text_is_an_error(env, file):
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfigError, match="UTF-8"):
        load(env)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_is_not_read(env, file, what):
    elsewhere = env.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.toml").write_text("[privacy]\nredact = true\n")
    if what == "file":
        file.symlink_to(elsewhere / "config.toml")
    else:
        file.parent.rmdir()
        file.parent.symlink_to(elsewhere)
    for doing in (load, lambda env: action.init(env.work, env.variables, EXAMPLE_URL)):
        with pytest.raises(RefusedError, match="symbolic link"):
            doing(env)


def test_another_users_file_is_not_read(env, file, monkeypatch):
    file.write_text(CLONED)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(RefusedError, match="another user owns"):
        Config.load(env.work)


def test_a_pipe_in_the_place_of_the_file_does_not_hang(env, file):
    os.mkfifo(file)
    with pytest.raises(RefusedError, match="no plain file"):
        load(env)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://sessions.example.com/", "https://sessions.example.com"),
        ("HTTP://Sessions.Example.com:8080/a//", "http://sessions.example.com:8080/a"),
        ("http://127.0.0.1:8788", "http://127.0.0.1:8788"),
        ("http://[::1]:8788/x", "http://[::1]:8788/x"),
    ],
)
def test_a_base_url_is_kept_without_its_last_slash(typed, kept):
    assert checked_url(typed) == kept
    assert checked_url(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "  ", "sessions.example.com", "ftp://a.example", "https://", "https:///x", "https://a?q", "https://a#f",
        "https://a b", "https://a\n", "https://a/\x1b[2J", "https://a/\u202e", "https://a:99999", "https://a/<b>",
        "javascript:alert(1)", "https://-a", "https://a\\b", 7, None,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_with_an_example(typed):
    with pytest.raises(UsageError) as caught:
        checked_url(typed)
    assert caught.value.next == (f"opensession config init --base-url {EXAMPLE_URL}",)


def test_a_password_in_a_base_url_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as caught:
        checked_url("https://ada:hunter2@sessions.example.com")
    assert "hunter2" not in caught.value.message


# ---- the commands ----


def test_init_show_and_trust_say_the_same_in_text_and_in_json(env, command):
    env.git("init", "-q")
    inner = env.work / "inner"
    inner.mkdir()
    os.chdir(inner)
    path = env.work / ".opensession" / "config.toml"
    done = command("config", "init", "--base-url", "https://sessions.example.com/")

    assert (done.code, done.out) == (0, f"config: {path}\nbase_url: https://sessions.example.com\n")
    again = command("config", "init", "--base-url", "https://sessions.example.com", "--json")
    assert again.json == {"config": str(path), "base_url": "https://sessions.example.com", "changed": False}
    assert command("config", "show").out.splitlines() == [
        f"config: {path}",
        "base_url: https://sessions.example.com",
        "trusted: no",
    ]
    assert command("config", "trust", "--json").json["trusted"] is True
    assert command("config", "show", "--json").json["values"] == {
        "share.base_url": "https://sessions.example.com"
    }


def test_init_without_an_address_has_no_default_that_belongs_to_somebody(env, command):
    done = command("config", "init")
    assert (done.code, done.out) == (2, "")
    assert done.steps == [f"opensession config init --base-url {EXAMPLE_URL}"]
    assert not (env.work / ".opensession").exists()


@pytest.mark.parametrize("word", ["show", "trust"])
def test_without_a_file_there_is_nothing_to_show_and_a_step_that_makes_one(env, command, word):
    done = command("config", word)
    assert done.code == 4
    assert done.steps == [f"opensession config init --base-url {EXAMPLE_URL}"]


def test_what_is_ignored_is_named_with_the_way_to_trust_it(env, file, command):
    file.write_text(CLONED)
    done = command("config", "show")

    assert done.code == 0
    assert "- share.remote: it came with the folder and is not trusted" in done.err
    assert "opensession config trust" in done.err
    assert "rm -rf" not in done.out + done.err


def test_a_hostile_key_is_shown_escaped_and_few_of_many_are_shown(env, file, command):
    file.write_text("\n".join(f'"\\u001b[2J{n}" = 1' for n in range(1000)))
    done = command("config", "show")
    assert "\x1b" not in done.err
    assert "and 995 more" in done.err


def test_an_empty_address_in_the_file_is_named_with_the_way_to_set_it(env, file, command):
    file.write_text('[share]\nbase_url = ""\n')
    done = command("config", "show")
    assert done.code == 2
    assert done.steps == [f"opensession config init --base-url {EXAMPLE_URL}", "opensession config show"]


def test_a_form_of_toml_that_is_not_edited_is_left_alone(env, file, command):
    file.write_text("share = { remote = 'x' }\n")
    done = command("config", "init", "--base-url", EXAMPLE_URL)
    assert done.code == 2
    assert "by hand" in done.err
    assert file.read_text() == "share = { remote = 'x' }\n"


def test_a_folder_that_takes_no_file_is_an_error_that_says_so(env, command):
    (env.work / ".opensession").write_text("a file in the place of the folder")
    done = command("config", "init", "--base-url", EXAMPLE_URL)
    assert done.code == 6
    assert done.steps == [f"ls -ld {env.work / '.opensession'}"]
