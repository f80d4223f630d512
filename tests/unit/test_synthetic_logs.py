"""The benchmarks' generator: deterministic, and true to the shapes that make real logs hard."""

import hashlib
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

BENCHES = Path(__file__).resolve().parents[2] / "benches"
sys.path.insert(0, str(BENCHES))

import gen_logs  # noqa: E402
from synthetic.text import Pools  # noqa: E402

GLUED = re.compile(rb'\}\{"(?:parentUuid|timestamp|type)"')
MODES = ("claude", "codex", "hail", "hail300")


@pytest.fixture(scope="module")
def pools() -> Pools:
    return Pools(gen_logs.SEED)


def generate(mode: str, size: int, pools: Pools, long_line: int = 0, seed: int = gen_logs.SEED) -> bytes:
    return b"".join(gen_logs.chunks(mode, size, pools, seed, long_line))


@pytest.fixture(scope="module")
def claude(pools: Pools) -> list[bytes]:
    return generate("claude", 12_000_000, pools).splitlines()


@pytest.fixture(scope="module")
def codex(pools: Pools) -> list[bytes]:
    return generate("codex", 12_000_000, pools).splitlines()


def records(lines: list[bytes]) -> list[dict]:
    return [json.loads(line) for line in lines if not GLUED.search(line)]


@pytest.mark.parametrize("mode", MODES)
def test_another_seed_gives_another_log(pools: Pools, mode: str) -> None:
    assert generate(mode, 400_000, pools) == generate(mode, 400_000, pools)
    assert generate(mode, 400_000, pools, seed=7) != generate(mode, 400_000, pools)


def test_the_same_arguments_give_the_same_bytes_under_another_hash_seed(pools: Pools, tmp_path: Path) -> None:
    path = tmp_path / "claude.jsonl"
    command = [sys.executable, str(BENCHES / "gen_logs.py"), "claude", "400K", str(path)]
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    text = path.read_bytes()
    assert text == generate("claude", 400_000, pools)
    assert (printed["bytes"], printed["sha256"]) == (len(text), hashlib.sha256(text).hexdigest())


def test_a_claude_log_is_one_session_with_repeated_message_ids(claude: list[bytes]) -> None:
    everything = records(claude)
    assert len({record["sessionId"] for record in everything if "sessionId" in record}) == 1
    messages = [r["message"] for r in everything if r["type"] == "assistant"]
    assert len({message["id"] for message in messages}) < 0.7 * len(messages)


def test_a_claude_log_has_growing_usage_backward_times_and_unanswered_calls(claude: list[bytes]) -> None:
    everything = records(claude)
    grown, last = 0, {}
    for message in (r["message"] for r in everything if r["type"] == "assistant"):
        out = message["usage"]["output_tokens"]
        grown += out > last.get(message["id"], out)
        last[message["id"]] = out
    assert grown > 20
    times = [record["timestamp"] for record in everything if "timestamp" in record]
    assert any(later < earlier for earlier, later in pairwise(times))
    assert calls(everything, "tool_use", "id") - calls(everything, "tool_result", "tool_use_id")


def calls(everything: list[dict], kind: str, member: str) -> set[str]:
    messages = [r["message"]["content"] for r in everything if isinstance(r.get("message"), dict)]
    blocks = [block for content in messages if isinstance(content, list) for block in content]
    return {block[member] for block in blocks if block["type"] == kind}


def test_a_codex_log_writes_prompts_and_answers_twice(codex: list[bytes]) -> None:
    kinds = [(r["type"], r["payload"].get("type"), r["payload"].get("role")) for r in records(codex)]
    assert (
        abs(
            kinds.count(("event_msg", "agent_message", None))
            - kinds.count(("response_item", "message", "assistant"))
        )
        <= 2
    )
    assert kinds.count(("event_msg", "user_message", None)) > 100
    assert sum("encrypted_content" in r["payload"] for r in records(codex)) > 100


def test_logs_hold_glued_records_and_lone_surrogates(claude: list[bytes], codex: list[bytes]) -> None:
    for lines in (claude, codex):
        assert [line for line in lines if GLUED.search(line)]
        assert any(re.search(rb"\\ud83d(?!\\ude)", line) for line in lines)


def test_small_events_are_three_hundred_bytes(pools: Pools) -> None:
    events = generate("hail300", 200_000, pools).splitlines(keepends=True)[1:-1]
    assert {len(event) for event in events} == {300}
    assert all(json.loads(event)["type"] == "event" for event in events)


@pytest.mark.parametrize("mode", ["claude", "codex", "hail"])
def test_a_long_line_is_one_record_of_the_asked_size(pools: Pools, mode: str) -> None:
    lines = generate(f"longline-{mode}", 2_000_000, pools, long_line=3_000_000).splitlines(keepends=True)
    longest = max(lines, key=len)
    assert len(longest) == 3_000_000
    assert json.loads(longest)
    assert 0 < lines.index(longest) < len(lines) - 1
