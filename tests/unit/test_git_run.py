"""How git is started: what it sees, what it may do, and that it ends."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from opensession.errors import BusyError, IntegrityError, NotFoundError, RefusedError, StorageFailedError
from opensession.git import process
from opensession.git.environment import environment, find_git, options, refuse_old, version_of
from opensession.git.run import Git, Trust

if TYPE_CHECKING:
    from pathlib import Path

USER = {"trust": Trust.USER, "protocols": (), "git_dir": None, "worktree": None}


@pytest.fixture
def fake(env, tmp_path) -> Path:
    """A folder for a program that calls itself git, first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    env.variables["PATH"] = f"{folder}:{env.variables['PATH']}"
    return folder


def script(folder: Path, text: str) -> None:
    (folder / "git").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "git").chmod(0o755)


def git(env, **more) -> Git:
    return Git(None, env=env.variables, cwd=env.work, **more)


def test_nothing_that_a_hook_inherits_reaches_git():
    inherited = [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_CONFIG_PARAMETERS",
        "GIT_EXTERNAL_DIFF",
        "GIT_SSH",
        "GIT_PROXY_COMMAND",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_TRACE",
        "GIT_TRACE2_EVENT",
        "GIT_TRACE_CURL",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_ATTR_SOURCE",
        "GIT_EXEC_PATHS",
    ]
    given = dict.fromkeys(inherited, "/x") | {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_MESSAGES": "de",
        "GIT_SSH_COMMAND": "ssh -i k",
    }
    env = environment(given, **USER)
    assert not env.keys() & set(inherited)
    assert "LC_MESSAGES" not in env
    assert (env["PATH"], env["HOME"], env["GIT_SSH_COMMAND"]) == ("/bin", "/h", "ssh -i k")
    assert env["LC_ALL"] == "C"
    assert (env["GIT_TERMINAL_PROMPT"], env["GIT_ASKPASS"], env["SSH_ASKPASS_REQUIRE"]) == (
        "0",
        "false",
        "never",
    )


def test_no_transport_is_allowed_that_was_not_asked_for():
    assert environment({}, **USER)["GIT_ALLOW_PROTOCOL"] == ""
    assert environment({}, **USER)["GIT_NO_LAZY_FETCH"] == "1"
    asked = environment({}, **(USER | {"protocols": ("https", "ssh")}))
    assert asked["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    rules = options(trust=Trust.USER, protocols=("https",), hooks=False)
    assert "protocol.allow=never" in rules
    assert "protocol.https.allow=always" in rules
    assert "protocol.ext.allow=never" in rules


def test_hooks_run_only_where_they_are_wanted():
    assert "core.hooksPath=/dev/null" in options(trust=Trust.USER, protocols=(), hooks=False)
    assert not any("hooksPath" in o for o in options(trust=Trust.USER, protocols=(), hooks=True))


def test_a_stranger_s_repository_is_read_without_the_user_s_settings():
    given = {
        "GIT_CONFIG_GLOBAL": "/h/.gitconfig",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "a.b",
        "GIT_CONFIG_VALUE_0": "c",
    }
    env = environment(given, **(USER | {"trust": Trust.STRANGER}))
    assert env["GIT_CONFIG_GLOBAL"] == os.devnull
    assert env["GIT_CONFIG_NOSYSTEM"] == "1"
    assert not any(
        name.startswith(("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY", "GIT_CONFIG_VALUE")) for name in env
    )
    rules = options(trust=Trust.STRANGER, protocols=("https",), hooks=False)
    assert {"transfer.fsckObjects=true", "credential.helper="} <= set(rules)
    assert environment(given, **USER)["GIT_CONFIG_COUNT"] == "1"


def test_everything_is_synced_in_every_call(env):
    argv, _ = git(env).command("gc")
    assert argv[-1] == "gc"
    assert "core.fsync=all" in argv
    assert "core.fsyncMethod=fsync" in argv


def test_the_configuration_is_read_without_our_own_options(env):
    argv, _ = git(env).with_(options=None).command("config", "--list")
    assert argv[1:] == ["-C", str(env.work), "config", "--list"]


def test_a_forbidden_transport_is_refused_before_anything_runs(env):
    env.git("init", "-q")
    with pytest.raises(RefusedError, match="'ext'"):
        git(env).run("fetch", "--", "ext::sh -c 'touch owned'", remote="ext")
    with pytest.raises(RefusedError, match="'file'"):
        git(env, protocols=("https",)).run("ls-remote", "--", str(env.work), remote="x")
    assert not (env.work / "owned").exists()


def test_an_answer_and_its_input_may_be_of_any_size(env):
    data = os.urandom(3 << 20)
    env.git("init", "-q")
    oid = git(env).run("hash-object", "-w", "--stdin", stdin=data).out.decode().strip()
    assert git(env).run("cat-file", "blob", oid).out == data


def test_a_program_that_reads_no_input_is_no_error(env, fake):
    script(fake, "exit 0")
    assert git(env).run("x", stdin=b"y" * (1 << 20)).code == 0


def test_a_code_that_was_expected_is_no_error(env, fake):
    script(fake, "exit 5")
    assert git(env).run("x", ok=(0, 5)).code == 5
    with pytest.raises(StorageFailedError, match="exit code 5"):
        git(env).run("x")


def test_what_does_not_end_is_killed_with_its_children(env, fake):
    script(fake, "sleep 1000 & echo $! >pid; sleep 1000")
    with pytest.raises(BusyError, match="was stopped"):
        git(env).run("x", timeout=0.3)
    pid = int((env.work / "pid").read_text())
    assert gone(pid)


@pytest.mark.parametrize("how", ["an old C library", "a closed standard input"])
def test_where_the_quick_way_to_start_is_not_there_the_slow_one_does_the_same(env, fake, monkeypatch, how):
    def unknown(*_words, **_named):
        raise NotImplementedError("setsid")

    script(fake, "cat; echo seen >&2; [ $$ = $(ps -o sid= -p $$) ]")
    if how == "an old C library":
        monkeypatch.setattr(os, "posix_spawn", unknown)
        assert git(env).run("x", stdin=b"said") == (0, b"said", b"seen\n")
        return
    kept = os.dup(0)
    os.close(0)
    try:
        assert git(env).run("x", stdin=b"said") == (0, b"said", b"seen\n")
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_a_started_program_obeys_a_closed_pipe_as_it_would_in_a_shell(env, fake):
    script(fake, "exec yes")
    child = git(env).start("x", stdin=process.DEVNULL, stdout=process.PIPE)
    child.close(child.stdout)
    assert child.wait(60) == -signal.SIGPIPE
    child.kill()


def gone(pid: int) -> bool:
    """Whether the process ends; it is an orphan by now, so somebody else buries it."""
    for _ in range(1000):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().split()[2] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_a_key_press_ends_the_children_too(env, fake, monkeypatch):
    script(fake, "sleep 1000 & echo $! >pid; sleep 1000")
    looks = []

    def interrupted(child, stdin, *more, **named):
        while not (env.work / "pid").exists() or not (env.work / "pid").read_text().strip():
            time.sleep(0.01)
        looks.append(child.pid)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(process, "_traffic", interrupted)
    with pytest.raises(KeyboardInterrupt):
        git(env).run("x")
    assert gone(looks[0])
    assert gone(int((env.work / "pid").read_text()))


def test_an_answer_without_an_end_is_stopped(env, fake):
    script(fake, "yes")
    with pytest.raises(StorageFailedError, match="longer than 1 MiB"):
        git(env).run("x", limit=1 << 20)


def test_of_a_flood_of_words_the_beginning_and_the_end_are_kept(env, fake):
    script(fake, "echo first >&2; head -c 3000000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 0")
    done = git(env).run("x")
    assert done.err.startswith(b"first\n")
    assert done.err.endswith(b"last\n")
    assert len(done.err) <= 64 << 10


def test_git_that_is_not_there_is_said_so(env):
    env.variables["PATH"] = str(env.work)
    with pytest.raises(NotFoundError, match="not installed"):
        git(env).run("version")


def test_a_program_in_the_present_folder_is_not_taken_for_git(env, fake, monkeypatch):
    script(env.work, "touch owned")
    for path in (".", "", "bin"):
        with pytest.raises(NotFoundError):
            find_git({"PATH": path})
    assert find_git({"PATH": f".:{fake}:/nowhere:{os.environ['PATH']}"}) != "./git"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (b"git version 2.47.3\n", (2, 47, 3)),
        (b"git version 2.39.5 (Apple Git-154)\n", (2, 39, 5)),
        (b"git version 3.0\n", (3, 0)),
        (b"hub version 1\n", ()),
    ],
)
def test_a_version_is_read_from_what_git_says(said, version):
    assert version_of(said) == version


def test_a_git_that_is_too_old_is_refused():
    refuse_old("/usr/bin/git", (2, 39))
    refuse_old("/usr/bin/git", (3, 0, 1))
    with pytest.raises(NotFoundError, match=r"is git 2\.38\.1, and sharing needs 2\.39"):
        refuse_old("/usr/bin/git", (2, 38, 1))
    with pytest.raises(NotFoundError, match="an unknown version"):
        refuse_old("/usr/bin/git", ())


def test_a_word_that_an_old_git_does_not_know_tells_its_age(env, fake):
    script(fake, 'case "$*" in *version) echo git version 2.20.1;; *) exit 129;; esac')
    with pytest.raises(NotFoundError, match=r"is git 2\.20\.1"):
        git(env).run("cat-file")


def test_a_folder_that_is_gone_is_said_so(env):
    folder = env.work / "gone"
    with pytest.raises(NotFoundError, match="does not exist any more"):
        Git(None, env=env.variables, cwd=folder).run("version")


def test_records_are_cut_at_each_nul_and_a_failure_is_seen_at_the_end(env, fake):
    script(fake, "printf 'a\\0b\\nc\\0'; exit 0")
    assert list(git(env).records("x", doing="list")) == [b"a", b"b\nc"]
    script(fake, "printf 'a\\0'; echo fatal: broken >&2; exit 128")
    records = git(env).records("x", doing="list")
    assert next(records) == b"a"
    with pytest.raises(StorageFailedError, match="could not list: fatal: broken"):
        next(records)


@pytest.fixture
def repository(env) -> Git:
    env.git("init", "-q")
    return git(env)


def test_one_process_answers_for_many_objects(repository):
    oids = [
        repository.run("hash-object", "-w", "--stdin", stdin=b"%d\n" % n).out.decode().strip()
        for n in range(3)
    ]
    with repository.batch() as batch:
        for n, oid in enumerate(oids):
            found = batch.read(oid)
            assert found == ((oid, "blob", 2), b"%d\n" % n)
        assert batch.info("0" * 40) is None
        assert batch.info("no such name") is None
        assert batch.info(oids[0]) == (oids[0], "blob", 2)
        with pytest.raises(IntegrityError, match="is no tree"):
            batch.typed(oids[0], "tree")
        with pytest.raises(IntegrityError, match="too large"):
            batch.read(oids[0], limit=1)
        with pytest.raises(ValueError, match="one line"):
            batch.info("a\nb")


def test_a_batch_whose_process_dies_is_an_error_and_not_an_answer(repository):
    with repository.batch() as batch:
        os.kill(batch._child.pid, signal.SIGKILL)
        batch._child.wait()
        with pytest.raises(StorageFailedError):
            batch.info("HEAD")


def test_a_damaged_object_is_an_error_and_not_an_answer(repository, env):
    oid = repository.run("hash-object", "-w", "--stdin", stdin=b"x").out.decode().strip()
    path = env.work / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"")
    with repository.batch() as batch, pytest.raises((StorageFailedError, IntegrityError)):
        batch.typed(oid, "blob")
