"""The syntax of a command line: what argparse accepts we read the same way, and near misses are named."""

from __future__ import annotations

import argparse
import os
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opensession.cli.arguments import nearest, quoted, read
from opensession.cli.command import Argument, Command, Option
from opensession.cli.report import visible
from opensession.errors import UsageError

TABLE = Command(
    "bake",
    "bake",
    "Bakes.",
    arguments=[Argument("TIN", "a tin"), Argument("LOAF", "loaves", many=True)],
    options=[
        Option("--heat", "how hot", metavar="N", number=(1, 300)),
        Option("--name", "its name", metavar="NAME"),
        Option("--crisp", "crisp"),
        Option("--seed", "what is on it", metavar="SEED", many=True),
        Option("--glaze", "with what", metavar="WITH", bare="egg"),
    ],
)


def parser() -> argparse.ArgumentParser:
    built = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    built.add_argument("TIN")
    built.add_argument("LOAF", nargs="+")
    built.add_argument("--heat", type=int)
    built.add_argument("--name")
    built.add_argument("--crisp", action="store_true")
    return built


words = st.text("abcxyz019./ü", min_size=1, max_size=6)
options = st.one_of(
    st.just(["--crisp"]),
    st.tuples(st.just("--name"), words).map(list),
    words.map(lambda word: [f"--name={word}"]),
    st.integers(1, 300).map(lambda number: ["--heat", str(number)]),
)
lines = st.lists(st.one_of(options, words.map(lambda word: [word]), st.just(["-"])), min_size=2).map(
    lambda parts: [word for part in parts for word in part]
)


@given(lines)
def test_every_line_is_read_as_argparse_reads_it(line):
    try:
        expected = vars(parser().parse_intermixed_args(line))
    except (argparse.ArgumentError, SystemExit):
        with pytest.raises(UsageError):
            read(TABLE, line)
        return
    args = read(TABLE, line)
    assert args.one("TIN") == expected["TIN"]
    assert args.many("LOAF") == expected["LOAF"]
    assert args.text("--name") == expected["name"]
    assert args.number("--heat", -1) == (-1 if expected["heat"] is None else expected["heat"])
    assert args.flag("--crisp") is expected["crisp"]


def test_two_dashes_end_the_options():
    assert read(TABLE, ["--crisp", "--", "--name", "-x", "--"]).many("LOAF") == ["-x", "--"]


def test_an_option_that_takes_several_keeps_all_and_others_the_last():
    args = read(TABLE, ["t", "l", "--seed", "oat", "--name", "a", "--seed=rye", "--name=b"])
    assert args.many("--seed") == ["oat", "rye"]
    assert args.text("--name") == "b"


def test_a_value_that_may_be_left_out_never_takes_the_next_word():
    args = read(TABLE, ["t", "--glaze", "l"])
    assert (args.text("--glaze"), args.many("LOAF")) == ("egg", ["l"])
    assert read(TABLE, ["t", "l", "--glaze=milk"]).text("--glaze") == "milk"
    assert read(TABLE, ["t", "l"]).text("--glaze") is None


def test_an_optional_argument_may_be_missing():
    command = Command("b", "b", "B.", arguments=[Argument("LOAF", "loaves", many=True, optional=True)])
    assert read(command, []).many("LOAF") == []
    assert read(command, ["x", "y"]).many("LOAF") == ["x", "y"]


def test_help_needs_no_arguments():
    assert read(TABLE, ["--help"]).flag("--help")


@pytest.mark.parametrize(
    ("line", "message", "step"),
    [
        (["t", "l", "--naem", "x"], "did you mean '--name'?", "opensession t l --name x"),
        (["t", "l", "--nam=x"], "did you mean '--name'?", "opensession t l --name=x"),
        (["t", "l", "--crisp=yes"], "--crisp takes no value", "opensession t l --crisp"),
        (["t", "l", "--frobnicate"], "has no option '--frobnicate'", "opensession bake --help"),
        (["t", "l", "--name"], "--name needs a value", "opensession bake --help"),
        (["t", "l", "--name", "--crisp"], "--name needs a value", "opensession bake --help"),
        (["t"], "needs LOAF", "opensession bake --help"),
        ([], "needs TIN", "opensession bake --help"),
    ],
)
def test_a_wrong_line_is_answered_with_the_right_one(line, message, step):
    with pytest.raises(UsageError) as caught:
        read(TABLE, line)
    assert message in caught.value.message
    assert step in caught.value.next


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (["a", "b", "b"], "opensession one a b"),
        (["b", "b", "b"], "opensession one b b"),
        (["--glaze=b", "b", "b", "b"], "opensession one --glaze=b b b"),
        (["--", "b", "b", "--"], "opensession one -- b b"),
    ],
)
def test_a_word_too_many_is_left_out_where_it_stands(line, step):
    command = Command(
        "one", "o", "O.", arguments=[Argument("A", "a"), Argument("B", "b")], options=TABLE.options
    )
    with pytest.raises(UsageError) as caught:
        read(command, ["one", *line], 1)
    assert caught.value.next[0] == step


def test_a_file_named_like_an_option_is_suggested_as_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-naem.jsonl").touch()
    with pytest.raises(UsageError) as caught:
        read(TABLE, ["t", "-naem.jsonl"])
    assert caught.value.next[0] == "opensession t ./-naem.jsonl"
    assert read(TABLE, ["t", "./-naem.jsonl"]).many("LOAF") == ["./-naem.jsonl"]


def test_the_dashes_of_an_option_make_no_likeness():
    assert nearest("--json", ["--store", "--check-first"]) is None
    assert nearest("--stroe", ["--store", "--check-first"]) == "--store"


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))) | st.binary().map(os.fsdecode)
)
@example("\x1b[2J1'\\")
@example("caf\udce97.jsonl")
@settings(max_examples=25)
def test_a_word_in_a_step_is_the_same_word_in_a_shell_and_safe_to_show(word):
    word = word.replace("\0", "")
    assert visible(quoted(word)) == quoted(word)
    said = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True, check=True)
    assert os.fsdecode(said.stdout) == word


@pytest.mark.parametrize("value", ["0", "301", "-1", "1.5", "", "1_0", "١", "9" * 5000, " 7"])
def test_a_number_is_plain_digits_within_its_bounds(value):
    with pytest.raises(UsageError, match="whole number from 1 to 300"):
        read(TABLE, ["t", "l", f"--heat={value}"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("claude", "claude-code"),
        ("Codex", "codex"),
        ("parze", "parse"),
        ("zzz", None),
        ("c", None),
        ("", None),
    ],
)
def test_a_near_miss_is_a_word_that_looks_or_begins_alike(typed, meant):
    assert nearest(typed, ["claude-code", "codex", "parse"]) == meant
