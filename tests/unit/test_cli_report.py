"""What reaches a terminal: no byte of somebody else's that the terminal would obey."""

from __future__ import annotations

import io
import json
import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.cli.progress import Progress, duration, line, size
from opensession.cli.report import JSON_ESCAPES, Report, place, visible
from opensession.cli.terminal import escape
from opensession.errors import HailSyntaxError, UsageError

CLEAR_SCREEN = "\x1b[2J"
RIGHT_TO_LEFT = "\u202e"


def obeyed(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in (
        "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
    )


@given(st.text())
def test_text_from_outside_holds_nothing_that_a_terminal_obeys(text):
    assert not any(map(obeyed, visible(text)))


@given(st.text())
def test_ordinary_text_is_shown_as_it_is(text):
    plain = "".join(c for c in text if unicodedata.category(c)[0] in "LNPS" or c == " ")
    assert visible(plain) == plain


def test_an_escape_sequence_is_shown_and_not_sent():
    assert visible(f"a{CLEAR_SCREEN}b{RIGHT_TO_LEFT}") == "a\\x1b[2Jb\\u{202e}"


def test_a_file_name_that_is_no_text_can_be_shown():
    assert visible(b"caf\xe9.jsonl".decode("utf-8", "surrogateescape")) == "caf\\udce9.jsonl"


@given(st.recursive(st.text() | st.none() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_json_on_a_terminal_is_the_same_value_with_nothing_to_obey(value):
    shown = escape(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert not any(map(obeyed, shown))


def test_characters_beyond_the_first_plane_are_escaped_as_a_pair():
    assert json.loads(f'"{JSON_ESCAPES[0xE0041]}"') == "\U000e0041"


def test_a_document_is_pretty_sorted_and_safe(capsys):
    Report(json=True).document({"b": "\u009b2J", "a": [1]})
    assert capsys.readouterr().out == '{\n  "a": [\n    1\n  ],\n  "b": "\\u009b2J"\n}\n'


def test_every_next_step_names_the_store_that_the_line_named(capsys):
    report = Report()
    report.store = "/my store"
    report.error(
        UsageError("no", next=["opensession ls", "opensession cat x | opensession register -", "ls -l"])
    )
    report.advise(['opensession share "$(opensession share x --git | head -n 1)" --web'])
    assert capsys.readouterr().err.splitlines()[2:] == [
        "- opensession --store '/my store' ls",
        "- opensession --store '/my store' cat x | opensession --store '/my store' register -",
        "- ls -l",
        "next:",
        """- opensession --store '/my store' share "$(opensession --store '/my store' share x --git | head -n 1)" --web""",
    ]


def test_the_place_of_an_error_is_told_once():
    assert place(HailSyntaxError("bad", line=3, column=7)) == "bad (line 3, column 7)"
    assert place(HailSyntaxError("bad at line 3", line=3, column=7)) == "bad at line 3"
    assert place(HailSyntaxError("bad")) == "bad"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_no_progress_in_a_pipe():
    with Progress("parse", io.StringIO()) as progress:
        assert progress is None


def test_progress_is_silent_for_a_second_and_leaves_no_trace(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    terminal = Terminal()
    with Progress("parse", terminal) as progress:
        now[0] += 0.9
        progress(1, 10)
        assert terminal.getvalue() == ""
        now[0] += 0.6
        progress(3_000_000, 10_000_000)
        assert "parse [#######-----------------] 3.0 MB of 10.0 MB  2.0 MB/s  4 s left" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_line_of_progress_never_wraps(monkeypatch):
    monkeypatch.setattr(Terminal, "fileno", lambda self: 1, raising=False)
    monkeypatch.setattr("os.get_terminal_size", lambda fd: os.terminal_size((20, 5)))
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    terminal = Terminal()
    with Progress("register", terminal) as progress:
        now[0] += 2
        progress(1, 10)
        assert terminal.getvalue() == "\r\x1b[Kregister [##-------"


def test_progress_of_unknown_length_tells_how_much_and_how_fast():
    assert line("register", 5_000_000, 0, 2.0) == "register  5.0 MB  2.5 MB/s"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (7e15, "7000.0 TB")]
)
def test_sizes_are_for_people(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (1e6, "277 h 46 min")],
)
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text
