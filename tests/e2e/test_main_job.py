"""The main job, as a person does it: parse, register, cat, inspect, verify."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest
from damage import flip

STATS = {
    "event_count",
    "message_count",
    "tool_call_count",
    "task_count",
    "duration_seconds",
    "total_input_tokens",
    "total_output_tokens",
    "user_message_count",
    "files_changed",
    "lines_added",
    "lines_removed",
}


def test_a_log_becomes_a_stored_verified_session(sh, log):
    assert sh(f"opensession parse --profile claude-code {log} --out ./session.hail.jsonl").code == 0
    address = sh("opensession register ./session.hail.jsonl --quiet").out.strip()
    digest = sh("sha256sum ./session.hail.jsonl").out.split()[0]
    assert address == f"os://src/local/{digest}"
    assert sh(f"opensession cat {address} | cmp - ./session.hail.jsonl").code == 0
    inspected = json.loads(sh(f"opensession inspect {address} --json").out)
    assert inspected.keys() >= STATS
    assert inspected["source"]["records"]["read"] == 29
    assert inspected["total_output_tokens"] > 0
    verified = sh(f"opensession verify {address} --strict")
    assert verified.code == 0
    assert verified.out.splitlines()[2:5] == ["address: yes", "canonical: yes", "valid: yes"]


def test_parsing_and_storing_in_one_pass_gives_the_same_address(sh, log):
    sh(f"opensession parse --profile claude-code {log} --out ./session.hail.jsonl")
    by_steps = sh("opensession register ./session.hail.jsonl --quiet").out
    assert sh(f"opensession register --profile claude-code {log} --quiet").out == by_steps
    assert sh(f"opensession register --profile auto - --quiet < {log}").out == by_steps
    assert sh(f"cat {log} | opensession register --profile auto - --quiet").out == by_steps
    assert sh(f"cat {log} | opensession parse --profile auto - | opensession register - -q").code == 2
    assert (
        sh(f"cat {log} | opensession parse --profile auto - | opensession register - --quiet").out == by_steps
    )


def test_every_way_to_give_a_log_gives_the_same_bytes(sh, log):
    expected = sh(f"opensession parse --profile claude-code {log}").out
    for line in (
        f"opensession parse --profile auto {log}",
        f"opensession parse --profile auto - < {log}",
        f"cat {log} | opensession parse --profile auto -",
        f"cat {log} | opensession parse --profile auto /dev/stdin",
        f"opensession parse --profile auto <(cat {log})",
        f"gzip -c {log} | opensession parse --profile auto -",
        f"gzip -k {log}; opensession parse --profile claude-code {log}.gz",
        f"opensession parse --profile claude-code {log} --validate",
        f"opensession parse --profile claude-code {log} --jobs 1",
        f"opensession parse --profile claude-code {log} --out -",
        f"opensession parse --profile claude-code {log} | opensession parse --profile hail -",
        f"opensession parse --profile claude-code {log} --out /dev/stdout",
    ):
        assert sh(line) == (0, expected, "")


def test_register_prints_the_address_the_place_and_the_size(sh, session, env):
    done = sh(f"opensession register {session}")
    address, stored_at, count = done.out.splitlines()
    digest = address.removeprefix("os://src/local/")
    path = env.store / "objects" / "sha256" / digest[:2] / digest[2:4] / f"{digest}.jsonl"
    assert stored_at == f"stored_at: {path}"
    assert count == f"bytes: {path.stat().st_size}"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_register_as_json_has_the_documented_keys(sh, session):
    document = json.loads(sh(f"opensession register {session} --json").out)
    assert {"uri", "hash", "store_path", "bytes", "existed", "session_id", "sessions"} == document.keys()
    assert document["existed"] is False
    assert json.loads(sh(f"opensession register {session} --json --quiet").out)["existed"] is True


def test_json_is_pretty_with_sorted_keys(sh, session):
    text = sh(f"opensession register {session} --json").out
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_a_stream_of_sessions_gives_an_address_each(sh, env, hail):
    (env.work / "two.jsonl").write_bytes(hail.session("s-1") + hail.session("s-2"))
    done = sh("opensession register two.jsonl --quiet")
    assert len(done.out.splitlines()) == 2
    listed = json.loads(sh("opensession inspect two.jsonl --json").out)["sessions"]
    assert [row["session_id"] for row in listed] == ["s-1", "s-2"]
    assert [row["uri"] for row in listed] == done.out.split()
    assert [row["stored"] for row in listed] == [True, True]


def test_one_bad_file_does_not_keep_the_others_out(sh, env, session):
    (env.work / "bad.jsonl").write_text("no json\n")
    done = sh(f"opensession register bad.jsonl {session} nope.jsonl --quiet")
    assert done.code == 3
    assert done.out.startswith("os://src/local/")
    assert done.err.count("Error:") == 2
    document = json.loads(sh(f"opensession register bad.jsonl {session} nope.jsonl --json").out)
    assert [error["code"] for error in document["errors"]] == ["hail_syntax", "input_missing"]
    assert document["error"] == document["errors"][0]
    assert len(document["sessions"]) == 1


def test_a_short_hash_is_enough(sh, session):
    address = sh(f"opensession register {session} --quiet").out.strip()
    short = address.removeprefix("os://src/local/")[:8]
    assert sh(f"opensession cat {short}").out == sh(f"opensession cat --check-first {address}").out
    assert sh(f"opensession inspect {short}").out == sh(f"opensession inspect {address}").out


def test_in_a_repository_the_store_is_shared_by_all_worktrees_and_out_of_the_work_tree(sh, session, env):
    env.git("init", "--quiet", ".")
    env.git("commit", "--quiet", "--allow-empty", "-m", "first")
    env.git("worktree", "add", "--quiet", "../linked")
    address = sh(f"opensession register {session} --quiet").out.strip()
    assert env.git("status", "--porcelain") == f"?? {session}"
    assert (env.work / ".git" / "opensession" / "objects").is_dir()
    assert env.run("cat", address, cwd=env.work.parent / "linked").returncode == 0


@pytest.mark.parametrize("line", ["opensession --store ./here {}", "opensession {} --store ./here"])
def test_a_store_can_be_named_before_or_after_the_command(sh, session, line):
    address = sh(line.format(f"register {session} --quiet")).out.strip()
    assert (sh.work / "here" / "objects").is_dir()
    assert sh(line.format(f"cat {address}")).code == 0
    assert sh(f"opensession cat {address}").code == 4


def test_ls_shows_what_is_stored_and_rm_takes_it_away(sh, session):
    assert sh("opensession ls") == (0, "", "")
    address = sh(f"opensession register {session} --quiet").out.strip()
    assert address.removeprefix("os://src/local/")[:12] in sh("opensession ls").out
    assert sh("opensession ls --quiet").out.strip() == address
    assert json.loads(sh("opensession ls --json").out)["sessions"][0]["uri"] == address
    assert sh(f"opensession rm {address}") == (0, f"removed: {address}\n", "")
    assert sh("opensession ls").out == ""


def test_gc_says_what_it_would_remove_and_removes_it_when_told(sh, session, env):
    sh(f"opensession register {session}")
    left = env.store / ".tmp-1-0123456789abcdef"
    left.write_bytes(b"x" * 10)
    dry = sh("opensession gc")
    assert f"would remove: temporary {left}" in dry.out
    assert left.exists()
    assert dry.steps == ["opensession gc --apply"]
    assert sh(dry.steps[0]).code == 0
    assert not left.exists()
    assert len(sh("opensession ls --quiet").out.split()) == 1


def test_old_sessions_go_only_when_asked(sh, session):
    sh(f"opensession register {session}")
    assert sh("opensession gc --apply --sessions --older-than 1d").code == 0
    assert len(sh("opensession ls --quiet").out.split()) == 1
    wrong = sh("opensession gc --sessions --older-than 3fortnights")
    assert wrong.code == 2
    assert sh(wrong.steps[0]).code == 0
    assert sh("opensession gc --sessions").code == 2


def test_fsck_finds_a_flipped_byte_and_repair_sets_it_aside(sh, session, env):
    address = sh(f"opensession register {session} --quiet").out.strip()
    assert sh("opensession fsck").code == 0
    path = flip(env.store, address)
    found = sh("opensession fsck")
    assert found.code == 5
    assert str(path) in found.out
    assert found.steps == ["opensession fsck --repair"]
    assert sh(found.steps[0]).code == 0
    assert not path.exists()
    assert sh("opensession fsck").code == 0
    assert sh(f"opensession register {session} --quiet").out.strip() == address
    assert sh(f"opensession verify {address}").code == 0


def test_the_version_is_the_package_s(sh):
    import opensession

    assert sh("opensession --version").out == f"opensession {opensession.__version__}\n"
    assert sh("opensession -V").out == f"opensession {opensession.__version__}\n"


def test_parse_reports_as_json_where_the_session_is_not(sh, log):
    to_file = sh(f"opensession parse --profile auto {log} --out o.jsonl --json --validate")
    document = json.loads(to_file.out)
    assert to_file.err == ""
    assert {
        "profile",
        "candidates",
        "out",
        "validated",
        "losses",
        "source",
        "hash",
    } | STATS <= document.keys()
    assert (document["profile"], document["validated"], document["losses"]) == ("claude-code", True, {})
    to_stdout = sh(f"opensession parse --profile auto {log} --json")
    assert json.loads(to_stdout.err)["hash"] == document["hash"]
    assert hashlib.sha256(to_stdout.out.encode()).hexdigest() == document["hash"]


def test_preview_tells_the_profile_the_reasons_and_the_ledger(sh, log):
    preview = sh(f"opensession parse --profile auto {log} --preview --out /dev/null").err
    assert "parser_used: claude-code" in preview
    assert "confidence: " in preview
    assert "reasons:\n- " in preview
    assert "records: read 29 = mapped " in preview
    assert preview.endswith("losses: none\n")


def test_losses_are_noted_and_strict_exits_10_with_the_output_written(sh, log, env):
    text = (env.work / log).read_text()
    (env.work / log).write_text(
        text + '{"type":"user","message":{"role":"user","content":"cut\n' + text.splitlines()[3] + "\n"
    )
    lenient = sh(f"opensession parse --profile claude-code {log} --out a.jsonl")
    assert lenient.code == 0
    assert "warning: the ledger counts losses: " in lenient.err
    strict = sh(f"opensession parse --profile claude-code {log} --out b.jsonl --strict")
    assert strict.code == 10
    assert strict.steps == ["opensession inspect b.jsonl"]
    assert sh(strict.steps[0]).code == 0
    assert sh("cmp a.jsonl b.jsonl").code == 0
    piped = sh(f"opensession parse --profile claude-code {log} --strict > c.jsonl")
    assert piped.code == 10
    assert sh(piped.steps[0]).code == 0


def test_a_cut_last_line_is_left_for_the_next_time_unless_final(sh, log, env):
    whole = sh(f"opensession parse --profile claude-code {log}").out
    with (env.work / log).open("a") as file:
        file.write('{"type":"user","mess')
    cut = sh(f"opensession parse --profile claude-code {log} --strict")
    assert cut.code == 0
    assert cut.out.splitlines()[1:-1] == whole.splitlines()[1:-1]
    assert "the last line is incomplete" in cut.err
    final = sh(f"opensession parse --profile claude-code {log} --final --strict")
    assert final.code == 10
    assert len(final.out.splitlines()) == len(whole.splitlines()) + 1


def test_an_object_of_an_older_program_is_read_and_is_ok_but_not_canonical(sh, env, hail):
    env.git("init", "--quiet", ".")
    data = hail.session()
    digest = hashlib.sha256(data).hexdigest()
    folder = env.work / ".opensession" / "objects" / "sha256" / digest[:2] / digest[2:4]
    folder.mkdir(parents=True)
    (folder / f"{digest}.jsonl").write_bytes(data)
    assert sh(f"opensession cat {digest[:8]}").out.encode() == data
    inspected = json.loads(sh(f"opensession inspect {digest[:8]} --json").out)
    assert (inspected["hash"], inspected["canonical"], inspected["stored"]) == (digest, False, True)
    verified = sh(f"opensession verify os://src/local/{digest}")
    assert verified.code == 0
    assert verified.out.splitlines()[2:5] == [
        "address: yes",
        "canonical: no, differs from byte 2 on",
        "valid: yes",
    ]
    strict = sh(f"opensession verify os://src/local/{digest} --strict")
    assert strict.code == 10
    assert sh(f"set -o pipefail; {strict.steps[0]}").code == 0
    assert len(sh("opensession ls --quiet").out.split()) == 2
    assert sh(f"opensession rm {digest}").code == 6
