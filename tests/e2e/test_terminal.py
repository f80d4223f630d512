"""On a terminal: progress for long work, and hostile text shown instead of obeyed."""

from __future__ import annotations

import json

import pytest
from terminals import shown_by

BAD = "\u202ereversed\u009b31mred\u007f"


def on_terminal(sh, *words: str) -> str:
    """What a terminal gets from the command, both streams."""
    return shown_by(words, sh.work, sh.variables, patience=30).replace("\r\n", "\n")


@pytest.fixture
def hostile(sh, env, hail) -> str:
    (env.work / "s.hail.jsonl").write_bytes(hail.session(text=BAD, title=f"a title {BAD}"))
    return sh("opensession register s.hail.jsonl --quiet").out.strip()


def test_a_pipe_gets_the_bytes_and_a_terminal_the_same_values_escaped(sh, hostile):
    piped = sh(f"opensession cat {hostile}").out
    shown = on_terminal(sh, "cat", hostile)
    assert BAD in piped
    assert shown.isascii()
    assert [json.loads(line) for line in shown.splitlines()] == [
        json.loads(line) for line in piped.splitlines()
    ]


@pytest.mark.parametrize(
    "words",
    [["parse", "--profile", "hail", "s.hail.jsonl", "--preview"], ["inspect", "s.hail.jsonl"], ["ls"]],
)
def test_no_command_sends_a_control_character_of_a_session(sh, hostile, words):
    shown = on_terminal(sh, *words)
    assert "reversed" in shown
    assert not set(shown) & set("\u202e\u009b\u007f\x1b")


def test_short_work_shows_no_progress(sh, hostile):
    assert on_terminal(sh, "verify", hostile) == sh(f"opensession verify {hostile}").out
