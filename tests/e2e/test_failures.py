"""Every failure says what happened with the value as typed, and its next steps can be pasted and work."""

from __future__ import annotations

import json
import os

import pytest
from damage import flip

NOT_HERE = "0" * 64


def failing(line: str, code: int, says: str, *steps: str) -> object:
    return pytest.param(line, code, says, steps, id=line)


FAILURES = [
    # register
    failing("register nope.jsonl", 4, "there is no file 'nope.jsonl'", "ls -la ."),
    failing("register nowhere/x.jsonl", 4, "there is no file 'nowhere/x.jsonl'", "ls -la ."),
    failing("register s.hail.json", 4, "did you mean 's.hail.jsonl'?", "opensession register s.hail.jsonl"),
    failing("register .", 3, "'.' is a folder, not a log", "ls -ld ."),
    failing("register /dev/zero", 3, "'/dev/zero' is a device", "ls -ld /dev/zero"),
    failing(
        "register raw.jsonl",
        3,
        "'raw.jsonl': ",
        "opensession parse --profile claude-code raw.jsonl --out ./session.hail.jsonl",
        "opensession register ./session.hail.jsonl",
        "opensession register --profile claude-code raw.jsonl",
    ),
    failing("register notes.txt", 3, "'notes.txt': ", "sed -n 1p notes.txt | cut -c1-300 | cat -v"),
    failing("register empty.jsonl", 3, "'empty.jsonl': "),
    failing(
        "register bad-line.hail.jsonl", 3, "line 2", "sed -n 2p bad-line.hail.jsonl | cut -c1-300 | cat -v"
    ),
    failing("register future.hail.jsonl", 3, "hail-9.9", "head -c 300 future.hail.jsonl | cat -v"),
    failing("register --profile claude raw.jsonl", 2, "did you mean 'claude-code'?"),
    failing("register --profile claude-code notes.txt", 3, "'notes.txt': "),
    # parse
    failing("parse raw.jsonl", 2, "needs --profile ID", "opensession parse raw.jsonl --profile auto"),
    failing(
        "parse --profile claude raw.jsonl",
        2,
        "there is no profile 'claude'; did you mean 'claude-code'?",
        "opensession parse --profile claude-code raw.jsonl",
    ),
    failing(
        "parse --profile zzz raw.jsonl",
        2,
        "known are auto, claude-code,",
        "opensession parse --profile auto raw.jsonl",
    ),
    failing("parse --profile=zzz raw.jsonl", 2, "'zzz'", "opensession parse --profile=auto raw.jsonl"),
    failing(
        "parse --profile codex raw.jsonl",
        3,
        "'raw.jsonl': ",
        "opensession parse --profile claude-code raw.jsonl --out ./session.hail.jsonl",
    ),
    failing(
        "parse --profile claude-code s.hail.jsonl", 3, "'s.hail.jsonl': ", "opensession inspect s.hail.jsonl"
    ),
    failing("parse --profile hail raw.jsonl", 3, "'raw.jsonl': "),
    failing("parse --profile auto notes.txt", 3, "'notes.txt': ", "head -c 300 notes.txt | cat -v"),
    failing("parse --profile claude-code empty.jsonl", 3, "'empty.jsonl': "),
    failing("parse --profile hail no-events.hail.jsonl --out o.jsonl", 3, "without events"),
    failing("parse --profile auto nope.jsonl", 4, "there is no file 'nope.jsonl'"),
    failing(
        "parse --profile auto raw.json",
        4,
        "did you mean 'raw.jsonl'?",
        "opensession parse --profile auto raw.jsonl",
    ),
    failing(
        "parse --profile auto raw.jsonl --out new/dir/o.jsonl",
        8,
        "'new/dir/o.jsonl' cannot be written",
        "mkdir -p new/dir",
        "opensession parse --profile auto raw.jsonl --out new/dir/o.jsonl",
    ),
    failing(
        "parse --profile auto raw.jsonl --out .",
        8,
        "'.' is a folder, not a file",
        "opensession parse --profile auto raw.jsonl --out ./session.hail.jsonl",
    ),
    failing("parse --profile auto raw.jsonl --out raw.jsonl/o", 8, "Not a directory", "ls -ld raw.jsonl"),
    failing(
        "parse --profile auto raw.jsonl --jobs none",
        2,
        "--jobs takes a whole number from 1 to 64, not 'none'",
    ),
    failing("parse --profile auto raw.jsonl --prewiev", 2, "did you mean '--preview'?"),
    failing(
        "parse --profile auto raw.jsonl extra",
        2,
        "takes no argument 'extra'",
        "opensession parse --profile auto raw.jsonl",
    ),
    failing("parse --profile hail no-events.hail.jsonl", 3, "'no-events.hail.jsonl': "),
    # files with names that a shell or a command takes for something else
    failing(
        "register -- -dash.jsonl",
        3,
        "'-dash.jsonl': ",
        "opensession parse --profile claude-code ./-dash.jsonl --out ./session.hail.jsonl",
    ),
    failing(
        "parse --profile claude-code -dash.jsonl",
        2,
        "the file of that name is './-dash.jsonl'",
        "opensession parse --profile claude-code ./-dash.jsonl",
    ),
    failing("verify -- -notes.txt", 3, "", "sed -n 1p ./-notes.txt | cut -c1-300 | cat -v"),
    failing(
        "register $'e\\e[31m.txt'",
        3,
        "'e\\x1b[31m.txt'",
        "sed -n 1p $'e\\033[31m.txt' | cut -c1-300 | cat -v",
    ),
    failing(
        "parse --profile auto raw.jsonl raw.jsonl",
        2,
        "no argument 'raw.jsonl'",
        "opensession parse --profile auto raw.jsonl",
    ),
    # addresses
    failing(f"cat {NOT_HERE}", 4, NOT_HERE, "opensession ls"),
    failing("cat hello", 2, "'hello' is no address", "opensession ls"),
    failing("cat ./s.hail.jsonl", 2, "'./s.hail.jsonl' is a file", "opensession inspect ./s.hail.jsonl"),
    failing(f"inspect os://src/local/{NOT_HERE}", 4, NOT_HERE, "opensession ls"),
    failing(f"inspect os://src/local/{'0' * 63}", 2, "no SHA-256 address", "opensession ls"),
    failing(f"inspect os://artifact/{NOT_HERE}", 2, f"os://artifact/{NOT_HERE}", "opensession ls"),
    failing("inspect raw.jsonl", 3, "'raw.jsonl': ", "opensession inspect ./session.hail.jsonl"),
    failing("inspect nope", 4, "there is no file 'nope'"),
    failing(f"verify {NOT_HERE} s.hail.jsonl", 4, NOT_HERE, "opensession ls"),
    failing("verify raw.jsonl", 3, "", "opensession verify ./session.hail.jsonl"),
    failing(
        "verify s.hail.jsonl --strict",
        10,
        "",
        "opensession parse --profile hail s.hail.jsonl --out ./session.hail.jsonl",
    ),
    failing(f"rm {NOT_HERE}", 4, NOT_HERE, "opensession ls"),
    # the store
    failing("--store s.hail.jsonl ls", 8, "s.hail.jsonl"),
    failing("--store s.hail.jsonl register s.hail.jsonl", 8, "s.hail.jsonl"),
]


@pytest.fixture
def world(sh, log, session, env, hail):
    """A shell in a folder with one file of each kind."""
    (env.work / "notes.txt").write_text("These are notes,\nnot a log.\n")
    for name in ("-notes.txt", "e\x1b[31m.txt"):
        (env.work / name).write_text("These are notes,\nnot a log.\n")
    (env.work / "-dash.jsonl").write_bytes((env.work / log).read_bytes())
    (env.work / "empty.jsonl").touch()
    lines = hail.session(events=3).splitlines(keepends=True)
    (env.work / "bad-line.hail.jsonl").write_bytes(lines[0] + b"{]\n" + b"".join(lines[1:]))
    (env.work / "future.hail.jsonl").write_bytes(hail.session().replace(b"hail-1.0.0", b"hail-9.9.0"))
    (env.work / "no-events.hail.jsonl").write_bytes(hail.session(events=0))
    return sh


@pytest.mark.parametrize(("line", "code", "says", "steps"), FAILURES)
def test_a_failure_is_told_and_its_steps_work(world, line, code, says, steps):
    done = world(f"opensession {line}")
    assert (done.code, "Traceback" in done.err) == (code, False)
    assert says in done.err
    assert done.out == "" or line.startswith("verify")
    for step in steps:
        assert step in done.steps
    assert done.steps or code in (2, 8), "a failure without a next step"
    for step in done.steps:
        assert (world(f"set -o pipefail; {step}").code, step) == (0, step)


# `cat` has no --json, and `verify` answers with its rows: a target that is not as it should be is an answer.
WITH_JSON = [case for case in FAILURES if case.values[0].split()[0] not in ("cat", "verify")]


@pytest.mark.parametrize(("line", "code", "says", "steps"), WITH_JSON)
def test_a_failure_as_json_is_one_document_with_the_same_facts(world, line, code, says, steps):
    done = world(f"opensession {line} --json")
    # What `parse` without --out finds out before the first byte of a session leaves is told on standard output too.
    document = json.loads(done.out or done.err)
    assert document["error"].keys() == {"code", "message", "line", "next"}
    assert done.code == code
    assert set(steps) <= {step.replace(" --json", "") for step in document["error"]["next"]}


def test_what_verify_finds_is_in_its_document(world):
    done = world(f"opensession verify {NOT_HERE} s.hail.jsonl raw.jsonl --json")
    document = json.loads(done.out)
    assert done.code == 3
    assert [error["code"] for error in document["errors"]] == ["not_found"]
    assert [(row["target"], row["address"], row["valid"]) for row in document["targets"]] == [
        ("s.hail.jsonl", "none", True),
        ("raw.jsonl", "none", False),
    ]
    assert document["targets"][1]["error"]["line"] == 1


def test_a_file_name_that_is_no_text_can_be_named(sh, env, hail):
    (env.work / "s.hail.jsonl").write_bytes(hail.session())
    sh("mv s.hail.jsonl $'caf\\xe9.jsonl'")
    for locale in ("C", "C.UTF-8"):
        assert sh("opensession verify $'caf\\xe9.jsonl'", LC_ALL=locale).code == 0
        document = json.loads(sh("opensession inspect $'caf\\xe9.jsonl' --json", LC_ALL=locale).out)
        assert document["path"].endswith("caf\udce9.jsonl")
    sh("echo notes > $'caf\\xe9.txt'")
    done = sh("opensession register $'caf\\xe9.txt'")
    assert done.steps[0] == "sed -n 1p $'caf\\351.txt' | cut -c1-300 | cat -v"
    assert sh(done.steps[0]).out == "notes\n"
    missing = sh("opensession register $'caf\\xe8.jsonl'")
    assert missing.code == 4
    assert "caf\\udce8.jsonl" in missing.err


def test_a_pipe_gets_the_own_name_of_a_file_that_is_no_text(sh, log):
    sh(f"mkdir $'st\\xff' && mv {log} $'st\\xff/\\xfe.jsonl'")
    for locale in ("C", "C.UTF-8"):
        for profile in ("auto", "claude-code"):
            register = f"cd $'st\\xff' && opensession register --profile {profile} $'\\xfe.jsonl' --store ."
            done = sh(
                f"{register} | sed -n 's/^stored_at: //p' | xargs -d '\\n' opensession verify", LC_ALL=locale
            )
            assert (done.code, done.err) == (0, "")
            document = json.loads(sh(f"{register} --json", LC_ALL=locale).out)
            assert os.path.isfile(document["store_path"])
            assert sh(f"cd $'st\\xff' && opensession parse --profile {profile} $'\\xfe.jsonl'").code == 0


def test_a_damaged_object_is_never_handed_out(sh, session, env):
    address = sh(f"opensession register {session} --quiet").out.strip()
    flip(env.store, address)
    for line in ("cat", "cat --check-first", "inspect"):
        done = sh(f"opensession {line} {address}")
        assert (done.code, done.out) == (5, "")
        assert address.removeprefix("os://src/local/") in done.err or address in done.err
    verified = sh(f"opensession verify {address}")
    assert verified.code == 5
    assert "address: no" in verified.out
    assert verified.steps == ["opensession fsck --repair"]
    assert sh(verified.steps[0]).code == 0


def test_an_ambiguous_hash_is_answered_with_the_whole_ones(sh, env, hail):
    # Two objects whose addresses begin alike: the names are what is looked at, so links of one object do.
    (env.work / "s.hail.jsonl").write_bytes(hail.session())
    address = sh("opensession register s.hail.jsonl --quiet").out.strip().removeprefix("os://src/local/")
    twin = address[:8] + ("0" if address[8] != "0" else "1") + address[9:]
    folder = env.store / "objects" / "sha256" / address[:2] / address[2:4]
    (folder / f"{twin}.jsonl").hardlink_to(folder / f"{address}.jsonl")
    done = sh(f"opensession cat {address[:8]}")
    assert done.code == 2
    assert address in done.err
    assert twin in done.err
    assert done.steps


def test_a_wrongly_spelled_address_is_answered_with_the_right_line(sh, session):
    address = sh(f"opensession register {session} --quiet").out.strip()
    for wrong in (
        address.upper().replace("OS://SRC/LOCAL", "os://src/local"),
        address.removeprefix("os://src/local/").upper(),
    ):
        done = sh(f"opensession cat {wrong}")
        assert done.code == 2
        assert sh(done.steps[0]) == (0, sh(f"opensession cat {address}").out, "")


def test_a_file_named_like_an_object_promises_its_address(sh, session, env):
    address = sh(f"opensession register {session} --quiet").out.strip()
    digest = address.removeprefix("os://src/local/")
    sh(f"opensession cat {address} > {digest}.jsonl")
    assert sh(f"opensession verify ./{digest}.jsonl").code == 0
    sh(f"echo >> {digest}.jsonl")
    done = sh(f"opensession verify ./{digest}.jsonl")
    assert done.code == 5
    assert sh(done.steps[0]).code == 0


def test_a_debugger_gets_the_traceback_and_nobody_else(sh):
    assert "Traceback" in sh("opensession register nope.jsonl", OPENSESSION_DEBUG="1").err
    assert "Traceback" not in sh("opensession register nope.jsonl", OPENSESSION_DEBUG="0").err


def test_an_error_shows_no_control_character_of_a_file_name(sh):
    done = sh("opensession register $'a\\e[2Jb\\u202ec'")
    assert done.code == 4
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    assert "\\x1b[2J" in done.err


def test_a_session_s_text_is_in_no_error(sh, env, hail):
    secret = "correct horse battery staple"
    broken = hail.session(text=secret).replace(b'"UserMessage"', b'{"' + secret.encode() + b'":1}')
    (env.work / "s.hail.jsonl").write_bytes(broken)
    for line in (
        "register s.hail.jsonl",
        "verify s.hail.jsonl",
        "inspect s.hail.jsonl",
        "parse --profile hail s.hail.jsonl",
    ):
        done = sh(f"opensession {line}")
        assert done.code == 3
        assert secret not in done.err + (done.out if "parse" not in line else "")


def test_nothing_of_a_session_without_events_reaches_the_output(world):
    done = world(
        "head -n 1 s.hail.jsonl > header.jsonl; opensession parse --profile hail header.jsonl --json"
    )
    assert (done.code, json.loads(done.out)["error"]["code"]) == (3, "no_events")
