"""The clipboard and the question: programs of the desktop may be missing, and silence is a no."""

from __future__ import annotations

import io
import os
import sys

import pytest

from opensession.cli import clipboard
from opensession.cli.asking import agreed, can_ask
from opensession.cli.report import Report

ALL = ["wl-copy", "xclip", "xsel"]


@pytest.fixture
def desktop(env, tmp_path, monkeypatch):
    """A PATH on which a test puts stand-ins; each writes what it got, and how it was called, beside itself."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(sys, "platform", "linux")

    def put(name: str, code: int = 0) -> None:
        file = programs / name
        file.write_text(f'#!/bin/sh\necho "$@" > "$0.words"\n/bin/cat > "$0.got"\nexit {code}\n')
        file.chmod(0o755)

    def got(name: str) -> str | None:
        file = programs / f"{name}.got"
        return file.read_text() if file.exists() else None

    return put, got


def test_the_first_program_that_is_there_gets_the_line(desktop):
    put, got = desktop
    for name in reversed(ALL):
        put(name)
        assert clipboard.copy(f"for {name}") is None
        assert got(name) == f"for {name}"


def test_one_that_fails_is_followed_by_the_next(desktop):
    put, got = desktop
    put("wl-copy", code=1)
    put("xsel")
    assert clipboard.copy("a line") is None
    assert got("xsel") == "a line"


def test_where_none_works_the_reason_names_them(desktop):
    put, _ = desktop
    assert "wl-copy or xclip or xsel" in (clipboard.copy("a line") or "")
    put("xclip", code=1)
    assert "xclip" in (clipboard.copy("a line") or "")


def test_on_a_mac_it_is_pbcopy(desktop, monkeypatch):
    put, got = desktop
    monkeypatch.setattr(sys, "platform", "darwin")
    put("pbcopy")
    put("wl-copy")
    assert clipboard.copy("a line") is None
    assert (got("pbcopy"), got("wl-copy")) == ("a line", None)


def test_a_program_in_the_current_folder_is_not_started(desktop, env, monkeypatch):
    (env.work / "wl-copy").write_text("#!/bin/sh\ntouch started\n")
    (env.work / "wl-copy").chmod(0o755)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert clipboard.copy("a line") is not None
    assert not (env.work / "started").exists()


def test_one_that_hangs_is_left(desktop, monkeypatch, tmp_path):
    program = tmp_path / "programs" / "wl-copy"
    program.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(clipboard, "_SECONDS", 0.05)
    assert "wl-copy" in (clipboard.copy("a line") or "")


def test_a_copy_that_does_not_work_is_said_and_fails_nothing(desktop, command):
    assert command("config", "init", "--base-url", "https://sessions.example.com").code == 0
    shared = "os://src/gh/ada/toaster/ref/main/path/x"
    done = command("share", shared, "--copy")
    assert done.code == 0
    assert done.err.startswith("not copied: ")
    put, got = desktop
    put("wl-copy")
    done = command("share", shared, "--copy", "--json")
    assert (done.code, done.err) == (0, "")
    assert got("wl-copy") == done.json["web_url"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "yes"),
    [
        ("y\n", True),
        ("YES\n", True),
        (" yes \n", True),
        ("\n", False),
        ("n\n", False),
        ("ja\n", False),
        ("yy\n", False),
        ("", False),
        ("y", True),
    ],
)
def test_only_a_clear_yes_is_a_yes(typed, yes, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert agreed("Really?") is yes


def test_the_question_shows_nothing_that_a_terminal_obeys(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    monkeypatch.setattr(sys, "stderr", shown)
    agreed("send to \x1b[2Jorigin?")
    assert shown.getvalue() == "send to \\x1b[2Jorigin? [y/N] "


def test_nobody_is_asked_who_cannot_answer_or_wants_a_document(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert can_ask(Report())
    assert not can_ask(Report(json=True))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not can_ask(Report())
    monkeypatch.setattr(sys, "stdin", None)
    assert not can_ask(Report())
