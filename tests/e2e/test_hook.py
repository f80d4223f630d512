"""Real pushes to a bare repository on disk, through the hook that `doctor --fix` installed."""

from __future__ import annotations

import os
import select

import pytest

REF = "refs/opensession/branches/bWFpbg"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"  # invented
WHEN = "2026-01-02T03:04:06Z"
FIX = "opensession doctor --fix --yes --fanout-mode {}"


class Clone:
    """A clone with a hook, a bare remote, and an agent that works in it."""

    def __init__(self, sh, claude_log) -> None:
        self.sh, self.env, self.log = sh, sh.env, claude_log
        self.remote = sh.work.parent / "remote.git"
        self.env.git("init", "-q", "--bare", str(self.remote))
        self.env.git("init", "-q", "-b", "main")
        self.env.git("remote", "add", "origin", str(self.remote))
        self.commit("toast.py", "print('brown')\n")

    def commit(self, name, text):
        (self.env.work / name).write_text(text)
        self.env.git("add", name)
        done = self.sh(f"git commit -q -m '{name}'", GIT_COMMITTER_DATE=WHEN, GIT_AUTHOR_DATE=WHEN)
        assert done.code == 0, done.err

    def fix(self, mode="hidden_ref"):
        done = self.sh(FIX.format(mode))
        assert done.code == 0, done.err

    def session(self, words="Why does the toaster not toast?"):
        """A log of the agent, written in this folder."""
        text = self.log.decode().replace("/home/ada/toaster", str(self.env.work))
        folder = self.env.home / ".claude" / "projects" / "toaster"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "c0ffee00-0000-4000-8000-000000000001.jsonl").write_text(
            text.replace("Why does the toaster not toast?", words)
        )

    def push(self, what="main", **more):
        return self.sh(f"git push -q origin {what}", **more)

    def there(self, ref=REF):
        """The paths in a ref of the remote."""
        listed = self.sh(f"git -C '{self.remote}' ls-tree -r --name-only {ref}")
        return listed.out.splitlines() if listed.code == 0 else []

    def pushed(self, branch="main"):
        ours, theirs = (
            self.sh(f"git -C '{where}' rev-parse {branch}").out for where in (self.env.work, self.remote)
        )
        return ours == theirs


@pytest.fixture
def clone(sh, claude_log) -> Clone:
    return Clone(sh, claude_log)


def test_a_push_takes_the_sessions_of_its_branch_along(clone):
    clone.fix()
    clone.session()
    done = clone.push()
    assert (done.code, done.err, clone.pushed()) == (0, "", True)
    paths = clone.there()
    assert [path.split("/")[1] for path in paths] == ["commits", "meta", "sessions"]
    assert clone.env.git("rev-parse", "HEAD") in paths[0]
    assert clone.env.git("status", "--porcelain") == ""
    done = clone.push()
    assert (done.code, done.err, clone.there()) == (0, "", paths)


def test_secrets_in_what_is_pushed_are_told_by_place_and_do_not_stop_the_push(clone):
    clone.fix()
    clone.commit("a key.py", f"token = '{TOKEN}'\n")
    clone.commit("more.py", "print('black')\n")
    oid = clone.env.git("rev-parse", "--short=12", "HEAD~1")
    done = clone.push()
    assert (done.code, clone.pushed()) == (0, True)
    assert f"  github-pat in a key.py, commit {oid}\n" in done.err
    assert TOKEN not in done.err
    clone.env.git("commit", "-q", "--allow-empty", "-m", f"remove {TOKEN}")
    clone.env.git("tag", "-a", "v1", "-m", f"without {TOKEN}")
    said = clone.push("main v1").err
    assert "  github-pat in the commit's message, commit " in said
    assert "  github-pat in the tag's message, commit " in said
    clone.env.git("checkout", "-q", "-b", "other", "HEAD~3")
    clone.commit("b.py", f"token = '{TOKEN}'\n")
    refused = clone.push("other", OPENSESSION_STRICT="1")
    assert (refused.code, "the push is refused" in refused.err, clone.pushed("other")) == (1, True, False)


@pytest.mark.slow
def test_without_consent_sessions_are_recorded_here_and_sent_nowhere(clone):
    clone.fix()
    clone.env.git("config", "--unset-all", "opensession.fanout-remote")
    clone.session()
    done = clone.push()
    assert (done.code, done.err, clone.pushed()) == (0, "", True)
    assert clone.there() == []
    assert clone.env.git("for-each-ref", "--format=%(refname)", "refs/opensession") == REF


@pytest.mark.slow
def test_a_remote_that_moved_gets_nothing_until_it_is_agreed_to_again(clone):
    clone.fix()
    clone.session()
    moved = clone.remote.rename(clone.remote.with_name("moved.git"))
    clone.remote = moved
    clone.env.git("remote", "set-url", "origin", str(moved))
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert "another address than the one that was agreed to: no session was sent" in done.err
    step = done.err.splitlines()[-1].strip()
    assert clone.sh(step + " --yes").code == 0
    clone.commit("more.py", "print('black')\n")
    assert clone.push().code == 0
    assert [path.split("/")[1] for path in clone.there()].count("sessions") == 1


@pytest.mark.slow
def test_a_configuration_that_came_with_the_clone_may_narrow_where_sessions_go(clone):
    clone.fix()
    clone.session()
    (clone.env.work / ".opensession").mkdir()
    (clone.env.work / ".opensession" / "config.toml").write_text(
        '[privacy]\nonly_remotes = ["https://host/o/r"]\n'
    )
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert "no session was sent: " in done.err
    assert "privacy.only_remotes" in done.err


@pytest.mark.slow
def test_a_typed_address_gets_nothing(clone):
    clone.fix()
    clone.session()
    done = clone.sh(f"git push -q '{clone.remote}' main")
    assert (done.code, done.err, clone.there()) == (0, "", [])


@pytest.mark.slow
def test_a_session_with_a_secret_stays_here_and_the_push_goes_on(clone):
    clone.fix()
    clone.session(words=f"Use {TOKEN} for this")
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert "a session holds what looks like a secret and was not recorded: os://src/local/" in done.err
    assert TOKEN not in done.err


@pytest.mark.slow
def test_a_secret_in_a_ledger_keeps_the_ledger_here(clone, hail):
    clone.fix()
    (clone.env.work.parent / "s.jsonl").write_bytes(hail.session(text=f"Use {TOKEN} for this"))
    sha256 = clone.sh("opensession register --quiet ../s.jsonl").out.strip().rpartition("/")[2]
    written = clone.sh(
        f"""set -e; export GIT_INDEX_FILE=../index
        blob=$(opensession cat {sha256} | git hash-object -w --stdin)
        git update-index --add --cacheinfo 100644,$blob,v2/sessions/{sha256[:2]}/{sha256[2:4]}/{sha256}.jsonl
        git update-ref {REF} $(git commit-tree -m ledger $(git write-tree))"""
    )
    assert written.code == 0, written.err
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert f"github-pat in os://src/local/{sha256}" in done.err
    assert TOKEN not in done.err
    assert clone.push("HEAD:refs/heads/again", OPENSESSION_STRICT="1").code == 1


@pytest.mark.slow
def test_a_remote_that_wants_no_ledger_does_not_stop_the_push(clone):
    clone.fix()
    clone.session()
    declines = clone.remote / "hooks" / "update"
    declines.parent.mkdir(exist_ok=True)
    declines.write_text('#!/bin/sh\ncase $1 in refs/opensession/*) echo "not here" >&2; exit 1 ;; esac\n')
    declines.chmod(0o755)
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert "opensession: " in done.err
    assert clone.push("HEAD:refs/heads/again", OPENSESSION_STRICT="1").code == 1


@pytest.mark.slow
def test_a_remote_that_hangs_is_given_up_and_nothing_of_it_is_left(clone):
    clone.fix()
    clone.session()
    hook = clone.env.work / ".git" / "hooks" / "pre-push"
    hook.write_text(hook.read_text().replace("\ncap=20\n", "\ncap=8\n"))
    hangs = clone.remote / "hooks" / "update"
    hangs.parent.mkdir(exist_ok=True)
    os.mkfifo(clone.remote / "alive")
    alive = os.open(clone.remote / "alive", os.O_RDONLY | os.O_NONBLOCK)
    hangs.write_text("#!/bin/sh\ncase $1 in refs/opensession/*) exec sleep 600 >alive ;; esac\n")
    hangs.chmod(0o755)
    done = clone.push()
    assert (done.code, clone.pushed(), clone.there()) == (0, True, [])
    assert "was stopped: origin does not answer; what was written here is kept" in done.err
    # The end of the pipe comes with the end of whoever could write to it.
    assert select.select([alive], [], [], 60)[0] == [alive]
    assert os.read(alive, 1) == b""
    os.close(alive)


@pytest.mark.slow
def test_notes_on_the_pushed_tip_name_its_sessions(clone):
    clone.fix("git_notes")
    clone.session()
    done = clone.push()
    assert (done.code, done.err) == (0, "")
    note = clone.sh(f"git -C '{clone.remote}' notes --ref=opensession show main").out
    assert note.startswith("os://src/git/")
    assert note.count("\n") == 1


@pytest.mark.slow
def test_a_linked_worktree_and_a_detached_head_push_like_any_other(clone):
    clone.fix()
    clone.session()
    clone.env.git("worktree", "add", "-q", "--detach", "../linked")
    done = clone.sh("cd ../linked && git push -q origin HEAD:refs/heads/main")
    assert (done.code, done.err, clone.pushed()) == (0, "", True)
    assert len(clone.there()) == 3


@pytest.mark.slow
def test_the_hook_that_was_there_reads_the_same_lines_first(clone):
    hook = clone.env.work / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncat >.git/seen\n")
    hook.chmod(0o755)
    clone.fix()
    clone.session()
    done = clone.push()
    assert (done.code, done.err, len(clone.there())) == (0, "", 3)
    oid = clone.env.git("rev-parse", "main")
    assert (
        clone.env.work / ".git" / "seen"
    ).read_text() == f"refs/heads/main {oid} refs/heads/main {'0' * 40}\n"


@pytest.mark.slow
def test_sha_256_repositories_are_pushed_with_their_ledgers(sh, claude_log, monkeypatch):
    clone = Clone.__new__(Clone)
    clone.sh, clone.env, clone.log = sh, sh.env, claude_log
    clone.remote = sh.work.parent / "remote.git"
    sh.env.git("init", "-q", "--bare", "--object-format=sha256", str(clone.remote))
    sh.env.git("init", "-q", "-b", "main", "--object-format=sha256")
    sh.env.git("remote", "add", "origin", str(clone.remote))
    clone.commit("toast.py", "print('brown')\n")
    clone.fix()
    clone.session()
    done = clone.push()
    assert (done.code, done.err, len(clone.there())) == (0, "", 3)
    assert clone.sh("git push -q origin :main").code == 0
