"""What git's words mean: the class, the exit code, and what is never repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opensession.errors import BusyError, NotFoundError, RefusedError, RemoteFailedError, StorageFailedError
from opensession.git.failures import Held, failure, lock_in, timed_out, told, too_much
from opensession.git.process import Done

HERE = Path("/somewhere")
SHOWN = "https://example.com/o/r"


def remote(said: str, code: int = 128) -> RemoteFailedError:
    error = failure(Done(code, b"", said.encode()), cwd=HERE, doing="push", remote=SHOWN)
    assert isinstance(error, RemoteFailedError)
    return error


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fatal: could not read Username for 'https://example.com': terminal prompts disabled", "auth"),
        ("fatal: Authentication failed for 'https://example.com/o/r/'", "auth"),
        (
            "git@example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "auth",
        ),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "auth"),
        ("remote: Permission to o/r.git denied to ada.\nfatal: unable to access: error: 403", "permission"),
        (
            "fatal: unable to access 'https://example.com/o/r/': Could not resolve host: example.com",
            "network",
        ),
        (
            "fatal: unable to access 'https://example.com/': Failed to connect to example.com port 443",
            "network",
        ),
        ("fatal: unable to access 'x': Operation too slow. Less than 1000 bytes/sec", "network"),
        ("ssh: connect to host example.com port 22: Connection refused", "network"),
        ("error: RPC failed; curl 56 recv failure\nfatal: early EOF", "network"),
        ("remote: no\n ! [remote rejected] a -> a (pre-receive hook declined)", "declined"),
        ("! [remote rejected] a -> a (deny updating a hidden ref)", "declined"),
        ("remote: fatal: write error: No space left on device\nerror: remote unpack failed", "full"),
        ("remote: Repository not found.\nfatal: repository 'https://example.com/o/r/' not found", "missing"),
        ("fatal: '/x' does not appear to be a git repository", "missing"),
        ("fatal: couldn't find remote ref refs/opensession/x", "missing"),
        ("fatal: the cat sat on it", "other"),
    ],
)
def test_a_remote_s_failure_has_a_class(said, reason):
    error = remote(said)
    assert (error.reason, error.exit_code) == (reason, 7)
    assert SHOWN in error.message
    assert error.next


def test_a_password_in_git_s_words_is_not_repeated():
    error = remote("fatal: unable to access 'https://ada:s3cret@example.com/o/r/': Could not resolve host")
    assert "s3cret" not in error.message
    assert "ada" not in error.message
    assert "https://example.com/o/r/" in error.message


def test_what_a_server_says_cannot_drive_a_terminal():
    error = remote("remote: \x1b]0;owned\x07\x1b[2J\u202egpj.exe\nerror: \xff")
    assert all(c.isprintable() for c in error.message)
    assert "\\x1b" in error.message


def test_what_a_server_says_is_cut():
    assert len(told(b"remote: " + b"x" * 100_000)) < 500


def local(said: str, code: int = 128):
    return failure(Done(code, b"", said.encode()), cwd=HERE, doing="write")


def test_an_owner_git_does_not_trust_is_a_refusal_that_the_user_may_lift():
    error = local(
        "fatal: detected dubious ownership in repository at '/r x'\nTo add an exception for this directory, call:\n"
    )
    assert isinstance(error, RefusedError)
    assert error.next == ("git config --global --add safe.directory '/r x'",)


def test_other_refusals_of_git_are_refusals():
    assert isinstance(local("fatal: transport 'ext' not allowed"), RefusedError)
    assert isinstance(
        local("fatal: cannot use bare repository '/r' (safe.bareRepository is 'explicit')"), RefusedError
    )


def test_a_full_disk_is_a_failure_of_storage():
    error = local("error: unable to write file: No space left on device\nfatal: unable to write loose object")
    assert isinstance(error, StorageFailedError)
    assert error.next == ("df -h /somewhere",)


def test_a_folder_that_may_not_be_written_is_a_failure_of_storage():
    error = local("error: insufficient permission for adding an object to repository database .git/objects")
    assert isinstance(error, StorageFailedError)
    assert error.next == ("ls -ld /somewhere",)


def test_a_repository_that_went_away_is_not_found():
    assert isinstance(local("fatal: not a git repository: '/r/.git'"), NotFoundError)


def test_a_failure_without_a_word_tells_the_code():
    assert "exit code 3" in local("", 3).message
    assert "signal 9" in local("", -9).message


def test_a_lock_is_named_with_its_age(tmp_path):
    lock = tmp_path / "refs" / "x.lock"
    lock.parent.mkdir()
    lock.write_text("")
    os.utime(lock, (0, os.stat(lock).st_mtime - 7260))
    error = local(
        f"fatal: update_ref failed for ref 'x': cannot lock ref 'x': Unable to create '{lock}': File exists."
    )
    assert isinstance(error, BusyError)
    assert str(lock) in error.message
    assert "2 hours old" in error.message
    assert any(step.startswith(f"rm {lock}") for step in error.next)
    assert lock.exists()


def test_a_lock_of_the_configuration_is_one_too(tmp_path):
    said = b"error: could not lock config file .git/config: File exists"
    assert lock_in(said, tmp_path) == tmp_path / ".git" / "config.lock"
    assert "gone by now" in local(said.decode()).message


def test_a_fresh_lock_is_waited_for_and_an_old_one_is_not(tmp_path):
    lock = tmp_path / "x.lock"
    lock.write_text("")
    Held(lock).refuse_old()
    os.utime(lock, (0, os.stat(lock).st_mtime - 60))
    with pytest.raises(BusyError):
        Held(lock).refuse_old()
    Held(tmp_path / "gone").refuse_old()


def test_a_time_limit_blames_whom_was_waited_for():
    error = timed_out("push", 20, SHOWN)
    assert isinstance(error, RemoteFailedError)
    assert error.reason == "hung"
    assert isinstance(timed_out("push", 20, None), BusyError)


def test_an_answer_without_an_end_blames_who_gave_it():
    assert isinstance(too_much("list", 1 << 20, SHOWN), RemoteFailedError)
    assert isinstance(too_much("list", 1 << 20, None), StorageFailedError)
