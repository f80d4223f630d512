"""Where agents keep their logs, and which of them are found."""

from __future__ import annotations

import io
import json
import os

import pytest

from opensession import core
from opensession.agents import AGENTS, discover
from opensession.agents.discovery import open_log


def claude(*records: dict) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


def codex(cwd: str, remote: str | None = None, filler: int = 0) -> bytes:
    payload = {"id": "t-1", "base_instructions": "x" * filler, "cwd": cwd}
    if remote:
        payload["git"] = {"repository_url": remote}
    return claude(
        {"type": "session_meta", "payload": payload}, {"type": "turn_context", "payload": {"cwd": "/x"}}
    )


def put(path, data: bytes, at: int = 1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(at * 10**9, at * 10**9))
    return path


@pytest.fixture
def find(env):
    def run(wanted=lambda clue: True, **more):
        return discover(env.home, os.environ, wanted, **more)

    return run


def test_every_agent_is_a_profile_that_the_core_knows():
    assert {agent.name: agent.label for agent in AGENTS}.items() <= {
        p["id"]: p["label"] for p in core.profiles()
    }.items()


def test_logs_are_found_newest_first_with_the_folder_they_name(env, find):
    one = put(env.home / ".claude/projects/-w/1.jsonl", claude({"type": "summary"}, {"cwd": "/w"}), 10)
    two = put(env.home / ".codex/sessions/2026/01/02/rollout-1.jsonl", codex("/v", "https://h/r", 30_000), 30)
    three = put(env.home / ".codex/archived_sessions/rollout-2.jsonl", codex("/u"), 20)

    found = find()
    assert [(log.agent.name, log.path, log.folder, log.remote) for log in found.logs] == [
        ("codex", str(two), "/v", "https://h/r"),
        ("codex", str(three), "/u", None),
        ("claude-code", str(one), "/w", None),
    ]
    assert (found.looked_at, found.unreadable, found.left_out) == (3, 0, 0)


def test_the_variables_name_further_homes(env, find, monkeypatch):
    mine = put(env.home / ".claude/projects/-w/1.jsonl", claude({"cwd": "/w"}), 1)
    also = put(env.home / "other/projects/-w/2.jsonl", claude({"cwd": "/w"}), 2)
    third = put(env.home / "third/projects/-w/3.jsonl", claude({"cwd": "/w"}), 3)
    moved = put(env.home / "codex/sessions/2026/01/02/rollout-1.jsonl", codex("/w"), 4)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{env.home}/other, {env.home}/third,{env.home}/.claude,relative")
    monkeypatch.setenv("CODEX_HOME", str(env.home / "codex"))

    assert [log.path for log in find().logs] == [str(p) for p in (moved, third, also, mine)]


def test_helpers_logs_and_other_files_are_left_alone(env, find):
    put(env.home / ".claude/projects/-w/agent-1.jsonl", claude({"cwd": "/w"}))
    put(env.home / ".claude/projects/-w/s/subagents/agent-2.jsonl", claude({"cwd": "/w"}))
    put(env.home / ".claude/history.jsonl", claude({"cwd": "/w"}))
    put(env.home / ".codex/sessions/2026/01/02/notes.jsonl", codex("/w"))

    assert find() == ((), 0, 0, 0)


def test_only_what_is_wanted_counts_against_the_limit(env, find):
    for n in range(6):
        put(env.home / f".claude/projects/-w/{n}.jsonl", claude({"cwd": f"/{n % 2}"}), n)

    found = find(lambda clue: clue.folder == "/1", most=2)
    assert [log.path[-7:] for log in found.logs] == ["5.jsonl", "3.jsonl"]
    assert (found.looked_at, found.left_out) == (3, 3)
    assert find(look=2)[1:] == (2, 0, 4)


def test_no_link_is_followed_and_nothing_but_plain_files_is_opened(env, find):
    outside = put(env.home / "outside/secret.jsonl", claude({"cwd": "/w"}))
    projects = env.home / ".claude/projects"
    (projects / "-w").mkdir(parents=True)
    os.symlink(outside.parent, projects / "-linked")
    os.symlink(outside, projects / "-w" / "linked.jsonl")
    os.mkfifo(projects / "-w" / "pipe.jsonl")
    (projects / "-w" / "folder.jsonl").mkdir()

    assert find() == ((), 0, 2, 0)


def test_a_home_that_is_a_link_is_the_user_s_own_choice(env, find):
    put(env.home / "disk/projects/-w/1.jsonl", claude({"cwd": "/w"}))
    os.symlink(env.home / "disk", env.home / ".claude")

    assert [log.path for log in find().logs] == [str(env.home / "disk/projects/-w/1.jsonl")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff no JSON\n[1]\n7\n" + b"[" * 5000 + b"\n",
        claude({"cwd": ""}, {"cwd": 7}, {"cwd": None}),
        b"{" + b" " * (2 << 20),
        b"\x28\xb5\x2f\xfd damaged",
    ],
)
def test_a_log_that_names_no_folder_has_none(env, find, data):
    put(env.home / ".claude/projects/-w/1.jsonl", data)

    assert [(log.folder, log.remote) for log in find().logs] == [(None, None)]


def test_a_last_line_without_an_end_is_read_and_what_is_far_inside_is_not(env, find):
    put(env.home / ".claude/projects/-w/1.jsonl", b'{"cwd":"/w"}', 2)
    put(
        env.home / ".claude/projects/-w/2.jsonl", b"x" * 999 + b"\n" + b"y\n" * (1 << 19) + b'{"cwd":"/w"}', 1
    )

    assert [log.folder for log in find().logs] == ["/w", None]


def test_a_compressed_log_is_read_where_the_log_itself_is_gone(env, find):
    folder = env.home / ".codex/archived_sessions"
    for name in ("rollout-1", "rollout-2"):
        put(folder / f"{name}.jsonl.zst", b"", 1)
        with open(folder / f"{name}.jsonl.zst", "r+b") as file:
            core.pack([codex(f"/{name}", filler=3 << 20)], file.fileno())
    put(folder / "rollout-1.jsonl", codex("/plain"), 2)

    # The instructions of the compressed one are longer than what is looked at.
    assert [log.folder for log in find().logs] == [None, "/plain"]
    with open(folder / "rollout-2.jsonl.zst", "r+b") as file:
        core.pack([codex("/small", "https://h/r"), b"x" * (3 << 20)], file.fileno())
    assert ("/small", "https://h/r") in [(log.folder, log.remote) for log in find().logs]


def test_a_log_is_opened_again_only_while_it_is_a_file(env, find):
    path = put(env.home / ".claude/projects/-w/1.jsonl", claude({"cwd": "/w"}))
    [log] = find().logs
    with io.FileIO(open_log(log)) as file:
        assert file.read() == path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="no plain file"):
        open_log(log)
    path.unlink()
    os.symlink("/etc/hostname", path)
    with pytest.raises(OSError):
        open_log(log)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_counted(env, find):
    path = put(env.home / ".claude/projects/-w/1.jsonl", claude({"cwd": "/w"}))
    path.chmod(0)

    assert find()[1:] == (1, 1, 0)
