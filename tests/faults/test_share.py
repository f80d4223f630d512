"""`share` when the process dies before each of its changes, or when git dies at each of its starts.

What must hold afterwards, whatever the call was: git finds nothing wrong in either repository, the ledger is the old
one or the new one, and the same command again finishes the work.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from opensession.actions import share as action
from opensession.config import Config
from opensession.errors import OpensessionError
from opensession.git import mirror, objects, process
from opensession.git.repository import Repository
from opensession.store import Store, Stores

sys.path.insert(0, str(Path(__file__).parent))

import syscalls
from syscalls import Died, Syscalls

REF = "refs/opensession/branches/bWFpbg"
LIMIT = 400
"""More changes than one share makes."""
CHANGES = {"fchmod", "flock", "fsync", "link", "mkdir", "rename", "unlink", "utime", "write"}
"""Calls that change something or make it durable; dying before a look is dying before the next change."""


class Place(NamedTuple):
    """A user's repository and a remote, each of which holds a session that was shared before."""

    env: object
    work: Path
    remote: Path
    named: str
    """What is shared now."""

    @classmethod
    def template(cls, env, hail) -> Place:
        folder = env.work / "template"
        folder.mkdir()
        env.git("init", "-q", "-b", "main", str(folder / "here"))
        env.git("init", "-q", "--bare", str(folder / "there.git"))
        env.git("commit", "-q", "--allow-empty", "-m", "first", cwd=folder / "here")
        env.git("remote", "add", "origin", "../there.git", cwd=folder / "here")
        store = Store(folder / "here" / ".git" / "opensession")
        old, new = store.put_hail(hail.session("old") + hail.session("new"))
        place = cls(env, folder / "here", folder / "there.git", new.sha256)
        assert place._replace(named=old.sha256).share().pushed
        return place

    def copy(self, number: int) -> Place:
        folder = self.env.work / str(number)
        shutil.copytree(self.work.parent, folder)
        return self._replace(work=folder / "here", remote=folder / "there.git")

    def share(self) -> action.Shared:
        os.chdir(self.work)
        return action.share(
            Stores.discover(self.work, self.env.variables),
            Repository.discover(self.work, self.env.variables),
            Config.load(self.work),
            self.named,
            action.Wish("origin", push=True),
        )

    def git(self, *words: str, cwd: Path | None = None) -> str:
        return self.env.git(*words, cwd=cwd or self.work)

    def check(self) -> None:
        """Nothing is broken, and nothing is half there."""
        for repository in (self.work, self.remote):
            self.git("fsck", "--strict", "--no-dangling", cwd=repository)
            listed = self.git("ls-tree", "-r", "--name-only", REF, cwd=repository).splitlines()
            sessions = [name for name in listed if name.startswith("v2/sessions/")]
            described = [name for name in listed if name.startswith("v2/meta/")]
            assert len(sessions) == len(described) in (1, 2)
            for name in listed:
                self.git("cat-file", "-e", f"{REF}:{name}", cwd=repository)

    def finish(self) -> None:
        """The same again succeeds."""
        assert self.share().pushed
        for repository in (self.work, self.remote):
            assert self.named in self.git("ls-tree", "-r", "--name-only", REF, cwd=repository)
        self.git("fsck", "--strict", "--no-dangling", cwd=self.remote)


@pytest.fixture
def template(env, hail) -> Place:
    return Place.template(env, hail)


@pytest.mark.slow
def test_a_death_before_any_change_leaves_the_old_ledger_or_the_new_one(template, monkeypatch):
    monkeypatch.setattr(syscalls, "WATCHED", CHANGES)
    monkeypatch.setattr(syscalls, "MODULES", (*syscalls.MODULES, objects, mirror))
    real = process.start
    for at in range(1, LIMIT):
        place = template.copy(at)
        struck = Syscalls(at)

        def start(*words, _struck=struck, **how):
            _struck.before("start of git")
            return real(*words, **how)

        with monkeypatch.context() as patched:
            struck.install(patched)
            patched.setattr(process, "start", start)
            try:
                place.share()
            except Died:
                assert struck.struck
        if struck.struck is None:
            assert "start of git" in struck.calls
            assert "fsync" in struck.calls
            return
        place.check()
        place.finish()
        shutil.rmtree(place.work.parent)
    raise AssertionError("the sweep did not end")


@pytest.mark.slow
def test_a_git_that_dies_is_a_typed_error_and_leaves_the_old_ledger_or_the_new_one(template, monkeypatch):
    real = process.start
    for at in range(1, LIMIT):
        place = template.copy(at)
        seen = []

        def start(*words, _at=at, _seen=seen, **how):
            child = real(*words, **how)
            _seen.append(words[0])
            if len(_seen) == _at:
                os.killpg(child.pid, signal.SIGKILL)
            return child

        with monkeypatch.context() as patched:
            patched.setattr(process, "start", start)
            try:
                failure = place.share().failure
            except OpensessionError as error:
                failure = error
        if len(seen) < at:
            assert failure is None
            assert at > 10, "the sweep reached some starts"
            return
        # Some answers are not needed, so not every death is noticed.
        assert failure is None or failure.exit_code in (4, 6, 7, 8, 9), seen[-1]
        assert failure is None or failure.next, seen[-1]
        place.check()
        for lock in place.work.rglob("*.lock"):
            lock.unlink()  # what a person does after git was killed
        place.finish()
        shutil.rmtree(place.work.parent)
    raise AssertionError("the sweep did not end")
