"""What every test gets: a home, an XDG tree, a git and a working directory of its own; and small invented
sessions.

Nothing of the machine the tests run on may leak in: no configuration, no store, no repository around the
folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# No deadline: a test that fails because a machine was busy says nothing. The same examples in every run; a
# search for new ones is `pytest --hypothesis-profile=explore`.
settings.register_profile("default", deadline=None, database=None, derandomize=True)
settings.register_profile("explore", deadline=None, database=None, max_examples=2000)
settings.load_profile("default")

# A run that a shell started in the background ignores SIGINT, and every child would inherit that: the tests that interrupt
# one would wait for ever.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

FOR_THE_TESTS = {"OPENSESSION_CORPUS", "OPENSESSION_WHEEL", "OPENSESSION_BLESS", "OPENSESSION_POWER_CUT"}


class Environment(NamedTuple):
    """The world of one test."""

    home: Path
    work: Path
    """The working directory; in no repository until `git` makes one."""
    store: Path
    """Where the global store will be."""
    variables: dict[str, str]
    """The whole environment of a child process."""

    def run(
        self, *words: str, stdin: bytes | None = None, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command line in a process of its own."""
        return self.python("-m", "opensession", *words, stdin=stdin, cwd=cwd, **more)

    def python(
        self, *words: str, stdin: bytes | None = None, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run this interpreter in a process of its own."""
        return subprocess.run(
            [sys.executable, *words],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            cwd=cwd or self.work,
            env={**self.variables, **more},
            capture_output=True,
            check=False,
        )

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git and give its answer; the only program here that is not ours."""
        done = subprocess.run(
            ["git", *words],
            cwd=cwd or self.work,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().rstrip("\n")


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A hermetic environment, also in force in the test's own process."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "XDG_", "LC_")) or (
            name.startswith("OPENSESSION_") and name not in FOR_THE_TESTS
        ):
            monkeypatch.delenv(name)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name, value in {
        "HOME": str(home),
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_TEST_FSYNC": "0",  # as for os.fsync below; tests/faults run without it
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(work)
    # Thousands of real syncs would make the suite as slow as the disk. What is synced, and when, is shown from outside
    # the process in tests/faults/test_processes.py; no test in this process can see the difference.
    monkeypatch.setattr(os, "fsync", os.fstat)
    return Environment(home, work, home / ".local" / "share" / "opensession", dict(os.environ))


class Hail:
    """Builds small invented sessions of HAIL."""

    def header(self, session_id: str = "s-1", **context: Any) -> dict[str, Any]:
        return {
            "type": "header",
            "version": "hail-1.0.0",
            "session_id": session_id,
            "agent": {"provider": "acme", "model": "m-1", "tool": "toaster"},
            "context": {
                "tags": [],
                "created_at": "2026-01-02T03:04:05Z",
                "updated_at": "2026-01-02T03:04:05Z",
                **context,
            },
        }

    def event(
        self, number: int = 0, text: str = "hello", kind: str = "UserMessage", **more: Any
    ) -> dict[str, Any]:
        return {
            "type": "event",
            "event_id": f"e{number}",
            "timestamp": f"2026-01-02T03:04:{number % 60:02}Z",
            "event_type": {"type": kind},
            "content": {"blocks": [{"type": "Text", "text": text}]},
            **more,
        }

    def stats(self, **more: Any) -> dict[str, Any]:
        return {"type": "stats", **more}

    def lines(self, *values: Any) -> bytes:
        return b"".join(json.dumps(v, ensure_ascii=False).encode() + b"\n" for v in values)

    def session(
        self,
        session_id: str = "s-1",
        events: int = 2,
        *,
        text: str = "hello",
        source: Any = None,
        **context: Any,
    ) -> bytes:
        """A whole valid session, deliberately not in canonical form."""
        return self.lines(
            self.header(session_id, **context),
            *(self.event(n, text) for n in range(events)),
            self.stats(**({} if source is None else {"source": source})),
        )


@pytest.fixture(scope="session")
def hail() -> Hail:
    """A builder of sessions."""
    return Hail()


@pytest.fixture(scope="session")
def claude_log() -> bytes:
    """A small invented log of Claude Code."""
    common = {
        "sessionId": "c0ffee00-0000-4000-8000-000000000001",
        "version": "2.1.0",
        "cwd": "/home/ada/toaster",
    }
    records = [
        {
            "type": "user",
            "uuid": "u1",
            "parentUuid": None,
            "timestamp": "2026-01-02T03:04:05.000Z",
            "message": {"role": "user", "content": "Why does the toaster not toast?"},
            **common,
        },
        {
            "type": "assistant",
            "uuid": "a1",
            "parentUuid": "u1",
            "timestamp": "2026-01-02T03:04:06.500Z",
            "message": {
                "id": "msg_1",
                "role": "assistant",
                "model": "claude-m",
                "content": [{"type": "text", "text": "It is not plugged in."}],
                "usage": {"input_tokens": 10, "output_tokens": 7},
            },
            **common,
        },
    ]
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


class Answer(NamedTuple):
    """What a command line did in this process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def steps(self) -> list[str]:
        """The commands below `next:` on standard error."""
        _, _, below = self.err.partition("next:\n")
        return [line.removeprefix("- ") for line in below.splitlines() if line.startswith("- ")]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Runs a command line in this process: a process of its own costs a hundred times as much."""
    from opensession.cli import app

    monkeypatch.setattr(app, "_exit_on_sigterm", lambda: None)

    def run(*words: str) -> Answer:
        capsys.readouterr()
        code = app.main(words)
        return Answer(code, *capsys.readouterr())

    return run
