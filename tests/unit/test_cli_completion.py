"""Completion scripts: made from the tables, understood by the shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from opensession.cli import app

BASH_PROBE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_opensession
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(env, shell: str) -> str:
    path = env.work / f"completion.{shell}"
    path.write_bytes(env.run("docs", "completion", shell).stdout)
    return str(path)


def complete(env, *words: str) -> set[str]:
    done = subprocess.run(
        ["bash", "-c", BASH_PROBE, "bash", script(env, "bash"), "opensession", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=env.work,
    )
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
class TestBash:
    def test_it_completes_the_command_word(self, env):
        assert {"parse", "register", "docs"} <= complete(env, "")
        assert complete(env, "ver") == {"verify"}

    def test_it_completes_options_of_the_command(self, env):
        assert complete(env, "parse", "--pre") == {"--preview"}
        assert "--check-first" in complete(env, "cat", "--")

    def test_it_completes_closed_lists(self, env):
        assert complete(env, "parse", "--profile", "") == {"auto", "claude-code", "codex", "hail"}
        assert {"completion", "quickstart"} <= complete(env, "docs", "")

    def test_it_completes_files(self, env):
        (env.work / "raw.jsonl").touch()
        assert "raw.jsonl" in complete(env, "register", "ra")

    def test_a_store_before_the_command_is_stepped_over(self, env):
        assert complete(env, "--store", "x", "inspect", "--js") == {"--json"}


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_shell_accepts_the_script(env, shell, check):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    done = subprocess.run([shell, check, script(env, shell)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_is_in_the_script(env, shell):
    text = env.run("docs", "completion", shell).stdout.decode()
    for name in app.COMMANDS:
        if app.load(name).COMMAND.hidden:
            continue
        for word in name.split():
            assert word in text
        if " " not in name:
            for option in app.load(name).COMMAND.options:
                assert (option.name if shell != "fish" else f"-l {option.name[2:]}") in text


def test_an_unknown_shell_is_answered_with_the_known_ones(env):
    done = env.run("docs", "completion", "zhs")
    assert done.returncode == 2
    assert b"- opensession docs completion zsh\n" in done.stderr
