"""The whole help of every command is one file, so that no word of it changes unseen."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from opensession.actions.parse import LOSSY_REPAIRS
from opensession.cli import app
from opensession.cli.arguments import read
from opensession.cli.command import EXIT_CODES
from opensession.cli.helptext import command_help, root_help

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
MARK = "`make bless` rewrites it. -->\n"
COMMANDS = {name: app.load(name).COMMAND for name in app.COMMANDS}


def everything() -> str:
    parts = [f"## `opensession`\n\n```text\n{root_help(list(COMMANDS.values()))}```\n"]
    parts += [f"## `opensession {name}`\n\n```text\n{command_help(c)}```\n" for name, c in COMMANDS.items()]
    return "\n".join(parts)


def test_the_documented_help_is_a_snapshot_of_the_program_s():
    prose, mark, snapshot = PAGE.read_text().partition(MARK)
    if os.environ.get("OPENSESSION_BLESS"):
        snapshot = f"\n{everything()}"
        PAGE.write_text(prose + mark + snapshot)
    assert mark
    assert f"\n{everything()}" == snapshot


@pytest.mark.parametrize(
    "words", [["--help"], ["parse", "--help"], ["docs", "completion", "-h"], ["help", "verify"]]
)
def test_the_process_prints_what_the_snapshot_holds(env, words):
    done = env.run(*words)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"```text\n{done.stdout.decode()}```" in PAGE.read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples_and_exit_codes(name):
    text = command_help(COMMANDS[name])
    assert "\nExamples:\n  opensession" in text
    assert "\nExit codes:\n  0   done" in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_line_that_the_command_accepts(name):
    for example in COMMANDS[name].examples:
        for part in example.split(" | "):
            words = shlex.split(part.partition(" > ")[0].partition(" < ")[0])
            if words[0] != "opensession":
                continue
            of = next(
                n for n in sorted(COMMANDS, key=len, reverse=True) if words[1:][: len(n.split())] == n.split()
            )
            read(COMMANDS[of], words[1:], len(of.split()))


def test_every_exit_code_is_documented():
    prose = PAGE.read_text().partition(MARK)[0]
    for code, meaning in EXIT_CODES.items():
        if code < 100:
            assert f"| {code} | {meaning.partition(' (')[0]} |" in prose


def test_the_losses_that_strict_counts_are_documented():
    for text in (PAGE.read_text().partition(MARK)[0], COMMANDS["parse"].description):
        assert all(repair in text for repair in LOSSY_REPAIRS)


def test_no_command_and_no_arguments_is_answered_with_the_help_and_exit_2(env):
    done = env.run()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Usage: opensession")


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["parze", "x"], "opensession parse x"),
        (["--versoin"], "opensession --version"),
        (["docs", "complete", "bash"], "opensession docs completion bash"),
        (["docs"], "opensession docs quickstart --help"),
        (["frobnicate"], "opensession --help"),
        (["--store"], "opensession --help"),
    ],
)
def test_an_unknown_command_is_answered_with_a_known_one(env, words, step):
    done = env.run(*words)
    assert done.returncode == 2
    assert f"- {step}" in done.stderr.decode().splitlines()
