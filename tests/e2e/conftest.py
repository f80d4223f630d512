"""A shell with `opensession` on its path, and the bundled log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside the tests import each other by name

DEMO_LOG = Path(__file__).parents[2] / "examples" / "claude-code.jsonl"


class Done(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def steps(self) -> list[str]:
        """The commands below `next:` on standard error."""
        lines = self.err.splitlines()
        below = lines[lines.index("next:") + 1 :] if "next:" in lines else []
        return [line.removeprefix("- ") for line in below if line.startswith("- ")]


def _program(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


class Shell:
    """Runs lines as a person would type them."""

    def __init__(self, env, folder: Path, compiled: Path) -> None:
        self.env = env
        self.work = env.work
        programs = folder / "bin"
        programs.mkdir()
        _program(programs / "opensession", f'"{sys.executable}" -m opensession')
        _program(programs / "python", f'"{sys.executable}"')
        self.programs = programs
        self.variables = {**env.variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        # As installed, where modules are compiled once: hundreds of processes are started here.
        del self.variables["PYTHONDONTWRITEBYTECODE"]
        self.variables["PYTHONPYCACHEPREFIX"] = str(compiled)

    def __call__(self, line: str, stdin: bytes | None = None, **more: str) -> Done:
        done = subprocess.run(
            ["bash", "-c", line],
            input=b"" if stdin is None else stdin,
            cwd=self.work,
            env={**self.variables, **more},
            capture_output=True,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str, **how) -> subprocess.Popen[bytes]:
        """Start the command itself, without a shell around it, so that a signal reaches it."""
        command = [sys.executable, "-m", "opensession", *words]
        return subprocess.Popen(command, cwd=self.work, env=self.variables, **how)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Path:
    """Where the modules' compiled form is kept for this run."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def sh(env, tmp_path, compiled) -> Shell:
    """A shell in the test's own folder."""
    return Shell(env, tmp_path, compiled)


@pytest.fixture
def log(env) -> str:
    """The bundled Claude Code log as ./raw.jsonl."""
    (env.work / "raw.jsonl").write_bytes(DEMO_LOG.read_bytes())
    return "raw.jsonl"


@pytest.fixture
def session(env, hail) -> str:
    """A valid session that is not in canonical form, as ./s.hail.jsonl."""
    (env.work / "s.hail.jsonl").write_bytes(hail.session())
    return "s.hail.jsonl"
