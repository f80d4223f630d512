"""`opensession share` without a push: what it writes, what it prints, what it refuses, and that it asks nobody."""

from __future__ import annotations

import hashlib
import os
import shlex

import pytest

from opensession.store import Store

BASE = "https://sessions.example.com"
UNREACHABLE = "https://127.0.0.1:9/team/toaster.git"
"""Nothing listens there, so whoever asks is told at once."""


@pytest.fixture
def repo(env):
    """The working directory is a repository on branch main."""
    env.git("init", "-q", "-b", "main")
    env.git("commit", "-q", "--allow-empty", "-m", "first")
    return env


@pytest.fixture
def uri(repo, hail) -> str:
    """The address of a stored session."""
    [stored] = Store(repo.work / ".git" / "opensession").put_hail(hail.session(text="Why does it not toast?"))
    return stored.uri


def sha256_of(uri: str) -> str:
    return uri.rpartition("/")[2]


def run_steps(command, steps):
    """Run our own steps in order, as they stand; returns the last answer."""
    done = None
    for step in steps:
        words = shlex.split(step)
        assert words[0] == "opensession", step
        done = command(*words[1:])
    return done


def test_without_push_nobody_is_asked_and_the_push_command_is_printed(repo, uri, command):
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", uri, "--git", "--remote", "origin")
    ref = "refs/opensession/branches/bWFpbg"
    path = f"v2/sessions/{sha256_of(uri)[:2]}/{sha256_of(uri)[2:4]}/{sha256_of(uri)}.jsonl"

    assert done.code == 0
    address, *lines = done.out.splitlines()
    assert address.startswith("os://src/git/")
    assert lines == [
        "remote: origin",
        f"ref: {ref}",
        f"path: {path}",
        "pushed: no",
        f"push_cmd: git push origin {ref}:{ref}",
    ]
    object_file = repo.work / ".git/opensession/objects/sha256" / path.removeprefix("v2/sessions/")
    assert repo.git("cat-file", "blob", f"{ref}:{path}") + "\n" == object_file.read_text()
    assert not repo.git("for-each-ref", "refs/remotes")


def test_the_document_has_the_keys_that_scripts_rely_on(repo, uri, command):
    repo.git("remote", "add", "origin", "git@gitlab.com:kitchen/toaster.git")
    done = command("share", uri, "--git", "--remote", "origin", "--json")
    ref = "refs/opensession/branches/bWFpbg"
    path = f"v2/sessions/{sha256_of(uri)[:2]}/{sha256_of(uri)[2:4]}/{sha256_of(uri)}.jsonl"

    assert done.json == {
        "uri": f"os://src/gl/a2l0Y2hlbi90b2FzdGVy/ref/{ref.replace('/', '%2F')}/path/{path}",
        "source_uri": uri,
        "remote": "https://gitlab.com/kitchen/toaster",
        "remote_target": "origin",
        "ref": ref,
        "path": path,
        "pushed": False,
        "push_cmd": f"git push origin {ref}:{ref}",
        "merge_cmd": f"opensession share {uri} --git --remote origin --ref {ref} --push",
        "quick": False,
        "auto_push_consent": False,
        "redacted": {},
        "private": False,
    }


def test_sharing_twice_writes_once(repo, uri, command):
    command("share", uri, "--git", "--remote", UNREACHABLE)
    first = repo.git("rev-parse", "refs/opensession/branches/bWFpbg")
    command("share", sha256_of(uri)[:8], "--git", "--remote", UNREACHABLE)
    assert repo.git("rev-parse", "refs/opensession/branches/bWFpbg") == first


def test_the_user_s_branch_index_and_worktree_are_untouched(repo, uri, command):
    (repo.work / "bread.txt").write_text("toast\n")
    repo.git("add", "bread.txt")
    before = repo.git("status", "--porcelain=v2", "--branch"), repo.git("log", "--all", "--oneline", "main")
    reflog = repo.git("reflog", "--all")
    command("share", uri, "--git", "--remote", UNREACHABLE)

    assert before[0] == repo.git("status", "--porcelain=v2", "--branch")
    assert repo.git("reflog", "--all") == reflog
    assert repo.git("fsck", "--strict") == ""


def test_a_path_is_placed_beside_the_ledger_s_own(repo, uri, command):
    done = command("share", uri, "--git", "--remote", UNREACHABLE, "--path", "shown/first.jsonl")
    tree = repo.git("ls-tree", "-r", "refs/opensession/branches/bWFpbg").splitlines()
    blobs = {line.split("\t")[1]: line.split()[2] for line in tree}

    assert done.out.splitlines()[0].endswith("/path/shown/first.jsonl")
    [own] = [path for path in blobs if path.startswith("v2/sessions/")]
    assert blobs["shown/first.jsonl"] == blobs[own]


def test_a_path_that_was_handed_out_stays_what_it_was(repo, uri, hail, command):
    command("share", uri, "--git", "--remote", UNREACHABLE, "--path", "shown/first.jsonl")
    [other] = Store(repo.work / ".git" / "opensession").put_hail(hail.session("s-2"))
    tip = repo.git("rev-parse", "refs/opensession/branches/bWFpbg")
    for path in ("shown/first.jsonl", "shown/first.jsonl/more.jsonl"):
        done = command("share", other.uri, "--git", "--remote", UNREACHABLE, "--path", path)
        assert done.code == 6
        assert repo.git("rev-parse", "refs/opensession/branches/bWFpbg") == tip
        assert run_steps(command, done.steps[:1]).code == 0
        tip = repo.git("rev-parse", "refs/opensession/branches/bWFpbg")


def test_a_branch_as_ref_is_refused_before_anything_is_written(repo, uri, command):
    for ref in ("refs/heads/main", "main", "refs/tags/x", "HEAD"):
        done = command("share", uri, "--git", "--remote", UNREACHABLE, "--ref", ref)
        assert done.code == 6, ref
    assert repo.git("for-each-ref", "refs/opensession") == ""
    assert repo.git("rev-list", "--count", "main") == "1"
    assert run_steps(command, done.steps[:1]).code == 0


def test_another_ledger_can_be_named(repo, uri, command):
    done = command("share", uri, "--git", "--remote", UNREACHABLE, "--ref", "refs/opensession/team")
    assert "/ref/refs%2Fopensession%2Fteam/path/" in done.out
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/opensession") == "refs/opensession/team"


def test_a_remote_on_this_machine_is_said_to_be_private(repo, uri, command):
    repo.git("init", "-q", "--bare", "elsewhere.git")
    done = command("share", uri, "--git", "--remote", "./elsewhere.git")
    assert done.code == 0
    assert "others cannot read it" in done.err
    assert command("share", uri, "--git", "--remote", "./elsewhere.git", "--json").json["private"]


def test_a_detached_head_has_a_ledger_of_its_own(repo, uri, command):
    repo.git("checkout", "-q", "--detach")
    done = command("share", uri, "--git", "--remote", UNREACHABLE, "--json")
    assert done.code == 0
    assert done.json["ref"] != "refs/opensession/branches/bWFpbg"


def test_what_is_no_session_or_not_its_own_bytes_is_not_shared(repo, uri, command):
    bad = b'{"type":"header"}\n'
    sha256 = hashlib.sha256(bad).hexdigest()
    folder = repo.work / ".opensession" / "objects" / "sha256" / sha256[:2] / sha256[2:4]
    folder.mkdir(parents=True)
    (folder / f"{sha256}.jsonl").write_bytes(bad)
    assert command("share", sha256, "--git", "--remote", UNREACHABLE).code == 3

    path = Store(repo.work / ".git" / "opensession").path_of(sha256_of(uri))
    os.chmod(path, 0o600)
    with open(path, "ab") as file:
        file.write(b"\n")
    assert command("share", uri, "--git", "--remote", UNREACHABLE).code == 5
    assert repo.git("for-each-ref", "refs/opensession") == ""


# ---- the door ----

SECRET = "AKIA" + "QX7ZR2LMN4PBV3TW"


@pytest.fixture
def leaky(repo, hail) -> str:
    """The address of a session that holds a key."""
    [stored] = Store(repo.work / ".git" / "opensession").put_hail(hail.session(text=f"use {SECRET} for it"))
    return stored.uri


def test_a_secret_is_refused_before_anything_is_written_and_is_not_repeated(repo, leaky, command):
    objects = repo.git("count-objects")
    done = command("share", leaky, "--git", "--remote", UNREACHABLE)
    assert done.code == 6
    assert SECRET not in done.out + done.err
    assert repo.git("for-each-ref", "refs/opensession") == ""
    assert repo.git("count-objects") == objects
    assert shlex.split(done.steps[0])[-1] == "--redact"


def test_each_step_of_that_refusal_leads_through(repo, leaky, command):
    redacting, allowing, *_ = command("share", leaky, "--git", "--remote", UNREACHABLE).steps
    assert run_steps(command, [redacting]).code == 0
    assert run_steps(command, [allowing]).code == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [(["--path", f"shown/{SECRET}.jsonl"], "--path"), (["--ref", f"refs/opensession/{SECRET}"], "--ref")],
)
def test_a_secret_in_a_name_stops_it_too_and_another_name_is_told(repo, uri, command, words, named):
    done = command("share", uri, "--git", "--remote", UNREACHABLE, *words)
    assert done.code == 6
    assert f"aws-access-token in {named}" in done.err
    assert repo.git("for-each-ref", "refs/opensession") == ""
    assert run_steps(command, done.steps[:1]).code == 0
    assert SECRET not in done.steps[0] + repo.git("for-each-ref", "refs/opensession")


def test_a_secret_in_the_name_of_the_branch_stops_it_with_redaction_too(repo, leaky, command):
    repo.git("checkout", "-q", "-b", f"fix/{SECRET}")
    done = command("share", leaky, "--git", "--remote", UNREACHABLE, "--redact")
    assert done.code == 6
    assert "aws-access-token in the name of the branch" in done.err
    assert SECRET not in done.out + done.err
    assert run_steps(command, done.steps[:1]).code == 0
    assert repo.git("for-each-ref", "refs/opensession", "--format=%(refname)") == "refs/opensession/shared"


def test_a_secret_in_a_title_that_was_let_pass_does_not_stop_the_description_of_the_session(
    repo, hail, command
):
    [stored] = Store(repo.work / ".git" / "opensession").put_hail(hail.session(title=f"Toast {SECRET}"))
    repo.git("init", "-q", "--bare", "team.git")
    refused = command("share", stored.uri, "--git", "--remote", "./team.git", "--push")
    assert refused.code == 6
    assert run_steps(command, refused.steps[1:2]).code == 0
    assert SECRET in repo.git(
        "--git-dir=team.git", "grep", SECRET, "refs/opensession/branches/bWFpbg", "--", "v2/meta"
    )


def test_a_push_sends_what_was_scanned_and_nothing_that_was_recorded_since(repo, uri, command, monkeypatch):
    from opensession.actions.setup import outgoing

    repo.git("init", "-q", "--bare", "team.git")
    command("share", uri, "--git", "--remote", "./team.git")
    ref = "refs/opensession/branches/bWFpbg"
    check = outgoing.check

    def meanwhile(*given, **more):
        done = check(*given, **more)
        tree = repo.git("write-tree")
        late = repo.git("commit-tree", "-m", "recorded by somebody else", "-p", ref, tree)
        repo.git("update-ref", ref, late)
        return done

    before = repo.git("rev-parse", ref)
    monkeypatch.setattr(outgoing, "check", meanwhile)
    assert command("share", uri, "--git", "--remote", "./team.git", "--push").code == 0
    assert repo.git("rev-parse", ref) != before
    assert repo.git("--git-dir=team.git", "rev-parse", ref) == before


def put(repo, ref, path, data):
    """Have other bytes at a path of a ledger, as no command of ours would write them."""
    (repo.work / "bytes").write_bytes(data)
    oid = repo.git("hash-object", "-w", "--no-filters", "bytes")
    repo.git("read-tree", ref)
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
    commit = repo.git("commit-tree", "-m", "by hand", "-p", ref, repo.git("write-tree"))
    repo.git("update-ref", ref, commit)


def test_bytes_under_the_name_of_a_clean_session_are_not_sent_for_it(repo, uri, hail, command):
    repo.git("init", "-q", "--bare", "team.git")
    shared = command("share", uri, "--git", "--remote", "./team.git", "--json").json
    assert command("scan", uri).code == 0
    put(repo, shared["ref"], shared["path"], hail.session(text=f"use {SECRET} for it"))
    [other] = Store(repo.work / ".git" / "opensession").put_hail(hail.session("s-2"))

    push = ("share", other.uri, "--git", "--remote", "./team.git", "--push")
    done = command(*push)
    assert done.code == 5
    assert SECRET not in done.out + done.err
    assert repo.git("--git-dir=team.git", "for-each-ref") == ""
    assert run_steps(command, [f"{done.steps[0]} --yes"]).code == 0
    assert command(*push).code == 0
    sent = repo.git("--git-dir=team.git", "ls-tree", "-r", "--name-only", shared["ref"]).splitlines()
    assert shared["path"] not in sent
    assert repo.git("--git-dir=team.git", "log", "-S", SECRET, "--oneline", shared["ref"]) == ""


@pytest.mark.parametrize("folder", ["sessions", "shown"])
def test_a_hash_in_a_path_does_not_spare_other_bytes_the_scan(repo, uri, hail, command, folder):
    repo.git("init", "-q", "--bare", "team.git")
    ref = command("share", uri, "--git", "--remote", "./team.git", "--json").json["ref"]
    assert command("scan", uri).code == 0
    path = f"{folder}/{sha256_of(uri)}.jsonl"
    put(repo, ref, path, hail.session(text=f"use {SECRET} for it"))

    done = command("share", uri, "--git", "--remote", "./team.git", "--push")
    assert done.code == 6
    assert f"aws-access-token in {path}" in done.err
    assert repo.git("--git-dir=team.git", "for-each-ref") == ""


@pytest.mark.parametrize("known", [False, True], ids=["a new remote", "a remote that has the ledger"])
def test_what_a_ledger_held_and_holds_no_more_is_scanned_too(repo, uri, hail, command, known):
    repo.git("init", "-q", "--bare", "team.git")
    push = ("share", uri, "--git", "--remote", "./team.git", "--push")
    ref = command(*push[: None if known else -1], "--json").json["ref"]
    clean, before = repo.git("rev-parse", ref), repo.git("--git-dir=team.git", "for-each-ref")
    put(repo, ref, "shown/notes.jsonl", hail.session(text=f"use {SECRET} for it"))
    again = repo.git("commit-tree", "-m", "taken out", "-p", ref, f"{clean}^{{tree}}")
    repo.git("update-ref", ref, again)

    done = command(*push)
    assert done.code == 6
    assert "aws-access-token in shown/notes.jsonl" in done.err
    assert repo.git("--git-dir=team.git", "for-each-ref") == before


def test_redact_shares_a_copy_and_names_the_original(repo, leaky, command):
    done = command("share", leaky, "--git", "--remote", UNREACHABLE, "--redact", "--json")
    assert done.code == 0
    assert done.json["source_uri"] == leaky
    assert sha256_of(leaky) not in done.json["uri"]
    assert sum(done.json["redacted"].values()) == 2
    shared = repo.git("cat-file", "blob", f"{done.json['ref']}:{done.json['path']}")
    assert SECRET not in shared
    assert "[REDACTED:" in shared
    assert all(
        SECRET not in repo.git("cat-file", "-p", oid)
        for oid in repo.git("rev-list", "--objects", "--all", "--no-object-names").split()
        if repo.git("cat-file", "-t", oid) == "blob"
    )


def test_the_configuration_can_ask_for_redaction(repo, leaky, command):
    (repo.work / ".opensession").mkdir()
    (repo.work / ".opensession" / "config.toml").write_text("[privacy]\nredact = true\n")
    done = command("share", leaky, "--git", "--remote", UNREACHABLE)
    assert done.code == 0
    assert f"source_uri: {leaky}" in done.out


def test_the_configuration_can_name_the_only_remotes(repo, uri, command):
    (repo.work / ".opensession").mkdir()
    (repo.work / ".opensession" / "config.toml").write_text(
        '[privacy]\nonly_remotes = ["git@git.example.com:team/toaster.git"]\n'
    )
    refused = command("share", uri, "--git", "--remote", UNREACHABLE)
    assert refused.code == 6
    assert repo.git("for-each-ref", "refs/opensession") == ""
    assert command("share", uri, "--git", "--remote", "https://git.example.com/team/toaster").code == 0


# ---- quick ----


def test_quick_without_consent_and_without_a_terminal_sends_nothing_and_says_how(repo, uri, command):
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", uri, "--quick", "--json")
    assert (done.code, done.json["pushed"], done.json["quick"], done.json["auto_push_consent"]) == (
        0,
        False,
        True,
        False,
    )
    done = command("share", uri, "--quick")
    assert "quick: yes" in done.out.splitlines()
    assert done.steps == [f"opensession share {uri} --quick --push"]


def test_quick_takes_origin_else_the_only_remote_else_asks_for_one(repo, uri, command):
    done = command("share", uri, "--quick")
    assert done.code == 4
    assert done.steps[0].startswith("git remote add origin https://")
    assert run_steps(command, done.steps[1:]).code == 0

    repo.git("remote", "add", "upstream", UNREACHABLE)
    assert command("share", uri, "--quick", "--json").json["remote_target"] == "upstream"
    repo.git("remote", "add", "fork", UNREACHABLE)
    done = command("share", uri, "--quick")
    assert done.code == 2
    for step in done.steps:
        assert run_steps(command, [step]).code == 0
    repo.git("remote", "add", "origin", UNREACHABLE)
    assert command("share", uri, "--quick", "--json").json["remote_target"] == "origin"


def test_a_trusted_configuration_names_the_remote_of_a_quick_share(repo, uri, command):
    for name in ("origin", "team"):
        repo.git("remote", "add", name, UNREACHABLE)
    (repo.work / ".opensession").mkdir()
    (repo.work / ".opensession" / "config.toml").write_text('[share]\nremote = "team"\n')
    done = command("share", uri, "--quick")
    assert "remote: origin" in done.out
    assert "share.remote" in done.err
    assert command("config", "trust").code == 0
    assert command("share", uri, "--quick", "--json").json["remote_target"] == "team"


# ---- the web ----


@pytest.mark.parametrize(
    "shared",
    [
        "os://src/gh/ada/toaster/ref/main/path/sessions/one.jsonl",
        "os://src/gl/a2l0Y2hlbi90b2FzdGVy/ref/main/path/x",
        "os://src/git/aHR0cHM6Ly9naXQuZXhhbXBsZS90b2FzdGVy/ref/feature%2Fx/path/x",
    ],
)
def test_a_link_is_the_base_url_and_the_address_without_its_scheme(repo, command, shared):
    assert command("config", "init", "--base-url", BASE + "/").code == 0
    done = command("share", shared)
    config = repo.work / ".opensession" / "config.toml"

    link = BASE + shared.removeprefix("os:/")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{link}\nbase_url: {BASE}\nconfig: {config}\n"
    assert command("share", shared, "--web", "--json").json == {
        "uri": shared,
        "web_url": link,
        "base_url": BASE,
        "config": str(config),
        "private": False,
    }


def test_a_link_to_a_folder_of_this_machine_is_said_to_lead_nowhere(repo, uri, command):
    command("config", "init", "--base-url", BASE)
    repo.git("init", "-q", "--bare", "elsewhere.git")
    shared = command("share", uri, "--git", "--remote", "./elsewhere.git").out.splitlines()[0]
    assert "no server can show it" in command("share", shared).err


def test_a_session_of_this_machine_has_no_link_and_the_steps_give_it_one(repo, uri, command):
    command("config", "init", "--base-url", BASE)
    done = command("share", uri)
    assert done.code == 2
    add, git, link = done.steps
    assert add.startswith("git remote add origin https://")
    repo.git("remote", "add", "origin", UNREACHABLE)
    shared = run_steps(command, [git]).out.splitlines()[0]
    assert link == f'opensession share "$({git} | head -n 1)" --web'
    assert run_steps(command, [f"opensession share {shared} --web"]).out.startswith(BASE + "/src/git/")
    assert command("share", uri, "--web").steps == done.steps[1:]


def test_without_a_configuration_there_is_no_link(repo, command):
    done = command("share", "os://src/gh/ada/toaster/ref/main/path/x", "--web")
    assert done.code == 4
    assert done.steps == [
        "opensession config init --base-url https://sessions.example.com",
        "opensession config show",
    ]
    assert run_steps(command, done.steps).code == 0


def test_an_artifact_has_no_link(repo, command):
    done = command("share", "os://artifact/" + "0" * 64)
    assert done.code == 2
    assert done.steps[0].startswith("opensession handoff artifacts export")


# ---- options that do not go together ----


@pytest.mark.parametrize("words", [["--quick", "--web"], ["--web", "--git"], ["--web", "--push"]])
def test_git_and_the_web_are_two_things(repo, uri, command, words):
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", uri, *words)
    assert done.code == 2
    assert run_steps(command, done.steps[:1]).code == 0
    remote = "os://src/gh/ada/toaster/ref/main/path/x"
    command("config", "init", "--base-url", BASE)
    assert run_steps(command, command("share", remote, *words).steps).code == 0


def test_git_without_a_remote_suggests_the_usual_one(repo, uri, command):
    repo.git("remote", "add", "team", UNREACHABLE)
    done = command("share", uri, "--git")
    assert done.code == 2
    assert len(done.steps) == 2
    for step in done.steps:
        assert run_steps(command, [step]).code == 0


def test_an_option_of_git_alone_names_what_it_belongs_to(repo, uri, command):
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", uri, "--remote", "origin")
    assert (done.code, len(done.steps)) == (2, 1)
    assert run_steps(command, done.steps).code == 0


def test_what_lies_in_git_already_is_not_put_there_again(repo, command):
    command("config", "init", "--base-url", BASE)
    done = command("share", "os://src/gh/ada/toaster/ref/main/path/x", "--git", "--remote", "origin")
    assert done.code == 2
    assert run_steps(command, done.steps[:1]).code == 0


def test_a_file_is_no_stored_session_and_the_steps_store_it(repo, hail, command):
    (repo.work / "s.hail.jsonl").write_bytes(hail.session())
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", "s.hail.jsonl", "--quick")
    assert done.code == 2
    stored = run_steps(command, done.steps[:1]).out.strip()
    assert done.steps[1] == 'opensession share "$(opensession register s.hail.jsonl --quiet)" --quick'
    assert command("share", stored, "--quick").code == 0


def test_outside_of_a_repository_there_is_nothing_to_write_into(env, hail, command):
    [stored] = Store(env.store).put_hail(hail.session())
    done = command("share", stored.uri, "--git", "--remote", "origin")
    assert done.code == 4
    assert done.steps[0].startswith("git init")


@pytest.mark.parametrize("words", [["--remote", "orgin"], ["--remote=orgin"]])
def test_a_near_miss_of_a_remote_is_answered_with_the_line_that_was_meant(repo, uri, command, words):
    repo.git("remote", "add", "origin", UNREACHABLE)
    done = command("share", uri, "--git", *words)
    assert done.code == 4
    assert run_steps(command, done.steps[:1]).out.splitlines()[1] == "remote: origin"


def test_an_unknown_remote_and_a_missing_session_are_not_found(repo, uri, command):
    assert command("share", uri, "--git", "--remote", "orign").code == 4
    assert command("share", "0" * 64, "--git", "--remote", UNREACHABLE).code == 4
    assert repo.git("for-each-ref", "refs/opensession") == ""


@pytest.mark.parametrize(
    "remote", ["--upload-pack=touch x", "ext::sh -c touch% x", "-oProxyCommand=x", "a\x1b[2Jb"]
)
def test_a_remote_that_git_could_take_for_orders_is_refused(repo, uri, command, remote):
    done = command("share", uri, "--git", f"--remote={remote}")
    assert done.code == 6
    assert "\x1b" not in done.err
    assert sorted(p.name for p in repo.work.iterdir()) == [".git"]


@pytest.mark.parametrize(
    "ref",
    ["refs/opensession/branches", "refs/opensession/branches/bWFpbg/x", "refs/opensession/branches/BWFPBG"],
)
def test_a_ref_that_cannot_be_beside_another_is_refused(repo, uri, command, ref):
    assert command("share", uri, "--git", "--remote", UNREACHABLE).code == 0
    refs = repo.git("for-each-ref", "refs/opensession")
    done = command("share", uri, "--git", "--remote", UNREACHABLE, "--ref", ref)
    assert done.code == 6
    assert f"{ref!r} would stand beside 'refs/opensession/branches/bWFpbg'" in done.err
    assert run_steps(command, done.steps[:1]).code == 0
    assert repo.git("for-each-ref", "refs/opensession") == refs


def test_a_password_in_the_remote_is_nowhere_to_be_seen(repo, uri, command):
    done = command("share", uri, "--git", "--remote", "https://ada:hunter2@127.0.0.1:9/toaster.git")
    assert done.code == 0
    assert "hunter2" not in done.out + done.err
    assert "hunter2" not in repo.git("config", "--list")
    everything = b"".join(p.read_bytes() for p in (repo.work / ".git").rglob("*") if p.is_file())
    assert b"hunter2" not in everything


@pytest.mark.parametrize(
    "words",
    [
        ["--git", "--remote", "https://ada:hunter2@127.0.0.1:9/toaster", "--push"],
        ["--git", "--remote=https://ada:hunter2@127.0.0.1:9/toaster", "--push", "--json"],
        ["--quick", "--remote", "https://hunter2@127.0.0.1:9/toaster"],
        ["--quick", "--remote", "https://127.0.0.1:9/toaster?token=hunter2", "--json"],
        ["--git", "https://ada:hunter2@127.0.0.1:9/toaster"],
        ["--web", "--remote", "https://ada:hunter2@127.0.0.1:9/toaster"],
        ["--push", "--remote", "https://ada:hunter2@127.0.0.1:9/toaster"],
    ],
)
def test_a_step_or_a_refusal_does_not_repeat_the_password_that_was_typed(repo, uri, command, words):
    done = command("share", uri, *words)
    assert "127.0.0.1" in done.out + done.err
    assert "hunter2" not in done.out + done.err
